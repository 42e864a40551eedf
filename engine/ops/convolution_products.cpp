#include "engine/ops/convolution_products.h"

#include <algorithm>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"

namespace engine {

namespace {

using Geometry = ConvolutionGeometry;

// Rounded up; b > 0.
std::int64_t quotient_up(std::int64_t a, std::int64_t b) {
  return a > 0 ? (a + b - 1) / b : -(-a / b);
}

// So many columns, one an image of the batch, fill a product and stay in a cache.
constexpr std::int64_t enough_columns = 256;

// Places of the map one after the other, row by row: their columns, [filters, count * batch], lie together.
struct Places {
  std::int64_t first, count;
};

// All places in runs of equal length, nearly.
class Runs {
 public:
  explicit Runs(const Geometry& g) : places_(g.places()) {
    constexpr std::int64_t enough_tasks = 4;
    const std::int64_t full = quotient_up(places_ * g.batch, enough_columns);
    count_ = std::min(places_, std::max(full, enough_tasks));
  }

  std::int64_t count() const { return count_; }
  std::int64_t longest() const { return quotient_up(places_, count_); }
  Places operator[](std::int64_t run) const {
    const std::int64_t first = run * places_ / count_;
    return {first, (run + 1) * places_ / count_ - first};
  }

 private:
  std::int64_t places_, count_;
};

// What a tap falls on in one channel of the image, zero beyond it, from `count` places of one row of the map.
void cover_row(const Geometry& g, const real* image, std::int64_t tap, std::int64_t place, std::int64_t count,
               real* covered) {
  const std::int64_t y = place / g.map_width * g.stride + tap / g.kernel_width - g.padding.rows;
  const std::int64_t x = place % g.map_width * g.stride + tap % g.kernel_width - g.padding.columns;
  if (y < 0 || y >= g.height) {
    std::fill_n(covered, count * g.batch, real(0));
    return;
  }
  const std::int64_t begin = std::clamp<std::int64_t>(quotient_up(-x, g.stride), 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(quotient_up(g.width - x, g.stride), begin, count);
  const std::int64_t step = g.stride == 1 ? std::max<std::int64_t>(end - begin, 1) : 1;  // places that lie together
  real* to = std::fill_n(covered, begin * g.batch, real(0));
  for (std::int64_t i = begin; i < end; i += step)
    to = std::copy_n(image + (y * g.width + x + i * g.stride) * g.batch, step * g.batch, to);
  std::fill_n(to, (count - end) * g.batch, real(0));
}

// What the kernel covers of some channels when it is laid over each of the places: covered [channels, taps,
// count * batch].
void cover(const Geometry& g, const real* image, std::int64_t channels, const Places& places, real* covered) {
  for (std::int64_t channel = 0; channel < channels; ++channel, image += g.pixels() * g.batch)
    for (std::int64_t tap = 0; tap < g.taps(); ++tap)
      for (std::int64_t place = places.first, end = place + places.count; place < end;) {
        const std::int64_t in_row = std::min(end - place, g.map_width - place % g.map_width);
        cover_row(g, image, tap, place, in_row, covered);
        covered += in_row * g.batch;
        place += in_row;
      }
}

// [taps, filters, channels]
Tensor by_taps(const Geometry& g, const Tensor& weight) {
  return transpose(weight.reshaped({g.filters * g.channels, g.taps()})).value();
}

// Pixels of a row of the image that lie a stride apart: the same taps fall on them, each from places side by side.
struct Pixels {
  std::int64_t row, first, count;
};

// Sets sums [channels, count * batch], whose rows lie row_length apart, to what falls on the pixels; taps as by_taps()
// has them.
void fall_on(const Geometry& g, const Tensor& taps, const Tensor& map, const Pixels& pixels, real* sums,
             std::int64_t row_length) {
  for (std::int64_t channel = 0; channel < g.channels; ++channel)
    std::fill_n(sums + channel * row_length, pixels.count * g.batch, real(0));
  for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
    const std::int64_t y = pixels.row + g.padding.rows - tap / g.kernel_width;
    const std::int64_t x = pixels.first + g.padding.columns - tap % g.kernel_width;
    if (y < 0 || y % g.stride != 0 || y / g.stride >= g.map_height || x % g.stride != 0) continue;
    const std::int64_t column = x / g.stride;  // of the place over the first pixel
    const std::int64_t begin = std::clamp<std::int64_t>(-column, 0, pixels.count);
    const std::int64_t end = std::clamp<std::int64_t>(g.map_width - column, begin, pixels.count);
    if (begin == end) continue;
    gemm_single(Transpose::yes, Transpose::no, g.channels, (end - begin) * g.batch, g.filters, 1,
                taps.data() + tap * g.filters * g.channels, g.channels,
                map.data() + (y / g.stride * g.map_width + column + begin) * g.batch, g.places() * g.batch, 1,
                sums + begin * g.batch, row_length);
  }
}

}  // namespace

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight, const real* bias,
              const Activation& activation) {
  const std::int64_t depth = g.channels * g.taps();
  const Runs runs(g);
  Tensor map({g.filters, g.map_height, g.map_width, g.batch});
  parallel_for<Share::stretches>(runs.count(), 1, [&](std::int64_t run, std::int64_t) {
    const Places places = runs[run];
    const std::int64_t columns = places.count * g.batch;
    Tensor covered({depth, columns});
    cover(g, image.data(), g.channels, places, covered.data());
    real* const to = map.data() + places.first * g.batch;
    const std::int64_t row_length = g.places() * g.batch;
    for (std::int64_t filter = 0; bias && filter < g.filters; ++filter)
      std::fill_n(to + filter * row_length, columns, bias[filter]);
    gemm_single(Transpose::no, Transpose::no, g.filters, columns, depth, 1, weight.data(), depth, covered.data(),
                columns, bias ? 1 : 0, to, row_length);
    for (std::int64_t filter = 0; filter < g.filters; ++filter) activation.apply(columns, to + filter * row_length);
  });
  return map;
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  const Tensor taps = by_taps(g, weight);
  const std::int64_t most =
      std::clamp<std::int64_t>(enough_columns / std::max<std::int64_t>(g.batch, 1), 1, quotient_up(g.width, g.stride));
  const std::int64_t in_row = quotient_up(g.width, g.stride * most) * g.stride;
  Tensor image({g.channels, g.height, g.width, g.batch});
  parallel_for<Share::stretches>(g.height * in_row, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t first = task % in_row / g.stride * g.stride * most + task % in_row % g.stride;
    const Pixels pixels{task / in_row, first,
                        std::clamp<std::int64_t>(quotient_up(g.width - first, g.stride), 0, most)};
    real* const to = image.data() + (pixels.row * g.width + first) * g.batch;
    if (g.stride == 1 || pixels.count == 1) return fall_on(g, taps, map, pixels, to, g.pixels() * g.batch);
    Tensor sums({g.channels, pixels.count, g.batch});
    fall_on(g, taps, map, pixels, sums.data(), pixels.count * g.batch);
    for (std::int64_t channel = 0; channel < g.channels; ++channel)
      for (std::int64_t i = 0; i < pixels.count; ++i)
        std::copy_n(sums.data() + (channel * pixels.count + i) * g.batch, g.batch,
                    to + (channel * g.pixels() + i * g.stride) * g.batch);
  });
  return image;
}

Tensor weight_of(const Geometry& g, const Tensor& image, const Tensor& map) {
  constexpr std::int64_t enough = 144;  // rows of a product: channels times taps
  const std::int64_t depth = g.channels * g.taps(), block = std::max<std::int64_t>(enough / g.taps(), 1);
  const Runs runs(g);
  Tensor weight = Tensor::zeros(g.weight_shape());
  parallel_for<Share::stretches>(g.channels, block, [&](std::int64_t channel, std::int64_t end) {
    const std::int64_t rows = (end - channel) * g.taps();
    Tensor covered({rows, runs.longest() * g.batch});
    for (std::int64_t run = 0; run < runs.count(); ++run) {
      const Places places = runs[run];
      const std::int64_t columns = places.count * g.batch;
      cover(g, image.data() + channel * g.pixels() * g.batch, end - channel, places, covered.data());
      gemm_single(Transpose::no, Transpose::yes, g.filters, rows, columns, 1, map.data() + places.first * g.batch,
                  g.places() * g.batch, covered.data(), columns, 1, weight.data() + channel * g.taps(), depth);
    }
  });
  return weight;
}

}  // namespace engine
