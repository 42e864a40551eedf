#include "engine/ops/images.h"

#include <ostream>

#include "engine/ops/shape.h"

namespace engine {

std::ostream& operator<<(std::ostream& out, const PerAxis& numbers) {
  out << numbers.rows;
  return numbers.rows == numbers.columns ? out : out << 'x' << numbers.columns;
}

ImageSizes::ImageSizes(const Shape& x, Layout layout)
    : batch(x[layout == Layout::batch_first ? 0 : 3]),
      channels(x[layout == Layout::batch_first ? 1 : 0]),
      height(x[layout == Layout::batch_first ? 2 : 1]),
      width(x[layout == Layout::batch_first ? 3 : 2]) {}

Var batch_last(const Var& x) {
  const Var flat = reshape(x, {x.dim(0), x.dim(1) * x.dim(2) * x.dim(3)});
  return reshape(transpose(flat), {x.dim(1), x.dim(2), x.dim(3), x.dim(0)});
}

Var batch_first(const Var& x) {
  const Var flat = reshape(x, {x.dim(0) * x.dim(1) * x.dim(2), x.dim(3)});
  return reshape(transpose(flat), {x.dim(3), x.dim(0), x.dim(1), x.dim(2)});
}

}  // namespace engine
