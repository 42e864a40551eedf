#include "engine/ops/reduce.h"

#include <cmath>
#include <limits>

#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

Shape without(const Shape& shape, int axis) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i)
    if (i != axis) result.push_back(shape[i]);
  return result;
}

std::int64_t grain_for(std::int64_t work) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, work));
}

// The sum along one axis, kept with size 1. Rows are added in their order, so the bits depend on the shape alone.
Tensor sum_axis(const Tensor& x, int axis) {
  Shape shape = x.shape();
  const AroundAxis blocks(shape, axis);
  shape[axis] = 1;
  Tensor result(shape);
  const auto& k = simd::kernels();
  const real* in = x.data();
  real* out = result.data();
  if (blocks.inner == 1) {
    parallel_for<Share::stretches>(blocks.outer, grain_for(blocks.length), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) out[o] = k.sum(blocks.length, in + o * blocks.length);
    });
    return result;
  }
  constexpr std::int64_t columns = 256;
  const std::int64_t stripes = (blocks.inner + columns - 1) / columns;
  parallel_for<Share::stretches>(blocks.outer * stripes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t o = piece / stripes, first = piece % stripes * columns;
      const std::int64_t width = std::min(columns, blocks.inner - first);
      real* total = out + o * blocks.inner + first;
      std::fill_n(total, width, real{0});
      for (std::int64_t l = 0; l < blocks.length; ++l)
        k.axpy(width, 1, in + (o * blocks.length + l) * blocks.inner + first, total);
    }
  });
  return result;
}

// The sum over all elements, in fixed pieces added in their order.
Tensor sum_all(const Tensor& x) {
  constexpr std::int64_t piece = 16384;
  const std::int64_t pieces = (x.size() + piece - 1) / piece;
  const auto& k = simd::kernels();
  if (pieces <= 1) return Tensor::scalar(k.sum(x.size(), x.data()));
  Tensor partial(Shape{pieces});
  real* sums = partial.data();
  parallel_for<Share::stretches>(x.size(), piece, [&](std::int64_t begin, std::int64_t end) {
    sums[begin / piece] = k.sum(end - begin, x.data() + begin);
  });
  return sum_all(partial);
}

// The extreme along an axis, sign = 1 for max and -1 for min, and a mask with 1 at the first place that attains it.
std::pair<Tensor, Tensor> extreme(const Tensor& x, int axis, real sign) {
  Shape shape = x.shape();
  const AroundAxis blocks(shape, axis);
  shape[axis] = 1;
  Tensor value(shape), mask = Tensor::zeros(x.shape());
  for (std::int64_t o = 0; o < blocks.outer; ++o)
    for (std::int64_t i = 0; i < blocks.inner; ++i) {
      const std::int64_t first = o * blocks.length * blocks.inner + i;
      std::int64_t best = first;
      for (std::int64_t l = 1; l < blocks.length; ++l) {
        const std::int64_t at = first + l * blocks.inner;
        const real candidate = sign * x.data()[at], current = sign * x.data()[best];
        if (candidate > current || (std::isnan(candidate) && !std::isnan(current))) best = at;
      }
      value.data()[o * blocks.inner + i] = x.data()[best];
      mask.data()[best] = 1;
    }
  return {value, mask};
}

Var drop_axis(const Var& x, int axis, bool keep) {
  return keep ? x : reshape(x, without(x.shape(), axis));
}

Var extreme_op(const char* op, const Var& x, int axis, bool keep, real sign) {
  const int a = checked_axis(op, x.shape(), axis);
  require(x.dim(a) > 0, "[", op, "] the axis must not be empty: axis ", axis, " of ", x.shape());
  auto [value, mask] = extreme(x.value(), a, sign);
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [mask = mask](const Var& g) { return mul(broadcast_to(g, mask.shape()), mask); });
  return drop_axis(y, a, keep);
}

}  // namespace

Var sum(const Var& x) {
  Var y = recorded(sum_all(x.value()), x);
  y.pull_back(x, [shape = x.shape()](const Var& g) { return broadcast_to(g, shape); });
  return y;
}

Var sum(const Var& x, std::initializer_list<int> axes, bool keep) {
  Shape kept = x.shape(), dropped;
  for (int axis : axes) {
    const int a = checked_axis("sum", x.shape(), axis);
    require(kept[a] != -1, "[sum] an axis must be named once: ", axis, " for ", x.shape());
    kept[a] = -1;
  }
  for (int axis = 0; axis < kept.rank(); ++axis) {
    if (kept[axis] == -1)
      kept[axis] = 1;
    else
      dropped.push_back(kept[axis]);
  }
  Var y = sum_to(x, kept);
  return keep ? y : reshape(y, dropped);
}

Var mean(const Var& x) {
  return sum(x) * (1.0 / static_cast<double>(x.size()));
}

Var mean(const Var& x, std::initializer_list<int> axes, bool keep) {
  Var total = sum(x, axes, keep);
  return total * (static_cast<double>(std::max<std::int64_t>(1, total.size())) / static_cast<double>(x.size()));
}

Var max(const Var& x, int axis, bool keep) {
  return extreme_op("max", x, axis, keep, 1);
}

Var min(const Var& x, int axis, bool keep) {
  return extreme_op("min", x, axis, keep, -1);
}

Var logsumexp(const Var& x, int axis, bool keep) {
  const int a = checked_axis("logsumexp", x.shape(), axis);
  const AroundAxis blocks(x.shape(), a);
  Shape shape = x.shape();
  shape[a] = 1;
  Tensor value(shape);
  const auto& k = simd::kernels();
  // Lines along an inner axis are copied out, so that one kernel serves every axis.
  parallel_for<Share::stretches>(
      blocks.outer * blocks.inner, grain_for(blocks.length), [&](std::int64_t begin, std::int64_t end) {
        Tensor line(Shape{blocks.length});
        for (std::int64_t piece = begin; piece < end; ++piece) {
          const std::int64_t o = piece / blocks.inner, i = piece % blocks.inner;
          for (std::int64_t l = 0; l < blocks.length; ++l)
            line.data()[l] = x.value().data()[(o * blocks.length + l) * blocks.inner + i];
          const real shift = k.max(blocks.length, line.data());
          // An infinite shift would give inf - inf: the result is that infinity itself.
          value.data()[piece] =
              std::isfinite(shift) ? shift + std::log(k.sum_exp(blocks.length, shift, line.data())) : shift;
        }
      });
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [x, y](const Var& g) { return mul(g, exp(sub(x, y))); });
  return drop_axis(y, a, keep);
}

Var sum_to(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcast_shape("sum_to", shape, x.shape()) == x.shape(), "[sum_to] shapes must broadcast: ", shape, " to ",
          x.shape());
  Tensor value = x.value();
  const int added = x.rank() - shape.rank();
  if (shape.size() == 1) {
    value = sum_all(value);
  } else {
    for (int axis = 0; axis < x.rank(); ++axis) {
      const std::int64_t size = axis < added ? 1 : shape[axis - added];
      if (size == 1 && value.dim(axis) != 1) value = sum_axis(value, axis);
    }
  }
  Var y = recorded(value.reshaped(shape), x);
  y.pull_back(x, [from = x.shape()](const Var& g) { return broadcast_to(g, from); });
  return y;
}

}  // namespace engine
