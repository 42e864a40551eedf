#include "ot/transformer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/ot/surface.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::CostScale;
using ot::CTransform;
using ot::Target;
using ot::Transformer;
using ot::Wanted;
using ot::testing::surface;

namespace {

constexpr real epsilon = std::numeric_limits<real>::epsilon();

bool equal_bits(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

struct Exact {
  std::int64_t winner = -1;
  long double value = std::numeric_limits<long double>::infinity();
  long double gap = std::numeric_limits<long double>::infinity();  // from the best value to the next, of another point
};

Exact exact_winner(const std::vector<real>& points, std::int64_t d, const real* x, const Tensor& psi, double scale,
                   const std::vector<double>& weights = {}) {
  Exact best;
  for (std::int64_t j = 0; j < psi.size(); ++j) {
    if (!weights.empty() && weights[static_cast<std::size_t>(j)] == 0) continue;
    long double squared = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      const long double difference = static_cast<long double>(x[c]) - points[static_cast<std::size_t>(j * d + c)];
      squared += difference * difference;
    }
    const long double value = scale * squared - psi.data()[j];
    if (value < best.value) {
      best.gap = best.value - value;
      best.value = value;
      best.winner = j;
    } else {
      best.gap = std::min(best.gap, value - best.value);
    }
  }
  return best;
}

// By search, nothing where it is left to the brute force.
std::optional<CTransform> searched(Transformer& transform, const Tensor& x, const Tensor& psi, double lambda = 0,
                                   Wanted wanted = {}) {
  CTransform result = transform(x, psi, lambda, wanted);
  return transform.way() == Transformer::Way::search ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> winners(Transformer& transform, const Tensor& x, const Tensor& psi) {
  const auto result = searched(transform, x, psi);
  return result ? std::optional(result->winners) : std::nullopt;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i]) - b.data()[i]));
  return largest;
}

double largest_value(const Tensor& a) {
  return largest_difference(a, Tensor::zeros(a.shape()));
}

}  // namespace

TEST_CASE("the search finds the winner that long double finds, wherever the data lie") {
  constexpr std::int64_t count = 5003, d = 67, batch = 24;
  for (real offset : {real(0), real(100)}) {
    CAPTURE(offset);
    const auto points = surface(count, d, 5, 1, offset);
    const Target target(points, count, d, CostScale::one);
    Transformer transform(target);
    const auto queries = surface(batch, d, 5, 2, offset);
    const Tensor x({batch, d}, queries);
    for (double deviation : {0.0, 0.1, 5.0}) {
      const Tensor psi = Random(3, 0).normal({count}, 0, static_cast<real>(deviation));
      const auto found = winners(transform, x, psi);
      REQUIRE(found);
      for (std::int64_t i = 0; i < batch; ++i) {
        const Exact exact = exact_winner(points, d, x.data() + i * d, psi, 1);
        const std::int64_t winner = (*found)[static_cast<std::size_t>(i)];
        // Where two points are as good within the rounding of double and of psi, either may win.
        if (exact.gap > 1e-12L * (1 + std::abs(exact.value))) CHECK(winner == exact.winner);
      }
      CHECK(transform.work_per_query().cost() < count / 16);
    }
  }
}

TEST_CASE("of equal points the lowest index wins") {
  constexpr std::int64_t distinct = 1500, d = 20;
  auto points = surface(distinct, d, 3, 6);
  const auto once = points;
  points.insert(points.end(), once.begin(), once.end());  // point j again at j + 1500
  const Target target(points, 2 * distinct, d, CostScale::inverse_alpha);
  Transformer transform(target);
  const Tensor x({5, d}, std::span(points).subspan(700 * d, 5 * d));  // queries that are points
  const auto found = winners(transform, x, Tensor::zeros({2 * distinct}));
  REQUIRE(found);
  for (std::int64_t i = 0; i < 5; ++i) CHECK((*found)[static_cast<std::size_t>(i)] == 700 + i);
}

TEST_CASE("points without weight never win") {
  constexpr std::int64_t count = 3000, d = 20, batch = 10;
  const auto points = surface(count, d, 3, 7);
  std::vector<double> weights(count, 0);
  for (std::size_t j = 1; j < weights.size(); j += 2) weights[j] = 2.0 / count;
  const Target target(points, count, d, CostScale::one, weights);
  Transformer transform(target);
  const Tensor x({batch, d}, surface(batch, d, 3, 8)), psi = Tensor::zeros({count});
  const auto found = winners(transform, x, psi);
  REQUIRE(found);
  for (std::int64_t i = 0; i < batch; ++i)
    CHECK((*found)[static_cast<std::size_t>(i)] == exact_winner(points, d, x.data() + i * d, psi, 1, weights).winner);
}

TEST_CASE("8-bit points are searched as they are") {
  constexpr std::int64_t count = 4000, d = 64, batch = 16;
  const auto reals = surface(count, d, 4, 9);
  std::vector<std::uint8_t> bytes(reals.size());
  std::vector<real> same(reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::clamp<real>(128 + 100 * reals[i], 0, 255));
    same[i] = bytes[i] / real(255);
  }
  const Target target(bytes, count, d, CostScale::inverse_alpha);
  Transformer transform(target);
  const Tensor x({batch, d}, std::span(same).subspan(100 * d, batch * d)), psi = Random(10, 0).normal({count}, 0, 0.01);
  const auto found = winners(transform, x, psi);
  REQUIRE(found);
  for (std::int64_t i = 0; i < batch; ++i) {
    const Exact exact = exact_winner(same, d, x.data() + i * d, psi, target.scale());
    if (exact.gap > 4 * epsilon) CHECK((*found)[static_cast<std::size_t>(i)] == exact.winner);
  }
}

TEST_CASE("where all queries lie off the points in one direction, the fitted direction prunes") {
  constexpr std::int64_t count = 6000, d = 100, batch = 20;
  const Target target(surface(count, d, 5, 11), count, d, CostScale::one);
  Transformer transform(target);
  auto queries = surface(batch, d, 5, 12);
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i] += i % 2 ? real(0.7) : real(-0.7);
  const Tensor x({batch, d}, queries), psi = Tensor::zeros({count});
  REQUIRE(winners(transform, x, psi));
  CHECK(transform.work_per_query().cost() < 100);
}

TEST_CASE("data that no few directions describe are left to the brute force") {
  constexpr std::int64_t count = 3000, d = 300, batch = 64;
  const Tensor points = Random(13, 0).normal({count, d}, 0, 1);
  const Target target(std::vector<real>(points.values().begin(), points.values().end()), count, d, CostScale::one);
  Transformer transform(target);
  const Tensor x = Random(13, 1).normal({batch, d}, 0, 1), psi = Tensor::zeros({count});
  for (int call = 0; call < 4; ++call) CHECK_FALSE(winners(transform, x, psi));
  CHECK(transform.way() == Transformer::Way::dense);
  CHECK(transform(x, psi, 0).winners == c_transform(target, x, psi, 0).winners);
}

TEST_CASE("calls are counted by the way that they took") {
  constexpr std::int64_t count = 6000, d = 20, batch = 8;
  const std::vector<real> points = surface(count, d, 3, 7);
  std::vector<std::uint8_t> bytes(points.size());
  std::transform(points.begin(), points.end(), bytes.begin(),
                 [](real value) { return static_cast<std::uint8_t>(std::clamp<real>(128 + 60 * value, 0, 255)); });
  const Target target(points, count, d, CostScale::one), of_bytes(bytes, count, d, CostScale::one);
  const Tensor x({batch, d}, surface(batch, d, 3, 8)), psi = Tensor::zeros({count});
  Tensor unfinite = x.clone();
  unfinite.data()[0] = std::numeric_limits<real>::quiet_NaN();
  Transformer transform(target), in_digits(of_bytes);
  for (int call = 0; call < 3; ++call) transform(x, psi, 0);
  transform(unfinite, psi, 0);
  CHECK(transform.ways().search == 3);
  CHECK(transform.ways().dense == 1);
  CHECK(transform.ways().digits == 0);
  in_digits(x, psi, 1e4);  // all points matter alike
  CHECK(in_digits.ways().search == 0);
  const bool has_digits = ot::ByteProducts::available(of_bytes);
  CHECK(in_digits.ways().digits == (has_digits ? 1 : 0));
  CHECK(in_digits.ways().dense == (has_digits ? 0 : 1));
}

TEST_CASE("with lambda > 0 the search agrees with the brute force in values, gradients and masses") {
  constexpr std::int64_t count = 5000, d = 60, batch = 16;
  std::vector<double> weights(count);
  for (std::size_t j = 0; j < weights.size(); ++j) weights[j] = static_cast<double>(j % 4);
  double sum = 0;
  for (double w : weights) sum += w;
  for (double& w : weights) w /= sum;
  const auto psi = Random(22, 0).normal({count}, 0, real(0.02));
  const auto check = [&](const Target& target, const Tensor& x) {
    Transformer transform(target);
    for (double lambda : {1e-4, 1e-3, 5e-3}) {
      CAPTURE(lambda);
      const auto pruned = searched(transform, x, psi, lambda, {.gradient = true, .mass = true});
      REQUIRE(pruned);
      const auto brute = c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
      // The float product of the brute force errs in u by a few units in the last place of ||x'||^2 / alpha, about 1.
      const double tolerance = 1e-6 + 16 * epsilon / lambda;
      CHECK(largest_difference(pruned->value, brute.value) < 8 * epsilon);
      CHECK(largest_difference(pruned->gradient, brute.gradient) < tolerance * largest_value(brute.gradient));
      CHECK(largest_difference(pruned->mass, brute.mass) < tolerance * largest_value(brute.mass));
    }
  };
  const auto points = surface(count, d, 4, 20), queries = surface(batch, d, 4, 21);
  check(Target(points, count, d, CostScale::inverse_alpha), Tensor({batch, d}, queries));
  check(Target(points, count, d, CostScale::inverse_alpha, weights), Tensor({batch, d}, queries));
  Tensor x({batch, d});  // among points from 0 to 1
  std::transform(queries.begin(), queries.end(), x.data(), [](real value) { return (value + 2) / 4; });
  std::vector<std::uint8_t> bytes(points.size());
  std::transform(points.begin(), points.end(), bytes.begin(), [](real value) {
    return static_cast<std::uint8_t>(std::clamp(255 * (value + 2) / 4, real(0), real(255)));
  });
  check(Target(bytes, count, d, CostScale::half), x);
  check(Target(bytes, count, d, CostScale::half, weights), x);
}

TEST_CASE("many queries are transformed a part at a time, to the same values, winners, gradients and mean mass") {
  constexpr std::int64_t count = 2500, d = 30, batch = 1100;  // three parts
  const Target target(surface(count, d, 4, 51), count, d, CostScale::inverse_alpha);
  Transformer transform(target);
  const Tensor x({batch, d}, surface(batch, d, 4, 52)), psi = Random(53, 0).normal({count}, 0, real(0.02));
  for (const double lambda : {0.0, 2e-3}) {
    CAPTURE(lambda);
    const auto pruned = searched(transform, x, psi, lambda, {.gradient = true, .mass = true});
    REQUIRE(pruned);
    const auto brute = c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
    const double tolerance = lambda == 0 ? 4 * epsilon : 1e-6 + 16 * epsilon / lambda;
    CHECK(pruned->winners == brute.winners);
    CHECK(largest_difference(pruned->value, brute.value) < 8 * epsilon);
    CHECK(largest_difference(pruned->gradient, brute.gradient) < tolerance * largest_value(brute.gradient));
    CHECK(largest_difference(pruned->mass, brute.mass) < tolerance * largest_value(brute.mass));
  }
}

TEST_CASE("after a restart the bits are those of a transformer that begins, whatever ran before") {
  constexpr std::int64_t count = 3000, d = 40, batch = 24;
  constexpr double lambda = 0.005;
  const Target target(surface(count, d, 4, 31), count, d, CostScale::inverse_alpha);
  const Tensor psi = Random(32, 0).normal({count}, 0, real(0.02));
  const auto near = [&](std::uint64_t seed) { return Tensor({batch, d}, surface(batch, d, 4, seed)); };
  const auto transformed = [&](Transformer& transform, std::uint64_t seed) {
    return searched(transform, near(seed), psi, lambda, {.gradient = true, .mass = true});
  };
  Transformer busy(target), fresh(target);
  REQUIRE(transformed(busy, 34));
  // To a psi for which all points matter to queries near one: given up, until the restart.
  const Tensor x = near(33);
  Tensor hostile({count}), same({batch, d});
  for (std::int64_t j = 0; j < count; ++j) hostile.data()[j] = static_cast<real>(target.cost(x.data(), j));
  for (std::int64_t i = 0; i < batch; ++i) std::copy_n(x.data(), d, same.data() + i * d);
  CHECK_FALSE(searched(busy, same, hostile, lambda));
  CHECK_FALSE(transformed(busy, 35));
  busy.restart();
  for (std::uint64_t seed = 36; seed < 40; ++seed) {
    const auto a = transformed(busy, seed), b = transformed(fresh, seed);
    REQUIRE(a);
    REQUIRE(b);
    CHECK(equal_bits(a->value, b->value));
    CHECK(equal_bits(a->gradient, b->gradient));
    CHECK(equal_bits(a->mass, b->mass));
  }
}

TEST_CASE("several threads transform to one target, each with a transformer of its own") {
  constexpr std::int64_t count = 3000, d = 40, batch = 24;
  const Target target(surface(count, d, 4, 31), count, d, CostScale::inverse_alpha);
  const auto index = std::make_shared<const ot::PointIndex>(target);
  const Tensor psi = Random(32, 0).normal({count}, 0, real(0.02));
  const int before = engine::threads();
  engine::set_threads(1);
  const auto all_of = [&](std::uint64_t first) {
    Transformer transform(target, index);
    std::vector<CTransform> results;
    for (std::uint64_t seed = first; seed < first + 6; ++seed)
      for (const double lambda : {0.0, 0.005})
        results.push_back(
            transform(Tensor({batch, d}, surface(batch, d, 4, seed)), psi, lambda, {.gradient = true, .mass = true}));
    return results;
  };
  std::vector<std::vector<CTransform>> together(3);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < together.size(); ++t) threads.emplace_back([&, t] { together[t] = all_of(50 + 10 * t); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < together.size(); ++t) {
    const std::vector<CTransform> alone = all_of(50 + 10 * t);
    for (std::size_t r = 0; r < alone.size(); ++r) {
      CHECK(equal_bits(alone[r].value, together[t][r].value));
      CHECK(equal_bits(alone[r].gradient, together[t][r].gradient));
      CHECK(equal_bits(alone[r].mass, together[t][r].mass));
    }
  }
  engine::set_threads(before);
}

TEST_CASE("searches for a softmin have the same bits, whatever the threads") {
  constexpr std::int64_t count = 4100, d = 30, batch = 33;
  const int before = engine::threads();
  const Target target(surface(count, d, 4, 14), count, d, CostScale::inverse_alpha);
  Transformer transform(target);
  const Tensor x({batch, d}, surface(batch, d, 4, 15)), psi = Random(16, 0).normal({count}, 0, real(0.02));
  std::optional<ot::CTransform> first;
  for (int threads : {1, 2, 3}) {
    engine::set_threads(threads);
    transform.restart();
    const auto result = searched(transform, x, psi, 2e-3, {.gradient = true, .mass = true});
    REQUIRE(result);
    if (!first) first = result;
    CHECK(equal_bits(result->value, first->value));
    CHECK(equal_bits(result->gradient, first->gradient));
    CHECK(equal_bits(result->mass, first->mass));
  }
  engine::set_threads(before);
}

TEST_CASE("a transformer returns the brute force's values, winners and gradients, whatever the threads") {
  constexpr std::int64_t count = 4100, d = 30, batch = 33;
  const int before = engine::threads();
  const Target target(surface(count, d, 4, 14), count, d, CostScale::inverse_alpha);
  Transformer transform(target);
  const Tensor x({batch, d}, surface(batch, d, 4, 15)), psi = Random(16, 0).normal({count}, 0, real(0.05));
  const auto brute = c_transform(target, x, psi, 0, {.gradient = true, .mass = true});
  for (int threads : {1, 2, 3}) {
    engine::set_threads(threads);
    const auto result = transform(x, psi, 0, {.gradient = true, .mass = true});
    CHECK(result.winners == brute.winners);
    CHECK(equal_bits(result.value, brute.value));
    CHECK(equal_bits(result.gradient, brute.gradient));
    CHECK(equal_bits(result.mass, brute.mass));
  }
  engine::set_threads(before);
}
