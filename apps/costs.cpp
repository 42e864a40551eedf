#include "apps/costs.h"

#include <cmath>
#include <memory>

#include "apps/options.h"
#include "engine/error.h"
#include "ot/cityblock_cost.h"
#include "ot/power_cost.h"

namespace apps {

using engine::require;

ot::Cost make_cost(const std::string& cost, double power, const std::string& scale) {
  require_one_of("cost", cost, {"sqeuclidean", "euclidean", "cityblock", "power"});
  require_one_of("cost-scale", scale, {"alpha", "one", "half"});
  if (cost == "power")
    require(std::isfinite(power) && power >= 1, "--cost-power must be a finite number of at least 1: ", power);
  else
    require(power == 0, "--cost-power is for --cost power, ", cost, " has its own: ", power);

  ot::Cost result = scale == "alpha" ? ot::CostScale::inverse_alpha
                    : scale == "one" ? ot::CostScale::one
                                     : ot::CostScale::half;
  if (cost == "euclidean") result.ground = std::make_shared<ot::PowerCost>(1);
  if (cost == "cityblock") result.ground = std::make_shared<ot::CityblockCost>();
  if (cost == "power" && power != 2) result.ground = std::make_shared<ot::PowerCost>(power);
  return result;
}

}  // namespace apps
