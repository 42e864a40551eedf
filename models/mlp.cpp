#include "models/mlp.h"

#include <algorithm>
#include <cmath>

namespace models {

using engine::Activation;
using engine::real;
using engine::require;
using engine::Tensor;
using engine::Var;

Mlp::Mlp(const MlpOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name), layers_(linear_layers(name, options.sizes, seed)) {}

Var Mlp::operator()(const Var& z) {
  require(z.rank() == 2 && z.dim(1) == latent_dimension(), "[", name_, "] z must be [B, ", latent_dimension(),
          "]: ", z.shape());
  Var x = z;
  for (const Linear& layer : layers_) x = layer(x, after(layer));
  return x;
}

Activation Mlp::after(const Linear& layer) const {
  return &layer == &layers_.back() ? options_.last : Activation::leaky_relu(options_.slope);
}

std::vector<std::string> Mlp::pytorch() const {
  std::vector<std::string> lines;
  for (const Linear& layer : layers_) {
    lines.push_back(layer.pytorch());
    if (after(layer).kind != Activation::Kind::identity) lines.push_back(models::pytorch(after(layer)));
  }
  return lines;
}

std::vector<Parameter> Mlp::parameters() {
  return parameters_of(layers_);
}

void Mlp::start_at(const Tensor& mean) {
  require(mean.shape() == engine::Shape{output_size()}, "[", name_, "] the mean must be [", output_size(),
          "]: ", mean.shape());
  // sigmoid(bias) = mean, tanh(bias) = mean, or bias = mean.
  const Activation::Kind last = options_.last.kind;
  std::ranges::transform(mean.values(), layers_.back().bias.value().data(), [last](real value) {
    if (last == Activation::Kind::tanh) return std::atanh(std::clamp<real>(value, real(-0.98), real(0.98)));
    if (last != Activation::Kind::sigmoid) return value;
    const real inside = std::clamp<real>(value, real(0.01), real(0.99));
    return std::log(inside / (1 - inside));
  });
}

}  // namespace models
