#include "apps/learn/data_gaussian.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/blas.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Transpose;
using engine::Var;

namespace {

/// sum_j nu_j (y_j - m) (y_j - m)^T, by products of a few rows in real, added up in double.
std::vector<double> covariance(const ot::Target& nu) {
  constexpr std::int64_t together = 512;
  const std::int64_t d = nu.dimension();
  std::vector<double> sum(static_cast<std::size_t>(d * d), 0);
  for (std::int64_t begin = 0; begin < nu.size(); begin += together) {
    const std::int64_t end = std::min(nu.size(), begin + together);
    Tensor y({end - begin, d});
    nu.centred_rows(begin, end, y.data());
    Tensor weights({end - begin, 1});
    std::copy(nu.weights().begin() + begin, nu.weights().begin() + end, weights.data());
    const Tensor part = matmul(y, weights * Var(y), Transpose::yes).value();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(part.values()[i]);
  }
  return sum;
}

}  // namespace

DataGaussian::DataGaussian(const ot::Target& nu)
    : mean_({1, nu.dimension()}, nu.mean()), axes_({nu.dimension(), nu.dimension()}) {
  const std::int64_t d = nu.dimension();
  const engine::SymmetricEigen eigen = engine::symmetric_eigen(covariance(nu), d);
  for (std::int64_t k = 0; k < d; ++k) {
    const double deviation = std::sqrt(std::max(eigen.values[static_cast<std::size_t>(k)], 0.0));
    for (std::int64_t c = 0; c < d; ++c)
      axes_.data()[k * d + c] = static_cast<real>(deviation * eigen.vectors[static_cast<std::size_t>(k * d + c)]);
  }
}

Tensor DataGaussian::operator()(const Tensor& z) const {
  return (mean_ + matmul(z, axes_)).value();
}

}  // namespace apps
