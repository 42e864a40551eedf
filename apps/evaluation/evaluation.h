#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/copying.h"
#include "apps/evaluation/coverage.h"
#include "apps/feature_network.h"
#include "data/dataset.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps::evaluation {

/// One number of an evaluation.
struct Measure {
  std::string key, name;
  std::optional<double> value, error;         ///< error: its standard error
  std::optional<double> floor, floor_spread;  ///< with training points for samples: mean, standard deviation
  std::optional<double> ideal;                ///< for samples of the data's law, in the limit of many points
};

/// All that an evaluation tells of some samples.
struct Result {
  std::vector<Measure> measures;
  std::vector<double> class_shares;  ///< of the samples; empty where labels are unknown
};

/// Fewer samples, or points of the reference, are not compared.
inline constexpr std::int64_t fewest_points = 50;

/// Compares samples with reference points that were not trained on, and both with the training points. What does not
/// depend on the samples is computed once.
class Evaluation {
 public:
  /// The reference is [n, d], in random order. Features are those of the network, if there is one. A point's class is
  /// what the network says, where it classifies, otherwise that of the nearest of the training points, whose `labels`
  /// these are, if there are any. `seed` decides which training points floors are of. Throws Error for points that do
  /// not fit each other and fewer of the reference than fewest_points.
  Evaluation(data::Dataset training, std::vector<std::uint8_t> labels, engine::Tensor reference,
             std::optional<FeatureNetwork> features, std::uint64_t seed);

  /// What tells soonest how a generator gets on: coverage and recall in the points' own coordinates (pixels), and the
  /// total variation of the class shares where classes are known.
  struct Quick {
    double coverage = 0, recall = 0;
    std::optional<double> class_tv;
  };
  /// Of samples [n, d], as many as there are points of the reference. Throws Error for others.
  Quick quick(const engine::Tensor& samples) const;

  /// All measures of such samples, each beside its floor; W2^2 only with the `assignment`.
  Result evaluate(const engine::Tensor& samples, bool assignment) const;

  /// How many times as many training points take the samples' place for the floors: disjoint sets, at most half of the
  /// training points in all.
  std::int64_t floor_draws() const;

  /// Whether classes are what the features' network says.
  bool classifies() const { return features_ && features_->classifies(); }
  /// The class of each of some points [n, d]; empty where classes are unknown.
  std::vector<std::uint8_t> classes_of(const engine::Tensor& points) const;
  /// The class of each point of the reference, and their shares; empty where classes are unknown.
  const std::vector<std::uint8_t>& reference_classes() const { return reference_.classes; }
  std::vector<double> reference_class_shares() const { return shares(reference_.classes); }

  /// The share of the reference points that are training points, but for the rounding of their coordinates.
  double trained_on() const;

 private:
  /// Points seen in every way in which they are compared.
  struct View {
    PointSet pixels;
    std::optional<PointSet> features;
    NearestTraining nearest;
    std::vector<std::uint8_t> classes;
    std::optional<double> confidence;
  };
  View view(const engine::Tensor& points, std::span<const std::int64_t> without = {}) const;
  std::vector<std::uint8_t> classes_of(const NearestTraining& nearest) const;
  std::vector<double> shares(std::span<const std::uint8_t> classes) const;
  void require_as_many(const engine::Tensor& samples) const;
  /// Of points that are the training points `without`, or none of them.
  std::vector<Measure> values(const View& points, std::span<const std::int64_t> without, bool assignment) const;
  std::vector<std::vector<Measure>> floors(bool assignment) const;

  int height_, width_, channels_;
  ot::Target training_;
  std::vector<std::uint8_t> labels_;
  std::optional<FeatureNetwork> features_;
  int classes_ = 0;
  std::uint64_t seed_;
  View reference_;
};

}  // namespace apps::evaluation
