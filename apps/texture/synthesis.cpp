#include "apps/texture/synthesis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/texture/pyramid.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

constexpr double first_rate = 0.05;  // of Adam, from noise
constexpr double finer_rate = 0.02;  // from what a coarser scale came to
constexpr double last_share = 0.05;  // of the rate, at the end of a scale

}  // namespace

std::vector<ScaleSize> scale_sizes(std::int64_t height, std::int64_t width, int scales) {
  std::vector<ScaleSize> sizes{{height, width}};
  while (std::ssize(sizes) < scales)
    sizes.push_back({coarser_size(sizes.back().height), coarser_size(sizes.back().width)});
  return sizes;
}

Synthesis::Synthesis(const Tensor& exemplar, const SynthesisOptions& options)
    : sizes_(scale_sizes(options.height, options.width, options.scales)), scale_(sizes_.size() - 1) {
  const ScaleSize coarsest = sizes_.back();
  engine::require(options.patch.size <= std::min(coarsest.height, coarsest.width), "[synthesis] a patch of ",
                  options.patch.size, "x", options.patch.size, " does not fit ", coarsest.height, "x", coarsest.width);
  const engine::NoGrad fixed;
  Var at = exemplar;
  for (int s = 0; s < options.scales; ++s) {
    if (s > 0) at = coarser(at);
    scales_.emplace_back(at.value(), options.patch, s);
  }
  const engine::Random noise(options.patch.seed, ~std::uint64_t{0});
  image_ = noise.uniform({1, exemplar.dim(1), coarsest.height, coarsest.width}, 0, 1);
  adam_.emplace(first_rate);
}

double Synthesis::rate(double done) const {
  const double start = scale_ + 1 == scales_.size() ? first_rate : finer_rate;
  return start * std::max(last_share, (1 + std::cos(std::numbers::pi * done)) / 2);
}

double Synthesis::step(double done) {
  engine::Tape tape;
  Var image = image_.value();
  tape.watch(image);
  Var at = image, loss;
  for (std::size_t s = scale_; s < scales_.size(); ++s) {
    if (s > scale_) at = coarser(at);
    scales_[s].ascend(at.value());
    const Var h = scales_[s].loss(at);
    loss = s > scale_ ? loss + h : h;
  }
  const std::vector<Var> gradient = tape.gradient(loss, {image});
  adam_->rate() = rate(done);
  Var* const parameter = &image_;
  adam_->step(std::span(&parameter, 1), gradient);
  return loss.value().item();
}

bool Synthesis::refine() {
  if (scale_ == 0) return false;
  --scale_;
  image_ = finer(image_.value(), sizes_[scale_].height, sizes_[scale_].width);
  adam_.emplace(finer_rate);
  return true;
}

Tensor Synthesis::image() const {
  Tensor image = image_.value();
  for (std::size_t s = scale_; s > 0; --s) image = finer(image, sizes_[s - 1].height, sizes_[s - 1].width);
  return image;
}

}  // namespace apps
