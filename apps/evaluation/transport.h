#pragma once

#include "engine/tensor.h"

namespace apps::evaluation {

/// A number with its standard error.
struct Estimate {
  double value = 0, error = 0;
};

/// W_2^2(x, y) / alpha between the uniform measures on the rows of x and y [n, d], by exact assignment. Its standard
/// error is that of the two means, of the optimal phi over x and of psi over y (del Barrio and Loubes, "Central limit
/// theorems for empirical transportation cost in general dimension", Annals of Probability 47, 2019); it does not tell
/// of the bias that finitely many points have. Throws Error for different numbers of points, and for more than
/// ot::exact_transport() takes.
Estimate assignment_cost(const engine::Tensor& x, const engine::Tensor& y, double alpha);

/// The regularization of sinkhorn_divergence(), in units of alpha: 500 training images of MNIST are then 0.03 from as
/// many test images, at 0.05 they are 0.5, most of which comes from there being so few.
inline constexpr double divergence_lambda = 0.5;
/// Points in each of its splits.
inline constexpr std::int64_t divergence_points = 500;

/// The Sinkhorn divergence (72) between the rows of x and y [n, d] for the cost |x - y|^2 / alpha, as the mean over
/// splits: rows 0 to s - 1 of x against those of y, s to 2 s - 1, and so on, at most 10, with s = divergence_points or
/// what makes four splits, if that is less. Its standard error is that of the mean of the splits. Throws Error for
/// different numbers of points, and for fewer than four.
Estimate sinkhorn_divergence(const engine::Tensor& x, const engine::Tensor& y, double alpha);

}  // namespace apps::evaluation
