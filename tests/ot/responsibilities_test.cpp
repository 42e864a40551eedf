#include "ot/responsibilities.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "ot/c_transform.h"
#include "ot/cityblock_cost.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using doctest::Approx;
using engine::Error;

namespace {
constexpr std::int64_t count = 1100, batch = 70;  // of several tiles and blocks
constexpr double lambda = 0.3;

std::vector<double> weights_with_zeros() {
  std::vector<double> weights;
  for (std::int64_t j = 0; j < count; ++j) weights.push_back(j % 10 == 0 ? 0 : 1 + static_cast<double>(j % 7));
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}
}  // namespace

TEST_CASE("responsibilities are those of their definition, and their mean is the mass of the c-transform") {
  const Tensor y = Random(71, 0).normal({count, 3}, 0, 1), x = Random(71, 1).normal({batch, 3}, 0, 1);
  const Tensor psi = Random(71, 2).normal({count}, 0, real(0.1));
  for (const Cost& cost : {Cost(CostScale::one), Cost(CostScale::one, std::make_shared<CityblockCost>())}) {
    const Target target(vector_of(y), count, 3, cost, weights_with_zeros());
    const Tensor shares = responsibilities(target, x, psi, lambda);
    CHECK(shares.dim(0) == batch);
    CHECK(shares.dim(1) == count);
    const Tensor mass = c_transform(target, x, psi, lambda, {.mass = true}).mass;
    std::vector<double> mean(count, 0);
    double worst = 0;
    for (std::int64_t i = 0; i < batch; ++i) {
      std::vector<double> terms;
      double sum = 0;
      for (std::int64_t j = 0; j < count; ++j) {
        terms.push_back(target.weights()[static_cast<std::size_t>(j)] *
                        std::exp((psi.data()[j] - target.cost(x.data() + i * 3, j)) / lambda));
        sum += terms.back();
      }
      for (std::int64_t j = 0; j < count; ++j) {
        const double share = shares.data()[i * count + j];
        worst = std::max(worst, std::abs(share - terms[static_cast<std::size_t>(j)] / sum) / (share + 1e-9));
        mean[static_cast<std::size_t>(j)] += share / batch;
      }
    }
    CHECK(worst < 1e3 * epsilon);
    for (std::int64_t j = 0; j < count; ++j)
      CHECK(mean[static_cast<std::size_t>(j)] == Approx(mass.data()[j]).epsilon(1e-3));
  }
}

TEST_CASE("rows of responsibilities that have none are NaN, and lambda = 0 is refused") {
  const Target target(std::vector<real>{0, 1}, 2, 1, CostScale::one);
  const Tensor psi({2}, {0, 0});
  const Tensor shares =
      responsibilities(target, Tensor({2, 1}, {std::numeric_limits<real>::quiet_NaN(), 0}), psi, lambda);
  CHECK(std::isnan(shares.data()[0]));
  CHECK(shares.data()[2] + shares.data()[3] == Approx(1));
  CHECK_THROWS_WITH_AS(responsibilities(target, Tensor({1, 1}, {0}), psi, 0),
                       "[responsibilities] lambda must be positive: 0", Error);
}
