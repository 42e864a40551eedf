#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <utility>

#include "apps/evaluation/classes.h"
#include "apps/evaluation/transport.h"
#include "apps/evaluation/variation.h"
#include "apps/measure.h"
#include "engine/error.h"

namespace apps::evaluation {

using engine::require;
using engine::Tensor;

Evaluation::Evaluation(data::Dataset training, std::vector<std::uint8_t> labels, Tensor reference)
    : height_(training.height),
      width_(training.width),
      channels_(training.channels),
      training_(make_target(std::move(training), ot::CostScale::one)),
      labels_(std::move(labels)),
      reference_(std::move(reference)),
      reference_nearest_(nearest_training(training_, reference_.points)),
      reference_variance_(total_variance(reference_.points)) {
  if (labels_.empty()) return;
  classes_ = *std::max_element(labels_.begin(), labels_.end()) + 1;
  reference_shares_ = shares(reference_nearest_);
}

std::vector<double> Evaluation::shares(const NearestTraining& nearest) const {
  std::vector<std::uint8_t> classes;
  for (const std::int64_t j : nearest.points) classes.push_back(labels_[static_cast<std::size_t>(j)]);
  return class_shares(classes, classes_);
}

Evaluation::Quick Evaluation::quick(const Tensor& samples) const {
  const Coverage pixels = coverage(reference_, PointSet(samples));
  Quick quick{pixels.coverage, pixels.recall, {}};
  if (knows_classes())
    quick.class_tv = total_variation(shares(nearest_training(training_, samples)), reference_shares_);
  return quick;
}

std::vector<Measure> Evaluation::values(const Tensor& samples, std::span<const std::int64_t> without,
                                        bool assignment) const {
  const bool images = channels_ > 0;
  std::vector<Measure> values;
  const auto add = [&](const char* key, const std::string& name, double value, std::optional<double> ideal) {
    Measure& measure = values.emplace_back();
    measure.key = key, measure.name = name, measure.value = value, measure.ideal = ideal;
  };
  const std::string space = images ? " in pixels" : "";
  const Coverage pixels = coverage(reference_, PointSet(samples));
  add("pixels.precision", "precision" + space, pixels.precision, {});
  add("pixels.recall", "recall" + space, pixels.recall, {});
  add("pixels.density", "density" + space, pixels.density, 1);
  add("pixels.coverage", "coverage" + space, pixels.coverage, 1 - 1.0 / 32);
  add("pixels.two_sample", "1-nearest-neighbour accuracy" + space, pixels.two_sample, 0.5);

  const NearestTraining nearest = nearest_training(training_, samples, without);
  if (knows_classes())
    add("class_tv", "total variation of the classes", total_variation(shares(nearest), reference_shares_), 0);
  if (images && height_ * width_ >= 2)
    add("gradient_energy", "gradient energy over the reference's",
        gradient_energy(samples, height_, width_, channels_) /
            gradient_energy(reference_.points, height_, width_, channels_),
        1);
  add("total_variance", "total variance over the reference's", total_variance(samples) / reference_variance_, 1);
  if (assignment) {
    const Estimate w2 = assignment_cost(samples, reference_.points, training_.alpha());
    add("w2", "W2^2 / alpha by assignment", w2.value, {});
    values.back().error = w2.error;
  }
  const Estimate divergence = sinkhorn_divergence(samples, reference_.points, training_.alpha());
  add("sinkhorn_divergence", "Sinkhorn divergence, lambda 0.05", divergence.value, 0);
  values.back().error = divergence.error;
  const std::vector<double> held_out = without.empty()
                                           ? reference_nearest_.squared_distances
                                           : nearest_training(training_, reference_.points, without).squared_distances;
  add("copying", "Z of copying", copying_statistic(nearest.squared_distances, held_out), 0);
  add("distinct_nearest", "distinct nearest training " + std::string(images ? "images" : "points"),
      share_of_distinct(nearest.points), {});
  return values;
}

std::vector<Measure> Evaluation::measures(const Tensor& samples, bool assignment) const {
  return values(samples, {}, assignment);
}

double Evaluation::trained_on() const {
  const std::vector<double>& distances = reference_nearest_.squared_distances;
  return static_cast<double>(std::count(distances.begin(), distances.end(), 0)) / static_cast<double>(distances.size());
}

}  // namespace apps::evaluation
