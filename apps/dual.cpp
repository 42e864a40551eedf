#include "apps/dual.h"

#include <vector>

#include "ot/layered_potential.h"

namespace apps {

using engine::Var;

namespace {

ot::DualOptions dual_options(const TrainOptions& options) {
  return {options.dual_optimizer == "asgd" ? ot::DualOptimizer::asgd : ot::DualOptimizer::adam, options.dual_lr,
          options.dual_decay, options.dual_average == "on"};
}

}  // namespace

Dual::Dual(const TrainOptions& options, const ot::Target& target) {
  if (options.dual == "vector") {
    psi = std::make_unique<ot::VectorPotential>(target);
  } else if (options.dual == "layers") {
    psi = std::make_unique<ot::LayeredPotential>(target, options.dual_layers.empty()
                                                             ? ot::LayeredPotential::usual_layers(target.size())
                                                             : numbers_of("dual-layers", options.dual_layers));
  } else {
    network = std::make_unique<models::PsiNetwork>(models::PsiNetwork::paper_sizes(target.dimension()), options.seed);
    std::vector<Var*> parameters;
    for (const models::Parameter& parameter : network->parameters()) parameters.push_back(parameter.variable);
    psi = std::make_unique<ot::NetworkPotential>(
        target, [g = network.get()](const Var& y) { return (*g)(y); }, parameters,
        ot::NetworkPotential::Options{options.dual_memory << 20, options.dual_precision == "bf16"});
  }
  solver = ot::make_dual_solver(target, *psi, options.lambda, dual_options(options));
}

}  // namespace apps
