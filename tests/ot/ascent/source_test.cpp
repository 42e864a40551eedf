#include "ot/ascent/source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <doctest/doctest.h>

#include "engine/error.h"

using doctest::Approx;
using doctest::Contains;
using engine::Error;
using engine::real;
using engine::Tensor;
using ot::Law;
using ot::LawSource;
using ot::PointSource;

namespace {
/// The mean and the variance of a function of the points of a few batches.
struct Moments {
  double mean = 0, variance = 0;

  template <class Function>
  Moments(const ot::Source& source, const Function& function) {
    double sum = 0, squares = 0, count = 0;
    for (std::uint64_t number = 0; number < 20; ++number) {
      const Tensor batch = source.batch(number, 1000);
      for (std::int64_t i = 0; i < batch.dim(0); ++i, ++count) {
        const double value = function(batch.data() + i * batch.dim(1));
        sum += value, squares += value * value;
      }
    }
    mean = sum / count;
    variance = squares / count - mean * mean;
  }
};

double length_around(const real* x, double centre) {
  double squares = 0;
  for (int c = 0; c < 3; ++c) squares += (x[c] - centre) * (x[c] - centre);
  return std::sqrt(squares);
}
}  // namespace

TEST_CASE("a batch takes a point from each equal part of the source's distribution") {
  const Tensor x({4, 1}, {10, 11, 12, 13});
  const PointSource source(x, std::vector<double>{0.25, 0.25, 0, 0.5}, 1);
  std::map<real, int> drawn;
  for (std::uint64_t number = 0; number < 100; ++number) {
    CHECK(std::ranges::equal(source.batch(number, 4).values(), std::vector<real>{10, 11, 13, 13}));
    const Tensor other = source.batch(number, 3);
    for (const real value : other.values()) ++drawn[value];
  }
  CHECK(drawn[12] == 0);
  CHECK(drawn[13] == Approx(150).epsilon(0.2));
  CHECK(drawn[10] == Approx(75).epsilon(0.3));
  CHECK(std::ranges::equal(source.batch(7, 3).values(), source.batch(7, 3).values()));
  CHECK_THROWS_WITH_AS(PointSource(x, std::vector<double>{1, 0, 0, 1}, 1), Contains("must sum to 1: their sum is 2"),
                       Error);
}

TEST_CASE("each law has its mean and its spread, shifted and scaled") {
  const auto first = [](const real* x) { return static_cast<double>(x[0]); };
  const auto check = [&](Law law, double mean, double variance) {
    const Moments moments(LawSource(law, 3, 5, 2, 7), first);
    CHECK(moments.mean == Approx(5 + 2 * mean).epsilon(0.01));
    CHECK(moments.variance == Approx(4 * variance).epsilon(0.05));
  };
  check(Law::normal, 0, 1);
  check(Law::uniform, 0.5, 1.0 / 12);
  check(Law::ball, 0, 1.0 / 5);  // of a coordinate in d dimensions 1 / (d + 2)
  check(Law::sphere, 0, 1.0 / 3);
}

TEST_CASE("points of the ball fill it evenly, those of the sphere lie on it, where normal ones of the seed point to") {
  const Moments radii(LawSource(Law::ball, 3, 1, 2, 8),
                      [](const real* x) { return std::pow(length_around(x, 1) / 2, 3); });
  CHECK(radii.mean == Approx(0.5).epsilon(0.02));
  CHECK(radii.variance == Approx(1.0 / 12).epsilon(0.05));
  const Tensor sphere = LawSource(Law::sphere, 3, 1, 2, 8).batch(0, 600);
  const Tensor normal = LawSource(Law::normal, 3, 0, 1, 8).batch(0, 600);
  for (std::int64_t i = 0; i < normal.size(); ++i) {
    const double length = length_around(normal.data() + i / 3 * 3, 0);
    CHECK(sphere.data()[i] == Approx(1 + 2 * normal.data()[i] / length).epsilon(1e-5));
  }
}

TEST_CASE("a batch is a function of seed and number, and its points do not depend on its size") {
  for (const Law law : {Law::normal, Law::uniform, Law::ball, Law::sphere}) {
    const LawSource source(law, 3, 0, 1, 9), other(law, 3, 0, 1, 10);
    const Tensor small = source.batch(4, 10), large = source.batch(4, 100);
    CHECK(std::ranges::equal(small.values(), large.values().first(30)));
    CHECK_FALSE(std::ranges::equal(small.values(), source.batch(5, 10).values()));
    CHECK_FALSE(std::ranges::equal(small.values(), other.batch(4, 10).values()));
  }
}

TEST_CASE("a law without a dimension, a finite mean or a positive scale is refused") {
  CHECK_THROWS_WITH_AS(LawSource(Law::normal, 0, 0, 1, 0), "[source] the dimension must be at least 1: 0", Error);
  CHECK_THROWS_WITH_AS(LawSource(Law::normal, 1, std::numeric_limits<double>::infinity(), 1, 0),
                       "[source] the mean must be finite: inf", Error);
  CHECK_THROWS_WITH_AS(LawSource(Law::normal, 1, 0, 0, 0), "[source] the scale must be positive and finite: 0", Error);
}
