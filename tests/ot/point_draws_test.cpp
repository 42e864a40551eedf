#include "ot/point_draws.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/cityblock_cost.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using doctest::Approx;
using engine::Error;

namespace {
constexpr std::int64_t count = 1200, batch = 70;
constexpr double lambda = 0.05;

std::vector<double> rising_weights() {
  std::vector<double> weights;
  for (std::int64_t j = 0; j < count; ++j)  // a tenth of the points weigh nothing
    weights.push_back(j % 10 == 0 ? 0 : 2.0 * static_cast<double>(j));
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// By its definition in double: where the running sum of the responsibilities passes u.
std::int64_t drawn(const Target& target, const Tensor& x, const Tensor& psi, std::int64_t i, double u) {
  std::vector<double> terms;
  double least = std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    const auto index = static_cast<std::size_t>(j);
    const double value = target.weights()[index] == 0
                             ? std::numeric_limits<double>::infinity()
                             : target.cost(x.data() + i * 2, j) - psi.data()[j] - lambda * target.log_weights()[index];
    terms.push_back(value);
    least = std::min(least, value);
  }
  for (double& term : terms) sum += term = std::exp((least - term) / lambda);
  double left = u * sum;
  for (std::int64_t j = 0; j < count; ++j)
    if ((left -= terms[static_cast<std::size_t>(j)]) < 0) return j;
  return -1;
}
}  // namespace

TEST_CASE("points are drawn where the running sum of the responsibilities passes a uniform number, for any cost") {
  const Tensor y = Random(70, 0).normal({count, 2}, 0, 1), x = Random(70, 1).normal({batch, 2}, 0, 1);
  const Tensor psi = Random(70, 2).normal({count}, 0, real(0.1));
  std::vector<double> uniforms;
  for (std::uint64_t i = 0; i < batch; ++i) uniforms.push_back(Random(70, 3).uniform(i));
  for (const Cost& cost : {Cost(CostScale::one), Cost(CostScale::one, std::make_shared<CityblockCost>())}) {
    const Target target(vector_of(y), count, 2, cost, rising_weights());
    const std::vector<std::int64_t> found = draw_points(target, x, psi, lambda, uniforms);
    // Rounding may move a draw across a border between two neighbours, hardly ever.
    int same = 0;
    for (std::int64_t i = 0; i < batch; ++i)
      same += found[static_cast<std::size_t>(i)] == drawn(target, x, psi, i, uniforms[static_cast<std::size_t>(i)]);
    CHECK(same >= batch - 1);
    const int before = engine::threads();
    engine::set_threads(before == 1 ? 2 : 1);
    CHECK(draw_points(target, x, psi, lambda, uniforms) == found);
    engine::set_threads(before);
  }
}

TEST_CASE("the ends of the uniform numbers fall on points that weigh something") {
  const Target target(std::vector<real>{0, 1, 2, 3}, 4, 1, CostScale::one, std::vector<double>{0, 0.5, 0.5, 0});
  const Tensor x({2, 1}, {1.5, 1.5});
  CHECK(draw_points(target, x, Tensor::zeros({4}), 0.1, std::vector<double>{0, std::nextafter(1.0, 0.0)}) ==
        std::vector<std::int64_t>{1, 2});
}

TEST_CASE("an x that is not finite has no point, and arguments that don't fit are refused") {
  const Target target(std::vector<real>{0, 1}, 2, 1, CostScale::one);
  const Tensor x({1, 1}, {std::numeric_limits<real>::quiet_NaN()}), psi = Tensor::zeros({2});
  CHECK(draw_points(target, x, psi, 1, std::vector<double>{0.5}) == std::vector<std::int64_t>{-1});
  CHECK_THROWS_WITH_AS(draw_points(target, x, psi, 0, std::vector<double>{0.5}),
                       "[draw points] lambda must be positive: 0", Error);
  CHECK_THROWS_WITH_AS(draw_points(target, x, psi, 1, {}),
                       "[draw points] there must be a uniform number for each row: 0 for [1, 1]", Error);
}
