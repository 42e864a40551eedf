#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/copying.h"
#include "apps/evaluation/coverage.h"
#include "data/dataset.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps::evaluation {

/// One number of an evaluation.
struct Measure {
  std::string key, name;
  std::optional<double> value, error;         ///< error: its standard error
  std::optional<double> floor, floor_spread;  ///< of training points in place of samples: mean, standard deviation
  std::optional<double> ideal;                ///< of samples that have the data's law, for many points
};

/// Compares samples with reference points that were not trained on, and both with the training points. What does not
/// depend on the samples is computed once.
class Evaluation {
 public:
  /// `labels` are those of the training points, empty where there are none; the reference is [n, d], in random order.
  /// Throws Error for points that do not fit each other and fewer than fewest_points of the reference.
  Evaluation(data::Dataset training, std::vector<std::uint8_t> labels, engine::Tensor reference);

  static constexpr std::int64_t fewest_points = 50;

  /// What tells soonest how a generator gets on.
  struct Quick {
    double coverage = 0, recall = 0;  ///< in pixels
    std::optional<double> class_tv;   ///< where labels are known
  };
  /// Of samples [n, d], as many as there are reference points.
  Quick quick(const engine::Tensor& samples) const;

  /// All measures of such samples.
  std::vector<Measure> measures(const engine::Tensor& samples, bool assignment) const;

  bool knows_classes() const { return !labels_.empty(); }
  /// The shares of the classes among the reference points, and among samples.
  const std::vector<double>& reference_shares() const { return reference_shares_; }
  std::vector<double> shares(const NearestTraining& nearest) const;

  /// The share of the reference points that are training points.
  double trained_on() const;

 private:
  std::vector<Measure> values(const engine::Tensor& samples, std::span<const std::int64_t> without,
                              bool assignment) const;

  int height_, width_, channels_;
  ot::Target training_;
  std::vector<std::uint8_t> labels_;
  int classes_ = 0;
  PointSet reference_;
  NearestTraining reference_nearest_;
  std::vector<double> reference_shares_;
  double reference_variance_;
};

}  // namespace apps::evaluation
