#include "apps/evaluation/variation.h"

#include <vector>

#include "engine/error.h"

namespace apps::evaluation {

using engine::real;
using engine::require;
using engine::Tensor;

double gradient_energy(const Tensor& images, int height, int width, int channels) {
  require(images.rank() == 2 && images.dim(0) >= 1 && images.dim(1) == std::int64_t{height} * width * channels &&
              height * width >= 2,
          "[gradient energy] images must be [n, ", height, " * ", width, " * ", channels,
          "] and of two pixels at least: ", images.shape());
  double sum = 0;
  const real* pixel = images.data();
  for (std::int64_t i = 0; i < images.dim(0); ++i)
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column)
        for (int channel = 0; channel < channels; ++channel, ++pixel) {
          const double right = column + 1 < width ? pixel[channels] - *pixel : real{0};
          const double below = row + 1 < height ? pixel[width * channels] - *pixel : real{0};
          sum += right * right + below * below;
        }
  const double pairs = static_cast<double>(height) * (width - 1) + static_cast<double>(height - 1) * width;
  return sum / (static_cast<double>(images.dim(0)) * pairs * channels);
}

double total_variance(const Tensor& points) {
  const std::int64_t n = points.dim(0), d = points.dim(1);
  std::vector<double> mean(static_cast<std::size_t>(d), 0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < d; ++c) mean[static_cast<std::size_t>(c)] += points.data()[i * d + c];
  for (double& value : mean) value /= static_cast<double>(n);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < d; ++c) {
      const double difference = points.data()[i * d + c] - mean[static_cast<std::size_t>(c)];
      sum += difference * difference;
    }
  return sum / static_cast<double>(n);
}

}  // namespace apps::evaluation
