#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/config.h"
#include "apps/run_folder.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "models/generator.h"
#include "ot/ascent/dual_solver.h"

namespace apps {

/// The generator that --generator, --latent-dim, --mlp-sizes, --dcgan-channels and --last-layer ask for, for points
/// like `data`, its weights drawn from --seed. A new kind of generator is a line here and a word in options.cpp. Throws
/// Error where it can't make such points.
std::unique_ptr<models::Generator> make_generator(const TrainOptions& options, const DataFacts& data);

/// About how many values a pass through that generator and back holds for each draw, to tell beforehand whether a batch
/// fits into memory.
std::int64_t values_per_draw(const TrainOptions& options, const DataFacts& data);

/// A generator's parameters and buffers under their names, sharing its memory.
ot::NamedTensors tensors_of(models::Generator& generator);

/// The generator of a run, as the checkpoint in its folder holds it. Throws Error naming the checkpoint for one that
/// can't be read or does not fit `config`, the run's own.
std::unique_ptr<models::Generator> generator_of_run(const RunFolder& run, const Config& config);

/// g(z) in evaluation mode, off any tape: z [B, latent dimension] -> [B, dimension]. Leaves it in training mode.
engine::Tensor evaluate(models::Generator& generator, const engine::Tensor& z);

/// What random draws are for; no two purposes share a draw.
enum class Draw : std::uint64_t {
  dual_batch = 1,        ///< B_{n,k} of Algorithm 1: step k of the inner loop of iteration n
  generator_batch,       ///< B'_n
  grid,                  ///< the fixed z of a run's pictures of samples
  sample,                ///< `semidual sample`; n counts its batches
  warmup_batch,          ///< step n of the warm-up
  dual_points,           ///< the points of the target that step k of the inner loop of iteration n sees, --target-batch
  generator_points,      ///< those that the step of the generator sees
  warmup_points,         ///< those that step n of the warm-up sees
  settling,              ///< the z by which an averaged generator's buffers are set
  feature_order,         ///< of the images in epoch n of `semidual features`
  feature_moves,         ///< by how much step n of `semidual features` moves each image
  evaluation,            ///< the samples of `semidual evaluate`; n counts their batches
  evaluation_reference,  ///< which held-out points they are compared with
  evaluation_training    ///< which training points take their place for the floors
};

/// The random numbers of draw (n, k) for a purpose, a function of its arguments alone, so that a resumed run needs to
/// know nothing but n: the seed's stream number purpose 2^56 + n 2^16 + k; n < 2^40, k < 2^16.
engine::Random random_draws(std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k);

/// The law of latent points: independent coordinates, uniform on [-1, 1) or standard normal, times the scale.
struct LatentLaw {
  bool normal = false;
  std::int64_t dimension = 100;
  double scale = 1;
};
LatentLaw latent_law(const TrainOptions& options);

/// Latent points z [count, dimension] by this law, from random_draws().
engine::Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
                       std::int64_t count);

}  // namespace apps
