#include "apps/texture/patch_scale.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/ops/patches.h"
#include "engine/ops/shape.h"
#include "ot/semidual.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t drawn = 600;        // patches in a step of psi
constexpr std::int64_t all_of_few = 4000;  // in a step of the image, at least where there are as many

/// Of psi's first step. A step moves psi_j by this times nu_j - mass_j, which is about 1 / J: on few points psi would
/// tremble by as much as costs differ, and the image be drawn to all of them at once.
double rate_of(const ot::Target& target) {
  constexpr double rate = 1, enough = 500;  // of squares summed over a patch; points
  return rate * std::min(1.0, static_cast<double>(target.size()) / enough) / static_cast<double>(target.dimension());
}

/// Patches number `places`, row by row, of an image [1, C, H, W], in the order of values of engine::patches().
std::vector<real> patches_at(const Tensor& image, std::int64_t size, const std::vector<std::int64_t>& places) {
  const std::int64_t channels = image.dim(1), height = image.dim(2), width = image.dim(3), columns = width - size + 1;
  std::vector<real> values;
  values.reserve(places.size() * static_cast<std::size_t>(channels * size * size));
  for (const std::int64_t place : places)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t r = 0; r < size; ++r) {
        const real* from = image.data() + (c * height + place / columns + r) * width + place % columns;
        values.insert(values.end(), from, from + size);
      }
  return values;
}

std::int64_t places_in(const Tensor& image, std::int64_t size) {
  return (image.dim(2) - size + 1) * (image.dim(3) - size + 1);
}

ot::Target target_of(const Tensor& exemplar, const PatchOptions& options, const engine::Random& random) {
  engine::require(options.size <= std::min(exemplar.dim(2), exemplar.dim(3)), "[patch scale] a patch of ", options.size,
                  "x", options.size, " does not fit ", exemplar.shape());
  const std::int64_t places = places_in(exemplar, options.size), count = std::min(options.points, places),
                     dimension = exemplar.dim(1) * options.size * options.size;
  return ot::Target(patches_at(exemplar, options.size, random.subset(places, count)), count, dimension,
                    ot::Cost(1.0 / static_cast<double>(dimension), nullptr));
}

}  // namespace

PatchScale::PatchScale(const Tensor& exemplar, const PatchOptions& options, int number)
    : options_(options),
      first_stream_(static_cast<std::uint64_t>(number) << 40),
      target_(target_of(exemplar, options, next_random())),
      transform_(target_),
      psi_(target_),
      solver_(ot::make_dual_solver(transform_, psi_, 0, {.rate = rate_of(target_)})) {}

void PatchScale::ascend(const Tensor& image) {
  const std::int64_t places = places_in(image, options_.size), count = std::min(drawn, places);
  solver_->begin();
  for (int k = 0; k < options_.inner; ++k)
    solver_->step(
        Tensor({count, target_.dimension()}, patches_at(image, options_.size, next_random().subset(places, count))));
  solver_->finish();
}

Var PatchScale::loss(const Var& image) {
  std::int64_t stride = 1;
  while (2 * stride <= options_.size && places_in(image.value(), options_.size) > all_of_few * stride * stride)
    stride *= 2;
  const engine::Random random = next_random();
  const auto from_offset = [&](const Var& x, int axis) {
    const std::int64_t room = std::min(stride, x.dim(axis) - options_.size + 1);
    return slice(x, axis, random.bits(static_cast<std::uint64_t>(axis)) % room, x.dim(axis));
  };
  const Var seen = engine::patches(from_offset(from_offset(image, 2), 3), options_.size, stride);
  return ot::semidual(transform_, seen, psi_.values(), 0);
}

}  // namespace apps
