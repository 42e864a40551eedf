#include "engine/ops/convolution_products.h"

#include <algorithm>
#include <vector>

#include "engine/blas.h"
#include "engine/ops/convolution_axis.h"
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

// How the map's places and the image's pixels meet along one axis; outputs are the places, or the pixels.
ConvolutionAxis axis_of(std::int64_t taps, std::int64_t places, std::int64_t pixels, const Geometry& g, bool to_map,
                        bool pairs) {
  std::vector<AxisMeeting> meetings;
  for (std::int64_t place = 0; place < places; ++place)
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t pixel = place * g.stride + tap - g.padding;
      if (pixel < 0 || pixel >= pixels) continue;
      meetings.push_back(to_map ? AxisMeeting{tap, pixel, place} : AxisMeeting{tap, place, pixel});
    }
  return convolution_axis(taps, to_map ? places : pixels, meetings, pairs);
}

// One stack from the other.
class Convolution {
 public:
  Convolution(const Geometry& g, bool to_map)
      : batch_(g.batch),
        from_(to_map ? Stack{g.channels, g.height, g.width} : Stack{g.filters, g.map_height, g.map_width}),
        to_(to_map ? Stack{g.filters, g.map_height, g.map_width} : Stack{g.channels, g.height, g.width}),
        rows_(axis_of(g.kernel_height, g.map_height, g.height, g, to_map, pairs_pay())),
        columns_(axis_of(g.kernel_width, g.map_width, g.width, g, to_map, pairs_pay())),
        kernel_width_(g.kernel_width) {}

  /// From x [channels, height, width, batch] and the packed weight [taps, ...]. An image is a lane, of which there must
  /// be least_lanes.
  Tensor operator()(const Tensor& x, const Tensor& weight) const;

 private:
  using Terms = std::vector<ConvolutionAxis::Term>;
  class Task;

  // Differences of inputs are made once for all output channels, and sums of outputs once for all input channels.
  bool pairs_pay() const { return std::min(from_.channels, to_.channels) >= 48; }

  // The weight for all pairs of an axis' taps, some of which are sums.
  Tensor all_taps(const Tensor& weight) const {
    const std::int64_t across = std::ssize(columns_.taps), count = std::ssize(rows_.taps) * across;
    if (count == weight.dim(0)) return weight;
    const std::int64_t size = weight.size() / weight.dim(0);
    Tensor taps = Tensor::zeros({count, size});
    parallel_for(count, 1, [&](std::int64_t tap, std::int64_t) {
      const auto [y, other_y] = rows_.taps[static_cast<std::size_t>(tap / across)];
      const auto [x, other_x] = columns_.taps[static_cast<std::size_t>(tap % across)];
      real* const sum = taps.data() + tap * size;
      for (const std::int64_t ky : {y, other_y})
        for (const std::int64_t kx : {x, other_x})
          if (ky >= 0 && kx >= 0) simd::kernels().add(size, weight.data() + (ky * kernel_width_ + kx) * size, sum, sum);
    });
    return taps;
  }

  std::int64_t batch_;
  Stack from_, to_;
  ConvolutionAxis rows_, columns_;
  std::int64_t kernel_width_;
};

// Some images, which are lanes. Sums that several outputs have in common stand in tiles [channels, lanes].
class Convolution::Task {
 public:
  Task(const Convolution& convolution, const real* x, const real* taps, std::int64_t lanes, real* y)
      : c_(convolution), x_(x), taps_(taps), lanes_(lanes), y_(y) {}

  void make(const ConvolutionAxis::Block& rows, const ConvolutionAxis::Block& columns) {
    const bool two_rows = rows.outputs.size() == 2, two_columns = columns.outputs.size() == 2;
    const auto output = [&](std::size_t i, std::size_t j) {
      return y_ + (rows.outputs[i] * c_.to_.width + columns.outputs[j]) * c_.batch_;
    };
    const std::int64_t stride = c_.to_.places() * c_.batch_;
    if (!two_rows && !two_columns) return sum(rows.sums[0], columns.sums[0], nullptr, output(0, 0), stride);
    real *const common = tile(0), *const of_row = tile(1), *const start = tile(2);
    sum(rows.sums[0], columns.sums[0], nullptr, common, lanes_);
    if (!two_rows || !two_columns) {
      for (std::size_t i = 0; i < 2; ++i)
        sum(rows.sums[two_rows ? i + 1 : 0], columns.sums[two_rows ? 0 : i + 1], common,
            two_rows ? output(i, 0) : output(0, i), stride);
      return;
    }
    real* const of_column[] = {tile(3), tile(4)};
    for (std::size_t j = 0; j < 2; ++j) sum(rows.sums[0], columns.sums[j + 1], nullptr, of_column[j], lanes_);
    for (std::size_t i = 0; i < 2; ++i) {
      sum(rows.sums[i + 1], columns.sums[0], common, of_row, lanes_);
      for (std::size_t j = 0; j < 2; ++j) {
        simd::kernels().add(c_.to_.channels * lanes_, of_row, of_column[j], start);
        sum(rows.sums[i + 1], columns.sums[j + 1], start, output(i, j), stride);
      }
    }
  }

 private:
  real* tile(std::size_t number) {
    if (!tiles_[number].defined()) tiles_[number] = Tensor({c_.to_.channels, lanes_});
    return tiles_[number].data();
  }

  // out [channels] = start + the products of all pairs of these terms, a channel's images `stride` from the next's.
  void sum(const Terms& rows, const Terms& columns, const real* start, real* out, std::int64_t stride) {
    const std::int64_t depth = c_.from_.channels, across = std::ssize(c_.columns_.taps);
    const auto is_difference = [](const ConvolutionAxis::Term& term) { return term.minus >= 0; };
    const bool in_place = std::ranges::none_of(rows, is_difference) && std::ranges::none_of(columns, is_difference);
    const std::int64_t size = in_place ? 0 : std::ssize(rows) * std::ssize(columns) * depth * lanes_;
    if (!differences_.defined() || differences_.size() < size) differences_ = Tensor(Shape{size});
    terms_.clear();
    for (const ConvolutionAxis::Term& row : rows)
      for (const ConvolutionAxis::Term& column : columns) {
        const std::int64_t tap = (row.tap * across + column.tap) * c_.to_.channels * depth;
        if (in_place) {
          terms_.push_back({tap, (row.input * c_.from_.width + column.input) * c_.batch_});
          continue;
        }
        terms_.push_back({tap, std::ssize(terms_) * depth * lanes_});
        subtract(row, column, differences_.data() + terms_.back().x);
      }
    // So few channels at a time that the cache holds their weights.
    constexpr std::int64_t together = 32;
    static_assert(together % simd::row_block == 0);
    simd::ProductShape shape{together, lanes_, depth, in_place ? c_.from_.places() * c_.batch_ : lanes_, stride};
    for (std::int64_t channel = 0; channel < c_.to_.channels; channel += together) {
      shape.rows = std::min(together, c_.to_.channels - channel);
      simd::kernels().sum_products(std::ssize(terms_), terms_.data(), shape, taps_ + channel * depth,
                                   in_place ? x_ : differences_.data(), start ? start + channel * lanes_ : nullptr,
                                   lanes_, out + channel * stride);
    }
  }

  // The inputs that a pair of terms multiplies, [channels, lanes].
  void subtract(const ConvolutionAxis::Term& row, const ConvolutionAxis::Term& column, real* out) const {
    const real* inputs[4];
    int count = 0;
    for (const std::int64_t y : {row.input, row.minus})
      for (const std::int64_t x : {column.input, column.minus})
        if (y >= 0 && x >= 0) inputs[count++] = x_ + (y * c_.from_.width + x) * c_.batch_;
    simd::kernels().differences(count, c_.from_.channels, lanes_, c_.from_.places() * c_.batch_, inputs, out);
  }

  const Convolution& c_;
  const real *x_, *taps_;
  std::int64_t lanes_;
  real* y_;
  Tensor tiles_[5], differences_;
  std::vector<simd::Term> terms_;
};

Tensor Convolution::operator()(const Tensor& x, const Tensor& weight) const {
  // A task is a block of rows in some of the images. The last images join those before them where they are too few
  // for a kernel.
  constexpr std::int64_t lanes = 48;
  const std::int64_t groups = (batch_ + lanes - simd::least_lanes) / lanes, blocks = std::ssize(rows_.blocks);
  const Tensor taps = all_taps(weight);
  Tensor y({to_.channels, to_.height, to_.width, batch_});
  parallel_for(groups * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t group = task / blocks, image = group * lanes;
    Task of_images(*this, x.data() + image, taps.data(), group + 1 < groups ? lanes : batch_ - image, y.data() + image);
    for (const ConvolutionAxis::Block& columns : columns_.blocks)
      of_images.make(rows_.blocks[static_cast<std::size_t>(task % blocks)], columns);
  });
  return y;
}

}  // namespace

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight) {
  return Convolution(g, true)(image, packed(g, weight, false));
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  return Convolution(g, false)(map, packed(g, weight, true));
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
