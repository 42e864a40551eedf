#include "apps/targets.h"

#include <utility>

#include "apps/costs.h"

namespace apps {

ot::Target make_target(data::Dataset dataset, const TrainOptions& options, std::vector<double> weights) {
  ot::Cost cost = make_cost(options.cost, options.cost_power, options.cost_scale);
  return dataset.bytes.empty() ? ot::Target(std::move(dataset.values), dataset.count, dataset.dimension,
                                            std::move(cost), std::move(weights))
                               : ot::Target(std::move(dataset.bytes), dataset.count, dataset.dimension, std::move(cost),
                                            std::move(weights));
}

}  // namespace apps
