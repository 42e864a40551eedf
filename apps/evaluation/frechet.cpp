#include "apps/evaluation/frechet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/blas.h"
#include "engine/error.h"

namespace apps::evaluation {

using engine::require;
using engine::Tensor;

namespace {

using Matrix = std::vector<double>;  // [d, d]

struct Normal {
  explicit Normal(const Tensor& x) : d(static_cast<std::size_t>(x.dim(1))), mean(d, 0), covariance(d * d, 0) {
    const auto n = static_cast<std::size_t>(x.dim(0));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t a = 0; a < d; ++a) mean[a] += x.data()[i * d + a] / static_cast<double>(n);
    std::vector<double> centred(d);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t a = 0; a < d; ++a) centred[a] = x.data()[i * d + a] - mean[a];
      for (std::size_t a = 0; a < d; ++a)
        for (std::size_t b = 0; b < d; ++b)
          covariance[a * d + b] += centred[a] * centred[b] / static_cast<double>(n - 1);
    }
  }

  std::size_t d;
  std::vector<double> mean;
  Matrix covariance;
};

Matrix product(const Matrix& a, const Matrix& b, std::size_t d) {
  Matrix c(d * d, 0);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t k = 0; k < d; ++k)
      for (std::size_t j = 0; j < d; ++j) c[i * d + j] += a[i * d + k] * b[k * d + j];
  return c;
}

/// Of a positive semidefinite matrix; what rounding made of zeros may be negative.
Matrix square_root(const Matrix& a, std::size_t d) {
  const engine::SymmetricEigen eigen = engine::symmetric_eigen(a, static_cast<std::int64_t>(d));
  Matrix root(d * d, 0);
  for (std::size_t k = 0; k < d; ++k) {
    const double value = std::sqrt(std::max(eigen.values[k], 0.0));
    const double* vector = eigen.vectors.data() + k * d;
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) root[i * d + j] += value * vector[i] * vector[j];
  }
  return root;
}

double trace(const Matrix& a, std::size_t d) {
  double sum = 0;
  for (std::size_t i = 0; i < d; ++i) sum += a[i * d + i];
  return sum;
}

}  // namespace

double frechet_distance(const Tensor& x, const Tensor& y) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1) && x.dim(0) >= 2 && y.dim(0) >= 2,
          "[Fréchet distance] both sets must be [n, d] with the same d and n at least 2: ", x.shape(), " against ",
          y.shape());
  const Normal of_x(x), of_y(y);
  const std::size_t d = of_x.d;
  double distance = trace(of_x.covariance, d) + trace(of_y.covariance, d);
  for (std::size_t a = 0; a < d; ++a) distance += (of_x.mean[a] - of_y.mean[a]) * (of_x.mean[a] - of_y.mean[a]);
  const Matrix root = square_root(of_x.covariance, d);
  const Matrix between = product(product(root, of_y.covariance, d), root, d);
  for (const double value : engine::symmetric_eigen(between, static_cast<std::int64_t>(d)).values)
    distance -= 2 * std::sqrt(std::max(value, 0.0));
  return distance;
}

}  // namespace apps::evaluation
