#include "ot/transformer.h"

#include <cmath>
#include <utility>

#include "engine/simd/kernels.h"
#include "ot/bytes/byte_c_transform.h"
#include "ot/dense/dense_c_transform.h"
#include "ot/point_draws.h"
#include "ot/search/pruned_c_transform.h"

namespace ot {

using engine::Tensor;

namespace {
// Only if all values are finite is their sum; one that overflows leaves the batch to the products in real.
bool finite(const Tensor& tensor) {
  return std::isfinite(engine::simd::kernels().sum(tensor.size(), tensor.data()));
}
}  // namespace

Transformer::Transformer(const Target& target, std::shared_ptr<const PointIndex> index)
    : target_(target), index_(std::move(index)) {}

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
}

CTransform Transformer::operator()(const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  require_transformable(target_, x, psi, lambda);
  work_ = {};
  if (target_.ground_cost() || target_.size() < fewest_searched || !finite(x) || !finite(psi))
    return take(Way::dense, dense_c_transform(target_, x, psi, lambda, wanted));
  prepare();
  const auto brute = [&](const Tensor& rows, Wanted of_rows) { return with_all_points(rows, psi, lambda, of_rows); };
  if (auto found = pruned_c_transform(*search_, *index_, brute, x, psi, lambda, wanted)) {
    work_ = search_->work_per_query();
    return take(Way::search, *std::move(found));
  }
  return take(blocks_ ? Way::digits : Way::dense, brute(x, wanted));
}

CTransform Transformer::take(Way way, CTransform result) {
  way_ = way;
  ++(way == Way::search ? ways_.search : way == Way::digits ? ways_.digits : ways_.dense);
  return result;
}

CTransform Transformer::with_all_points(const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  return blocks_ ? byte_c_transform(target_, *blocks_, x, psi, lambda, wanted)
                 : dense_c_transform(target_, x, psi, lambda, wanted);
}

}  // namespace ot
