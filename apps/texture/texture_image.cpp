#include "apps/texture/texture_image.h"

#include <vector>

#include "data/png.h"

namespace apps {

using engine::real;
using engine::Tensor;

Tensor tensor_of(const data::Images& image) {
  Tensor values({1, image.channels, image.height, image.width});
  const std::int64_t channels = image.channels, pixels = std::int64_t{image.height} * image.width;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      values.data()[c * pixels + p] =
          static_cast<real>(image.bytes[static_cast<std::size_t>(p * channels + c)]) / real(255);
  return values;
}

void write_image(const std::string& path, const Tensor& image) {
  const std::int64_t channels = image.dim(1), pixels = image.dim(2) * image.dim(3);
  std::vector<real> values(static_cast<std::size_t>(image.size()));
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      values[static_cast<std::size_t>(p * channels + c)] = image.data()[c * pixels + p];
  data::write_png_grid(path, values, static_cast<int>(image.dim(2)), static_cast<int>(image.dim(3)),
                       static_cast<int>(channels), 1, 1);
}

}  // namespace apps
