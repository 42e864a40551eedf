#include "apps/learn/dual.h"

#include <vector>

#include "apps/checkpoint.h"
#include "engine/error.h"
#include "models/first_weights.h"
#include "ot/layered_potential.h"

namespace apps {

using engine::Var;

namespace {

ot::DualOptions dual_options(const TrainOptions& options) {
  return {options.dual_optimizer == "asgd" ? ot::DualOptimizer::asgd : ot::DualOptimizer::adam, options.dual_lr,
          options.dual_decay, options.dual_average == "on"};
}

}  // namespace

Dual::Dual(const TrainOptions& options, const ot::Target& target)
    : shards(options.shards > 1 ? std::make_unique<const ot::Shards>(target, options.shards) : nullptr),
      index(options.dual == "layers" || (options.dual == "network" && !shards)
                ? std::make_shared<const ot::PointIndex>(target)
                : nullptr),
      transform(target, index, shards.get()) {
  if (options.dual == "vector") {
    psi = std::make_unique<ot::VectorPotential>(target);
  } else if (options.dual == "layers") {
    psi = std::make_unique<ot::LayeredPotential>(*index, options.dual_layers.empty()
                                                             ? ot::LayeredPotential::usual_layers(target.total())
                                                             : numbers_of("dual-layers", options.dual_layers));
  } else {
    network = std::make_unique<models::PsiNetwork>(models::PsiNetwork::paper_sizes(target.dimension()), options.seed);
    if (options.init_deviation > 0)
      models::draw_normal_weights(network->parameters(), options.init_deviation, options.seed);
    std::vector<Var*> parameters;
    for (const models::Parameter& parameter : network->parameters()) parameters.push_back(parameter.variable);
    const auto function = [g = network.get()](const Var& y) { return (*g)(y); };
    const ot::NetworkPotential::Options how{options.dual_memory << 20, options.dual_precision == "bf16"};
    psi = shards ? std::make_unique<ot::NetworkPotential>(*shards, function, parameters, how)
                 : std::make_unique<ot::NetworkPotential>(*index, function, parameters, how);
  }
  solver = ot::make_dual_solver(transform, *psi, options.lambda, dual_options(options));
}

engine::Tensor psi_of_run(const RunFolder& run, const Config& config, const ot::Target& target,
                          const std::string& prefix) {
  const ot::NamedTensors saved = read_checkpoint(run.checkpoint()).tensors;
  try {
    if (config.options.dual != "network") {
      engine::Tensor psi({target.size()});
      copy_tensors(saved, {{prefix + "psi", psi}});
      return psi;
    }
    const Dual dual(config.options, target);
    ot::NamedTensors parameters;
    for (const models::Parameter& p : dual.network->parameters())
      parameters.emplace_back(prefix + p.name, p.variable->value());
    copy_tensors(saved, parameters);
    return dual.psi->values();
  } catch (const engine::Error& error) {
    engine::fail(run.checkpoint(), " does not fit the run's psi: ", error.what());
  }
}

}  // namespace apps
