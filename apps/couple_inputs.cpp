#include "apps/couple_inputs.h"

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/measure.h"
#include "apps/run_folder.h"
#include "apps/source_law.h"
#include "data/common_columns.h"
#include "data/file.h"
#include "data/mnist.h"
#include "data/sha256.h"
#include "data/table.h"
#include "engine/error.h"

namespace apps {

using engine::require;

namespace {

/// Whether what a name stands for can change.
bool may_change(const std::string& source) {
  return source != "digits" && !data::is_mnist(source) && !law_of(source);
}

std::string digest_of(const auto& values) {
  return data::sha256(std::as_bytes(std::span(values.data(), values.size())));
}

std::string digest_of(const data::Dataset& points, const std::vector<double>& weights) {
  return digest_of(digest_of(points.bytes) + digest_of(points.values) + digest_of(weights));
}

}  // namespace

CoupleInputs load_inputs(const CoupleRequest& request, const SolvedTransport& solved) {
  const SolveOptions& options = solved.options;
  const bool given = !request.points.empty();
  CoupleInputs inputs;
  data::Dataset& y = inputs.y;
  y = data::load(options.target, options.target_points, digits_seed);
  require(std::ssize(solved.psi) == y.count, request.result, " has a psi of ", solved.psi.size(), " points, --target ",
          options.target, " has ", y.count, ": it is no longer what was solved");
  inputs.nu = weights_of("--target-weights", options.target_weights, y.count);
  // Where both are tables the coordinates depend on the source's categories too.
  const bool tables = !y.columns.empty() && data::is_table(options.source);
  if (!is_law(options.source) && (!given || tables)) {
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

nlohmann::ordered_json identity_of(const CoupleRequest& request, const SolvedTransport& solved,
                                   const CoupleInputs& inputs, const data::Labels& labels) {
  const SolveOptions& options = solved.options;
  const std::string &source = options.source, &target = options.target;
  nlohmann::ordered_json identity;
  identity["result"] = to_json(options);
  identity["psi_sha256"] = digest_of(solved.psi);
  identity["seed"] = request.seed;
  identity["points"] = request.points;
  identity["labels"] = request.labels;
  identity["balanced"] = request.balanced;
  if (request.balanced) identity["count"] = request.count;  // which decides the shares
  if (may_change(target))
    identity["target_sha256"] = digest_of(inputs.y, inputs.nu);
  else if (!options.target_weights.empty())
    identity["target_weights_sha256"] = digest_of(inputs.nu);
  if (!request.points.empty())
    identity["points_sha256"] = digest_of(*inputs.x, {});
  else if (inputs.x && may_change(source))
    identity["source_sha256"] = digest_of(*inputs.x, inputs.mu);
  else if (may_change(source))  // a run's generator
    identity["source_sha256"] = data::sha256(data::read_file(RunFolder{source}.checkpoint()));
  else if (!options.source_weights.empty())
    identity["source_weights_sha256"] = digest_of(inputs.mu);
  if (!labels.empty() && (request.labels != "own" || may_change(target)))
    identity["labels_sha256"] = digest_of(labels.of_points);
  return identity;
}

}  // namespace apps
