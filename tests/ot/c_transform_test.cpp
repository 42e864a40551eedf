#include "ot/c_transform.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "engine/pool.h"
#include "ot/bytes/byte_c_transform.h"
#include "ot/transformer.h"
#include "tests/ot/near_ties.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

namespace {
constexpr Wanted everything{.gradient = true, .mass = true};
constexpr double lambdas[] = {0, 1e-4, 1e-3, 0.025, 0.1, 1, 10};

struct Case {
  std::vector<real> y;
  std::int64_t count, dimension;
  std::vector<double> weights;
  Tensor x, psi;

  Target target(CostScale cost = CostScale::inverse_alpha) const { return Target(y, count, dimension, cost, weights); }
};

/// Normal points and queries, and potentials of the size of the costs' differences.
Case random_case(std::int64_t batch, std::int64_t count, std::int64_t dimension, double offset = 0) {
  Case c;
  c.count = count;
  c.dimension = dimension;
  c.y = vector_of(Random(5, 0).normal({count, dimension}, static_cast<real>(offset), 1));
  c.x = Random(5, 1).normal({batch, dimension}, static_cast<real>(offset), 1);
  c.psi = Random(5, 2).normal({count}, 0, real(0.2));
  return c;
}

/// Random weights of which every third is zero.
std::vector<double> weights_with_zeros(std::int64_t count) {
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t j = 0; j < count; ++j)
    sum += weights.emplace_back(j % 3 == 1 ? 0 : Random(6, 0).uniform(static_cast<std::uint64_t>(j)) + 0.01);
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// With all points in real, by a Transformer, and with all points in digits where they are of 8 bits.
std::vector<CTransform> by_all_ways(const Target& target, const Tensor& x, const Tensor& psi, double lambda) {
  std::vector<CTransform> results = {c_transform(target, x, psi, lambda, everything),
                                     Transformer(target)(x, psi, lambda, everything)};
  if (ByteProducts::available(target)) {
    const PointIndex index(target);
    ByteBlocks blocks(target, index.order());
    results.push_back(byte_c_transform(target, blocks, x, psi, lambda, everything));
  }
  return results;
}

/// Compares with the oracle for all lambdas, to the rounding that a product of this size allows; `size` is the order of
/// magnitude of the costs.
void check(const Case& c, CostScale cost = CostScale::inverse_alpha, double size = 4) {
  const Target target = c.target(cost);
  const std::vector<double> weights(target.weights().begin(), target.weights().end());
  double lengths = 1;
  for (real value : c.x.values()) lengths = std::max(lengths, 1 + std::abs(double(value)));
  for (const double lambda : lambdas) {
    CAPTURE(lambda);
    const Oracle oracle(c.y, weights, target.scale(), c.x, c.psi, lambda);
    const double rounding = 32 * epsilon * size * std::sqrt(static_cast<double>(c.dimension) + 1);
    const double share = lambda == 0 ? 0 : std::min(1.0, rounding / lambda);  // relative error of a responsibility
    for (const CTransform& result : by_all_ways(target, c.x, c.psi, lambda)) {
      CHECK(distance(result.value, oracle.value) <= rounding + 4 * epsilon * lambda * std::log(c.count + 1.0));
      CHECK(result.winners == oracle.winners);
      CHECK(distance(result.mass, oracle.mass) <= share + 4 * epsilon);
      CHECK(distance(result.gradient, oracle.gradient) <= 2 * target.scale() * lengths * (8 * share + 16 * epsilon));
    }
  }
}
}  // namespace

TEST_CASE("c-transforms agree with their definition at sizes around those of tiles and blocks") {
  for (const std::int64_t count : {1, 2, 3, 17, 511, 512, 513, 1025})
    for (const std::int64_t dimension : {1, 3, 31}) {
      CAPTURE(count);
      CAPTURE(dimension);
      check(random_case(5, count, dimension));
    }
  for (const std::int64_t batch : {1, 8, 255, 257}) {
    CAPTURE(batch);
    check(random_case(batch, 130, 7));
  }
  check(random_case(3, 200, 784));
}

TEST_CASE("c-transforms agree with their definition under every scale of the cost") {
  check(random_case(9, 100, 5), CostScale::one, 40);
  check(random_case(9, 100, 5), CostScale::half, 20);
}

TEST_CASE("points of weight zero are outside the support, for lambda = 0 as well") {
  Case c = random_case(20, 700, 4);
  c.weights = weights_with_zeros(c.count);
  check(c);
  c.weights.assign(700, 0);
  c.weights[650] = 1;
  check(c);
  c.psi.data()[0] = std::numeric_limits<real>::quiet_NaN();
  c.psi.data()[1] = std::numeric_limits<real>::infinity();
  check(c);
}

TEST_CASE("a large common offset costs c-transforms no digits") {
  Case near = random_case(11, 300, 6), far = near;
  far.x = near.x.clone();
  // Multiples of 2^-10 are exact in both places.
  for (real& value : near.y) value = std::round(value * 1024) / 1024;
  for (real& value : near.x.values()) value = std::round(value * 1024) / 1024;
  for (std::size_t i = 0; i < near.y.size(); ++i) far.y[i] = near.y[i] + 100;
  for (std::size_t i = 0; i < near.x.values().size(); ++i) far.x.values()[i] = near.x.values()[i] + 100;
  check(far, CostScale::half, 20);
  const Target near_target = near.target(CostScale::half), far_target = far.target(CostScale::half);
  for (const double lambda : lambdas) {
    const CTransform a = c_transform(near_target, near.x, near.psi, lambda);
    const CTransform b = c_transform(far_target, far.x, far.psi, lambda);
    CHECK(distance(a.value, b.value) < 1000 * epsilon);
  }
}

TEST_CASE("of equal points the lowest index wins, wherever they stand") {
  Case c = random_case(40, 1500, 13);
  c.psi = Tensor::zeros({1500});
  for (std::int64_t j = 750; j < 1500; ++j) std::copy_n(c.y.begin() + (j - 750) * 13, 13, c.y.begin() + j * 13);
  check(c);
  for (const std::int64_t winner : c_transform(c.target(), c.x, c.psi, 0).winners) CHECK(winner < 750);

  Case corners;  // all four at the same distance
  corners.y = {1, 1, -1, 1, 1, -1, -1, -1};
  corners.count = 4;
  corners.dimension = 2;
  corners.x = Tensor::zeros({1, 2});
  corners.psi = Tensor::zeros({4});
  CHECK(c_transform(corners.target(), corners.x, corners.psi, 0).winners[0] == 0);
  corners.weights = {0, 0.5, 0.25, 0.25};
  CHECK(c_transform(corners.target(), corners.x, corners.psi, 0).winners[0] == 1);
}

TEST_CASE("a query that is a data point has cost zero to it, exactly") {
  Case c = random_case(6, 600, 20, 50);
  std::copy_n(c.y.begin() + 555 * 20, 20, c.x.data() + 2 * 20);
  c.psi = Tensor::zeros({600});
  const CTransform result = c_transform(c.target(), c.x, c.psi, 0, everything);
  CHECK(result.winners[2] == 555);
  CHECK(result.value.data()[2] == 0);
  for (int k = 0; k < 20; ++k) CHECK(result.gradient.data()[2 * 20 + k] == 0);
}

TEST_CASE("8-bit and real storage give the same transform") {
  std::vector<std::uint8_t> bytes(900 * 10);
  Case c = random_case(15, 900, 10);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(Random(8, 0).bits(i));
    c.y[i] = static_cast<real>(bytes[i] / 255.0);
  }
  c.x = Random(8, 1).uniform({15, 10}, 0, 1);
  check(c);
  const Target target(bytes, 900, 10, CostScale::inverse_alpha), reals = c.target();
  for (const double lambda : lambdas) {
    CAPTURE(lambda);
    const CTransform a = c_transform(target, c.x, c.psi, lambda, everything);
    const CTransform b = c_transform(reals, c.x, c.psi, lambda, everything);
    const double share = lambda == 0 ? 0 : std::min(1.0, 100 * epsilon / lambda);
    CHECK(distance(a.value, b.value) < 100 * epsilon + epsilon * lambda);
    CHECK(distance(a.mass, b.mass) <= share);
    CHECK(distance(a.gradient, b.gradient) < 100 * epsilon + share);
    CHECK(a.winners == b.winners);
  }
}

TEST_CASE("transforms to 8-bit images are within 1e-5 of their definition, or a float's roundoff over lambda") {
  // Strokes of soft edges in one of 30 places, so that points are near some others and far from most.
  constexpr std::int64_t count = 2500, side = 18, d = side * side, batch = 12;
  const Tensor places = Random(21, 0).uniform({30, 2}, 3, side - 3), wobble = Random(21, 1).normal({count, 2}, 0, 1);
  std::vector<std::uint8_t> bytes(count * d);
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t k = 0; k < d; ++k) {
      const real *place = places.data() + j % 30 * 2, *move = wobble.data() + j * 2;
      const double up = static_cast<double>(k / side) - place[0] - move[0];
      const double across = (static_cast<double>(k % side) - place[1] - move[1]) / 3;
      bytes[static_cast<std::size_t>(j * d + k)] =
          static_cast<std::uint8_t>(255 * std::exp(-(up * up + across * across) / 4));
    }
  std::vector<real> y(bytes.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<real>(bytes[i] / 255.0);
  Tensor x({batch, d});
  for (std::int64_t i = 0; i < batch; ++i)  // blends of points, as generated images are blurred
    for (std::int64_t k = 0; k < d; ++k)
      x.data()[i * d + k] =
          (y[static_cast<std::size_t>(i * d + k)] + y[static_cast<std::size_t>((i + 60) * d + k)]) / 2;
  const Tensor psi = Random(21, 2).normal({count}, 0, real(0.02));
  std::vector<double> some(count);  // every third point has no weight
  for (std::size_t j = 0; j < some.size(); ++j) some[j] = static_cast<double>(j % 3);
  const double sum = std::accumulate(some.begin(), some.end(), 0.0);
  for (double& weight : some) weight /= sum;
  const auto relative_error = [](const Tensor& a, const std::vector<long double>& b) {
    long double errors = 0, squares = 0;
    for (std::size_t k = 0; k < b.size(); ++k) {
      errors += (a.values()[k] - b[k]) * (a.values()[k] - b[k]);
      squares += b[k] * b[k];
    }
    return static_cast<double>(std::sqrt(errors / squares));
  };
  for (const auto& weights : {std::vector<double>(count, 1.0 / count), some}) {
    const Target target(bytes, count, d, CostScale::inverse_alpha, weights);
    for (const double lambda : {1e-4, 1e-3, 5e-3, 0.025, 0.1, 1.0, 10.0}) {
      CAPTURE(lambda);
      const Oracle oracle(y, weights, target.scale(), x, psi, lambda);
      const double limit = std::max(1e-5, 2 * epsilon / lambda);
      for (const CTransform& transform : by_all_ways(target, x, psi, lambda)) {
        // Near points are off to the same side, by at most some units of the squared norms, about 1.
        CHECK(distance(transform.value, oracle.value) < 64 * epsilon);
        CHECK(relative_error(transform.gradient, oracle.gradient) < limit);
        CHECK(relative_error(transform.mass, oracle.mass) < limit);
      }
    }
  }
}

TEST_CASE("a shift of psi shifts the transform back") {
  const Case c = random_case(10, 520, 3);
  Tensor shifted = c.psi.clone();
  for (real& value : shifted.values()) value += real(0.75);
  for (const double lambda : lambdas) {
    const CTransform a = c_transform(c.target(), c.x, c.psi, lambda), b = c_transform(c.target(), c.x, shifted, lambda);
    for (int i = 0; i < 10; ++i)
      CHECK(a.value.data()[i] - b.value.data()[i] == doctest::Approx(0.75).epsilon(200 * epsilon * (1 + lambda)));
  }
}

TEST_CASE("psi -> psi^c is 1-Lipschitz for the uniform norm (Lemma 2), and monotone") {
  const Case c = random_case(30, 520, 3);
  const Tensor noise = Random(9, 0).uniform({520}, -1, 1);
  Tensor chi = c.psi.clone(), above = c.psi.clone();
  double norm = 0;
  for (std::size_t j = 0; j < 520; ++j) {
    chi.values()[j] += noise.values()[j];
    above.values()[j] += std::abs(noise.values()[j]);
    norm = std::max(norm, std::abs(double(chi.values()[j]) - c.psi.values()[j]));
  }
  for (const double lambda : lambdas) {
    const CTransform of_psi = c_transform(c.target(), c.x, c.psi, lambda);
    const CTransform of_chi = c_transform(c.target(), c.x, chi, lambda);
    const CTransform of_above = c_transform(c.target(), c.x, above, lambda);
    const double rounding = 200 * epsilon * (1 + lambda);
    CHECK(distance(of_psi.value, of_chi.value) <= norm + rounding);
    for (int i = 0; i < 30; ++i) CHECK(of_above.value.data()[i] <= of_psi.value.data()[i] + rounding);
  }
}

TEST_CASE("the soft transform falls to the hard one as lambda does, and the mass sums to 1") {
  const Case c = random_case(30, 520, 3);
  const CTransform hard = c_transform(c.target(), c.x, c.psi, 0, everything);
  double before = std::numeric_limits<double>::infinity();
  for (const double lambda : {1.0, 0.1, 0.01, 1e-3, 1e-4}) {
    const CTransform soft = c_transform(c.target(), c.x, c.psi, lambda, everything);
    const double gap = distance(soft.value, hard.value);
    CHECK(gap <= lambda * std::log(520.0) + 100 * epsilon);  // no point weighs less than 1 / J
    CHECK(gap < before);
    before = gap;
    double total = 0;
    for (real mass : soft.mass.values()) total += mass;
    CHECK(total == doctest::Approx(1).epsilon(100 * epsilon));
  }
}

TEST_CASE("only what is wanted is computed, and it is the same") {
  const Case c = random_case(10, 600, 3);
  for (const double lambda : {0.0, 0.1}) {
    const CTransform all = c_transform(c.target(), c.x, c.psi, lambda, everything);
    const CTransform value = c_transform(c.target(), c.x, c.psi, lambda);
    CHECK_FALSE(value.gradient.defined());
    CHECK_FALSE(value.mass.defined());
    CHECK(same(value.value, all.value));
    const CTransform gradient = c_transform(c.target(), c.x, c.psi, lambda, {.gradient = true});
    CHECK(same(gradient.gradient, all.gradient));
    CHECK_FALSE(gradient.mass.defined());
    const CTransform mass = c_transform(c.target(), c.x, c.psi, lambda, {.mass = true});
    CHECK(same(mass.mass, all.mass));
    CHECK_FALSE(mass.gradient.defined());
  }
}

TEST_CASE("c-transforms do not depend on the number of threads") {
  const Case c = random_case(300, 5000, 9);
  const Target target = c.target();
  const int threads = engine::threads();
  for (const double lambda : {0.0, 1e-3, 0.1}) {
    engine::set_threads(1);
    const CTransform one = c_transform(target, c.x, c.psi, lambda, everything);
    engine::set_threads(2);
    const CTransform two = c_transform(target, c.x, c.psi, lambda, everything);
    CHECK(same(one.value, two.value));
    CHECK(same(one.gradient, two.gradient));
    CHECK(same(one.mass, two.mass));
    CHECK(one.winners == two.winners);
  }
  engine::set_threads(threads);
}

TEST_CASE("a steady loop of c-transforms allocates no tensors") {
  const auto allocations_of = [](const auto& call) {
    call();
    const auto before = engine::pool_statistics().system_allocations;
    call();
    return engine::pool_statistics().system_allocations - before;
  };
  // Under an address sanitizer the pool gives every block back.
  if (allocations_of([] { Tensor({1000}); }) > 0) return;
  const Case c = random_case(300, 5000, 9);
  const Target target = c.target();
  const int threads = engine::threads();
  engine::set_threads(1);
  for (const double lambda : {0.0, 0.1})
    CHECK(allocations_of([&] { c_transform(target, c.x, c.psi, lambda, everything); }) == 0);
  engine::set_threads(threads);
}

TEST_CASE("NaN comes out as NaN") {
  const real nan = std::numeric_limits<real>::quiet_NaN(), infinity = std::numeric_limits<real>::infinity();
  const Case c = random_case(5, 600, 3);
  const Target target = c.target();
  for (const double lambda : {0.0, 1e-4, 0.1}) {
    CAPTURE(lambda);
    const CTransform clean = c_transform(target, c.x, c.psi, lambda, everything);
    for (const real bad : {nan, infinity, -infinity}) {
      CAPTURE(bad);
      Tensor x = c.x.clone();
      x.data()[3 * 3 + 1] = bad;
      const CTransform row = c_transform(target, x, c.psi, lambda, everything);
      for (int i = 0; i < 5; ++i) {
        if (i == 3)
          CHECK_FALSE(std::isfinite(row.value.data()[i]));
        else
          CHECK(row.value.data()[i] == clean.value.data()[i]);
      }
      CHECK_FALSE(std::isfinite(row.gradient.data()[3 * 3 + 1]));
      CHECK(row.gradient.data()[0] == clean.gradient.data()[0]);
    }

    Tensor x = c.x.clone();
    x.data()[3 * 3 + 1] = nan;
    const CTransform row = c_transform(target, x, c.psi, lambda, everything);
    CHECK(std::isnan(row.value.data()[3]));
    CHECK(std::all_of(row.mass.values().begin(), row.mass.values().end(), [](real m) { return std::isnan(m); }));
    if (lambda == 0) CHECK(row.winners[3] == -1);

    Tensor psi = c.psi.clone();
    psi.data()[577] = nan;
    const CTransform all = c_transform(target, c.x, psi, lambda, everything);
    CHECK(std::all_of(all.value.values().begin(), all.value.values().end(), [](real v) { return std::isnan(v); }));
    CHECK(
        std::all_of(all.gradient.values().begin(), all.gradient.values().end(), [](real g) { return std::isnan(g); }));

    for (real& value : psi.values()) value = -infinity;
    CHECK_FALSE(std::isfinite(c_transform(target, c.x, psi, lambda, everything).value.data()[0]));
    psi = c.psi.clone();
    psi.data()[577] = infinity;
    CHECK_FALSE(std::isfinite(c_transform(target, c.x, psi, lambda, everything).value.data()[0]));
  }
}

TEST_CASE("c_transform refuses what does not fit") {
  const Case c = random_case(2, 4, 3);
  const Target target = c.target();
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({2, 5}), c.psi, 0),
                       "[c_transform] x must be [B, d] with d the target's dimension: [2, 5] against 3", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({3}), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({0, 3}), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor(), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, Tensor::zeros({5}), 0),
                       "[c_transform] psi must have one value for each point of the target: [5] against 4", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, -0.1),
                       "[c_transform] lambda must be finite and not negative: -0.1", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, std::nan("")), Contains("not negative: nan"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, INFINITY), Contains("not negative: inf"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, 1e-310),
                       Contains("[c_transform] lambda is too small for its inverse, use 0"), Error);
}

TEST_CASE("winners are told apart that are nearer than others by less than a large psi rounds") {
  constexpr std::int64_t count = 1100, d = 40, batch = 30;
  const NearTies ties(batch, count, d, real(0.003));
  const Tensor psi = Tensor::full({count}, real(1.1e6));
  const Oracle oracle(ties.reals, std::vector<double>(count, 1.0 / count), 1, ties.x, psi, 0);
  CHECK(c_transform(Target(ties.reals, count, d, CostScale::one), ties.x, psi, 0).winners == oracle.winners);
}
