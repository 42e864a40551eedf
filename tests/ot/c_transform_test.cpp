#include "ot/c_transform.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "ot/bytes/byte_c_transform.h"
#include "ot/transformer.h"
#include "tests/ot/c_transform_case.h"
#include "tests/ot/near_ties.h"

using namespace ot;
using namespace ot::testing;

namespace {

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

TEST_CASE("winners are told apart of which one is so far, and its psi so large, that its value is rounded more") {
  const std::vector<real> points{0, 100, 300};
  const Target target(points, 3, 1, CostScale::one);
  const Tensor x({1, 1}, {real(0.5)});
  for (int k = 0; k < 20; ++k) {
    CAPTURE(k);
    const auto far = static_cast<real>(9900 + 0.37 * k);
    for (const double apart : {-2e-5, 2e-5}) {  // of what the first is above the second
      const auto near = static_cast<real>(0.25 - (9900.25 - static_cast<double>(far)) - apart);
      const Tensor psi({3}, {near, far, 0});
      const Oracle oracle(points, std::vector<double>(3, 1.0 / 3), 1, x, psi, 0);
      CHECK(c_transform(target, x, psi, 0).winners == oracle.winners);
    }
  }
}

TEST_CASE("winners are told apart that are nearer than others by less than a large psi rounds, in a tile and beyond") {
  constexpr std::int64_t d = 40, batch = 30;
  for (const std::int64_t count : {300, 1100}) {
    CAPTURE(count);
    const NearTies ties(batch, count, d, real(0.003));
    const Tensor psi = Tensor::full({count}, real(1.1e6));
    const Oracle oracle(ties.reals,
                        std::vector<double>(static_cast<std::size_t>(count), 1.0 / static_cast<double>(count)), 1,
                        ties.x, psi, 0);
    CHECK(c_transform(Target(ties.reals, count, d, CostScale::one), ties.x, psi, 0).winners == oracle.winners);
  }
}
