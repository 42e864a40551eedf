#include "models/classifier.h"

#include <algorithm>
#include <utility>

#include "engine/ops/shape.h"

namespace models {

using engine::Activation;
using engine::require;
using engine::Tensor;
using engine::Var;

Classifier::Classifier(const ClassifierOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name) {
  require(std::min(options.height, options.width) >= smallest_side, "[", name, "] images must be at least ",
          smallest_side, "x", smallest_side, ": ", options.height, "x", options.width);
  require(options.classes >= 2, "[", name, "] there must be at least 2 classes: ", options.classes);
  std::int64_t height = options.height, width = options.width, channels = options.channels;
  int position = 0;  // in the equivalent nn.Sequential: convolution, batch norm, ReLU, ..., flattening, linear, ...
  for (std::int64_t next = 32; position < 6 || std::max(height, width) > 7; next = 64, position += 3) {
    const std::int64_t kernel = position == 0 ? 5 : 3;
    const engine::Stride half{.stride = 2, .padding = kernel / 2};
    convolutions_.emplace_back(engine::text(name, ".", position), channels, next, kernel, half, seed);
    norms_.emplace_back(engine::text(name, ".", position + 1), next);
    // Until it has seen data the norm keeps the mean square of what a layer with these weights gets (He et al. 2015).
    norms_.back().running_var = Tensor::full({next}, engine::real(1.0 / 6));
    channels = next;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  layers_.emplace_back(engine::text(name, ".", position + 1), channels * height * width, feature_count, seed);
  layers_.emplace_back(engine::text(name, ".", position + 3), feature_count, options.classes, seed);
}

Var Classifier::features(const Var& images, bool training) {
  const std::int64_t pixels = options_.height * options_.width;
  require(images.rank() == 2 && images.dim(1) == pixels * options_.channels, "[", name_, "] images must be [B, ",
          pixels * options_.channels, "]: ", images.shape());
  const std::int64_t batch = images.dim(0);
  // Inside, images are [channels, height, width, B], the layout that the layers are fastest in.
  constexpr auto layout = engine::Layout::batch_last;
  Var x = transpose(reshape(images, {batch, pixels, options_.channels}), 0, 2);
  x = reshape(x, {options_.channels, options_.height, options_.width, batch});
  for (std::size_t i = 0; i < convolutions_.size(); ++i)
    x = norms_[i](convolutions_[i](x, layout), training, layout, Activation::relu());
  return layers_[0](transpose(reshape(x, {layers_[0].weight.dim(1), batch})), Activation::relu());
}

Var Classifier::logits(const Var& features) const {
  return layers_[1](features);
}

std::vector<Parameter> Classifier::parameters() {
  std::vector<Parameter> all;
  const auto add = [&](std::vector<Parameter> some) { all.insert(all.end(), some.begin(), some.end()); };
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    add(convolutions_[i].parameters());
    add(norms_[i].parameters());
  }
  add(parameters_of(layers_));
  return all;
}

std::vector<State> Classifier::buffers() {
  std::vector<State> all;
  for (BatchNorm2d& norm : norms_)
    for (State& state : norm.buffers()) all.push_back(std::move(state));
  return all;
}

}  // namespace models
