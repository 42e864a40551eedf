#include "ot/neighbour_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "ot/brute_c_transform.h"
#include "ot/pruned_c_transform.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::CostScale;
using ot::Target;

namespace {

constexpr real epsilon = std::numeric_limits<real>::epsilon();

bool equal_bits(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

// Points near a low-dimensional surface, as images are: `latent` coordinates bent into d, plus a little noise.
std::vector<real> surface(std::int64_t count, std::int64_t d, std::int64_t latent, std::uint64_t seed,
                          real offset = 0) {
  const Tensor z = Random(seed, 0).normal({count, latent}, 0, 1), map = Random(99, 1).normal({latent, d}, 0, 1);
  const Tensor noise = Random(seed, 2).normal({count, d}, 0, real(0.05));
  std::vector<real> points(static_cast<std::size_t>(count * d));
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t c = 0; c < d; ++c) {
      real sum = 0;
      for (std::int64_t l = 0; l < latent; ++l) sum += z.data()[j * latent + l] * map.data()[l * d + c];
      points[static_cast<std::size_t>(j * d + c)] = offset + std::tanh(sum) + noise.data()[j * d + c];
    }
  return points;
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

// The winners by search, nothing where it is left to the brute force.
std::optional<std::vector<std::int64_t>> winners(const Target& target, const Tensor& x, const Tensor& psi) {
  const auto result = ot::pruned_c_transform(target, x, psi, 0, {});
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
    const auto queries = surface(batch, d, 5, 2, offset);
    const Tensor x({batch, d}, queries);
    for (double deviation : {0.0, 0.1, 5.0}) {
      const Tensor psi = Random(3, 0).normal({count}, 0, static_cast<real>(deviation));
      const auto found = winners(target, x, psi);
      REQUIRE(found);
      for (std::int64_t i = 0; i < batch; ++i) {
        const Exact exact = exact_winner(points, d, x.data() + i * d, psi, 1);
        const std::int64_t winner = (*found)[static_cast<std::size_t>(i)];
        // Where two points are as good within the rounding of double and of psi, either may win.
        if (exact.gap > 1e-12L * (1 + std::abs(exact.value))) CHECK(winner == exact.winner);
      }
      CHECK(target.search().work_per_query().cost() < count / 16);
    }
  }
}

TEST_CASE("bounds are never above the true value, at any SIMD level") {
  constexpr std::int64_t count = 1000, d = 50, batch = 9;
  const auto points = surface(count, d, 8, 4, 3);
  const Target target(points, count, d, CostScale::half);
  ot::Sketch sketch(target);
  Tensor x = Random(5, 0).normal({batch, d}, 3, 1);
  // one query on a point, one far away
  std::copy_n(points.data() + 17 * d, d, x.data());
  for (std::int64_t c = 0; c < d; ++c) x.data()[d + c] *= 1000;
  for (bool fitted : {false, true}) {
    if (fitted) sketch.fit(x);
    const auto queries = sketch.queries(x);
    const Tensor zero = Tensor::zeros({engine::simd::block_size});
    for (engine::simd::Level level : engine::simd::levels()) {
      CAPTURE(engine::simd::name(level));
      const auto& kernels = *engine::simd::kernels_of(level);
      for (std::int64_t b = 0; b < sketch.blocks(); ++b)
        for (std::int64_t i = 0; i < batch; ++i) {
          using namespace engine::simd;
          const std::int64_t dimension = sketch.dimension();
          real bounds[groups_in_block][2][group_size], least[groups_in_block];
          for (std::int64_t g = 0; g < groups_in_block; ++g)
            kernels.group_values(dimension, sketch.block(b) + g * group_size, zero.data(), 2,
                                 queries.both.data() + i * 2 * dimension, &bounds[g][0][0]);
          const std::int32_t first = 0;
          Tensor packed(engine::Shape{kernels.packed_queries(dimension, 1)});
          kernels.pack_queries(dimension, 1, queries.coarse.data() + i * dimension, packed.data());
          Tensor block(engine::Shape{kernels.packed_points(dimension)});
          if (block.size() > 0) kernels.pack_points(dimension, sketch.block(b), block.data());
          kernels.group_minima(dimension, block.size() > 0 ? block.data() : sketch.block(b), zero.data(), 1, &first,
                               packed.data(), least, 1);
          real wrong = 0;
          for (std::int64_t l = 0; l < block_size && b * block_size + l < count; ++l) {
            const std::int64_t place = b * block_size + l, j = sketch.order()[static_cast<std::size_t>(place)];
            long double product = 0;
            for (std::int64_t c = 0; c < d; ++c)
              product += (static_cast<long double>(x.data()[i * d + c]) - target.mean()[static_cast<std::size_t>(c)]) *
                         (static_cast<long double>(points[static_cast<std::size_t>(j * d + c)]) -
                          target.mean()[static_cast<std::size_t>(c)]);
            const real margin = queries.margin[static_cast<std::size_t>(i)];
            const auto& group = bounds[l / group_size];
            wrong += least[l / group_size] > -product + margin;
            wrong += group[0][l % group_size] > -product + margin;
            wrong += group[1][l % group_size] - sketch.fine_part(queries, i, place) > -product + margin;
          }
          CHECK(wrong == 0);
        }
    }
  }
}

TEST_CASE("of equal points the lowest index wins") {
  constexpr std::int64_t distinct = 1500, d = 20;
  auto points = surface(distinct, d, 3, 6);
  const auto once = points;
  points.insert(points.end(), once.begin(), once.end());  // point j again at j + 1500
  const Target target(points, 2 * distinct, d, CostScale::inverse_alpha);
  const Tensor x({5, d}, std::span(points).subspan(700 * d, 5 * d));  // queries that are points
  const auto found = winners(target, x, Tensor::zeros({2 * distinct}));
  REQUIRE(found);
  for (std::int64_t i = 0; i < 5; ++i) CHECK((*found)[static_cast<std::size_t>(i)] == 700 + i);
}

TEST_CASE("points without weight never win") {
  constexpr std::int64_t count = 3000, d = 20, batch = 10;
  const auto points = surface(count, d, 3, 7);
  std::vector<double> weights(count, 0);
  for (std::size_t j = 1; j < weights.size(); j += 2) weights[j] = 2.0 / count;
  const Target target(points, count, d, CostScale::one, weights);
  const Tensor x({batch, d}, surface(batch, d, 3, 8)), psi = Tensor::zeros({count});
  const auto found = winners(target, x, psi);
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
  const Tensor x({batch, d}, std::span(same).subspan(100 * d, batch * d)), psi = Random(10, 0).normal({count}, 0, 0.01);
  const auto found = winners(target, x, psi);
  REQUIRE(found);
  for (std::int64_t i = 0; i < batch; ++i) {
    const Exact exact = exact_winner(same, d, x.data() + i * d, psi, target.scale());
    if (exact.gap > 4 * epsilon) CHECK((*found)[static_cast<std::size_t>(i)] == exact.winner);
  }
}

TEST_CASE("where all queries lie off the points in one direction, the fitted direction prunes") {
  constexpr std::int64_t count = 6000, d = 100, batch = 20;
  const Target target(surface(count, d, 5, 11), count, d, CostScale::one);
  auto queries = surface(batch, d, 5, 12);
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i] += i % 2 ? real(0.7) : real(-0.7);
  const Tensor x({batch, d}, queries), psi = Tensor::zeros({count});
  REQUIRE(winners(target, x, psi));
  CHECK(target.search().work_per_query().cost() < 100);
}

TEST_CASE("a direction that is fitted anew for every batch is fitted less and less, until it has paid") {
  constexpr std::int64_t count = 6000, d = 100, batch = 4;
  auto points = surface(count, d, 5, 11);
  const Tensor noise = Random(20, 0).normal({count, d}, 0, real(0.1)), psi = Tensor::zeros({count});
  for (std::size_t i = 0; i < points.size(); ++i) points[i] += noise.values()[i];
  const Target target(points, count, d, CostScale::one);
  // Off the points along one wave or another.
  const auto searched = [&](std::int64_t period) {
    auto queries = surface(batch, d, 5, 12);
    for (std::size_t i = 0; i < queries.size(); ++i)
      queries[i] += static_cast<std::int64_t>(i) % d / period % 2 ? real(10) : real(-10);
    return winners(target, Tensor({batch, d}, queries), psi).has_value();
  };
  CHECK(searched(1));
  for (const bool expected : {false, false, true}) CHECK(searched(5) == expected);
  for (const bool expected : {false, false, false, true}) CHECK(searched(2) == expected);
  for (int call = 0; call < 8; ++call) CHECK(searched(2));
  CHECK(searched(25));
  for (const bool expected : {false, false, true}) CHECK(searched(1) == expected);
}

TEST_CASE("data that no few directions describe are left to the brute force, which is asked seldom to try again") {
  constexpr std::int64_t count = 3000, d = 300, batch = 64;
  const Tensor points = Random(13, 0).normal({count, d}, 0, 1);
  const Target target(std::vector<real>(points.values().begin(), points.values().end()), count, d, CostScale::one);
  const Tensor x = Random(13, 1).normal({batch, d}, 0, 1), psi = Tensor::zeros({count});
  for (int call = 0; call < 4; ++call) CHECK_FALSE(winners(target, x, psi));
  const auto result = c_transform(target, x, psi, 0), brute = brute_c_transform(target, x, psi, 0, {});
  CHECK(result.winners == brute.winners);
}

TEST_CASE("neighbours are all points within reach, and no others") {
  constexpr std::int64_t count = 3000, d = 40, batch = 6;
  const auto points = surface(count, d, 4, 17);
  const Target target(points, count, d, CostScale::half);
  const Tensor x({batch, d}, surface(batch, d, 4, 18)), psi = Random(19, 0).normal({count}, 0, real(0.5));
  for (double reach : {0.0, 0.5, 2.0}) {
    const auto found = target.search().nearest(x, psi, reach);
    REQUIRE(found);
    for (std::int64_t i = 0; i < batch; ++i) {
      const Exact exact = exact_winner(points, d, x.data() + i * d, psi, 0.5);
      std::vector<int> near(count, 0);
      for (const ot::Neighbour& neighbour : (*found)[static_cast<std::size_t>(i)])
        ++near[static_cast<std::size_t>(target.search().order()[static_cast<std::size_t>(neighbour.place)])];
      int wrong = 0;
      for (std::int64_t j = 0; j < count; ++j) {
        long double u = -static_cast<long double>(psi.data()[j]);
        for (std::int64_t c = 0; c < d; ++c) {
          const long double difference = static_cast<long double>(x.data()[i * d + c]) - points[j * d + c];
          u += difference * difference / 2;
        }
        if (std::abs(u - exact.value - reach) < 1e-5L) continue;  // on the edge either is right
        wrong += near[static_cast<std::size_t>(j)] != (u <= exact.value + reach ? 1 : 0);
      }
      CHECK(wrong == 0);
    }
  }
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
    for (double lambda : {1e-4, 1e-3, 5e-3}) {
      CAPTURE(lambda);
      const auto pruned = ot::pruned_c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
      REQUIRE(pruned);
      const auto brute = brute_c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
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
  const Tensor x({batch, d}, surface(batch, d, 4, 52)), psi = Random(53, 0).normal({count}, 0, real(0.02));
  for (const double lambda : {0.0, 2e-3}) {
    CAPTURE(lambda);
    const auto pruned = ot::pruned_c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
    REQUIRE(pruned);
    const auto brute = brute_c_transform(target, x, psi, lambda, {.gradient = true, .mass = true});
    const double tolerance = lambda == 0 ? 4 * epsilon : 1e-6 + 16 * epsilon / lambda;
    CHECK(pruned->winners == brute.winners);
    CHECK(largest_difference(pruned->value, brute.value) < 8 * epsilon);
    CHECK(largest_difference(pruned->gradient, brute.gradient) < tolerance * largest_value(brute.gradient));
    CHECK(largest_difference(pruned->mass, brute.mass) < tolerance * largest_value(brute.mass));
  }
}

TEST_CASE("a search goes on from its state as if it had not stopped: to the same ways and the same bits") {
  constexpr std::int64_t count = 3000, d = 40, batch = 24;
  constexpr double lambda = 0.005;
  const auto points = surface(count, d, 4, 31);
  const auto target = [&] { return Target(points, count, d, CostScale::inverse_alpha); };
  const Tensor psi = Random(32, 0).normal({count}, 0, real(0.02));
  const auto near = [&](std::uint64_t seed) { return Tensor({batch, d}, surface(batch, d, 4, seed)); };
  const auto transform = [&](const Target& to, const Tensor& x) {
    return ot::pruned_c_transform(to, x, psi, lambda, {.gradient = true, .mass = true});
  };
  // To a psi for which all points matter to queries near one.
  const auto fails = [&](const Target& to) {
    const Tensor x = near(33);
    Tensor hostile({count});
    for (std::int64_t j = 0; j < count; ++j) hostile.data()[j] = static_cast<real>(to.cost(x.data(), j));
    Tensor same({batch, d});
    for (std::int64_t i = 0; i < batch; ++i) std::copy_n(x.data(), d, same.data() + i * d);
    return !ot::pruned_c_transform(to, same, hostile, lambda, {}).has_value();
  };

  const Target straight = target();
  CHECK(straight.search().state().empty());
  REQUIRE(transform(straight, near(34)));
  // Two failures in a row, after which as many calls rest.
  CHECK(fails(straight));
  CHECK_FALSE(transform(straight, near(35)));
  CHECK(fails(straight));
  const ot::NamedTensors state = straight.search().state();

  const Target resumed = target(), afresh = target();
  resumed.search().restore(state, lambda);
  afresh.search().restore({}, lambda);
  CHECK(transform(afresh, near(36)));
  for (std::uint64_t seed = 36; seed < 42; ++seed) {
    const auto a = transform(straight, near(seed)), b = transform(resumed, near(seed));
    CHECK(a.has_value() == (seed >= 38));
    REQUIRE(a.has_value() == b.has_value());
    if (!a) continue;
    CHECK(equal_bits(a->value, b->value));
    CHECK(equal_bits(a->gradient, b->gradient));
    CHECK(equal_bits(a->mass, b->mass));
  }

  // Older programs saved up to three values less.
  for (const std::int64_t values : {5, 6, 7}) {
    const Target older = target();
    const Tensor policy({values}, state[1].second.values().first(static_cast<std::size_t>(values)));
    older.search().restore({state[0], {"search.policy", policy}}, lambda);
    CHECK_FALSE(transform(older, near(36)));
  }

  // Another number of directions is not taken; who holds the order keeps it.
  const Target other = target();
  const auto order = std::span(other.search().order());
  other.search().restore({{"search.directions", Tensor::zeros({7, 40})}, state[1]}, lambda);
  CHECK(other.search().state().empty());
  CHECK(order.data() == other.search().order().data());
  CHECK(transform(other, near(36)));

  using doctest::Contains;
  CHECK_THROWS_WITH_AS(resumed.search().restore({state[0], {"search.policy", Tensor::zeros({3})}}, lambda),
                       Contains("tensor search.policy is [3], it should be [8]"), engine::Error);
  CHECK_THROWS_WITH_AS(resumed.search().restore({{"search.directions", Tensor::zeros({8, 3})}, state[1]}, lambda),
                       Contains("tensor search.directions is [8, 3], it should be [8, 40]"), engine::Error);
}

TEST_CASE("searches for a softmin have the same bits, whatever the threads") {
  constexpr std::int64_t count = 4100, d = 30, batch = 33;
  const int before = engine::threads();
  const Target target(surface(count, d, 4, 14), count, d, CostScale::inverse_alpha);
  const Tensor x({batch, d}, surface(batch, d, 4, 15)), psi = Random(16, 0).normal({count}, 0, real(0.02));
  std::optional<ot::CTransform> first;
  for (int threads : {1, 2, 3}) {
    engine::set_threads(threads);
    const auto result = ot::pruned_c_transform(target, x, psi, 2e-3, {.gradient = true, .mass = true});
    REQUIRE(result);
    if (!first) first = result;
    CHECK(equal_bits(result->value, first->value));
    CHECK(equal_bits(result->gradient, first->gradient));
    CHECK(equal_bits(result->mass, first->mass));
  }
  engine::set_threads(before);
}

TEST_CASE("c_transform returns the brute force's values, winners and gradients, whatever the threads") {
  constexpr std::int64_t count = 4100, d = 30, batch = 33;
  const int before = engine::threads();
  const Target target(surface(count, d, 4, 14), count, d, CostScale::inverse_alpha);
  const Tensor x({batch, d}, surface(batch, d, 4, 15)), psi = Random(16, 0).normal({count}, 0, real(0.05));
  const auto brute = brute_c_transform(target, x, psi, 0, {.gradient = true, .mass = true});
  for (int threads : {1, 2, 3}) {
    engine::set_threads(threads);
    const auto result = c_transform(target, x, psi, 0, {.gradient = true, .mass = true});
    CHECK(result.winners == brute.winners);
    CHECK(equal_bits(result.value, brute.value));
    CHECK(equal_bits(result.gradient, brute.gradient));
    CHECK(equal_bits(result.mass, brute.mass));
  }
  engine::set_threads(before);
}
