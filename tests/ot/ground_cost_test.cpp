#include "ot/ground_cost.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "ot/cityblock_cost.h"
#include "ot/power_cost.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;

namespace {
Rows rows_of(const Tensor& points) {
  return {points.data(), points.dim(0), points.dim(1)};
}

std::vector<Exact> difference(Point x, Point y) {
  std::vector<Exact> result;
  for (std::size_t c = 0; c < x.size(); ++c) result.push_back(Exact(x[c]) - y[c]);
  return result;
}

struct Named {
  std::shared_ptr<const GroundCost> cost;
  PlainCost plain;
};

std::vector<Named> costs() {
  std::vector<Named> result{{std::make_shared<CityblockCost>(), plain_cityblock()}};
  for (const double p : {1.0, 1.5, 2.0, 3.0, 4.0}) result.push_back({std::make_shared<PowerCost>(p), plain_power(p)});
  return result;
}

/// Compares values and gradients, of single pairs and of many, with the definition. `relative` is the error allowed.
void check(const Named& named, const Tensor& x, const Tensor& y, double relative) {
  const std::int64_t d = x.dim(1);
  const Rows from = rows_of(x), to = rows_of(y);
  const Tensor weights = Random(41, 0).uniform({x.dim(0), y.dim(0)}, 0, 1);
  Tensor values({x.dim(0), y.dim(0)}), gradients = Tensor::full(x.shape(), real(0.5));
  named.cost->values(from, to, values.data());
  named.cost->add_gradients(from, to, weights.data(), gradients.data());
  for (std::int64_t i = 0; i < x.dim(0); ++i) {
    std::vector<Exact> wanted(static_cast<std::size_t>(d), 0.5);
    Exact size = 1;
    for (std::int64_t j = 0; j < y.dim(0); ++j) {
      std::vector<Exact> between = difference(from[i], to[j]);
      const Exact value = named.plain.value(between), weight = weights.data()[i * y.dim(0) + j];
      CHECK(std::abs(named.cost->value(from[i], to[j]) - value) <= 16 * epsilon * value);
      CHECK(std::abs(values.data()[i * y.dim(0) + j] - value) <= relative * value);

      named.plain.to_gradient(between);  // the slopes from here on
      std::vector<real> one(static_cast<std::size_t>(d), 1);
      named.cost->add_gradient(from[i], to[j], 2, one);
      for (std::size_t c = 0; c < one.size(); ++c) {
        wanted[c] += weight * between[c];
        CHECK(std::abs(one[c] - (1 + 2 * between[c])) <= 16 * epsilon * (1 + std::abs(between[c])));
      }
      size += weight * std::sqrt(squared_norm(between));
    }
    for (std::int64_t c = 0; c < d; ++c)
      CHECK(std::abs(gradients.data()[i * d + c] - wanted[static_cast<std::size_t>(c)]) <= relative * size);
  }
}
}  // namespace

TEST_CASE("values and gradients of costs are those of their definitions, for one pair and for many") {
  for (const Named& named : costs())
    for (const std::int64_t d : {1, 3, 40})
      check(named, Random(40, 0).normal({7, d}, 1, 1), Random(40, 1).normal({33, d}, 0, 1), 400 * epsilon);
}

TEST_CASE("costs keep their digits however near the points are to each other, and far from the origin") {
  const Tensor x = Random(40, 0).normal({40, 5}, 100, 1);
  Tensor y = x.clone();
  for (std::int64_t j = 0; j < 40; ++j)  // from 1 down to 0, at the last points
    y.data()[j * 5 + j % 5] += static_cast<real>(std::ldexp(1.0, static_cast<int>(-j)));
  for (const Named& named : costs()) check(named, x, y, 400 * epsilon);
}

TEST_CASE("the gradient of a norm is 0 where the points are equal") {
  const Tensor x = Random(40, 0).normal({1, 6}, 0, 1), weight = Tensor::full({1, 1}, 1);
  for (const Named& named : costs()) {
    Tensor gradient = Tensor::zeros(x.shape());
    named.cost->add_gradients(rows_of(x), rows_of(x), weight.data(), gradient.data());
    CHECK(same(gradient, Tensor::zeros(x.shape())));
    CHECK(named.cost->value(x.values(), x.values()) == 0);
  }
}

TEST_CASE("gradients are those of finite differences" * doctest::skip(epsilon > 1e-10)) {
  Tensor x = Random(40, 0).normal({1, 4}, 0, 1);
  const Tensor y = Random(40, 1).normal({1, 4}, 0, 1);
  for (const Named& named : costs()) {
    std::vector<real> gradient(4);
    named.cost->add_gradient(x.values(), y.values(), 1, gradient);
    for (std::size_t c = 0; c < 4; ++c) {
      const real kept = x.values()[c], step = real(1e-6);
      x.values()[c] = kept + step;
      const double above = named.cost->value(x.values(), y.values());
      x.values()[c] = kept - step;
      const double below = named.cost->value(x.values(), y.values());
      x.values()[c] = kept;
      CHECK((above - below) / (2e-6) == doctest::Approx(gradient[c]).epsilon(1e-7));
    }
  }
}

TEST_CASE("a power below 1, for which no cost is a distance, is refused") {
  for (const double p : {0.99, 0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH_AS(PowerCost{p}, Contains("[power cost] the power must be a finite number of at least 1: "),
                         engine::Error);
}
