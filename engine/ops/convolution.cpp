#include "engine/ops/convolution.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

// One convolution of a stack of images: an image [channels, height, width] under a weight [filters, channels,
// kernel_height, kernel_width] gives a map [filters, map_height, map_width]. conv2d computes the map, conv_transpose2d
// the image, conv2d_weight the weight, each from the other two.
struct Geometry {
  std::int64_t batch, channels, height, width;
  std::int64_t filters, map_height, map_width;
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride, padding;

  std::int64_t pixels() const { return height * width; }
  std::int64_t places() const { return map_height * map_width; }
  std::int64_t taps() const { return kernel_height * kernel_width; }
  Shape weight_shape() const { return {filters, channels, kernel_height, kernel_width}; }
};

// A tap of the kernel, laid over a place of the map, falls on a pixel of the image. Summed over these meetings,
//   image(pixel) = sum weight(tap)^T map(place),  map(place) = sum weight(tap) image(pixel),
//   weight(tap) = sum map(place) image(pixel)^T,
// where image(pixel) is the matrix [channels, batch] of one pixel in all images, and so on. So every op is a sum of
// products of small matrices that stand in the tensors as they are, whatever the stride and the padding.
struct Meeting {
  std::int64_t tap, place, pixel;
};

template <class Visit>
void for_each_meeting(const Geometry& g, const Visit& visit) {
  for (std::int64_t ky = 0; ky < g.kernel_height; ++ky)
    for (std::int64_t kx = 0; kx < g.kernel_width; ++kx)
      for (std::int64_t i = 0; i < g.map_height; ++i)
        for (std::int64_t j = 0; j < g.map_width; ++j) {
          const std::int64_t y = i * g.stride + ky - g.padding, x = j * g.stride + kx - g.padding;
          if (y >= 0 && y < g.height && x >= 0 && x < g.width)
            visit(Meeting{ky * g.kernel_width + kx, i * g.map_width + j, y * g.width + x});
        }
}

// The terms of the sums for all pixels, places or taps.
class Sums {
 public:
  // Each meeting is a term of the sum number m.*sum, the product of matrices m.*a and m.*x, which stand stride_a and
  // stride_x apart.
  Sums(const Geometry& g, std::int64_t Meeting::*sum, std::int64_t Meeting::*a, std::int64_t stride_a,
       std::int64_t Meeting::*x, std::int64_t stride_x)
      : first_(static_cast<std::size_t>(std::max({g.taps(), g.places(), g.pixels()})) + 1) {
    for_each_meeting(g, [&](const Meeting& m) { ++first_[static_cast<std::size_t>(m.*sum) + 1]; });
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    terms_.resize(first_.back());
    std::vector<std::size_t> next = first_;
    for_each_meeting(g, [&](const Meeting& m) {
      terms_[next[static_cast<std::size_t>(m.*sum)]++] = {m.*a * stride_a, m.*x * stride_x};
    });
  }

  std::span<const simd::Term> operator[](std::int64_t sum) const {
    const auto s = static_cast<std::size_t>(sum);
    return std::span(terms_).subspan(first_[s], first_[s + 1] - first_[s]);
  }

 private:
  std::vector<std::size_t> first_;
  std::vector<simd::Term> terms_;
};

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
  std::int64_t Meeting::*place;
  std::int64_t places() const { return height * width; }
};

// The stack `to` from the stack `from` and the packed weight. An image is a lane, of which there must be least_lanes.
Tensor convolve(const Geometry& g, const Stack& from, const Tensor& x, const Tensor& weight, const Stack& to) {
  // A task is one row of places in some of the images. The channels of a product are few enough for the cache to hold
  // their weights for all places. The last images join those before them where they are too few for a kernel.
  constexpr std::int64_t lanes = 48, rows = 32;
  static_assert(rows % simd::row_block == 0);
  const std::int64_t groups = (g.batch + lanes - simd::least_lanes) / lanes;
  const Sums sums(g, to.place, &Meeting::tap, to.channels * from.channels, from.place, g.batch);
  Tensor y({to.channels, to.height, to.width, g.batch});
  real* out = y.data();
  parallel_for(groups * to.height, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t group = task / to.height, image = group * lanes, row = task % to.height * to.width;
    simd::ProductShape shape{rows, group + 1 < groups ? lanes : g.batch - image, from.channels, from.places() * g.batch,
                             to.places() * g.batch};
    for (std::int64_t channel = 0; channel < to.channels; channel += rows) {
      shape.rows = std::min(rows, to.channels - channel);
      for (std::int64_t place = row; place < row + to.width; ++place) {
        const std::span<const simd::Term> terms = sums[place];
        simd::kernels().sum_products(static_cast<std::int64_t>(terms.size()), terms.data(), shape,
                                     weight.data() + channel * from.channels, x.data() + image,
                                     out + (channel * to.places() + place) * g.batch + image);
      }
    }
  });
  return y;
}

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight) {
  return convolve(g, {g.channels, g.height, g.width, &Meeting::pixel}, image, packed(g, weight, false),
                  {g.filters, g.map_height, g.map_width, &Meeting::place});
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  return convolve(g, {g.filters, g.map_height, g.map_width, &Meeting::place}, map, packed(g, weight, true),
                  {g.channels, g.height, g.width, &Meeting::pixel});
}

Tensor weight_of(const Geometry& g, const Tensor& image, const Tensor& map) {
  constexpr std::int64_t most_rows = 128;  // of one product: more are faster, but too few tasks for many threads
  const Sums sums(g, &Meeting::tap, &Meeting::place, g.batch, &Meeting::pixel, g.batch);
  Tensor by_tap = Tensor::zeros({g.taps(), g.filters, g.channels});
  const std::int64_t blocks = (g.filters + most_rows - 1) / most_rows;
  real* total = by_tap.data();
  parallel_for(g.taps() * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t tap = task / blocks, filter = task % blocks * most_rows;
    for (const simd::Term& term : sums[tap])
      gemm_single(Transpose::no, Transpose::yes, std::min(most_rows, g.filters - filter), g.channels, g.batch, 1,
                  map.data() + filter * g.places() * g.batch + term.a, g.places() * g.batch, image.data() + term.x,
                  g.pixels() * g.batch, 1, total + (tap * g.filters + filter) * g.channels, g.channels);
  });
  return transpose(by_tap.reshaped({g.taps(), g.filters * g.channels})).value().reshaped(g.weight_shape());
}

// The three partial adjoints of <map, conv(image, weight)>, each with the other two as its gradients.
Var to_image(const Geometry& g, const Var& map, const Var& weight);
Var to_weight(const Geometry& g, const Var& image, const Var& map);

// op(g, x, weight), with zeros for the images that a small batch lacks to fill the lanes.
template <class Op>
Var with_lanes(const Geometry& g, const Var& x, const Var& weight, const Op& op) {
  Geometry wide = g;
  wide.batch = simd::least_lanes;
  return slice(op(wide, pad(x, 3, 0, wide.batch - g.batch), weight), 3, 0, g.batch);
}

Var to_map(const Geometry& g, const Var& image, const Var& weight) {
  if (g.batch < simd::least_lanes) return with_lanes(g, image, weight, to_map);
  Var y = recorded(map_of(g, image.value(), weight.value()), image, weight);
  y.pull_back(image, [g, weight](const Var& gradient) { return to_image(g, gradient, weight); });
  y.pull_back(weight, [g, image](const Var& gradient) { return to_weight(g, image, gradient); });
  return y;
}

Var to_image(const Geometry& g, const Var& map, const Var& weight) {
  if (g.batch < simd::least_lanes) return with_lanes(g, map, weight, to_image);
  Var y = recorded(image_of(g, map.value(), weight.value()), map, weight);
  y.pull_back(map, [g, weight](const Var& gradient) { return to_map(g, gradient, weight); });
  y.pull_back(weight, [g, map](const Var& gradient) { return to_weight(g, gradient, map); });
  return y;
}

Var to_weight(const Geometry& g, const Var& image, const Var& map) {
  Var y = recorded(weight_of(g, image.value(), map.value()), image, map);
  y.pull_back(image, [g, map](const Var& gradient) { return to_image(g, map, gradient); });
  y.pull_back(map, [g, image](const Var& gradient) { return to_map(g, image, gradient); });
  return y;
}

void require_axes(const char* op, const char* what, const Shape& shape, int may_be_empty = 0) {
  bool fits = shape.rank() == 4;
  for (int axis = 0; fits && axis < 4; ++axis) fits = axis == may_be_empty || shape[axis] >= 1;
  require(fits, "[", op, "] ", what, " must have four axes, none empty but the ", may_be_empty == 0 ? "first" : "last",
          ": ", shape);
}

void require_images(const char* op, const char* what, const Shape& shape, Layout layout) {
  require_axes(op, what, shape, layout == Layout::batch_first ? 0 : 3);
}

void require_stride(const char* op, const Stride& stride) {
  require(stride.stride >= 1, "[", op, "] the stride must be at least 1: ", stride.stride);
  require(stride.padding >= 0, "[", op, "] the padding must not be negative: ", stride.padding);
}

// The geometry of a convolution of images of the given shape.
Geometry geometry_of(const char* op, const Shape& image, Layout layout, std::int64_t filters,
                     std::int64_t kernel_height, std::int64_t kernel_width, const Stride& stride) {
  const auto places = [&](std::int64_t size, std::int64_t kernel) {
    require(kernel >= 1 && kernel <= size + 2 * stride.padding, "[", op,
            "] the kernel must fit the padded image: ", kernel_height, "x", kernel_width, " on ", image,
            " with padding ", stride.padding);
    return (size + 2 * stride.padding - kernel) / stride.stride + 1;
  };
  const ImageSizes sizes(image, layout);
  return {sizes.batch,
          sizes.channels,
          sizes.height,
          sizes.width,
          filters,
          places(sizes.height, kernel_height),
          places(sizes.width, kernel_width),
          kernel_height,
          kernel_width,
          stride.stride,
          stride.padding};
}

Shape shape_of(Layout layout, std::int64_t batch, std::int64_t channels, std::int64_t height, std::int64_t width) {
  if (layout == Layout::batch_first) return {batch, channels, height, width};
  return {channels, height, width, batch};
}

Var to_batch_last(const Var& x, Layout layout) {
  return layout == Layout::batch_last ? x : batch_last(x);
}

Var from_batch_last(const Var& x, Layout layout) {
  return layout == Layout::batch_last ? x : batch_first(x);
}

}  // namespace

Var conv2d(const Var& x, const Var& weight, const Stride& stride, Layout layout) {
  require_images("conv2d", "x", x.shape(), layout);
  require_axes("conv2d", "the weight", weight.shape());
  require_stride("conv2d", stride);
  const ImageSizes sizes(x.shape(), layout);
  require(sizes.channels == weight.dim(1), "[conv2d] channels must agree: x ", x.shape(), " against weight ",
          weight.shape());
  const Geometry g = geometry_of("conv2d", x.shape(), layout, weight.dim(0), weight.dim(2), weight.dim(3), stride);
  return from_batch_last(to_map(g, to_batch_last(x, layout), weight), layout);
}

Var conv_transpose2d(const Var& x, const Var& weight, const Stride& stride, Layout layout) {
  require_images("conv_transpose2d", "x", x.shape(), layout);
  require_axes("conv_transpose2d", "the weight", weight.shape());
  require_stride("conv_transpose2d", stride);
  require(stride.output_padding >= 0 && stride.output_padding < stride.stride,
          "[conv_transpose2d] the output padding must be 0 to stride - 1: ", stride.output_padding, " with stride ",
          stride.stride);
  const ImageSizes sizes(x.shape(), layout);
  require(sizes.channels == weight.dim(0), "[conv_transpose2d] channels must agree: x ", x.shape(), " against weight ",
          weight.shape());
  const auto grown = [&](std::int64_t size, std::int64_t kernel) {
    const std::int64_t result = (size - 1) * stride.stride - 2 * stride.padding + kernel + stride.output_padding;
    require(result >= 1, "[conv_transpose2d] the padding leaves no output: x ", x.shape(), ", weight ", weight.shape(),
            ", padding ", stride.padding);
    return result;
  };
  const Shape image = shape_of(layout, sizes.batch, weight.dim(1), grown(sizes.height, weight.dim(2)),
                               grown(sizes.width, weight.dim(3)));
  const Geometry g =
      geometry_of("conv_transpose2d", image, layout, sizes.channels, weight.dim(2), weight.dim(3), stride);
  return from_batch_last(to_image(g, to_batch_last(x, layout), weight), layout);
}

Var conv2d_weight(const Var& x, const Var& output_gradient, std::int64_t kernel_height, std::int64_t kernel_width,
                  const Stride& stride, Layout layout) {
  require_images("conv2d_weight", "x", x.shape(), layout);
  require_images("conv2d_weight", "the output gradient", output_gradient.shape(), layout);
  require_stride("conv2d_weight", stride);
  const Geometry g =
      geometry_of("conv2d_weight", x.shape(), layout, ImageSizes(output_gradient.shape(), layout).channels,
                  kernel_height, kernel_width, stride);
  const Shape map = shape_of(layout, g.batch, g.filters, g.map_height, g.map_width);
  require(output_gradient.shape() == map,
          "[conv2d_weight] the output gradient must have the shape of conv2d's output, ", map, ": ",
          output_gradient.shape());
  return to_weight(g, to_batch_last(x, layout), to_batch_last(output_gradient, layout));
}

}  // namespace engine
