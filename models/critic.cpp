#include "models/critic.h"

#include <algorithm>

#include "engine/ops/convolution.h"
#include "engine/ops/shape.h"
#include "models/dcgan.h"

namespace models {

using engine::Activation;
using engine::require;
using engine::Var;

namespace {
constexpr double slope = 0.2;

/// [B, outputs], or [B] where there is one.
Var one_or_several(const Var& y) {
  return y.dim(1) == 1 ? reshape(y, {y.dim(0)}) : y;
}
}  // namespace

MlpCritic::MlpCritic(const std::vector<std::int64_t>& sizes, std::uint64_t seed, const std::string& name)
    : name_(name), layers_(linear_layers(name, sizes, seed)) {}

Var MlpCritic::operator()(const Var& x) {
  require(x.rank() == 2 && x.dim(1) == layers_.front().weight.dim(1), "[", name_, "] x must be [B, ",
          layers_.front().weight.dim(1), "]: ", x.shape());
  Var y = x;
  for (const Linear& layer : layers_)
    y = layer(y, &layer == &layers_.back() ? Activation() : Activation::leaky_relu(slope));
  return one_or_several(y);
}

std::vector<Parameter> MlpCritic::parameters() {
  return parameters_of(layers_);
}

std::vector<std::int64_t> conv_critic_channels(std::int64_t height, std::int64_t width) {
  std::vector<std::int64_t> channels = dcgan_channels(height, width);
  std::ranges::reverse(channels);
  return channels;
}

ConvCritic::ConvCritic(const ConvCriticOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name) {
  const std::vector<DcganStage> stages = dcgan_stages(options.height, options.width, name);
  if (options_.channels.empty()) options_.channels = conv_critic_channels(options.height, options.width);
  require(options_.channels.size() + 1 == stages.size(), "[", name, "] a critic of ", options.height, "x",
          options.width, " images has ", stages.size() - 1, " hidden images: ", options_.channels.size(),
          " numbers of channels given");
  std::int64_t channels = options.image_channels;
  int position = 0;  // in the equivalent nn.Sequential
  for (std::size_t i = 0; i < options_.channels.size(); ++i) {
    const DcganStage& stage = stages[stages.size() - 1 - i];
    const std::int64_t next = options_.channels[i], kernel = stage.kernel.rows;
    const std::string layer = engine::text(name, ".", position);
    convolutions_.emplace_back(layer, channels, next, kernel,
                               engine::Stride{.stride = stage.stride.stride, .padding = stage.stride.padding}, seed);
    const bool norm = options.batch_norm && i > 0;
    if (norm)
      norms_.emplace_back(engine::text(name, ".", position + 1), next);
    else
      biases_.emplace_back(initial_parameter({next}, channels * kernel * kernel, seed, layer + ".bias"));
    channels = next;
    position += norm ? 3 : 2;
  }
  const std::int64_t places = stages.front().height * stages.front().width;
  const int after_flattening = position + 1;
  last_.emplace_back(engine::text(name, ".", after_flattening), channels * places, options.outputs, seed);
}

Var ConvCritic::operator()(const Var& x) {
  const std::int64_t pixels = options_.height * options_.width;
  require(x.rank() == 2 && x.dim(1) == pixels * options_.image_channels, "[", name_, "] x must be [B, ",
          pixels * options_.image_channels, "]: ", x.shape());
  const std::int64_t batch = x.dim(0);
  // Inside, images are [channels, height, width, B], the layout that the layers are fastest in.
  constexpr auto layout = engine::Layout::batch_last;
  Var y = transpose(reshape(x, {batch, pixels, options_.image_channels}), 0, 2);
  y = reshape(y, {options_.image_channels, options_.height, options_.width, batch});
  const std::size_t plain = biases_.size();
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    const Conv2d& convolution = convolutions_[i];
    const Activation leaky = Activation::leaky_relu(slope);
    if (i < plain)
      y = conv2d(y, convolution.weight, biases_[i], leaky, convolution.stride, layout);
    else
      y = norms_[i - plain](convolution(y, layout), true, layout, leaky);
  }
  const Linear& last = last_.front();
  return one_or_several(last(transpose(reshape(y, {last.weight.dim(1), batch}))));
}

std::vector<Parameter> ConvCritic::parameters() {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    all.push_back(convolutions_[i].parameters().front());
    if (i < biases_.size()) {
      all.push_back({convolutions_[i].name + ".bias", &biases_[i]});
    } else {
      for (Parameter& p : norms_[i - biases_.size()].parameters()) all.push_back(std::move(p));
    }
  }
  for (Parameter& p : parameters_of(last_)) all.push_back(std::move(p));
  return all;
}

}  // namespace models
