#include "engine/ops/convolution_products.h"

#include <algorithm>
#include <vector>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

using Geometry = ConvolutionGeometry;

// weight [filters, channels, taps] as [taps, rows, depth], the rows in the blocks that sum_products reads. Rows are
// filters and depth is channels, or `transposed` the reverse.
Tensor packed(const Geometry& g, const Tensor& weight, bool transposed) {
  const std::int64_t rows = transposed ? g.channels : g.filters, depth = transposed ? g.filters : g.channels;
  const std::int64_t row_stride = transposed ? g.taps() : g.channels * g.taps();
  const std::int64_t depth_stride = transposed ? g.channels * g.taps() : g.taps();
  Tensor result({g.taps(), rows, depth});
  const real* in = weight.data();
  real* out = result.data();
  parallel_for(depth, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t first = 0; first < rows; first += simd::row_block) {
        const std::int64_t count = std::min(simd::row_block, rows - first);
        const real* const from = in + first * row_stride + k * depth_stride;
        for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
          real* const to = out + (tap * rows + first) * depth + k * count;
          for (std::int64_t row = 0; row < count; ++row) to[row] = from[row * row_stride + tap];
        }
      }
  });
  return result;
}

// One of the two stacks [channels, height, width, batch] that a convolution joins.
struct Stack {
  std::int64_t channels, height, width;
  std::int64_t places() const { return height * width; }
};

// The input that a tap joins to an output along one axis of so many inputs, -1 where there is none; outputs are the
// map's places, or the image's pixels.
std::int64_t input_at(const Geometry& g, bool to_map, std::int64_t inputs, std::int64_t output, std::int64_t tap) {
  if (!to_map && (output + g.padding - tap) % g.stride != 0) return -1;
  const std::int64_t input = to_map ? output * g.stride + tap - g.padding : (output + g.padding - tap) / g.stride;
  return input < inputs ? input : -1;
}

// One stack from the other, x, and the packed weight [taps, ...]. An image is a lane, of which there must be
// least_lanes.
Tensor convolution(const Geometry& g, bool to_map, const Tensor& x, const Tensor& weight) {
  const Stack image{g.channels, g.height, g.width}, map{g.filters, g.map_height, g.map_width};
  const Stack &from = to_map ? image : map, &to = to_map ? map : image;
  // A task is a row of outputs in some of the images. The last images join those before them where they are too few
  // for a kernel.
  constexpr std::int64_t lanes = 48;
  const std::int64_t groups = (g.batch + lanes - simd::least_lanes) / lanes;
  Tensor y({to.channels, to.height, to.width, g.batch});
  parallel_for(groups * to.height, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t first = task / to.height * lanes, row = task % to.height;
    // So few channels at a time that the cache holds their weights.
    constexpr std::int64_t together = 32;
    static_assert(together % simd::row_block == 0);
    simd::ProductShape shape{together, task / to.height + 1 < groups ? lanes : g.batch - first, from.channels,
                             from.places() * g.batch, to.places() * g.batch};
    std::vector<simd::Term> terms;
    for (std::int64_t column = 0; column < to.width; ++column) {
      terms.clear();
      for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
        const std::int64_t i = input_at(g, to_map, from.height, row, tap / g.kernel_width);
        const std::int64_t j = input_at(g, to_map, from.width, column, tap % g.kernel_width);
        if (i >= 0 && j >= 0)
          terms.push_back({tap * to.channels * from.channels, (i * from.width + j) * g.batch + first});
      }
      real* const out = y.data() + (row * to.width + column) * g.batch + first;
      for (std::int64_t channel = 0; channel < to.channels; channel += together) {
        shape.rows = std::min(together, to.channels - channel);
        simd::kernels().sum_products(std::ssize(terms), terms.data(), shape, weight.data() + channel * from.channels,
                                     x.data(), out + channel * shape.stride_y);
      }
    }
  });
  return y;
}

}  // namespace

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight) {
  return convolution(g, true, image, packed(g, weight, false));
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  return convolution(g, false, map, packed(g, weight, true));
}

Tensor weight_of(const Geometry& g, const Tensor& image, const Tensor& map) {
  constexpr std::int64_t most_rows = 128;  // of one product: more are faster, but too few tasks for many threads
  Tensor by_tap = Tensor::zeros({g.taps(), g.filters, g.channels});
  const std::int64_t blocks = (g.filters + most_rows - 1) / most_rows;
  parallel_for(g.taps() * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t tap = task / blocks, filter = task % blocks * most_rows;
    real* const sum = by_tap.data() + (tap * g.filters + filter) * g.channels;
    for (std::int64_t place = 0; place < g.places(); ++place) {
      const std::int64_t y = place / g.map_width * g.stride + tap / g.kernel_width - g.padding;
      const std::int64_t x = place % g.map_width * g.stride + tap % g.kernel_width - g.padding;
      if (y < 0 || y >= g.height || x < 0 || x >= g.width) continue;
      gemm_single(Transpose::no, Transpose::yes, std::min(most_rows, g.filters - filter), g.channels, g.batch, 1,
                  map.data() + (filter * g.places() + place) * g.batch, g.places() * g.batch,
                  image.data() + (y * g.width + x) * g.batch, g.pixels() * g.batch, 1, sum, g.channels);
    }
  });
  return transpose(by_tap.reshaped({g.taps(), g.filters * g.channels})).value().reshaped(g.weight_shape());
}

}  // namespace engine
