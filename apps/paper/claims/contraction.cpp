#include "apps/paper/claims/contraction.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/paper/claims/setting.h"
#include "ot/c_transform.h"
#include "ot/plan/cost_matrix.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

namespace {

constexpr std::int64_t d = 2;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Random mu on x and nu on y, and a cost that is the same from either side.
class TwoSides {
 public:
  TwoSides(std::uint64_t seed, std::int64_t n, std::int64_t J) : nu(random_nu(seed, J, d)), mu(source(nu, seed, n)) {}

  const ot::Target nu, mu;

  Tensor to_x(const Tensor& psi, double lambda) const { return ot::c_transform(nu, points(mu), psi, lambda).value; }
  Tensor to_y(const Tensor& phi, double lambda) const { return ot::c_transform(mu, points(nu), phi, lambda).value; }
  Tensor optimal_psi(double lambda) const {
    return tensor_of(ot::sinkhorn(ot::cost_matrix(nu, points(mu)), mu.weights(), nu.weights(),
                                  {.lambda = lambda, .tolerance = in_double ? 1e-12 : 2e-7})
                         .psi);
  }
  double c(std::int64_t i, std::int64_t j) const { return nu.cost(points(mu).data() + i * d, j); }

  /// tanh(D / 4)
  double rate(double lambda) const {
    double D = 0;
    for (std::int64_t i = 0; i < mu.size(); ++i)
      for (std::int64_t k = 0; k < i; ++k) {
        double least = infinity, most = -infinity;
        for (std::int64_t j = 0; j < nu.size(); ++j) {
          least = std::min(least, c(i, j) - c(k, j));
          most = std::max(most, c(i, j) - c(k, j));
        }
        D = std::max(D, (most - least) / lambda);
      }
    return std::tanh(D / 4);
  }

 private:
  static ot::Target source(const ot::Target& nu, std::uint64_t seed, std::int64_t n) {
    const ot::Target random = random_nu(seed + 1, n, d);
    const Tensor x = points(random);
    return ot::Target(std::vector<real>(x.values().begin(), x.values().end()), n, d, ot::Cost(nu.scale(), nullptr),
                      {random.weights().begin(), random.weights().end()});
  }
  static Tensor points(const ot::Target& target) {
    Tensor result({target.size(), d});
    target.rows(0, target.size(), result.data());
    return result;
  }
};

/// The distance of Hilbert's metric, times lambda.
double range(const Tensor& a, const Tensor& b) {
  double least = infinity, most = -infinity;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double difference = double{a.data()[i]} - b.data()[i];
    least = std::min(least, difference);
    most = worse(most, difference);
  }
  return most - least;
}

Tensor plus(const Tensor& a, const Tensor& b) {
  Tensor sum = a.clone();
  for (std::int64_t i = 0; i < a.size(); ++i) sum.data()[i] += b.data()[i];
  return sum;
}

}  // namespace

std::vector<Row> contraction(std::uint64_t seed) {
  const TwoSides many(seed, 10, 8), two(seed, 2, 2);
  double one_transform = 0, iteration = 0, reached = infinity;
  std::uint64_t stream = 10;
  for (const double lambda : {0.1, 0.3, 1.0, 10.0}) {
    for (const double distance : {0.1, 1.0, 3.0})
      for (int trial = 0; trial < 5; ++trial) {
        const Tensor psi = random_potential(seed, stream++, 8, 0.3),
                     chi = plus(psi, random_potential(seed, stream++, 8, distance));
        one_transform = worse(
            one_transform, range(many.to_x(psi, lambda), many.to_x(chi, lambda)) / range(psi, chi) / many.rate(lambda));
      }
    const Tensor psi_star = many.optimal_psi(lambda);
    Tensor psi = random_potential(seed, stream++, 8, 1);
    // Until what is left is no more than what psi* and rounding err by.
    for (int k = 0; k < 10 && range(psi, psi_star) > 1e-2; ++k) {
      const Tensor next = many.to_y(many.to_x(psi, lambda), lambda);
      iteration = worse(iteration, range(next, psi_star) / range(psi, psi_star) / std::pow(many.rate(lambda), 2));
      psi = next;
    }
    // The shares of y_2 at x_1 and x_2 are most apart where their log-odds are D / 2 and -D / 2.
    const double odds = std::log(two.nu.weights()[1] / two.nu.weights()[0]);
    const double middle = (two.c(0, 1) - two.c(0, 0) + two.c(1, 1) - two.c(1, 0)) / 2 - lambda * odds;
    const Tensor left = tensor_of(std::vector<double>{0, middle - lambda / 50}),
                 right = tensor_of(std::vector<double>{0, middle + lambda / 50});
    reached = -worse(-reached,
                     -range(two.to_x(left, lambda), two.to_x(right, lambda)) / range(left, right) / two.rate(lambda));
  }
  return {{"Section 2.1: psi -> psi^c contracts", "its rate over tanh(D / 4)", one_transform, 1 + 1e3 * epsilon},
          {"Section 2.1: Sinkhorn's iteration does", "its rate to psi* over tanh^2(D / 4)", iteration, 1 + 1e-3},
          {"Section 2.1: on two points, not faster", "its rate over tanh(D / 4)", reached, 0.99, Row::Side::at_least}};
}

}  // namespace apps::claims
