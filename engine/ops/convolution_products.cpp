#include "engine/ops/convolution_products.h"

#include <algorithm>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"

namespace engine {

namespace {

using Geometry = ConvolutionGeometry;

// The pixel on which a tap falls when the kernel is laid over a place, -1 where that is outside the image.
std::int64_t pixel_at(const Geometry& g, std::int64_t place, std::int64_t tap) {
  const std::int64_t y = place / g.map_width * g.stride + tap / g.kernel_width - g.padding.rows;
  const std::int64_t x = place % g.map_width * g.stride + tap % g.kernel_width - g.padding.columns;
  return y >= 0 && y < g.height && x >= 0 && x < g.width ? y * g.width + x : -1;
}

// The place over which the kernel is laid when a tap falls on a pixel, -1 where there is none.
std::int64_t place_at(const Geometry& g, std::int64_t pixel, std::int64_t tap) {
  const std::int64_t y = pixel / g.width + g.padding.rows - tap / g.kernel_width;
  const std::int64_t x = pixel % g.width + g.padding.columns - tap % g.kernel_width;
  if (y < 0 || x < 0 || y % g.stride != 0 || x % g.stride != 0) return -1;
  const std::int64_t row = y / g.stride, column = x / g.stride;
  return row < g.map_height && column < g.map_width ? row * g.map_width + column : -1;
}

// Of few images the products above are of matrices with few columns. At stride 1 a tap moves a row of the map to a
// piece of a row of the image, in all channels alike: one product for both as they stand.
bool by_rows(const Geometry& g) {
  constexpr std::int64_t few = 16;
  return g.stride == 1 && g.batch < few && g.map_width > 1;
}

// The places of a row of the map that a tap moves into the image, and the image's column of the first of them.
struct Piece {
  Piece(const Geometry& g, std::int64_t tap) {
    const std::int64_t shift = tap % g.kernel_width - g.padding.columns;
    first = std::max<std::int64_t>(-shift, 0);
    count = std::max<std::int64_t>(std::min(g.map_width, g.width - shift) - first, 0);
    column = first + shift;
  }
  std::int64_t first, count, column;
};

// The image's row on which a tap falls from a row of the map.
std::int64_t row_under(const Geometry& g, std::int64_t map_row, std::int64_t tap) {
  return map_row + tap / g.kernel_width - g.padding.rows;
}

// [taps, filters, channels]
Tensor by_taps(const Geometry& g, const Tensor& weight) {
  return transpose(weight.reshaped({g.filters * g.channels, g.taps()})).value();
}

Tensor map_by_rows(const Geometry& g, const Tensor& image, const Tensor& weight) {
  const Tensor taps = by_taps(g, weight);
  Tensor map = Tensor::zeros({g.filters, g.map_height, g.map_width, g.batch});
  parallel_for(g.map_height, 1, [&](std::int64_t row, std::int64_t) {
    for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
      const Piece piece(g, tap);
      const std::int64_t under = row_under(g, row, tap);
      if (under < 0 || under >= g.height || piece.count == 0) continue;
      gemm_single(Transpose::no, Transpose::no, g.filters, piece.count * g.batch, g.channels, 1,
                  taps.data() + tap * g.filters * g.channels, g.channels,
                  image.data() + (under * g.width + piece.column) * g.batch, g.pixels() * g.batch, 1,
                  map.data() + (row * g.map_width + piece.first) * g.batch, g.places() * g.batch);
    }
  });
  return map;
}

Tensor image_by_rows(const Geometry& g, const Tensor& map, const Tensor& weight) {
  const Tensor taps = by_taps(g, weight);
  Tensor image = Tensor::zeros({g.channels, g.height, g.width, g.batch});
  parallel_for(g.height, 1, [&](std::int64_t under, std::int64_t) {
    for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
      const Piece piece(g, tap);
      const std::int64_t row = under - row_under(g, 0, tap);
      if (row < 0 || row >= g.map_height || piece.count == 0) continue;
      gemm_single(Transpose::yes, Transpose::no, g.channels, piece.count * g.batch, g.filters, 1,
                  taps.data() + tap * g.filters * g.channels, g.channels,
                  map.data() + (row * g.map_width + piece.first) * g.batch, g.places() * g.batch, 1,
                  image.data() + (under * g.width + piece.column) * g.batch, g.pixels() * g.batch);
    }
  });
  return image;
}

// Adds to `sum` [filters, channels].
void weight_of_tap_by_rows(const Geometry& g, const Tensor& image, const Tensor& map, std::int64_t tap, real* sum) {
  const Piece piece(g, tap);
  for (std::int64_t row = 0; row < g.map_height; ++row) {
    const std::int64_t under = row_under(g, row, tap);
    if (under < 0 || under >= g.height || piece.count == 0) continue;
    gemm_single(Transpose::no, Transpose::yes, g.filters, g.channels, piece.count * g.batch, 1,
                map.data() + (row * g.map_width + piece.first) * g.batch, g.places() * g.batch,
                image.data() + (under * g.width + piece.column) * g.batch, g.pixels() * g.batch, 1, sum, g.channels);
  }
}

// From [taps, filters, channels].
Tensor weight_from_taps(const Geometry& g, const Tensor& by_tap) {
  return transpose(by_tap.reshaped({g.taps(), g.filters * g.channels})).value().reshaped(g.weight_shape());
}

}  // namespace

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight) {
  if (by_rows(g)) return map_by_rows(g, image, weight);
  Tensor map({g.filters, g.map_height, g.map_width, g.batch});
  parallel_for(g.places(), 1, [&](std::int64_t place, std::int64_t) {
    // What the kernel covers, with zeros beyond the image: then all taps make one product.
    Tensor covered = Tensor::zeros({g.channels, g.taps(), g.batch});
    for (std::int64_t tap = 0; tap < g.taps(); ++tap)
      if (const std::int64_t pixel = pixel_at(g, place, tap); pixel >= 0)
        for (std::int64_t channel = 0; channel < g.channels; ++channel)
          std::copy_n(image.data() + (channel * g.pixels() + pixel) * g.batch, g.batch,
                      covered.data() + (channel * g.taps() + tap) * g.batch);
    gemm_single(Transpose::no, Transpose::no, g.filters, g.batch, g.channels * g.taps(), 1, weight.data(),
                g.channels * g.taps(), covered.data(), g.batch, 0, map.data() + place * g.batch, g.places() * g.batch);
  });
  return map;
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  if (by_rows(g)) return image_by_rows(g, map, weight);
  const Tensor taps = by_taps(g, weight);
  Tensor image = Tensor::zeros({g.channels, g.height, g.width, g.batch});
  parallel_for(g.pixels(), 1, [&](std::int64_t pixel, std::int64_t) {
    for (std::int64_t tap = 0; tap < g.taps(); ++tap)
      if (const std::int64_t place = place_at(g, pixel, tap); place >= 0)
        gemm_single(Transpose::yes, Transpose::no, g.channels, g.batch, g.filters, 1,
                    taps.data() + tap * g.filters * g.channels, g.channels, map.data() + place * g.batch,
                    g.places() * g.batch, 1, image.data() + pixel * g.batch, g.pixels() * g.batch);
  });
  return image;
}

Tensor weight_of(const Geometry& g, const Tensor& image, const Tensor& map) {
  constexpr std::int64_t most_rows = 128;  // of one product: more are faster, but too few tasks for many threads
  Tensor by_tap = Tensor::zeros({g.taps(), g.filters, g.channels});
  if (by_rows(g)) {
    parallel_for(g.taps(), 1, [&](std::int64_t tap, std::int64_t) {
      weight_of_tap_by_rows(g, image, map, tap, by_tap.data() + tap * g.filters * g.channels);
    });
    return weight_from_taps(g, by_tap);
  }
  const std::int64_t blocks = (g.filters + most_rows - 1) / most_rows;
  parallel_for(g.taps() * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t tap = task / blocks, filter = task % blocks * most_rows;
    real* const sum = by_tap.data() + (tap * g.filters + filter) * g.channels;
    for (std::int64_t place = 0; place < g.places(); ++place) {
      const std::int64_t pixel = pixel_at(g, place, tap);
      if (pixel < 0) continue;
      gemm_single(Transpose::no, Transpose::yes, std::min(most_rows, g.filters - filter), g.channels, g.batch, 1,
                  map.data() + (filter * g.places() + place) * g.batch, g.places() * g.batch,
                  image.data() + pixel * g.batch, g.pixels() * g.batch, 1, sum, g.channels);
    }
  });
  return weight_from_taps(g, by_tap);
}

}  // namespace engine
