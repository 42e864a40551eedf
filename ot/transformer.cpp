#include "ot/transformer.h"

#include <cassert>
#include <cmath>
#include <utility>

#include "engine/simd/kernels.h"
#include "ot/bytes/byte_c_transform.h"
#include "ot/dense/dense_c_transform.h"
#include "ot/dense/winners.h"
#include "ot/point_draws.h"
#include "ot/search/pruned_c_transform.h"
#include "ot/search/searched_winners.h"
#include "ot/sharded_transform.h"

namespace ot {

using engine::Tensor;

namespace {
// Only if all values are finite is their sum; one that overflows leaves the batch to the products in real.
bool finite(const Tensor& tensor) {
  return std::isfinite(engine::simd::kernels().sum(tensor.size(), tensor.data()));
}
}  // namespace

Transformer::Transformer(const Target& target, std::shared_ptr<const PointIndex> index, const Shards* shards)
    : target_(target),
      index_(std::move(index)),
      sharded_(shards ? std::make_unique<ShardedTransform>(*shards) : nullptr) {}

Transformer::~Transformer() = default;

void Transformer::lay_out() {
  if (!index_) index_ = std::make_shared<const PointIndex>(target_);
  if (!blocks_ && ByteProducts::available(target_)) blocks_.emplace(target_, index_->order());
}

void Transformer::prepare() {
  if (search_) return;
  lay_out();
  search_.emplace(*index_, blocks_ ? &*blocks_ : nullptr);
}

std::vector<std::int64_t> Transformer::draw(const Tensor& x, const Tensor& psi, double lambda,
                                            std::span<const double> uniforms) {
  const bool in_digits =
      !target_.ground_cost() && target_.size() >= fewest_searched && ByteProducts::available(target_);
  if (in_digits) lay_out();
  return draw_points(target_, x, psi, lambda, uniforms, in_digits ? &*blocks_ : nullptr);
}

void Transformer::restart() {
  if (search_) search_->restart();
  if (sharded_) sharded_->restart();
}

Transformer::Counts Transformer::ways() const {
  Counts all = ways_;
  if (sharded_) all += sharded_->ways();
  return all;
}

CTransform Transformer::operator()(const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  require_transformable(target_, x, psi, lambda);
  work_ = {};
  if (lambda == 0) return transform_at(target_, x, psi, winners(x, psi), wanted);
  if (sharded_) return (*sharded_)(x, psi, lambda, wanted);
  assert(target_.ranks().size() == 1);
  if (!searchable(x, psi)) return take(Way::dense, dense_c_transform(target_, x, psi, lambda, wanted));
  prepare();
  const auto brute = [&](const Tensor& rows, Wanted of_rows) {
    return blocks_ ? byte_c_transform(target_, *blocks_, rows, psi, lambda, of_rows)
                   : dense_c_transform(target_, rows, psi, lambda, of_rows);
  };
  if (auto found = pruned_c_transform(*search_, *index_, brute, x, psi, lambda, wanted)) {
    work_ = search_->work_per_query();
    return take(Way::search, *std::move(found));
  }
  return take(blocks_ ? Way::digits : Way::dense, brute(x, wanted));
}

std::unique_ptr<SoftTransform> Transformer::soft(const Tensor& x, const Tensor& psi, double lambda) {
  if (!searchable(x, psi)) return take(Way::dense, dense_soft_transform(target_, x, psi, lambda));
  prepare();
  if (auto found = pruned_soft_transform(*search_, *index_, x, psi, lambda)) return take(Way::search, std::move(found));
  return blocks_ ? take(Way::digits, byte_soft_transform(target_, *blocks_, x, psi, lambda))
                 : take(Way::dense, dense_soft_transform(target_, x, psi, lambda));
}

std::vector<std::int64_t> Transformer::winners(const Tensor& x, const Tensor& psi) {
  if (!searchable(x, psi)) return take(Way::dense, dense_winners(target_, x, psi));
  prepare();
  const auto brute = [&](const Tensor& rows) {
    return blocks_ ? digit_winners(target_, *blocks_, rows, psi) : dense_winners(target_, rows, psi);
  };
  if (auto found = searched_winners(*search_, *index_, brute, x, psi)) {
    work_ = search_->work_per_query();
    return take(Way::search, *std::move(found));
  }
  return take(blocks_ ? Way::digits : Way::dense, brute(x));
}

bool Transformer::searchable(const Tensor& x, const Tensor& psi) const {
  return !target_.ground_cost() && target_.size() >= fewest_searched && finite(x) && finite(psi);
}

}  // namespace ot
