#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/learn/alternate.h"
#include "apps/learn/classes.h"
#include "apps/learn/semidual_objective.h"
#include "apps/options.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/ascent/dual_solver.h"
#include "ot/target.h"

namespace apps::testing {

inline constexpr std::int64_t count = 7, dimension = 3;

/// So many points, all of one weight.
inline ot::Target small_target() {
  const engine::Tensor points = engine::Random(1, 2).uniform({count, dimension}, 0, 1);
  return {std::vector<engine::real>(points.values().begin(), points.values().end()), count, dimension,
          ot::CostScale::inverse_alpha};
}

/// Those of its points.
inline const DataFacts facts{count, dimension, 0, 0, 0, "", ""};

/// A preset on batches of a few points, on one thread, with the generator of make_mlp().
inline TrainOptions small_options(const char* preset, const char* dual) {
  TrainOptions options = preset_options(preset, dual, "");
  options.inner = 3;
  options.batch = 5;
  options.lambda = 0.1;
  options.seed = 3;
  const TrainOptions plain;  // make_mlp's generator and its z, without a mean
  options.latent = plain.latent;
  options.latent_dim = plain.latent_dim;
  options.latent_scale = plain.latent_scale;
  options.average = plain.average;
  options.lr_schedule = options.dual_schedule = "constant";
  options.generator = plain.generator;
  options.mlp_sizes = plain.mlp_sizes;
  resolve_by_data(options, facts);
  engine::set_threads(1);
  return options;
}

/// The MLP of a plain TrainOptions, its weights drawn from `seed`.
inline std::unique_ptr<models::Generator> make_mlp(const DataFacts& data, std::uint64_t seed) {
  TrainOptions options;
  options.seed = seed;
  return make_generator(options, data);
}

/// The alternate algorithm on H to the target; of a conditional generator with these classes.
inline Alternate semidual_run(const TrainOptions& options, const ot::Target& target, models::Generator& generator,
                              const PointsOfClasses& classes = {}, std::unique_ptr<models::Generator> mean = nullptr) {
  LatentLaw law = latent_law(options);
  law.shares = shares_of(target.weights(), classes);
  return {options, law, generator, std::make_unique<SemidualObjective>(options, target, classes), std::move(mean)};
}

/// Copies of tensors that later steps do not change.
inline ot::NamedTensors copies(const ot::NamedTensors& tensors) {
  ot::NamedTensors result;
  for (const auto& [name, tensor] : tensors) result.emplace_back(name, tensor.clone());
  return result;
}

/// Of the same names, in the same order, and the same bits.
inline bool equal(const ot::NamedTensors& a, const ot::NamedTensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && std::equal(x.second.values().begin(), x.second.values().end(),
                                            y.second.values().begin(), y.second.values().end());
  });
}

}  // namespace apps::testing
