#pragma once

#include <cstdint>
#include <optional>

#include "apps/evaluation/evaluation.h"
#include "apps/latents.h"
#include "apps/run_folder.h"
#include "models/generator.h"

namespace apps::evaluation {

/// Tells while a run is under way how its generator gets on: Evaluation::quick() of the same z each time, against the
/// reference that `semidual evaluate RUN` takes.
class QuickEvaluation {
 public:
  /// Of a run whose config.json is there; its data are loaded once more. Throws Error as load_inputs() does.
  explicit QuickEvaluation(const RunFolder& run);

  Evaluation::Quick operator()(models::Generator& generator) const;

 private:
  LatentLaw law_;
  std::int64_t count_ = 0;
  std::optional<Evaluation> evaluation_;
};

}  // namespace apps::evaluation
