#include "apps/paper/claims/c_transforms.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/paper/claims/setting.h"
#include "engine/error.h"
#include "ot/c_transform.h"

namespace apps::claims {

using engine::text;
using ot::c_transform;

namespace {

constexpr std::int64_t B = 64, J = 20, d = 3;

/// What the lemmas on c-transforms are measured on: a potential, from zero to one where single points win everywhere.
struct Case {
  double lambda;
  Tensor psi, x;
  std::uint64_t stream;  ///< the first that is free for more
};

std::vector<Case> cases(std::uint64_t seed, std::initializer_list<double> lambdas) {
  std::vector<Case> result;
  std::uint64_t stream = 0;
  for (const double lambda : lambdas)
    for (const double deviation : {0.0, 0.1, 1.0, 3.0}) {
      result.push_back(
          {lambda, random_potential(seed, stream, J, deviation), random_points(seed, stream + 1, B, d), stream + 2});
      stream += 8;
    }
  return result;
}

double largest(const Tensor& tensor) {
  double result = 0;
  for (const real value : tensor.values()) result = worse(result, std::abs(double{value}));
  return result;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double result = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) result = worse(result, std::abs(double{a.data()[i]} - b.data()[i]));
  return result;
}

/// x with `step` added to coordinate k of each point.
Tensor moved(const Tensor& x, std::int64_t k, double step) {
  Tensor result = x.clone();
  for (std::int64_t i = 0; i < B; ++i) result.data()[i * d + k] += static_cast<real>(step);
  return result;
}

/// How far the gradients of c-transforms are from central differences of their values with an error of order step^4,
/// relative to the largest. For lambda = 0 only where no difference reaches into another Laguerre cell.
double gradient_error(const ot::Target& nu, const Case& at, double step) {
  const ot::CTransform here = c_transform(nu, at.x, at.psi, at.lambda, {.gradient = true});
  double worst = 0;
  for (std::int64_t k = 0; k < d; ++k) {
    const auto there = [&](double t) { return c_transform(nu, moved(at.x, k, t), at.psi, at.lambda); };
    const ot::CTransform far_left = there(-2 * step), left = there(-step), right = there(step),
                         far_right = there(2 * step);
    for (std::int64_t i = 0; i < B; ++i) {
      const auto n = static_cast<std::size_t>(i);
      if (at.lambda == 0 && !(far_left.winners[n] == here.winners[n] && far_right.winners[n] == here.winners[n]))
        continue;
      const auto value = [i](const ot::CTransform& transform) { return double{transform.value.data()[i]}; };
      const double difference = (8 * (value(right) - value(left)) - (value(far_right) - value(far_left))) / (12 * step);
      worst = worse(worst, std::abs(here.gradient.data()[i * d + k] - difference));
    }
  }
  return worst / largest(here.gradient);
}

/// (56) as it stands, in double.
Tensor formula_56(const ot::Target& nu, const Case& at) {
  Tensor result({B, d}), y({J, d});
  nu.rows(0, J, y.data());
  for (std::int64_t i = 0; i < B; ++i) {
    const real* x = at.x.data() + i * d;
    const auto exponent = [&](std::int64_t j) { return (at.psi.data()[j] - c(nu, x, j)) / at.lambda; };
    double shift = exponent(0), denominator = 0;
    for (std::int64_t j = 1; j < J; ++j) shift = std::max(shift, exponent(j));
    std::vector<double> numerator(d, 0);
    for (std::int64_t j = 0; j < J; ++j) {
      const double term = nu.weights()[static_cast<std::size_t>(j)] * std::exp(exponent(j) - shift);
      denominator += term;
      for (std::int64_t k = 0; k < d; ++k)
        numerator[static_cast<std::size_t>(k)] += term * 2 * nu.scale() * (double{x[k]} - y.data()[j * d + k]);
    }
    for (std::int64_t k = 0; k < d; ++k)
      result.data()[i * d + k] = static_cast<real>(numerator[static_cast<std::size_t>(k)] / denominator);
  }
  return result;
}

}  // namespace

std::vector<Row> lemma_1(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  double worst = -1;
  for (const Case& at : cases(seed, {0, 0.01, 0.1, 1, 10})) {
    const Tensor other = random_points(seed, at.stream, B, d);
    const Tensor psi_c = c_transform(nu, at.x, at.psi, at.lambda).value;
    const Tensor psi_c_other = c_transform(nu, other, at.psi, at.lambda).value;
    for (std::int64_t i = 0; i < B; ++i) {
      double omega = 0;  // |c(x, y) - c(x', y)| over the y of the support: at most omega(|x - x'|)
      for (std::int64_t j = 0; j < J; ++j)
        omega = std::max(omega, std::abs(c(nu, at.x.data() + i * d, j) - c(nu, other.data() + i * d, j)));
      worst = worse(worst, std::abs(double{psi_c.data()[i]} - psi_c_other.data()[i]) - omega);
    }
  }
  return {{"Lemma 1: modulus of continuity", "|psi^c(x) - psi^c(x')| - omega(|x - x'|)", worst, 100 * epsilon}};
}

std::vector<Row> lemma_2(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  double worst = -1;
  for (const Case& at : cases(seed, {0, 0.01, 0.1, 1, 10})) {
    const Tensor psi_c = c_transform(nu, at.x, at.psi, at.lambda).value;
    for (const double deviation : {0.0, 0.01, 1.0}) {
      const Tensor offset = random_potential(seed, at.stream, J, deviation);
      Tensor chi = at.psi.clone();
      // With deviation 0 chi is psi plus a constant, for which both sides are equal.
      for (std::int64_t j = 0; j < J; ++j) chi.data()[j] += deviation == 0 ? 1 : offset.data()[j];
      const Tensor chi_c = c_transform(nu, at.x, chi, at.lambda).value;
      worst = worse(worst, largest_difference(psi_c, chi_c) - largest_difference(at.psi, chi));
    }
  }
  return {{"Lemma 2: psi -> psi^c is 1-Lipschitz", "|psi^c - chi^c|_inf - |psi - chi|_inf", worst, 100 * epsilon}};
}

std::vector<Row> lemma_5(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  double worst = 0;
  for (const Case& at : cases(seed, {0})) worst = worse(worst, gradient_error(nu, at, 1e-2));
  return {{"Lemma 5, lambda = 0: (43) off the ties", "relative error to differences of psi^c", worst, 1e4 * epsilon}};
}

std::vector<Row> lemma_7(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  double to_differences = 0, to_formula = 0;
  // Differences over steps much below lambda, and so large that the rounding of values does not show.
  for (const Case& at : cases(seed, {0.1, 1, 10}))
    to_differences = worse(to_differences, gradient_error(nu, at, in_double ? 1e-4 : 1e-2));
  for (const Case& at : cases(seed, {0.01, 0.1, 1, 10})) {
    const ot::CTransform here = c_transform(nu, at.x, at.psi, at.lambda, {.gradient = true});
    to_formula = worse(to_formula, largest_difference(here.gradient, formula_56(nu, at)) / largest(here.gradient));
  }
  return {{"Lemma 7: psi^{c,lambda} is differentiable", "relative error to differences of psi^c", to_differences,
           in_double ? 1e-8 : 1e-2},
          {"Lemma 7: its gradient is (56)", "relative error to (56)", to_formula, 1e4 * epsilon}};
}

}  // namespace apps::claims
