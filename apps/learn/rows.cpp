#include "apps/learn/rows.h"

#include <cstddef>

namespace apps {

engine::Tensor rows(const engine::Tensor& x, const Rows& which) {
  const std::int64_t count = which.end - which.begin, d = x.dim(1);
  if (count == x.dim(0)) return x;
  return {{count, d},
          x.values().subspan(static_cast<std::size_t>(which.begin * d), static_cast<std::size_t>(count * d))};
}

}  // namespace apps
