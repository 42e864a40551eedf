#include "apps/paper/claims/large_lambda.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/paper/claims/setting.h"
#include "ot/c_transform.h"
#include "ot/exact/exact.h"
#include "ot/plan/cost_matrix.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

namespace {

constexpr std::int64_t B = 24, J = 20, d = 3;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Least and most of a function of j.
struct Range {
  double least = infinity, most = -infinity;

  void add(double value) {
    least = std::min(least, value);
    most = worse(most, value);
  }
  double length() const { return most - least; }
};

}  // namespace

std::vector<Row> limit_of_W(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Tensor x = random_points(seed, 0, B, d);
  const ot::CostMatrix costs = ot::cost_matrix(nu, x);
  const std::vector<double> mu(B, 1.0 / B);
  double mean_cost = 0, squared_ranges = 0;  // means over mu, of c by nu and of the squares of its ranges
  for (std::int64_t i = 0; i < B; ++i) {
    Range range;
    for (std::int64_t j = 0; j < J; ++j) {
      mean_cost += nu.weights()[static_cast<std::size_t>(j)] * c(nu, x.data() + i * d, j) / B;
      range.add(c(nu, x.data() + i * d, j));
    }
    squared_ranges += range.length() * range.length() / B;
  }

  const double W_0 = ot::exact_transport(costs, mu, nu.weights()).value;
  double W = W_0, least_growth = infinity, left = 0;
  for (const double lambda : {0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0, 1000.0}) {
    const double smaller = W;
    W = ot::sinkhorn(costs, mu, nu.weights(), {.lambda = lambda, .tolerance = 1e-7}).duality.dual;
    least_growth = -worse(-least_growth, -(W - smaller));
    left = worse(left, (mean_cost - W) * 8 * lambda / squared_ranges);
  }
  least_growth = -worse(-least_growth, -(mean_cost - W));
  return {{"lambda -> infinity: W goes to int c dmu dnu", "difference over its bound, O(1 / lambda)", left, 1},
          {"W_lambda grows with lambda", "least growth, from 0 to int c dmu dnu", least_growth, 0, Row::Side::at_least},
          {"Figure 3: the limit grows as lambda -> 0", "growth of W from lambda = 1000 to 0", W_0 - W, -0.01,
           Row::Side::at_most,
           "Figure 3's caption says that the limit value of the loss increases as lambda -> 0. W_lambda decreases, for "
           "any theta, since the relative entropy in (8) is not negative, and with it its minimum over theta."}};
}

std::vector<Row> limit_of_gradient(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Tensor x = random_points(seed, 0, B, d), psi = random_potential(seed, 1, J, 0.3);
  double worst = 0;
  for (const double lambda : {1.0, 10.0, 100.0}) {
    const Tensor gradient = ot::c_transform(nu, x, psi, lambda, {.gradient = true}).gradient;
    for (std::int64_t i = 0; i < B; ++i) {
      Range exponent;
      Range component[d];
      double mean[d] = {};
      for (std::int64_t j = 0; j < J; ++j) {
        exponent.add(double{psi.data()[j]} - c(nu, x.data() + i * d, j));
        real grad_c[d];
        nu.cost_gradient(x.data() + i * d, j, grad_c);
        for (std::int64_t k = 0; k < d; ++k) {
          mean[k] += nu.weights()[static_cast<std::size_t>(j)] * grad_c[k];
          component[k].add(grad_c[k]);
        }
      }
      // The responsibilities differ from nu by tanh(range / 4 lambda) in total variation, or less.
      for (std::int64_t k = 0; k < d; ++k)
        worst = worse(worst, std::abs(gradient.data()[i * d + k] - mean[k]) /
                                 (component[k].length() * std::tanh(exponent.length() / (4 * lambda))));
    }
  }
  return {{"Section 6.2: grad psi^c goes to int grad c", "difference over its bound, O(1 / lambda)", worst, 1}};
}

}  // namespace apps::claims
