#include "engine/ops/shape.h"

#include <algorithm>

#include "engine/parallel.h"

namespace engine {

namespace {

// Copies `length` steps along an axis between two tensors that agree in the other axes.
void copy_along(int axis, const Tensor& from, std::int64_t from_begin, Tensor& to, std::int64_t to_begin,
                std::int64_t length) {
  const AroundAxis source(from.shape(), axis), target(to.shape(), axis);
  for (std::int64_t o = 0; o < source.outer; ++o)
    std::copy_n(from.data() + (o * source.length + from_begin) * source.inner, length * source.inner,
                to.data() + (o * target.length + to_begin) * target.inner);
}

}  // namespace

Var reshape(const Var& x, const Shape& shape) {
  Var y = recorded(x.value().reshaped(shape), x);
  y.pull_back(x, [from = x.shape()](const Var& g) { return reshape(g, from); });
  return y;
}

Var transpose(const Var& x, int axis_a, int axis_b) {
  int a = checked_axis("transpose", x.shape(), axis_a), b = checked_axis("transpose", x.shape(), axis_b);
  if (a > b) std::swap(a, b);
  Shape shape = x.shape();
  std::swap(shape[a], shape[b]);
  Tensor value(shape);
  // x is [outer, A, middle, B, inner] and the result [outer, B, middle, A, inner].
  const AroundAxis first(x.shape(), a), second(x.shape(), b);
  std::int64_t size_a = first.length, size_b = second.length, inner = second.inner;
  std::int64_t middle = a == b ? 1 : first.inner / std::max<std::int64_t>(1, size_b * inner);
  // Where one of the two has size 1, the other changes places with the middle.
  if (size_a == 1)
    std::swap(size_a, middle);
  else if (size_b == 1)
    std::swap(size_b, middle);
  const real* in = x.value().data();
  real* out = value.data();
  if (a == b || x.size() == 0) {
    std::copy_n(in, x.size(), out);
  } else {
    // A tile reads a cache line of each of its rows and writes its columns, cache lines as well.
    constexpr std::int64_t rows = 128, columns = 16;
    const std::int64_t down = (size_a + rows - 1) / rows, across = (size_b + columns - 1) / columns;
    parallel_for<Share::stretches>(first.outer * down * middle * across, 8, [&](std::int64_t tile, std::int64_t last) {
      for (; tile < last; ++tile) {
        const std::int64_t m = tile / across % middle, o = tile / across / middle / down;
        const std::int64_t top = tile / across / middle % down * rows, bottom = std::min(size_a, top + rows);
        const std::int64_t left = tile % across * columns, right = std::min(size_b, left + columns);
        for (std::int64_t j = left; j < right; ++j) {
          const real* from = in + (((o * size_a + top) * middle + m) * size_b + j) * inner;
          real* to = out + (((o * size_b + j) * middle + m) * size_a + top) * inner;
          for (std::int64_t i = top; i < bottom; ++i, from += middle * size_b * inner, to += inner) {
            if (inner == 1)
              *to = *from;
            else
              std::copy_n(from, inner, to);
          }
        }
      }
    });
  }
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [a, b](const Var& g) { return transpose(g, a, b); });
  return y;
}

Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end) {
  const int a = checked_axis("slice", x.shape(), axis);
  require(0 <= begin && begin <= end && end <= x.dim(a), "[slice] range must lie in 0..", x.dim(a), ": ", begin, "..",
          end, " of axis ", axis, " of ", x.shape());
  Shape shape = x.shape();
  shape[a] = end - begin;
  Tensor value(shape);
  copy_along(a, x.value(), begin, value, 0, end - begin);
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [a, before = begin, after = x.dim(a) - end](const Var& g) { return pad(g, a, before, after); });
  return y;
}

Var pad(const Var& x, int axis, std::int64_t before, std::int64_t after) {
  const int a = checked_axis("pad", x.shape(), axis);
  require(before >= 0 && after >= 0, "[pad] counts must not be negative: ", before, " and ", after);
  Shape shape = x.shape();
  shape[a] += before + after;
  Tensor value = Tensor::zeros(shape);
  copy_along(a, x.value(), 0, value, before, x.dim(a));
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [a, before, end = before + x.dim(a)](const Var& g) { return slice(g, a, before, end); });
  return y;
}

Var concat(std::span<const Var> parts, int axis) {
  require(!parts.empty(), "[concat] at least one part is needed");
  const int a = checked_axis("concat", parts[0].shape(), axis);
  Shape shape = parts[0].shape();
  shape[a] = 0;
  for (const Var& part : parts) {
    require(part.rank() == shape.rank(), "[concat] parts must have the same axes: ", parts[0].shape(), " and ",
            part.shape());
    for (int i = 0; i < shape.rank(); ++i)
      require(i == a || part.dim(i) == shape[i], "[concat] parts must agree outside axis ", axis, ": ",
              parts[0].shape(), " and ", part.shape());
    shape[a] += part.dim(a);
  }
  Tensor value(shape);
  std::int64_t begin = 0;
  for (const Var& part : parts) {
    copy_along(a, part.value(), 0, value, begin, part.dim(a));
    begin += part.dim(a);
  }
  Var y = recorded(std::move(value), parts);
  begin = 0;
  for (const Var& part : parts) {
    const std::int64_t end = begin + part.dim(a);
    y.pull_back(part, [a, begin, end](const Var& g) { return slice(g, a, begin, end); });
    begin = end;
  }
  return y;
}

}  // namespace engine
