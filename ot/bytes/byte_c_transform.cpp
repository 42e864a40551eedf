#include "ot/bytes/byte_c_transform.h"

#include <utility>
#include <vector>

#include "ot/bytes/byte_winners.h"
#include "ot/bytes/digit_products.h"
#include "ot/dense/dense_c_transform.h"
#include "ot/dense/soft_c_transform.h"
#include "ot/dense/tiled_problem.h"
#include "ot/dense/winners.h"

namespace ot {

using engine::Tensor;

namespace {

/// A problem with what it refers to, and its values.
struct HeldProblem {
  HeldProblem(const Target& target, ByteBlocks& blocks, const Tensor& from, const Tensor& dual, double lambda)
      : x(from),
        psi(dual),
        problem(target, x, psi, lambda, blocks.order()),
        products(target, problem.queries),
        digits(problem, products, blocks, products.digits_of_terms(lambda)) {}

  Tensor x, psi;
  TiledProblem problem;
  ByteProducts products;
  DigitProducts digits;
};

}  // namespace

std::vector<std::int64_t> digit_winners(const Target& target, ByteBlocks& blocks, const Tensor& x, const Tensor& psi) {
  const TiledProblem in_own_order(target, x, psi, 0), problem(target, x, psi, 0, blocks.order());
  const ByteProducts products(target, problem.queries);
  constexpr std::int64_t none_kept = 0;
  ByteBlocks own_blocks(target, in_own_order.order, none_kept);
  std::vector<std::int64_t> winners = byte_winners({in_own_order, own_blocks}, {problem, blocks}, products);
  if (!winners.empty()) return winners;
  return least_points(in_own_order, DigitProducts(in_own_order, products, own_blocks, products.most_digits()));
}

CTransform byte_c_transform(const Target& target, ByteBlocks& blocks, const Tensor& x, const Tensor& psi, double lambda,
                            Wanted wanted) {
  if (lambda == 0) return transform_at(target, x, psi, digit_winners(target, blocks, x, psi), wanted);
  const HeldProblem held(target, blocks, x, psi, lambda);
  return soft_c_transform(held.problem, held.digits, lambda, wanted);
}

std::unique_ptr<SoftTransform> byte_soft_transform(const Target& target, ByteBlocks& blocks, const Tensor& x,
                                                   const Tensor& psi, double lambda) {
  const auto held = std::make_shared<const HeldProblem>(target, blocks, x, psi, lambda);
  return soft_transform({held, &held->problem}, {held, &held->digits}, lambda);
}

}  // namespace ot
