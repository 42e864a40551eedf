#include "models/psi_network.h"

#include "engine/ops/shape.h"

namespace models {

using engine::Activation;
using engine::require;
using engine::Var;

PsiNetwork::PsiNetwork(const std::vector<std::int64_t>& sizes, std::uint64_t seed, const std::string& name)
    : name_(name), layers_(linear_layers(name, sizes, seed)) {
  require(sizes.back() == 1, "[", name_, "] the last size must be 1, psi has one value a point: ", sizes.back());
}

Var PsiNetwork::operator()(const Var& y) const {
  const std::int64_t dimension = layers_.front().weight.dim(1);
  require(y.rank() == 2 && y.dim(1) == dimension, "[", name_, "] y must be [J, ", dimension, "]: ", y.shape());
  Var x = y;
  for (const Linear& layer : layers_) x = layer(x, &layer == &layers_.back() ? Activation{} : Activation::relu());
  return reshape(x, {y.dim(0)});
}

std::vector<Parameter> PsiNetwork::parameters() {
  return parameters_of(layers_);
}

}  // namespace models
