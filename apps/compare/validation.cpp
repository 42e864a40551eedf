#include "apps/compare/validation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/frechet.h"
#include "apps/evaluation/fresh_samples.h"
#include "apps/evaluation/transport.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "apps/latents.h"
#include "apps/measure.h"
#include "engine/error.h"

namespace apps::comparing {

namespace {

constexpr double share = 0.1;
constexpr std::int64_t most_points = 2000;  // as an assignment takes long

data::Dataset all_points(TrainOptions options) {
  options.hold_out = 0;
  return load_run_data(options).training;
}

}  // namespace

std::vector<std::int64_t> validation_points(std::int64_t count, double hold_out, std::uint64_t seed) {
  // Both shares are the last of one order, so that one holds the other.
  const std::vector<std::int64_t> both = held_out_points(count, hold_out + share),
                                  held_out = held_out_points(count, hold_out);
  std::vector<std::int64_t> tenth;
  std::ranges::set_difference(both, held_out, std::back_inserter(tenth));
  if (std::ssize(tenth) <= most_points) return tenth;
  std::vector<std::int64_t> points;
  for (const std::int64_t i :
       evaluation::random_choice(std::ssize(tenth), most_points, random_draws(seed, Draw::evaluation_reference, 0, 0)))
    points.push_back(tenth[static_cast<std::size_t>(i)]);
  return points;
}

Validation::Validation(const TrainOptions& options, const std::string& features)
    : hold_out_(options.hold_out + share), points_(all_points(options)) {
  points_ = points_at(points_, validation_points(points_.count, options.hold_out, options.seed));
  const DataFacts facts = facts_of(points_);
  if (facts.images()) features_ = FeatureNetwork::of(features, facts);
}

double Validation::distance(const RunFolder& trial) const {
  const Config config = read_config(trial.config());
  const engine::Tensor y = points_of(config.scaling.apply(points_));
  const engine::Tensor x = evaluation::fresh_samples(*generator_of_run(trial, config), latent_law(config),
                                                     config.options.seed, points_.count);
  if (!all_finite({{"samples", x}})) return std::numeric_limits<double>::infinity();
  const double distance = features_ ? evaluation::frechet_distance((*features_)(x).features, (*features_)(y).features)
                                    : evaluation::assignment_cost(x, y, 1).value;
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

void require_validation(const TrainOptions& options) {
  engine::require(options.hold_out + share < 1, "--hold-out ", options.hold_out,
                  " leaves too little to train on and to choose rates by: give a smaller share, or --grid 1");
  const std::int64_t points = std::ssize(validation_points(all_points(options).count, options.hold_out, options.seed));
  engine::require(points >= evaluation::fewest_points, "a tenth of the points, ", points,
                  ", is too few to choose rates by, at least ", evaluation::fewest_points,
                  " are needed: give more --points, or --grid 1");
}

}  // namespace apps::comparing
