#include "apps/texture/patch_scales.h"

#include "apps/texture/pyramid.h"
#include "engine/ops/elementwise.h"

namespace apps {

using engine::Tensor;
using engine::Var;

std::int64_t halved_from(int scales) {
  return std::int64_t{1} << (scales - 1);
}

PatchScales::PatchScales(const Tensor& exemplar, int scales, const PatchOptions& options) : patch_(options.size) {
  const engine::NoGrad fixed;
  Var at = exemplar;
  for (int s = 0; s < scales; ++s) {
    if (s > 0) at = coarser(at);
    scales_.emplace_back(at.value(), options, s);
  }
}

Var PatchScales::operator()(const Var& image, std::size_t scale) {
  Var at = image, loss;
  for (std::size_t s = scale; s < scales_.size(); ++s) {
    if (s > scale) at = coarser(wrapped(at, 1, 1));
    const Var seen = wrapped(at, 0, patch_ - 1);  // a patch at each pixel
    scales_[s].ascend(seen.value());
    const Var h = scales_[s].loss(seen);
    loss = s > scale ? loss + h : h;
  }
  return loss;
}

}  // namespace apps
