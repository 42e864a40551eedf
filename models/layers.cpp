#include "models/layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/ops/batch_norm.h"
#include "engine/random.h"
#include "models/first_weights.h"

namespace models {

using engine::Layout;
using engine::require;
using engine::Shape;
using engine::Tensor;
using engine::Var;

namespace {

void require_convolution(const std::string& name, std::int64_t inputs, std::int64_t outputs, engine::PerAxis kernel) {
  require(inputs >= 1 && outputs >= 1 && std::min(kernel.rows, kernel.columns) >= 1, "[", name,
          "] a convolution's channels and kernel must be at least 1: ", inputs, " to ", outputs, ", kernel ", kernel);
}

}  // namespace

std::string pytorch(const engine::Activation& activation) {
  using Kind = engine::Activation::Kind;
  if (activation.kind == Kind::identity) return "";
  if (activation.kind == Kind::sigmoid) return "nn.Sigmoid()";
  if (activation.kind == Kind::tanh) return "nn.Tanh()";
  return activation.slope == 0 ? "nn.ReLU()" : engine::text("nn.LeakyReLU(", activation.slope, ")");
}

engine::Tensor initial_parameter(const Shape& shape, std::int64_t fan_in, std::uint64_t seed, const std::string& name) {
  const auto bound = static_cast<engine::real>(1 / std::sqrt(static_cast<double>(fan_in)));
  return engine::Random(seed, stream_of_parameter(name)).uniform(shape, -bound, bound);
}

Linear::Linear(std::string layer_name, std::int64_t inputs, std::int64_t outputs, std::uint64_t seed)
    : name(std::move(layer_name)) {
  require(inputs >= 1 && outputs >= 1, "[", name, "] a linear layer's sizes must be at least 1: ", inputs, " to ",
          outputs);
  weight = initial_parameter({outputs, inputs}, inputs, seed, name + ".weight");
  bias = initial_parameter({outputs}, inputs, seed, name + ".bias");
}

Var Linear::operator()(const Var& x, const engine::Activation& activation) const {
  return engine::linear(x, weight, bias, activation);
}

std::vector<Parameter> Linear::parameters() {
  return {{name + ".weight", &weight}, {name + ".bias", &bias}};
}

std::string Linear::pytorch() const {
  return engine::text("nn.Linear(", weight.dim(1), ", ", weight.dim(0), ")");
}

std::vector<Linear> linear_layers(const std::string& name, const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  require(sizes.size() >= 2, "[", name,
          "] a network of linear layers needs an input and an output size: ", sizes.size(), " sizes given");
  std::vector<Linear> layers;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    layers.emplace_back(engine::text(name, ".", 2 * i), sizes[i], sizes[i + 1], seed);
  return layers;
}

std::vector<Parameter> parameters_of(std::vector<Linear>& layers) {
  std::vector<Parameter> all;
  for (Linear& layer : layers)
    for (Parameter& parameter : layer.parameters()) all.push_back(std::move(parameter));
  return all;
}

Conv2d::Conv2d(std::string layer_name, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel,
               engine::Stride stride_of_kernel, std::uint64_t seed)
    : name(std::move(layer_name)), stride(stride_of_kernel) {
  require_convolution(name, inputs, outputs, kernel);
  weight = initial_parameter({outputs, inputs, kernel, kernel}, inputs * kernel * kernel, seed, name + ".weight");
}

Var Conv2d::operator()(const Var& x, Layout layout) const {
  return engine::conv2d(x, weight, stride, layout);
}

std::vector<Parameter> Conv2d::parameters() {
  return {{name + ".weight", &weight}};
}

ConvTranspose2d::ConvTranspose2d(std::string layer_name, std::int64_t inputs, std::int64_t outputs,
                                 engine::PerAxis kernel, engine::Stride stride_of_kernel, std::uint64_t seed)
    : name(std::move(layer_name)), stride(stride_of_kernel) {
  require_convolution(name, inputs, outputs, kernel);
  weight = initial_parameter({inputs, outputs, kernel.rows, kernel.columns}, outputs * kernel.rows * kernel.columns,
                             seed, name + ".weight");
}

Var ConvTranspose2d::operator()(const Var& x, Layout layout) const {
  return engine::conv_transpose2d(x, weight, stride, layout);
}

std::vector<Parameter> ConvTranspose2d::parameters() {
  return {{name + ".weight", &weight}};
}

std::string ConvTranspose2d::pytorch() const {
  const auto pair = [](engine::PerAxis n) {
    return n.rows == n.columns ? std::to_string(n.rows) : engine::text("(", n.rows, ", ", n.columns, ")");
  };
  const auto given = [&](const char* word, engine::PerAxis n) {
    return n == 0 ? "" : engine::text(", ", word, "=", pair(n));
  };
  return engine::text("nn.ConvTranspose2d(", weight.dim(0), ", ", weight.dim(1), ", ",
                      pair({weight.dim(2), weight.dim(3)}), ", stride=", stride.stride,
                      given("padding", stride.padding), given("output_padding", stride.output_padding),
                      ", bias=False)");
}

BatchNorm2d::BatchNorm2d(std::string layer_name, std::int64_t channels) : name(std::move(layer_name)) {
  require(channels >= 1, "[", name, "] a batch norm needs at least one channel: ", channels);
  weight = Tensor::full({channels}, 1);
  bias = Tensor::zeros({channels});
  running_mean = Tensor::zeros({channels});
  running_var = Tensor::full({channels}, 1);
}

Var BatchNorm2d::operator()(const Var& x, bool training, Layout layout, const engine::Activation& activation) {
  return training ? engine::batch_norm2d_train(x, weight, bias, running_mean, running_var, momentum, 1e-5, layout,
                                               activation)
                  : engine::batch_norm2d_eval(x, weight, bias, running_mean, running_var, 1e-5, layout, activation);
}

std::vector<Parameter> BatchNorm2d::parameters() {
  return {{name + ".weight", &weight}, {name + ".bias", &bias}};
}

std::string BatchNorm2d::pytorch() const {
  return engine::text("nn.BatchNorm2d(", weight.dim(0), ")");
}

std::vector<State> BatchNorm2d::buffers() {
  return {{name + ".running_mean", &running_mean}, {name + ".running_var", &running_var}};
}

}  // namespace models
