#pragma once

#include <cstdint>

#include "engine/ops/activation.h"
#include "engine/ops/images.h"
#include "engine/tensor.h"

namespace engine {

/// One convolution of a stack of images: an image [channels, height, width] under a weight [filters, channels,
/// kernel_height, kernel_width] gives a map [filters, map_height, map_width]. A tap of the kernel, laid over a place of
/// the map, falls on a pixel of the image. Summed over these meetings,
///   image(pixel) = sum weight(tap)^T map(place),  map(place) = sum weight(tap) image(pixel),
///   weight(tap) = sum map(place) image(pixel)^T,
/// where image(pixel) is the matrix [channels, batch] of one pixel in all images, and so on. So each of the three is
/// sums of products of small matrices, whatever the stride and the padding. Places that follow one another stand in the
/// map as one matrix; pixels a stride apart are gathered, so that small batches fill a product too.
struct ConvolutionGeometry {
  std::int64_t batch, channels, height, width;
  std::int64_t filters, map_height, map_width;
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride;
  PerAxis padding;

  std::int64_t pixels() const { return height * width; }
  std::int64_t places() const { return map_height * map_width; }
  std::int64_t taps() const { return kernel_height * kernel_width; }
  Shape weight_shape() const { return {filters, channels, kernel_height, kernel_width}; }
};

/// Each from the other two; image [channels, height, width, batch], map [filters, map_height, map_width, batch]. Of the
/// map the activation, after a bias [filters] where one is given.
Tensor map_of(const ConvolutionGeometry& g, const Tensor& image, const Tensor& weight, const real* bias = nullptr,
              const Activation& activation = {});
Tensor image_of(const ConvolutionGeometry& g, const Tensor& map, const Tensor& weight);
Tensor weight_of(const ConvolutionGeometry& g, const Tensor& image, const Tensor& map);

}  // namespace engine
