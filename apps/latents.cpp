#include "apps/latents.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/error.h"

namespace apps {

using engine::real;
using engine::Tensor;

namespace {

/// Purposes beyond those of Draw: the classes that go with its draws.
Draw classes_of(Draw purpose) {
  return static_cast<Draw>(static_cast<std::uint64_t>(purpose) | 128);
}

/// The coordinates beside the classes.
Tensor coordinates(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
                   std::int64_t count) {
  const engine::Random random = random_draws(seed, purpose, n, k);
  const auto scale = static_cast<real>(law.scale);
  return law.normal ? random.normal({count, law.dimension}, 0, scale)
                    : random.uniform({count, law.dimension}, -scale, scale);
}

}  // namespace

engine::Random random_draws(std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k) {
  return {seed, static_cast<std::uint64_t>(purpose) << 56 | static_cast<std::uint64_t>(n) << 16 |
                    static_cast<std::uint64_t>(k)};
}

std::vector<std::int64_t> LatentLaw::present() const {
  std::vector<std::int64_t> classes;
  for (std::size_t c = 0; c < shares.size(); ++c)
    if (shares[c] > 0) classes.push_back(static_cast<std::int64_t>(c));
  return classes;
}

double LatentLaw::class_length() const {
  const double variance = normal ? 1 : 1.0 / 3;
  return scale * std::sqrt(variance * static_cast<double>(dimension));
}

LatentLaw latent_law(const TrainOptions& options) {
  return {options.latent == "normal", options.latent_dim, options.latent_scale};
}

LatentLaw latent_law(const Config& config) {
  LatentLaw law = latent_law(config.options);
  for (const ClassFacts& one : config.data.classes) law.shares.push_back(one.share);
  return law;
}

Tensor beside_classes(const LatentLaw& law, const Tensor& z, std::span<const std::int64_t> classes) {
  engine::require(z.rank() == 2 && z.dim(1) == law.dimension && z.dim(0) == std::ssize(classes),
                  "[latents] there must be a class for each row of z [B, ", law.dimension, "]: ", classes.size(),
                  " for ", z.shape());
  Tensor rows = Tensor::zeros({z.dim(0), law.size()});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    real* row = rows.data() + static_cast<std::int64_t>(i) * law.size();
    std::copy_n(z.data() + static_cast<std::int64_t>(i) * law.dimension, law.dimension, row);
    row[law.dimension + classes[i]] = static_cast<real>(law.class_length());
  }
  return rows;
}

std::vector<std::int64_t> drawn_classes(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n,
                                        std::int64_t k, std::int64_t count) {
  std::vector<std::int64_t> classes;
  if (law.shares.empty()) return classes;
  const Tensor draws = random_draws(seed, classes_of(purpose), n, k).uniform({count}, 0, 1);
  for (const real draw : draws.values()) {
    std::int64_t drawn = -1;
    double below = 0;
    for (std::size_t c = 0; c < law.shares.size() && (drawn < 0 || below <= draw); ++c) {
      if (law.shares[c] > 0) drawn = static_cast<std::int64_t>(c);
      below += law.shares[c];
    }
    classes.push_back(drawn);
  }
  return classes;
}

Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
               std::span<const std::int64_t> classes) {
  return beside_classes(law, coordinates(law, seed, purpose, n, k, std::ssize(classes)), classes);
}

Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
               std::int64_t count) {
  if (law.shares.empty()) return coordinates(law, seed, purpose, n, k, count);
  return latents(law, seed, purpose, n, k, drawn_classes(law, seed, purpose, n, k, count));
}

std::vector<std::int64_t> classes_by_share(std::span<const double> shares, std::int64_t count) {
  const std::int64_t present = std::ranges::count_if(shares, [](double share) { return share > 0; });
  engine::require(count >= present, "there must be a point of each of the ", present, " classes in a batch: ", count);
  // Who is furthest below its share is next (Webster's way of sharing seats).
  std::vector<std::int64_t> counts(shares.size());
  std::ranges::transform(shares, counts.begin(), [](double share) { return share > 0 ? 1 : 0; });
  for (std::int64_t i = present; i < count; ++i) {
    const auto behind = [&](std::size_t c) { return shares[c] / (2 * static_cast<double>(counts[c]) + 1); };
    std::size_t next = 0;
    for (std::size_t c = 1; c < shares.size(); ++c)
      if (behind(c) > behind(next)) next = c;
    ++counts[next];
  }
  std::vector<std::int64_t> classes;
  for (std::size_t c = 0; c < counts.size(); ++c)
    classes.insert(classes.end(), static_cast<std::size_t>(counts[c]), static_cast<std::int64_t>(c));
  return classes;
}

}  // namespace apps
