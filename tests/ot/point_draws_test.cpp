#include "ot/point_draws.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/c_transform.h"
#include "ot/cityblock_cost.h"
#include "ot/transformer.h"
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

TEST_CASE("points of 8 bits are drawn in digits, each as often as its responsibilities say") {
  constexpr std::int64_t points = 4000, d = 40, draws = 40;
  std::vector<std::uint8_t> bytes;
  for (std::uint64_t k = 0; k < points * d; ++k)
    bytes.push_back(static_cast<std::uint8_t>(Random(71, 0).bits(k) % 256));
  const Target target(bytes, points, d, CostScale::one);
  const Tensor x = Random(71, 1).normal({batch, d}, 0.5, 0.5), psi = Random(71, 2).normal({points}, 0, real(0.1));
  Transformer transform(target);
  // Summed over many uniform numbers, evenly spread, draws of a batch have the mass of its c-transform.
  std::vector<double> drawn_mass(points, 0);
  for (int k = 0; k < draws; ++k) {
    const std::vector<double> uniforms(batch, (k + 0.5) / draws);
    const auto found = transform.draw(x, psi, 1, uniforms);
    REQUIRE(std::ssize(found) == batch);
    for (const std::int64_t j : found) drawn_mass[static_cast<std::size_t>(j)] += 1.0 / (draws * batch);
    CHECK(transform.draw(x, psi, 1, uniforms) == found);
  }
  const Tensor mass = c_transform(target, x, psi, 1, {.mass = true}).mass;
  // A point's share of a query is drawn floor or ceil of `draws` times as often.
  double farthest = 0, together = 0;
  for (std::int64_t j = 0; j < points; ++j) {
    const double difference = drawn_mass[static_cast<std::size_t>(j)] - mass.data()[j];
    farthest = std::max(farthest, std::abs(difference)), together += difference;
  }
  CHECK(farthest < 1.0 / draws);
  CHECK(std::abs(together) < 1e-4);
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
