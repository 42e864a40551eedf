#include "apps/paper/claims/learning_problem.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/paper/claims/setting.h"
#include "engine/random.h"

namespace apps::claims {

using engine::Var;

namespace {

std::vector<std::int64_t> layer_sizes(std::int64_t latent_dimension, const std::vector<std::int64_t>& hidden_layers,
                                      std::int64_t d) {
  std::vector<std::int64_t> sizes{latent_dimension};
  sizes.insert(sizes.end(), hidden_layers.begin(), hidden_layers.end());
  sizes.push_back(d);
  return sizes;
}

/// c(a_i, b_j) for points in rows.
ot::CostMatrix costs(const ot::Target& nu, const std::vector<double>& a, const std::vector<double>& b) {
  const auto rows = [d = nu.dimension()](const std::vector<double>& points) {
    return ot::PrecisePoints{points, {}, static_cast<std::int64_t>(points.size()) / d, d};
  };
  ot::CostMatrix matrix = ot::cost_matrix(rows(a), rows(b), nu.scale(), nu.ground_cost());
  matrix.hold();
  return matrix;
}

}  // namespace

LearningProblem::LearningProblem(const ot::Target& target, std::uint64_t seed, std::int64_t n,
                                 std::int64_t latent_dimension, const std::vector<std::int64_t>& hidden_layers)
    : nu(target),
      options_{.sizes = layer_sizes(latent_dimension, hidden_layers, target.dimension())},
      network_(options_, seed),
      z_(engine::Random(seed, 1).uniform({n, latent_dimension}, -1, 1)) {
  for (const models::Parameter& parameter : network_.parameters())
    for (real& value : parameter.variable->value().values()) value *= 3;
}

std::vector<double> LearningProblem::mu() const {
  return std::vector<double>(static_cast<std::size_t>(z_.dim(0)), 1.0 / static_cast<double>(z_.dim(0)));
}

Tensor LearningProblem::points() {
  return network_(z_).value();
}

std::vector<double> LearningProblem::gradient(const std::function<Var(const Var& x)>& loss) {
  engine::Tape tape;
  std::vector<Var> parameters;
  for (const models::Parameter& parameter : network_.parameters()) {
    tape.watch(*parameter.variable);
    parameters.push_back(*parameter.variable);
  }
  std::vector<double> gradient;
  for (const Var& part : tape.gradient(loss(network_(z_)), parameters))
    gradient.insert(gradient.end(), part.value().values().begin(), part.value().values().end());
  return gradient;
}

std::vector<double> LearningProblem::theta() {
  std::vector<double> theta;
  for (const models::Parameter& parameter : network_.parameters()) {
    const auto values = std::as_const(*parameter.variable).value().values();
    theta.insert(theta.end(), values.begin(), values.end());
  }
  return theta;
}

std::vector<double> LearningProblem::points(std::span<const double> theta) const {
  std::vector<double> x(z_.values().begin(), z_.values().end());
  const double* weight = theta.data();
  for (std::size_t layer = 1; layer < options_.sizes.size(); ++layer) {
    const std::int64_t inputs = options_.sizes[layer - 1], outputs = options_.sizes[layer];
    const double* bias = weight + inputs * outputs;
    const bool last = layer + 1 == options_.sizes.size();
    std::vector<double> next;
    for (const double* input = x.data(); input < x.data() + x.size(); input += inputs)
      for (std::int64_t out = 0; out < outputs; ++out) {
        double t = bias[out];
        for (std::int64_t in = 0; in < inputs; ++in) t += weight[out * inputs + in] * input[in];
        next.push_back(last ? 1 / (1 + std::exp(-t)) : t > 0 ? t : options_.slope * t);
      }
    x = std::move(next);
    weight = bias + outputs;
  }
  return x;
}

ot::CostMatrix LearningProblem::costs_to_nu(std::span<const double> theta) const {
  Tensor y({nu.size(), nu.dimension()});
  nu.rows(0, nu.size(), y.data());
  return costs(nu, points(theta), {y.values().begin(), y.values().end()});
}

ot::CostMatrix LearningProblem::costs_to_itself(std::span<const double> theta) const {
  const std::vector<double> x = points(theta);
  return costs(nu, x, x);
}

std::vector<double> differences(const std::function<double(std::span<const double>)>& f, std::vector<double> theta) {
  // So small that hardly any unit of the network reaches its kink, and so large that rounding does not show.
  constexpr double step = 1e-7;
  std::vector<double> gradient;
  for (double& t : theta) {
    const double start = t;
    t = start + step;
    const double right = f(theta);
    t = start - step;
    const double left = f(theta);
    t = start;
    gradient.push_back((right - left) / (2 * step));
  }
  return gradient;
}

double relative_error(const std::vector<double>& gradient, const std::vector<double>& reference) {
  double error = 0, largest = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    error = worse(error, std::abs(gradient[i] - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  return error / largest;
}

}  // namespace apps::claims
