#include "engine/ops/convolution.h"

#include <algorithm>
#include <cstring>

#include "engine/blas.h"
#include "engine/parallel.h"

namespace engine {

namespace {

// One convolution: an image [channels, height, width] under a weight [filters, channels, kernel_height, kernel_width]
// gives a map [filters, map_height, map_width]. conv2d computes the map, conv_transpose2d the image, conv2d_weight the
// weight, each from the other two.
struct Geometry {
  std::int64_t batch, channels, height, width;
  std::int64_t filters, map_height, map_width;
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride, padding;

  std::int64_t image() const { return channels * height * width; }
  std::int64_t places() const { return map_height * map_width; }
  std::int64_t map() const { return filters * places(); }
  std::int64_t patch() const { return channels * kernel_height * kernel_width; }
  Shape image_shape() const { return {batch, channels, height, width}; }
  Shape map_shape() const { return {batch, filters, map_height, map_width}; }
  Shape weight_shape() const { return {filters, channels, kernel_height, kernel_width}; }

  // Images that one product works on together: enough for wide matrices, few enough for the cache and all threads.
  std::int64_t group() const { return places() < 32 ? 32 : 16; }
};

// Within a group the images are interleaved, [channels, height, width, group], so that every loop below runs over a
// contiguous stretch of one place in all images of the group, whatever the stride and the number of channels.

// [group, n] -> [n, group]
void interleave(std::int64_t group, std::int64_t n, const real* x, real* y) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t image = 0; image < group; ++image) y[i * group + image] = x[image * n + i];
}

// [n, group] -> [group, n]
void separate(std::int64_t group, std::int64_t n, const real* x, real* y) {
  interleave(n, group, x, y);
}

// Calls visit(column, pixel) for each tap of the kernel at each place of the map: the offset of its stretch in columns
// [patch, places, group] and in the interleaved image, -1 where it falls on the padding.
template <class Visit>
void for_each_tap(const Geometry& g, std::int64_t group, const Visit& visit) {
  std::int64_t column = 0;
  for (std::int64_t channel = 0; channel < g.channels; ++channel)
    for (std::int64_t ky = 0; ky < g.kernel_height; ++ky)
      for (std::int64_t kx = 0; kx < g.kernel_width; ++kx)
        for (std::int64_t y = ky - g.padding, row = 0; row < g.map_height; ++row, y += g.stride)
          for (std::int64_t x = kx - g.padding, place = 0; place < g.map_width; ++place, x += g.stride) {
            const bool inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
            visit(column, inside ? ((channel * g.height + y) * g.width + x) * group : -1);
            column += group;
          }
}

// columns(tap, place) = the pixel under the tap, 0 on the padding
void image_to_columns(const Geometry& g, std::int64_t group, const real* image, real* columns) {
  for_each_tap(g, group, [=](std::int64_t column, std::int64_t pixel) {
    if (pixel < 0)
      std::fill_n(columns + column, group, real{0});
    else
      std::copy_n(image + pixel, group, columns + column);
  });
}

// The adjoint: pixel = sum of the columns over it
void columns_to_image(const Geometry& g, std::int64_t group, const real* columns, real* image) {
  std::fill_n(image, g.image() * group, real{0});
  for_each_tap(g, group, [=](std::int64_t column, std::int64_t pixel) {
    if (pixel < 0) return;
    for (std::int64_t i = 0; i < group; ++i) image[pixel + i] += columns[column + i];
  });
}

// Scratch memory for the threads of a loop, allocated before it, where running out of memory may still throw.
class Scratch {
 public:
  explicit Scratch(std::int64_t size) : size_(size), memory_({threads(), size}) {}
  real* of_this_thread() { return memory_.data() + omp_get_thread_num() * size_; }

 private:
  std::int64_t size_;
  Tensor memory_;
};

Tensor map_of(const Geometry& g, const Tensor& image, const Tensor& weight) {
  Tensor map(g.map_shape());
  real* out = map.data();
  const std::int64_t most = std::min(g.group(), g.batch);
  Scratch scratch((g.image() + g.patch() * g.places() + g.map()) * most);
  parallel_for(g.batch, g.group(), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t group = end - begin, n = g.places() * group;
    real* interleaved = scratch.of_this_thread();
    real* columns = interleaved + g.image() * most;
    real* product = columns + g.patch() * g.places() * most;
    interleave(group, g.image(), image.data() + begin * g.image(), interleaved);
    image_to_columns(g, group, interleaved, columns);
    gemm_single(Transpose::no, Transpose::no, g.filters, n, g.patch(), 1, weight.data(), g.patch(), columns, n, 0,
                product, n);
    separate(group, g.map(), product, out + begin * g.map());
  });
  return map;
}

Tensor image_of(const Geometry& g, const Tensor& map, const Tensor& weight) {
  Tensor image(g.image_shape());
  real* out = image.data();
  const std::int64_t most = std::min(g.group(), g.batch);
  Scratch scratch((g.image() + g.patch() * g.places() + g.map()) * most);
  parallel_for(g.batch, g.group(), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t group = end - begin, n = g.places() * group;
    real* interleaved = scratch.of_this_thread();
    real* columns = interleaved + g.map() * most;
    real* sums = columns + g.patch() * g.places() * most;
    interleave(group, g.map(), map.data() + begin * g.map(), interleaved);
    gemm_single(Transpose::yes, Transpose::no, g.patch(), n, g.filters, 1, weight.data(), g.patch(), interleaved, n, 0,
                columns, n);
    columns_to_image(g, group, columns, sums);
    separate(group, g.image(), sums, out + begin * g.image());
  });
  return image;
}

// Sums over the batch in parts of fixed length, and then over the parts in order.
Tensor weight_of(const Geometry& g, const Tensor& image, const Tensor& map) {
  constexpr std::int64_t most_parts = 8;
  const std::int64_t part = std::max(g.group(), (g.batch + most_parts - 1) / most_parts);
  const std::int64_t most = std::min(g.group(), g.batch), size = g.filters * g.patch();
  Tensor parts({std::max<std::int64_t>(1, (g.batch + part - 1) / part), g.filters, g.patch()});
  real* sums = parts.data();
  if (g.batch == 0) std::fill_n(sums, size, real{0});
  Scratch scratch((g.image() + g.patch() * g.places() + g.map()) * most);
  parallel_for(g.batch, part, [&](std::int64_t part_begin, std::int64_t part_end) {
    real* interleaved_map = scratch.of_this_thread();
    real* interleaved_image = interleaved_map + g.map() * most;
    real* columns = interleaved_image + g.image() * most;
    for (std::int64_t begin = part_begin; begin < part_end; begin += g.group()) {
      const std::int64_t group = std::min(g.group(), part_end - begin), n = g.places() * group;
      interleave(group, g.map(), map.data() + begin * g.map(), interleaved_map);
      interleave(group, g.image(), image.data() + begin * g.image(), interleaved_image);
      image_to_columns(g, group, interleaved_image, columns);
      gemm_single(Transpose::no, Transpose::yes, g.filters, g.patch(), n, 1, interleaved_map, n, columns, n,
                  begin == part_begin ? real{0} : real{1}, sums + part_begin / part * size, g.patch());
    }
  });
  Tensor weight(g.weight_shape());
  real* out = weight.data();
  parallel_for(size, 4096, [&](std::int64_t begin, std::int64_t end) {
    std::copy(sums + begin, sums + end, out + begin);
    for (std::int64_t p = 1; p < parts.dim(0); ++p)
      for (std::int64_t i = begin; i < end; ++i) out[i] += sums[p * size + i];
  });
  return weight;
}

// The three partial adjoints of <map, conv(image, weight)>, each with the other two as its gradients.
Var to_image(const Geometry& g, const Var& map, const Var& weight);
Var to_weight(const Geometry& g, const Var& image, const Var& map);

Var to_map(const Geometry& g, const Var& image, const Var& weight) {
  Var y = recorded(map_of(g, image.value(), weight.value()), image, weight);
  y.pull_back(image, [g, weight](const Var& gradient) { return to_image(g, gradient, weight); });
  y.pull_back(weight, [g, image](const Var& gradient) { return to_weight(g, image, gradient); });
  return y;
}

Var to_image(const Geometry& g, const Var& map, const Var& weight) {
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

void require_axes(const char* op, const char* what, const Shape& shape) {
  require(shape.rank() == 4 && shape[1] >= 1 && shape[2] >= 1 && shape[3] >= 1, "[", op, "] ", what,
          " must have four axes, none empty but the first: ", shape);
}

void require_stride(const char* op, const Stride& stride) {
  require(stride.stride >= 1, "[", op, "] the stride must be at least 1: ", stride.stride);
  require(stride.padding >= 0, "[", op, "] the padding must not be negative: ", stride.padding);
}

// The geometry of a convolution of images of the given shape.
Geometry geometry_of(const char* op, const Shape& image, std::int64_t filters, std::int64_t kernel_height,
                     std::int64_t kernel_width, const Stride& stride) {
  const auto places = [&](std::int64_t size, std::int64_t kernel) {
    require(kernel >= 1 && kernel <= size + 2 * stride.padding, "[", op,
            "] the kernel must fit the padded image: ", kernel_height, "x", kernel_width, " on ", image,
            " with padding ", stride.padding);
    return (size + 2 * stride.padding - kernel) / stride.stride + 1;
  };
  return {image[0],
          image[1],
          image[2],
          image[3],
          filters,
          places(image[2], kernel_height),
          places(image[3], kernel_width),
          kernel_height,
          kernel_width,
          stride.stride,
          stride.padding};
}

}  // namespace

Var conv2d(const Var& x, const Var& weight, const Stride& stride) {
  require_axes("conv2d", "x", x.shape());
  require_axes("conv2d", "the weight", weight.shape());
  require_stride("conv2d", stride);
  require(x.dim(1) == weight.dim(1), "[conv2d] channels must agree: x ", x.shape(), " against weight ", weight.shape());
  return to_map(geometry_of("conv2d", x.shape(), weight.dim(0), weight.dim(2), weight.dim(3), stride), x, weight);
}

Var conv_transpose2d(const Var& x, const Var& weight, const Stride& stride) {
  require_axes("conv_transpose2d", "x", x.shape());
  require_axes("conv_transpose2d", "the weight", weight.shape());
  require_stride("conv_transpose2d", stride);
  require(stride.output_padding >= 0 && stride.output_padding < stride.stride,
          "[conv_transpose2d] the output padding must be 0 to stride - 1: ", stride.output_padding, " with stride ",
          stride.stride);
  require(x.dim(1) == weight.dim(0), "[conv_transpose2d] channels must agree: x ", x.shape(), " against weight ",
          weight.shape());
  const auto size = [&](int axis) {
    const std::int64_t result =
        (x.dim(axis) - 1) * stride.stride - 2 * stride.padding + weight.dim(axis) + stride.output_padding;
    require(result >= 1, "[conv_transpose2d] the padding leaves no output: x ", x.shape(), ", weight ", weight.shape(),
            ", padding ", stride.padding);
    return result;
  };
  const Shape image{x.dim(0), weight.dim(1), size(2), size(3)};
  return to_image(geometry_of("conv_transpose2d", image, x.dim(1), weight.dim(2), weight.dim(3), stride), x, weight);
}

Var conv2d_weight(const Var& x, const Var& output_gradient, std::int64_t kernel_height, std::int64_t kernel_width,
                  const Stride& stride) {
  require_axes("conv2d_weight", "x", x.shape());
  require_axes("conv2d_weight", "the output gradient", output_gradient.shape());
  require_stride("conv2d_weight", stride);
  const Geometry g =
      geometry_of("conv2d_weight", x.shape(), output_gradient.dim(1), kernel_height, kernel_width, stride);
  require(output_gradient.shape() == g.map_shape(),
          "[conv2d_weight] the output gradient must have the shape of conv2d's output, ", g.map_shape(), ": ",
          output_gradient.shape());
  return to_weight(g, x, output_gradient);
}

}  // namespace engine
