#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "apps/evaluation/classes.h"
#include "apps/evaluation/frechet.h"
#include "apps/evaluation/transport.h"
#include "apps/evaluation/variation.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/measure.h"
#include "engine/error.h"

namespace apps::evaluation {

using engine::require;
using engine::Tensor;

namespace {

constexpr std::int64_t most_floor_draws = 5;
/// As assignments take long.
constexpr std::int64_t most_assigned_draws = 3;
/// Of equal laws, in the limit of many points.
constexpr double ideal_coverage = 1 - 1.0 / (1 << ball_neighbour);

int count_classes(const std::optional<FeatureNetwork>& features, const std::vector<std::uint8_t>& labels) {
  if (features && features->classifies()) return features->classes();
  return labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
}

/// None where there is nothing to compare with.
std::optional<double> ratio(double value, double reference) {
  if (reference == 0) return {};
  return value / reference;
}

/// Puts mean and spread of what the draws have under the same key beside the value.
void take_floor(Measure& measure, const std::vector<std::vector<Measure>>& draws) {
  std::vector<double> floors;
  for (const std::vector<Measure>& draw : draws)
    for (const Measure& other : draw)
      if (other.key == measure.key && other.value) floors.push_back(*other.value);
  if (floors.empty()) return;
  const auto n = static_cast<double>(floors.size());
  const double mean = std::accumulate(floors.begin(), floors.end(), 0.0) / n;
  measure.floor = mean;
  if (floors.size() == 1) return;
  double squares = 0;
  for (const double floor : floors) squares += (floor - mean) * (floor - mean);
  measure.floor_spread = std::sqrt(squares / (n - 1));
}

}  // namespace

Evaluation::Evaluation(data::Dataset training, std::vector<std::uint8_t> labels, Tensor reference,
                       std::optional<FeatureNetwork> features, std::uint64_t seed)
    : height_(training.height),
      width_(training.width),
      channels_(training.channels),
      training_(make_target(std::move(training), ot::CostScale::one)),
      labels_(std::move(labels)),
      features_(std::move(features)),
      classes_(count_classes(features_, labels_)),
      seed_(seed),
      reference_(view(reference)) {}

Evaluation::View Evaluation::view(const Tensor& points, std::span<const std::int64_t> without) const {
  require(points.rank() == 2 && points.dim(0) >= fewest_points && points.dim(1) == training_.dimension(),
          "[evaluation] there must be at least ", fewest_points, " points of dimension ", training_.dimension(), ": ",
          points.shape());
  View view{PointSet(points), {}, nearest_training(training_, points, without), {}, {}};
  if (features_) {
    FeatureNetwork::Output output = (*features_)(points);
    view.features.emplace(std::move(output.features));
    view.classes = std::move(output.classes);
    if (!output.confidence.empty())
      view.confidence = std::accumulate(output.confidence.begin(), output.confidence.end(), 0.0) /
                        static_cast<double>(output.confidence.size());
  }
  if (view.classes.empty()) view.classes = classes_of(view.nearest);
  return view;
}

std::vector<std::uint8_t> Evaluation::classes_of(const NearestTraining& nearest) const {
  std::vector<std::uint8_t> classes;
  if (!labels_.empty())
    for (const std::int64_t j : nearest.points) classes.push_back(labels_[static_cast<std::size_t>(j)]);
  return classes;
}

std::vector<std::uint8_t> Evaluation::classes_of(const Tensor& points) const {
  if (classifies()) return (*features_)(points).classes;
  return labels_.empty() ? std::vector<std::uint8_t>() : classes_of(nearest_training(training_, points));
}

std::vector<double> Evaluation::shares(std::span<const std::uint8_t> classes) const {
  return classes.empty() ? std::vector<double>() : class_shares(classes, classes_);
}

void Evaluation::require_as_many(const Tensor& samples) const {
  const engine::Shape& wanted = reference_.pixels.points.shape();
  require(samples.shape() == wanted,
          "[evaluation] samples must be as many as the points of the reference: ", samples.shape(), " against ",
          wanted);
}

Evaluation::Quick Evaluation::quick(const Tensor& samples) const {
  require_as_many(samples);
  const Coverage pixels = coverage(reference_.pixels, PointSet(samples));
  Quick quick{pixels.coverage, pixels.recall, {}};
  if (classes_ > 0) quick.class_tv = total_variation(shares(classes_of(samples)), reference_class_shares());
  return quick;
}

std::vector<Measure> Evaluation::values(const View& points, std::span<const std::int64_t> without,
                                        bool assignment) const {
  const bool images = channels_ > 0;
  const Tensor &x = points.pixels.points, &y = reference_.pixels.points;
  std::vector<Measure> values;
  const auto add = [&](const std::string& key, const std::string& name, std::optional<double> value,
                       std::optional<double> ideal) -> Measure& {
    Measure& measure = values.emplace_back();
    measure.key = key, measure.name = name, measure.value = value, measure.ideal = ideal;
    return measure;
  };
  const auto add_coverage = [&](const std::string& key, const std::string& where, const PointSet& of_reference,
                                const PointSet& of_points) {
    const Coverage found = coverage(of_reference, of_points);
    add(key + ".precision", "precision" + where, found.precision, {});
    add(key + ".recall", "recall" + where, found.recall, {});
    add(key + ".density", "density" + where, found.density, 1);
    add(key + ".coverage", "coverage" + where, found.coverage, ideal_coverage);
    add(key + ".two_sample", "two-sample accuracy" + where, found.two_sample, 0.5);
  };
  add_coverage("pixels", images ? " in pixels" : "", reference_.pixels, points.pixels);
  if (points.features) {
    add_coverage("features", " in features", *reference_.features, *points.features);
    add("features.frechet", "Fréchet distance in features",
        frechet_distance(points.features->points, reference_.features->points), 0);
  }
  if (classes_ > 0)
    add("classes.total_variation", "total variation of class shares",
        total_variation(shares(points.classes), reference_class_shares()), 0);
  if (points.confidence)
    add("classes.confidence", "the classifier's confidence", points.confidence, reference_.confidence);
  if (images && height_ * width_ >= 2)
    add("gradient_energy", "gradient energy over the reference's",
        ratio(gradient_energy(x, height_, width_, channels_), gradient_energy(y, height_, width_, channels_)), 1);
  add("total_variance", "total variance over the reference's", ratio(total_variance(x), total_variance(y)), 1);

  const Estimate w2 = assignment ? assignment_cost(x, y, training_.alpha()) : Estimate();
  if (assignment) add("w2", "W2²/α by assignment", w2.value, {}).error = w2.error;
  const Estimate divergence = sinkhorn_divergence(x, y, training_.alpha());
  add("sinkhorn_divergence", "Sinkhorn divergence/α, λ = 0.5", divergence.value, 0).error = divergence.error;

  const NearestTraining held_out = without.empty() ? reference_.nearest : nearest_training(training_, y, without);
  add("copying", "Z of copying", copying_statistic(points.nearest.squared_distances, held_out.squared_distances), 0);
  add("distinct_nearest", images ? "distinct nearest training images" : "distinct nearest training points",
      share_of_distinct(points.nearest.points), share_of_distinct(held_out.points));
  return values;
}

std::int64_t Evaluation::floor_draws() const {
  return std::min(most_floor_draws, training_.size() / (2 * reference_.pixels.points.dim(0)));
}

std::vector<std::vector<Measure>> Evaluation::floors(bool assignment) const {
  const std::int64_t n = reference_.pixels.points.dim(0), d = training_.dimension();
  const std::vector<std::int64_t> order =
      random_draws(seed_, Draw::evaluation_training, 0, 0).permutation(training_.size());
  std::vector<std::vector<Measure>> draws;
  for (std::int64_t draw = 0; draw < floor_draws(); ++draw) {
    const std::span<const std::int64_t> drawn(order.data() + draw * n, static_cast<std::size_t>(n));
    Tensor points({n, d});
    for (std::int64_t i = 0; i < n; ++i)
      training_.rows(drawn[static_cast<std::size_t>(i)], drawn[static_cast<std::size_t>(i)] + 1, points.data() + i * d);
    draws.push_back(values(view(points, drawn), drawn, assignment && draw < most_assigned_draws));
  }
  return draws;
}

Result Evaluation::evaluate(const Tensor& samples, bool assignment) const {
  require_as_many(samples);
  const View points = view(samples);
  Result result{values(points, {}, assignment), shares(points.classes)};
  const std::vector<std::vector<Measure>> draws = floors(assignment);
  for (Measure& measure : result.measures) take_floor(measure, draws);
  return result;
}

double Evaluation::trained_on() const {
  constexpr double rounding = 4 * std::numeric_limits<float>::epsilon();  // of a coordinate, as files may hold it
  const Tensor& points = reference_.pixels.points;
  const std::int64_t n = points.dim(0), d = points.dim(1);
  std::int64_t same = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double square = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      const double value = points.data()[i * d + c];
      square += value * value;
    }
    same += reference_.nearest.squared_distances[static_cast<std::size_t>(i)] <= rounding * rounding * square;
  }
  return static_cast<double>(same) / static_cast<double>(n);
}

}  // namespace apps::evaluation
