#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/config.h"
#include "apps/run_folder.h"
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

}  // namespace apps
