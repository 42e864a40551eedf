#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/inputs.h"
#include "apps/run_folder.h"
#include "engine/tensor.h"

namespace apps::evaluation {

/// H (99) and chi^2 of a run's psi, which is meant to be the best for the law of its samples [n, d], estimated on
/// these. Of a conditional generator, where sample i was asked to be of class asked[i], the means over the classes by
/// their shares; none where a class has fewer than 3 samples. Throws Error for a checkpoint that does not fit, and
/// for weights that are no longer the run's.
std::vector<Measure> semidual_measures(const RunFolder& run, const Inputs& inputs, const engine::Tensor& samples,
                                       std::span<const std::int64_t> asked);

}  // namespace apps::evaluation
