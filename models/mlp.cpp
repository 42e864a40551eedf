#include "models/mlp.h"

namespace models {

using engine::Activation;
using engine::require;
using engine::Var;

Mlp::Mlp(const MlpOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name), layers_(linear_layers(name, options.sizes, seed)) {}

Var Mlp::operator()(const Var& z) {
  require(z.rank() == 2 && z.dim(1) == latent_dimension(), "[", name_, "] z must be [B, ", latent_dimension(),
          "]: ", z.shape());
  Var x = z;
  for (const Linear& layer : layers_)
    x = layer(x, &layer == &layers_.back() ? Activation::sigmoid() : Activation::leaky_relu(options_.slope));
  return x;
}

std::vector<Parameter> Mlp::parameters() {
  return parameters_of(layers_);
}

}  // namespace models
