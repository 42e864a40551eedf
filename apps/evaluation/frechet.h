#pragma once

#include "engine/tensor.h"

namespace apps::evaluation {

/// The squared Fréchet distance of the normal laws with the means m and covariances C of the rows of x [n, d] and
/// y [m, d],
///
///     |m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x^1/2 C_y C_x^1/2)^1/2),
///
/// in double (Dowson and Landau, "The Fréchet distance between multivariate normal distributions", 1982); of Inception
/// features it is called FID. Throws Error for sets of different dimensions and for less than two points.
double frechet_distance(const engine::Tensor& x, const engine::Tensor& y);

}  // namespace apps::evaluation
