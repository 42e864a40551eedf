#include "ot/bytes/byte_winners.h"

#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "ot/bytes/byte_c_transform.h"
#include "tests/ot/near_ties.h"

using namespace ot;
using namespace ot::testing;

namespace {

constexpr std::int64_t count = 1700, d = 40, batch = 9;

std::vector<std::uint8_t> some_bytes() {
  std::vector<std::uint8_t> bytes(count * d);
  const Tensor uniform = Random(31, 0).uniform({count * d}, 0, 256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(uniform.values()[i]);
  return bytes;
}

std::vector<real> reals_of(const std::vector<std::uint8_t>& bytes) {
  std::vector<real> reals(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) reals[i] = static_cast<real>(bytes[i] / 255.0);
  return reals;
}

}  // namespace

TEST_CASE("one digit finds the winner of every query, whatever psi, and with points of weight zero") {
  const auto bytes = some_bytes();
  std::vector<double> weights(count, 1.0 / (count - 600));
  std::fill(weights.begin() + 500, weights.begin() + 1100, 0.0);  // a whole tile among them
  const Target target(bytes, count, d, CostScale::inverse_alpha, weights);
  if (!ByteProducts::available(target)) return;
  Tensor x = Random(31, 1).uniform({batch, d}, 0, 1);
  for (std::int64_t k = 0; k < d; ++k) x.data()[k] *= 100000;                         // far from all points
  for (std::int64_t k = 0; k < d; ++k) x.data()[d + k] = reals_of(bytes)[7 * d + k];  // on a point
  x.data()[2 * d + 3] = std::numeric_limits<real>::quiet_NaN();
  const std::vector<std::int64_t> order = Random(31, 3).permutation(count);
  ot::ByteBlocks blocks(target, order);
  for (const double deviation : {0.0, 0.01, 1.0}) {
    CAPTURE(deviation);
    const Tensor psi = Random(31, 2).normal({count}, 0, static_cast<real>(deviation));
    Tensor finite = x.clone();
    finite.data()[2 * d + 3] = 0;
    const Oracle oracle(reals_of(bytes), weights, target.scale(), finite, psi, 0);
    const TiledProblem problem(target, x, psi, 0), shuffled(target, x, psi, 0, order);
    ot::ByteBlocks in_own_order(target, problem.order, 0);
    const ot::LaidOutProblem sample{problem, in_own_order}, elsewhere{shuffled, blocks};
    for (const ot::LaidOutProblem* at : {&sample, &elsewhere}) {
      const auto winners = byte_winners(sample, *at, ByteProducts(target, problem.queries));
      REQUIRE(winners.size() == batch);
      for (std::size_t i = 0; i < batch; ++i) CHECK(winners[i] == (i == 2 ? -1 : oracle.winners[i]));
    }
  }
}

TEST_CASE("one digit finds winners that are nearer than others by less than it errs, or than a large psi rounds") {
  constexpr std::int64_t queries = 60;
  for (const real psi_of_all : {real(0), real(1.1e6)}) {
    CAPTURE(psi_of_all);
    const NearTies ties(queries, count, d, psi_of_all > 0 ? real(0.003) : real(1e-4));
    const Target target(ties.bytes, count, d, CostScale::one);
    if (!ByteProducts::available(target)) return;
    const Tensor psi = Tensor::full({count}, psi_of_all);
    const Oracle oracle(ties.reals, std::vector<double>(count, 1.0 / count), 1, ties.x, psi, 0);
    const TiledProblem problem(target, ties.x, psi, 0);
    ot::ByteBlocks blocks(target, problem.order);
    const ot::LaidOutProblem all{problem, blocks};
    CHECK(byte_winners(all, all, ByteProducts(target, problem.queries)) == oracle.winners);
  }
}

TEST_CASE("where nearly all points may be the nearest one digit gives up, and the brute force goes on without it") {
  std::vector<std::uint8_t> bytes(count * d, 77);
  bytes[300 * d] = 78;  // further away than the others
  const Target target(bytes, count, d, CostScale::one);
  if (!ByteProducts::available(target)) return;
  const Tensor x = Tensor::full({3, d}, 0), psi = Tensor::zeros({count});
  const TiledProblem problem(target, x, psi, 0);
  ot::ByteBlocks blocks(target, problem.order);
  const ot::LaidOutProblem all{problem, blocks};
  CHECK(byte_winners(all, all, ByteProducts(target, problem.queries)).empty());
  CHECK(byte_c_transform(target, blocks, x, psi, 0, {}).winners == std::vector<std::int64_t>{0, 0, 0});
}
