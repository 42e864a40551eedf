#include "models/dcgan.h"

#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"

namespace models {

using engine::require;
using engine::Var;

namespace {
constexpr std::int64_t side = 28;
constexpr engine::Stride upscale{.stride = 2};
constexpr engine::Stride upscale_to_side{.stride = 2, .padding = 2, .output_padding = 1};
}  // namespace

Dcgan::Dcgan(const DcganOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name) {
  require(options.image_height == side && options.image_width == side, "[", name,
          "] the DCGAN makes 28x28 images: ", options.image_height, "x", options.image_width,
          " asked; use --generator mlp for other sizes");
  std::int64_t channels = options.latent;
  int position = 0;  // in the equivalent nn.Sequential: convolution, batch norm, ReLU, convolution, ...
  for (const std::int64_t next : options.channels) {
    convolutions_.emplace_back(engine::text(name, ".", position), channels, next, 3, upscale, seed);
    norms_.emplace_back(engine::text(name, ".", position + 1), next);
    position += 3;
    channels = next;
  }
  convolutions_.emplace_back(engine::text(name, ".", position), channels, options.image_channels, 3, upscale_to_side,
                             seed);
}

std::int64_t Dcgan::output_size() const {
  return options_.image_channels * side * side;
}

Var Dcgan::operator()(const Var& z) {
  require(z.rank() == 2 && z.dim(1) == latent_dimension(), "[", name_, "] z must be [B, ", latent_dimension(),
          "]: ", z.shape());
  // Inside, images are [channels, height, width, B], the layout that the layers are fastest in.
  constexpr auto layout = engine::Layout::batch_last;
  Var x = reshape(transpose(z), {latent_dimension(), 1, 1, z.dim(0)});
  for (std::size_t i = 0; i < norms_.size(); ++i) {
    x = convolutions_[i](x, layout);
    x = norms_[i](x, training_, layout, engine::Activation::relu());
  }
  x = sigmoid(convolutions_.back()(x, layout));
  const Var planes = reshape(x, {options_.image_channels, side * side, z.dim(0)});
  return reshape(transpose(planes, 0, 2), {z.dim(0), output_size()});
}

void Dcgan::settle(const engine::Tensor& z) {
  const engine::NoGrad no_grad;
  const bool was_training = std::exchange(training_, true);
  for (BatchNorm2d& norm : norms_) norm.momentum = 1;
  (*this)(z);
  for (BatchNorm2d& norm : norms_) norm.momentum = 0.1;
  training_ = was_training;
}

std::vector<Parameter> Dcgan::parameters() {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    for (Parameter& parameter : convolutions_[i].parameters()) all.push_back(std::move(parameter));
    if (i < norms_.size())
      for (Parameter& parameter : norms_[i].parameters()) all.push_back(std::move(parameter));
  }
  return all;
}

std::vector<State> Dcgan::buffers() {
  std::vector<State> all;
  for (BatchNorm2d& norm : norms_)
    for (State& state : norm.buffers()) all.push_back(std::move(state));
  return all;
}

}  // namespace models
