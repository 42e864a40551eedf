#include "apps/evaluation/quick_evaluation.h"

#include <utility>

#include "apps/evaluation/fresh_samples.h"
#include "apps/evaluation/inputs.h"
#include "apps/hold_out.h"
#include "apps/measure.h"

namespace apps::evaluation {

QuickEvaluation::QuickEvaluation(const RunFolder& run) {
  EvaluateRequest request;
  request.what = run.root.string();
  Inputs inputs = load_inputs(request);
  law_ = latent_law(*inputs.config);
  count_ = inputs.count;
  const auto chosen =
      random_choice(inputs.reference.count, count_, random_draws(request.seed, Draw::evaluation_reference, 0, 0));
  evaluation_.emplace(std::move(inputs.training), std::move(inputs.labels),
                      points_of(points_at(inputs.reference, chosen)), std::nullopt, request.seed);
}

Evaluation::Quick QuickEvaluation::operator()(models::Generator& generator) const {
  return evaluation_->quick(fresh_samples(generator, law_, 0, count_));
}

}  // namespace apps::evaluation
