#include "apps/couple_inputs.h"

#include "apps/config.h"
#include "apps/measure.h"
#include "apps/source_law.h"
#include "data/common_columns.h"
#include "engine/error.h"

namespace apps {

using engine::require;

CoupleInputs load_inputs(const CoupleRequest& request, const SolvedTransport& solved) {
  const SolveOptions& options = solved.options;
  const bool given = !request.points.empty();
  CoupleInputs inputs;
  data::Dataset& y = inputs.y;
  y = data::load(options.target, options.target_points, digits_seed);
  require(std::ssize(solved.psi) == y.count, request.result, " has a psi of ", solved.psi.size(), " points, --target ",
          options.target, " has ", y.count, ": it is no longer what was solved");
  inputs.nu = weights_of("--target-weights", options.target_weights, y.count);
  // The coordinates of a table depend on the source's categories too.
  if (!is_law(options.source) && (!given || !y.columns.empty())) {
    data::Dataset& x = inputs.x.emplace(data::load(options.source, options.source_points, digits_seed));
    data::unite_columns(x, y);
    require_same_space(options, x.dimension, y.dimension);
    if (!given) inputs.mu = weights_of("--source-weights", options.source_weights, x.count);
  }
  if (given) {
    data::Dataset& x = inputs.x.emplace(data::load(request.points, 0, digits_seed));
    if (!x.columns.empty() && !y.columns.empty()) data::recode(x, y.name, y.columns);
    require(x.dimension == y.dimension, "--points ", request.points, " has points of dimension ", x.dimension,
            ", --target ", options.target, " of dimension ", y.dimension);
  }
  return inputs;
}

}  // namespace apps
