#include "engine/ops/patches.h"

#include <algorithm>

#include "engine/parallel.h"

namespace engine {

namespace {

/// Where patches lie in a stack of images.
struct Places {
  Places(const char* op, const Shape& shape, std::int64_t patch_size, std::int64_t patch_stride)
      : size(patch_size), stride(patch_stride) {
    require(shape.rank() == 4, "[", op, "] images must be [B, C, H, W]: ", shape);
    batch = shape[0], channels = shape[1], height = shape[2], width = shape[3];
    require(size >= 1 && size <= std::min(height, width), "[", op, "] a patch must fit the images: ", size, "x", size,
            " in ", shape);
    require(stride >= 1, "[", op, "] the stride must be at least 1: ", stride);
    rows = (height - size) / stride + 1;
    columns = (width - size) / stride + 1;
  }
  std::int64_t values() const { return channels * size * size; }

  std::int64_t size, stride, batch = 0, channels = 0, height = 0, width = 0;
  std::int64_t rows = 0, columns = 0;  // of places in an image
};

constexpr std::int64_t grain = 4;  // rows of places, or of pixels

}  // namespace

Var patches(const Var& x, std::int64_t size, std::int64_t stride) {
  const Places at("patches", x.shape(), size, stride);
  Tensor value({at.batch * at.rows * at.columns, at.values()});
  const real* const in = x.value().data();
  real* const out = value.data();
  parallel_for<Share::stretches>(at.batch * at.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t image = row / at.rows, top = row % at.rows * at.stride;
      real* to = out + row * at.columns * at.values();
      for (std::int64_t column = 0; column < at.columns; ++column)
        for (std::int64_t c = 0; c < at.channels; ++c)
          for (std::int64_t r = 0; r < at.size; ++r, to += at.size)
            std::copy_n(in + ((image * at.channels + c) * at.height + top + r) * at.width + column * at.stride, at.size,
                        to);
    }
  });
  Var y = recorded(std::move(value), x);
  y.pull_back(x, [shape = x.shape(), size, stride](const Var& g) { return sum_of_patches(g, shape, size, stride); });
  return y;
}

Var sum_of_patches(const Var& patches, const Shape& shape, std::int64_t size, std::int64_t stride) {
  const Places at("sum_of_patches", shape, size, stride);
  const Shape whole{at.batch * at.rows * at.columns, at.values()};
  require(patches.shape() == whole, "[sum_of_patches] patches of images ", shape, " must be ", whole, ": ",
          patches.shape());
  Tensor value = Tensor::zeros(shape);
  const real* const in = patches.value().data();
  real* const out = value.data();
  // A row of pixels takes from the rows of places that reach it, so that no two threads write to one pixel.
  parallel_for<Share::stretches>(at.batch * at.height, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t y = begin; y < end; ++y) {
      const std::int64_t image = y / at.height, pixel = y % at.height;
      const std::int64_t first = std::max<std::int64_t>(0, pixel - at.size + at.stride) / at.stride,
                         last = std::min(at.rows - 1, pixel / at.stride);
      for (std::int64_t row = first; row <= last; ++row)
        for (std::int64_t c = 0; c < at.channels; ++c) {
          const real* from = in + (image * at.rows + row) * at.columns * at.values() +
                             (c * at.size + pixel - row * at.stride) * at.size;
          real* to = out + ((image * at.channels + c) * at.height + pixel) * at.width;
          for (std::int64_t column = 0; column < at.columns; ++column, from += at.values(), to += at.stride)
            for (std::int64_t k = 0; k < at.size; ++k) to[k] += from[k];
        }
    }
  });
  Var x = recorded(std::move(value), patches);
  x.pull_back(patches, [size, stride](const Var& g) { return engine::patches(g, size, stride); });
  return x;
}

}  // namespace engine
