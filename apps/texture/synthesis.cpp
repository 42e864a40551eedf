#include "apps/texture/synthesis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/texture/pyramid.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

constexpr double first_rate = 0.05;  // of Adam, from noise
constexpr double finer_rate = 0.02;  // from what a coarser scale came to
constexpr double last_share = 0.05;  // of the rate, at the end of a scale

}  // namespace

Synthesis::Synthesis(const Tensor& exemplar, const SynthesisOptions& options)
    : options_(options),
      scales_(exemplar, options.scales, options.patch),
      scale_(static_cast<std::size_t>(options.scales) - 1) {
  const std::int64_t whole = halved_from(options.scales);
  const std::int64_t height = (options.height + whole - 1) / whole, width = (options.width + whole - 1) / whole;
  engine::require(options.patch.size <= std::min(height, width), "[synthesis] a patch of ", options.patch.size, "x",
                  options.patch.size, " does not fit ", height, "x", width);
  const engine::Random noise(options.patch.seed, ~std::uint64_t{0});
  image_ = noise.uniform({1, exemplar.dim(1), height, width}, 0, 1);
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
  const Var loss = scales_(image, scale_);
  const std::vector<Var> gradient = tape.gradient(loss, {image});
  adam_->rate() = rate(done);
  Var* const parameter = &image_;
  adam_->step(std::span(&parameter, 1), gradient);
  return loss.value().item();
}

bool Synthesis::refine() {
  if (scale_ == 0) return false;
  --scale_;
  image_ = finer(image_.value());
  adam_.emplace(finer_rate);
  return true;
}

Tensor Synthesis::image() const {
  Tensor image = image_.value();
  for (std::size_t s = scale_; s > 0; --s) image = finer(image);
  return slice(slice(image, 2, 0, options_.height), 3, 0, options_.width).value();
}

}  // namespace apps
