#include "ot/sharded_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/random.h"
#include "ot/c_transform.h"
#include "ot/potential.h"
#include "ot/power_cost.h"
#include "tests/engine/threads.h"
#include "tests/ot/surface.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::CostScale;
using ot::CTransform;
using ot::Shards;
using ot::Target;
using ot::Transformer;
using ot::testing::surface;

namespace {

constexpr std::int64_t count = 5003, d = 12, batch = 30;

std::vector<std::uint8_t> bytes() {
  std::vector<std::uint8_t> bytes;
  for (const real value : surface(count, d, 3, 1))
    bytes.push_back(static_cast<std::uint8_t>(std::clamp<real>(128 + 20 * value, 0, 255)));
  return bytes;
}

// None for a whole shard of 7, some more for others.
std::vector<double> weights() {
  std::vector<double> weights(count);
  double sum = 0;
  for (std::int64_t j = 0; j < count; ++j)
    sum += weights[static_cast<std::size_t>(j)] = j < 512 ? 0 : 1 + static_cast<double>(j % 5);
  for (double& weight : weights) weight /= sum;
  return weights;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i]) - b.data()[i]));
  return largest;
}

bool equal_bits(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

}  // namespace

TEST_CASE("shards begin at multiples of 512 points, and are as even as these allow") {
  CHECK(ot::shard_bounds(5003, 3) == std::vector<std::int64_t>{0, 1536, 3072, 5003});
  CHECK(ot::shard_bounds(512, 1) == std::vector<std::int64_t>{0, 512});
  const Target target(surface(1100, 2, 2, 1), 1100, 2, CostScale::one);
  CHECK_THROWS_WITH_AS(Shards(target, 4), "[shards] of 1100 points there must be 1 to 3: 4", engine::Error);
  CHECK_THROWS_WITH_AS(Shards(target, 0), "[shards] of 1100 points there must be 1 to 3: 0", engine::Error);
  const Shards shards(target, 2);
  REQUIRE(shards.here().size() == 2);
  CHECK(shards.here()[1].first == 512);
  CHECK(shards.here()[1].target.size() == 588);
  CHECK(shards.here()[1].mass == doctest::Approx(588 / 1100.0));
  CHECK(shards.here()[1].target.scale() == target.scale());
}

TEST_CASE("a c-transform put together of shards is that of all points, in every way to the shards") {
  const auto x_values = surface(batch, d, 3, 2);
  const Tensor psi = Random(3, 0).normal({count}, 0, real(0.1));
  const auto check = [&](const Target& target, const Tensor& x, double lambda, int shards) {
    const Shards of(target, shards);
    Transformer transform(target, nullptr, &of);
    const CTransform whole = ot::c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
    const CTransform found = transform(x, psi, lambda, {.gradient = true, .mass = true});
    const double size = std::max(1.0, target.scale() * d), rounding = std::numeric_limits<real>::epsilon();
    CHECK(largest_difference(found.value, whole.value) < 64 * rounding * size);
    CHECK(largest_difference(found.gradient, whole.gradient) < 1e4 * rounding * size / lambda);
    CHECK(largest_difference(found.mass, whole.mass) < 1e3 * rounding * size / lambda / batch);
    double sum = 0;
    for (const real mass : found.mass.values()) sum += mass;
    CHECK(sum == doctest::Approx(1).epsilon(1e-4));
    const CTransform value_alone = transform(x, psi, lambda);
    CHECK(equal_bits(value_alone.value, found.value));
    CHECK(!value_alone.gradient.defined());
    CHECK(!value_alone.mass.defined());
  };
  for (const double lambda : {0.01, 0.3}) {
    CAPTURE(lambda);
    for (const int shards : {1, 2, 7}) {  // of 7 each is too small to be searched
      CAPTURE(shards);
      check(Target(surface(count, d, 3, 1), count, d, CostScale::inverse_alpha), Tensor({batch, d}, x_values), lambda,
            shards);
      check(Target(surface(count, d, 3, 1), count, d, CostScale::inverse_alpha, weights()),
            Tensor({batch, d}, x_values), lambda, shards);
      Tensor in_unit({batch, d});
      std::ranges::transform(x_values, in_unit.data(), [](real value) { return (128 + 20 * value) / 255; });
      check(Target(bytes(), count, d, CostScale::inverse_alpha), in_unit, lambda, shards);
      check(Target(surface(count, d, 3, 1), count, d,
                   {CostScale::inverse_alpha, std::make_shared<const ot::PowerCost>(1)}),
            Tensor({batch, d}, x_values), lambda, shards);
    }
  }
}

TEST_CASE("a batch of more rows than are held at a time, and points without mass in its shards") {
  const Target target(surface(count, 2, 2, 1), count, 2, CostScale::one, weights());
  const Tensor x({600, 2}, surface(600, 2, 2, 5)), psi = Tensor::zeros({count});
  const Shards shards(target, 7);
  CHECK(shards.here().size() == 6);  // the first weighs nothing
  Transformer transform(target, nullptr, &shards);
  const CTransform whole = ot::c_transform(target, x, psi, 0.1, {.gradient = true, .mass = true});
  const CTransform found = transform(x, psi, 0.1, {.gradient = true, .mass = true});
  CHECK(largest_difference(found.value, whole.value) < 1e-4);
  CHECK(largest_difference(found.gradient, whole.gradient) < 1e-3);
  CHECK(largest_difference(found.mass, whole.mass) < 1e-6);
  for (std::int64_t j = 0; j < 512; ++j) REQUIRE(found.mass.data()[j] == 0);
}

TEST_CASE("a row that is NaN, and a psi that is anywhere, are told as by all points") {
  const Target target(surface(count, d, 3, 1), count, d, CostScale::one);
  const Shards shards(target, 2);
  Transformer transform(target, nullptr, &shards);
  Tensor x({batch, d}, surface(batch, d, 3, 2)), psi = Tensor::zeros({count});
  x.data()[3 * d] = std::numeric_limits<real>::quiet_NaN();
  const CTransform found = transform(x, psi, 0.1, {.gradient = true});
  for (std::int64_t i = 0; i < batch; ++i) {
    CHECK(std::isnan(found.value.data()[i]) == (i == 3));
    CHECK(std::isnan(found.gradient.data()[i * d + 1]) == (i == 3));
  }
  x = Tensor({batch, d}, surface(batch, d, 3, 2));
  const std::int64_t second = shards.here()[1].first;
  std::fill(psi.data() + second, psi.data() + count, -std::numeric_limits<real>::infinity());
  const CTransform whole = ot::c_transform(target, x, psi, 0.1, {.gradient = true, .mass = true}),
                   of_first = transform(x, psi, 0.1, {.gradient = true, .mass = true});
  CHECK(largest_difference(of_first.value, whole.value) < 1e-4);
  CHECK(largest_difference(of_first.gradient, whole.gradient) < 1e-3);
  CHECK(largest_difference(of_first.mass, whole.mass) < 1e-6);
  psi.data()[count - 1] = std::numeric_limits<real>::quiet_NaN();
  const Tensor nowhere = transform(x, psi, 0.1).value;
  for (const real value : nowhere.values()) CHECK(std::isnan(value));
}

TEST_CASE("the bits of shards depend neither on threads nor, after a restart, on what was before") {
  const Target target(bytes(), count, d, CostScale::inverse_alpha);
  const Shards shards(target, 2);
  const Tensor x = Random(7, 0).uniform({batch, d}, 0, 1), psi = Random(8, 0).normal({count}, 0, real(0.01));
  const auto transformed = [&](Transformer& transform) {
    transform.restart();
    return transform(x, psi, 0.02, {.gradient = true, .mass = true});
  };
  Transformer used(target, nullptr, &shards);
  used(Random(9, 0).uniform({batch, d}, 0, 1), psi, 0.02);
  const CTransform first = transformed(used);
  for (const int threads : {1, 2, 3}) {
    const Threads set(threads);
    Transformer transform(target, nullptr, &shards);
    const CTransform found = transformed(transform);
    CHECK(equal_bits(found.value, first.value));
    CHECK(equal_bits(found.gradient, first.gradient));
    CHECK(equal_bits(found.mass, first.mass));
  }
  CHECK(used.ways().search + used.ways().digits + used.ways().dense == 2 * 2);
}

TEST_CASE("a network's values and gradients on shards are those on all points") {
  const Target target(surface(count, d, 3, 1), count, d, CostScale::one, weights());
  engine::Var matrix(Random(4, 0).normal({d, 1}, 0, 1));
  const auto network = [&](const engine::Var& y) {
    const engine::Var value = engine::matmul(y, matrix);
    return engine::mul(value, value);
  };
  const ot::PointIndex index(target);
  const Shards shards(target, 2);
  ot::NetworkPotential whole(index, network, {&matrix}), parted(shards, network, {&matrix}, {});
  CHECK(largest_difference(whole.values(), parted.values()) == 0);
  const Tensor slope = Random(5, 0).normal({count}, 0, 1);
  const auto gradient = [&](const Tensor&) { return slope; };
  const Tensor expected = whole.pull_back(gradient).front().value(), found = parted.pull_back(gradient).front().value();
  for (std::int64_t c = 0; c < d; ++c) CHECK(found.data()[c] == doctest::Approx(expected.data()[c]).epsilon(1e-4));
}
