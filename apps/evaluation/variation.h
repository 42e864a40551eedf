#pragma once

#include "engine/tensor.h"

namespace apps::evaluation {

/// The mean squared difference between horizontally and vertically neighbouring pixels of images [n, height * width *
/// channels], over all channels: what blur takes away. Throws Error for other sizes and images of one pixel.
double gradient_energy(const engine::Tensor& images, int height, int width, int channels);

/// The sum over the coordinates of their variances among the points [n, d]: the mean squared distance to the mean.
double total_variance(const engine::Tensor& points);

}  // namespace apps::evaluation
