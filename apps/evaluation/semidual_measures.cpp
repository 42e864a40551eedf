#include "apps/evaluation/semidual_measures.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "apps/costs.h"
#include "apps/learn/class_dual.h"
#include "apps/learn/classes.h"
#include "apps/learn/cost_space.h"
#include "apps/learn/dual.h"
#include "apps/measure.h"
#include "apps/training_points.h"
#include "ot/ascent/semidual_ascent.h"

namespace apps::evaluation {

using engine::Tensor;

namespace {

constexpr std::int64_t most_groups = 20, fewest_groups = 3;

/// Of psi, whose tensors' names have the prefix, on those of the samples.
ot::SemidualEstimate estimate(const RunFolder& run, const Inputs& inputs, const CostSpace& space,
                              const ot::Target& target, const std::string& prefix, const Tensor& samples,
                              std::span<const std::int64_t> which) {
  const std::int64_t groups = std::min(most_groups, std::ssize(which)), size = std::ssize(which) / groups,
                     d = samples.dim(1);
  const auto batch = [&](int group) {
    Tensor x({size, d});
    for (std::int64_t i = 0; i < size; ++i)
      std::copy_n(samples.data() + which[static_cast<std::size_t>(group * size + i)] * d, d, x.data() + i * d);
    return space(x).value();
  };
  ot::Transformer transform(target);
  const Tensor psi = psi_of_run(run, *inputs.config, target, prefix);
  return *ot::estimate_semidual(transform, psi, inputs.options.lambda, static_cast<int>(groups), batch);
}

/// Of the training points as they are before any mapping, which clusters are of.
PointsOfClasses points_of_classes(const Inputs& inputs) {
  const TrainOptions& options = inputs.options;
  if (options.labels.empty() && options.clusters == 0) return {};
  const ot::Target training = make_target(inputs.training, ot::CostScale::one);
  return classes_of_run(options, training, inputs.labels, inputs.classes).points;
}

}  // namespace

std::vector<Measure> semidual_measures(const RunFolder& run, const Inputs& inputs, const Tensor& samples,
                                       std::span<const std::int64_t> asked) {
  const TrainOptions& options = inputs.options;
  CostSpace space(options, inputs.config->data);
  const ot::Target target =
      make_target(space.map(inputs.training), make_cost(options.cost, options.cost_power, options.cost_scale),
                  weights_of_run(*inputs.config));
  ot::SemidualEstimate mean;
  const auto add = [&](double share, const ot::SemidualEstimate& one) {
    mean.dual += share * one.dual;
    mean.chi_squared += share * one.chi_squared;
    mean.dual_error = std::hypot(mean.dual_error, share * one.dual_error);
    mean.chi_squared_error = std::hypot(mean.chi_squared_error, share * one.chi_squared_error);
  };
  // Which of the samples each measure is for.
  const std::vector<ClassFacts>& classes = inputs.config->data.classes;
  std::vector<std::vector<std::int64_t>> rows(std::max<std::size_t>(classes.size(), 1));
  for (std::int64_t i = 0; i < samples.dim(0); ++i)
    rows[asked.empty() ? 0 : static_cast<std::size_t>(asked[static_cast<std::size_t>(i)])].push_back(i);
  if (classes.empty()) add(1, estimate(run, inputs, space, target, "", samples, rows.front()));
  const PointsOfClasses points = points_of_classes(inputs);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].share == 0) continue;
    if (std::ssize(rows[c]) < fewest_groups) return {};
    const ot::Subset of_class(target, points[c]);
    add(classes[c].share,
        estimate(run, inputs, space, of_class.target, class_prefix(static_cast<std::int64_t>(c)), samples, rows[c]));
  }
  std::vector<Measure> measures(2);
  Measure &h = measures[0], &chi = measures[1];
  h.key = "semidual", h.name = "W by the semi-dual, H(ψ)", h.value = mean.dual, h.error = mean.dual_error;
  chi.key = "chi_squared", chi.name = "χ² of ψ", chi.value = mean.chi_squared, chi.error = mean.chi_squared_error;
  chi.ideal = 0;
  return measures;
}

}  // namespace apps::evaluation
