#include "apps/training_points.h"

#include <utility>

#include "apps/costs.h"
#include "apps/hold_out.h"
#include "apps/measure.h"
#include "data/dataset.h"
#include "data/sha256.h"
#include "engine/error.h"
#include "ot/c_transform.h"

namespace apps {

using engine::require;
using engine::Tensor;

ot::Target training_points(const Config& config) {
  const TrainOptions& options = config.options;
  data::Dataset dataset = load_run_data(options).training;
  require(facts_of(dataset).sha256 == config.data.sha256, options.data,
          " no longer holds what the run learned: its SHA-256 is another");
  return make_target(config.scaling.apply(std::move(dataset)),
                     make_cost(options.cost, options.cost_power, options.cost_scale), weights_of_run(config));
}

std::vector<double> weights_of_run(const Config& config) {
  const std::string& file = config.options.weights;
  std::vector<double> weights = read_weights("--weights", file, config.data.count);
  require(weights.empty() || data::sha256(std::as_bytes(std::span(weights))) == config.data.weights_sha256, file,
          " no longer holds the run's weights: its SHA-256 is another");
  return weights;
}

std::vector<std::int64_t> nearest_points(const ot::Target& target, const Tensor& x) {
  return ot::c_transform(target, x, Tensor::zeros({target.size()}), 0).winners;
}

Tensor points_at(const ot::Target& target, std::span<const std::int64_t> numbers) {
  Tensor points = Tensor::zeros({static_cast<std::int64_t>(numbers.size()), target.dimension()});
  engine::real* row = points.data();
  for (const std::int64_t number : numbers) {
    if (const std::int64_t place = target.of_rank().place(number); place >= 0) target.rows(place, place + 1, row);
    row += target.dimension();
  }
  target.ranks().unite(points.values());
  return points;
}

}  // namespace apps
