#include "apps/ways.h"

#include <utility>

#include "engine/error.h"

namespace apps {

std::string Ways::line(const ot::Transformer::Counts& all) {
  const ot::Transformer::Counts before = std::exchange(told_, all);
  const auto search = all.search - before.search, digits = all.digits - before.digits, dense = all.dense - before.dense;
  if (search + digits + dense == 0) return "";
  return engine::text("c-transforms: ", search, " by search, ", digits, " by digits, ", dense, " dense");
}

}  // namespace apps
