#include "apps/targets.h"

#include <utility>

namespace apps {

ot::Target make_target(data::Dataset dataset, const TrainOptions& options, std::vector<double> weights) {
  const ot::CostScale scale = options.cost_scale == "alpha" ? ot::CostScale::inverse_alpha
                              : options.cost_scale == "one" ? ot::CostScale::one
                                                            : ot::CostScale::half;
  return dataset.bytes.empty()
             ? ot::Target(std::move(dataset.values), dataset.count, dataset.dimension, scale, std::move(weights))
             : ot::Target(std::move(dataset.bytes), dataset.count, dataset.dimension, scale, std::move(weights));
}

}  // namespace apps
