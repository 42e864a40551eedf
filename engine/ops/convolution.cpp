#include "engine/ops/convolution.h"

#include <algorithm>

#include "engine/ops/convolution_products.h"
#include "engine/ops/reduce.h"

namespace engine {

namespace {

using Geometry = ConvolutionGeometry;

// The three partial adjoints of <map, conv(image, weight)>, each with the other two as its gradients.
Var to_image(const Geometry& g, const Var& map, const Var& weight);
Var to_weight(const Geometry& g, const Var& image, const Var& map);

void pull_back_map(Var& map, const Geometry& g, const Var& image, const Var& weight) {
  map.pull_back(image, [g, weight](const Var& gradient) { return to_image(g, gradient, weight); });
  map.pull_back(weight, [g, image](const Var& gradient) { return to_weight(g, image, gradient); });
}

Var to_map(const Geometry& g, const Var& image, const Var& weight) {
  Var y = recorded(map_of(g, image.value(), weight.value()), image, weight);
  pull_back_map(y, g, image, weight);
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
  require(std::min(stride.padding.rows, stride.padding.columns) >= 0, "[", op,
          "] the padding must not be negative: ", stride.padding);
}

// The geometry of a convolution of images of the given shape.
Geometry geometry_of(const char* op, const Shape& image, Layout layout, std::int64_t filters,
                     std::int64_t kernel_height, std::int64_t kernel_width, const Stride& stride) {
  const auto places = [&](std::int64_t size, std::int64_t kernel, std::int64_t padding) {
    require(kernel >= 1 && kernel <= size + 2 * padding, "[", op,
            "] the kernel must fit the padded image: ", kernel_height, "x", kernel_width, " on ", image,
            " with padding ", stride.padding);
    return (size + 2 * padding - kernel) / stride.stride + 1;
  };
  const ImageSizes sizes(image, layout);
  return {sizes.batch,
          sizes.channels,
          sizes.height,
          sizes.width,
          filters,
          places(sizes.height, kernel_height, stride.padding.rows),
          places(sizes.width, kernel_width, stride.padding.columns),
          kernel_height,
          kernel_width,
          stride.stride,
          stride.padding};
}

Geometry geometry_of_conv2d(const Var& x, const Var& weight, const Stride& stride, Layout layout) {
  require_images("conv2d", "x", x.shape(), layout);
  require_axes("conv2d", "the weight", weight.shape());
  require_stride("conv2d", stride);
  require(ImageSizes(x.shape(), layout).channels == weight.dim(1), "[conv2d] channels must agree: x ", x.shape(),
          " against weight ", weight.shape());
  return geometry_of("conv2d", x.shape(), layout, weight.dim(0), weight.dim(2), weight.dim(3), stride);
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
  const Geometry g = geometry_of_conv2d(x, weight, stride, layout);
  return from_batch_last(to_map(g, to_batch_last(x, layout), weight), layout);
}

Var conv2d(const Var& x, const Var& weight, const Var& bias, const Activation& activation, const Stride& stride,
           Layout layout) {
  const Geometry g = geometry_of_conv2d(x, weight, stride, layout);
  require(bias.rank() == 1 && bias.dim(0) == g.filters,
          "[conv2d] bias [Cout] must match weight [Cout, Cin, kh, kw]: ", bias.shape(), " against ", weight.shape());
  activation.require_slope("conv2d");
  const Var image = to_batch_last(x, layout);
  // The sums stand on the tape with their shape alone: what their memory holds is already the activation's.
  Var sums = recorded(map_of(g, image.value(), weight.value(), bias.value().data(), activation), image, weight, bias);
  pull_back_map(sums, g, image, weight);
  sums.pull_back(bias, [](const Var& gradient) { return sum(gradient, {1, 2, 3}); });
  return from_batch_last(activation.of(sums), layout);
}

Var conv_transpose2d(const Var& x, const Var& weight, const Stride& stride, Layout layout) {
  require_images("conv_transpose2d", "x", x.shape(), layout);
  require_axes("conv_transpose2d", "the weight", weight.shape());
  require_stride("conv_transpose2d", stride);
  const auto [least, most] = std::minmax(stride.output_padding.rows, stride.output_padding.columns);
  require(least >= 0 && most < stride.stride,
          "[conv_transpose2d] the output padding must be 0 to stride - 1: ", stride.output_padding, " with stride ",
          stride.stride);
  const ImageSizes sizes(x.shape(), layout);
  require(sizes.channels == weight.dim(0), "[conv_transpose2d] channels must agree: x ", x.shape(), " against weight ",
          weight.shape());
  const auto grown = [&](std::int64_t size, std::int64_t kernel, std::int64_t padding, std::int64_t output_padding) {
    const std::int64_t result = (size - 1) * stride.stride - 2 * padding + kernel + output_padding;
    require(result >= 1, "[conv_transpose2d] the padding leaves no output: x ", x.shape(), ", weight ", weight.shape(),
            ", padding ", stride.padding);
    return result;
  };
  const Shape image =
      shape_of(layout, sizes.batch, weight.dim(1),
               grown(sizes.height, weight.dim(2), stride.padding.rows, stride.output_padding.rows),
               grown(sizes.width, weight.dim(3), stride.padding.columns, stride.output_padding.columns));
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
