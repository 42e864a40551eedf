#include "apps/targets.h"

#include <utility>

#include "apps/costs.h"
#include "data/npy.h"
#include "engine/error.h"

namespace apps {

ot::Target make_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights) {
  return dataset.bytes.empty() ? ot::Target(std::move(dataset.values), dataset.count, dataset.dimension,
                                            std::move(cost), std::move(weights))
                               : ot::Target(std::move(dataset.bytes), dataset.count, dataset.dimension, std::move(cost),
                                            std::move(weights));
}

ot::Target make_target(data::Dataset dataset, const TrainOptions& options, std::vector<double> weights) {
  return make_target(std::move(dataset), make_cost(options.cost, options.cost_power, options.cost_scale),
                     std::move(weights));
}

std::vector<double> read_weights(const std::string& option, const std::string& path, std::int64_t count) {
  if (path.empty()) return {};
  const data::NpyArray array = data::read_npy(path, count);
  engine::require(array.shape.size() == 1 && array.size() == count, option, " ", path, " must hold ", count,
                  " numbers, one for each point: it holds ", array.size());
  return array.as<double>();
}

}  // namespace apps
