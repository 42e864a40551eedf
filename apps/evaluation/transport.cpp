#include "apps/evaluation/transport.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "apps/sinkhorn_bounds.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/exact/exact.h"
#include "ot/sinkhorn/self_transport.h"

namespace apps::evaluation {

using engine::real;
using engine::require;
using engine::Tensor;

namespace {

constexpr std::int64_t most_splits = 10;

void require_equal_numbers(const Tensor& x, const Tensor& y) {
  require(x.rank() == 2 && x.shape() == y.shape(),
          "[transport] both sets must be [n, d] of the same sizes: ", x.shape(), " against ", y.shape());
}

/// The uniform measure on some rows of y.
ot::Target measure_on(const Tensor& y, std::int64_t begin, std::int64_t end) {
  const std::int64_t d = y.dim(1);
  return {std::vector<real>(y.data() + begin * d, y.data() + end * d), end - begin, d, ot::CostScale::one};
}

Tensor rows(const Tensor& x, std::int64_t begin, std::int64_t end) {
  const std::int64_t d = x.dim(1);
  return {{end - begin, d}, std::span(x.data() + begin * d, static_cast<std::size_t>((end - begin) * d))};
}

/// The mean, and the variance of the single values.
struct Moments {
  explicit Moments(std::span<const double> values) {
    const auto n = static_cast<double>(values.size());
    for (const double value : values) mean += value / n;
    for (const double value : values) variance += (value - mean) * (value - mean) / (n - 1);
  }
  double mean = 0, variance = 0;
};

}  // namespace

Estimate assignment_cost(const Tensor& x, const Tensor& y, double alpha) {
  require_equal_numbers(x, y);
  const std::int64_t n = x.dim(0);
  const ot::Target target = measure_on(y, 0, n);
  const ot::ExactTransport exact = ot::exact_transport(ot::cost_matrix(target, x), target.weights(), target.weights());
  const double variance = Moments(exact.phi).variance + Moments(exact.psi).variance;
  return {exact.value / alpha, std::sqrt(variance / static_cast<double>(n)) / alpha};
}

Estimate sinkhorn_divergence(const Tensor& x, const Tensor& y, double alpha) {
  require_equal_numbers(x, y);
  const std::int64_t n = x.dim(0), size = std::min(divergence_points, n / 4);
  require(size >= 1, "[transport] there must be four points at least: ", n);
  const double lambda = divergence_lambda * alpha;
  std::vector<double> values(static_cast<std::size_t>(std::min(n / size, most_splits)));
  engine::parallel_for(static_cast<std::int64_t>(values.size()), 1, [&](std::int64_t split, std::int64_t) {
    const std::int64_t begin = split * size, end = begin + size;
    const ot::Target target = measure_on(y, begin, end);
    const Tensor part = rows(x, begin, end);
    const double cross = sinkhorn_bounds(target, part, lambda, [] { return true; }).dual;
    const double own =
        ot::self_transport(target, part, lambda).value().item() + ot::self_transport(target, lambda, size, 0);
    values[static_cast<std::size_t>(split)] = (cross - own / 2) / alpha;
  });
  const Moments moments(values);
  return {moments.mean, std::sqrt(moments.variance / static_cast<double>(values.size()))};
}

}  // namespace apps::evaluation
