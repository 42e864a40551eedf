#include "models/dcgan.h"

#include <algorithm>
#include <utility>

#include "engine/ops/shape.h"

namespace models {

using engine::Activation;
using engine::require;
using engine::Var;

namespace {

// The side before s.
std::int64_t side_before(std::int64_t s) {
  return s % 2 == 0 ? s / 2 + 1 : std::max<std::int64_t>((s - 1) / 2, 1);
}

// What a stage makes too much along an axis, from the side before s.
std::int64_t too_many(std::int64_t s) {
  return 2 * side_before(s) + 1 - s;
}

}  // namespace

std::vector<DcganStage> dcgan_stages(std::int64_t height, std::int64_t width, const std::string& name) {
  require(std::min(height, width) >= Dcgan::smallest_side && std::max(height, width) <= Dcgan::largest_side, "[", name,
          "] the DCGAN makes images of ", Dcgan::smallest_side, " to ", Dcgan::largest_side,
          " rows and columns: ", height, "x", width, " asked; use --generator mlp for other sizes");
  constexpr std::size_t fewest_stages = 2;  // beside the first
  std::vector<DcganStage> stages;
  while (stages.size() < fewest_stages || std::max(height, width) > 5) {
    const std::int64_t rows = too_many(height), columns = too_many(width);
    const engine::Stride stride{
        .stride = 2, .padding = {(rows + 1) / 2, (columns + 1) / 2}, .output_padding = {rows % 2, columns % 2}};
    stages.push_back({height, width, 3, stride});
    height = side_before(height), width = side_before(width);
  }
  stages.push_back({height, width, {height, width}, {.stride = 2}});
  std::ranges::reverse(stages);
  return stages;
}

std::vector<std::int64_t> dcgan_channels(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t most = 256, fewest = 16;
  std::vector<std::int64_t> channels{most};
  while (channels.size() + 1 < dcgan_stages(height, width).size())
    channels.push_back(std::max(channels.back() / 2, fewest));
  return channels;
}

Dcgan::Dcgan(const DcganOptions& options, std::uint64_t seed, const std::string& name)
    : options_(options), name_(name) {
  const std::vector<DcganStage> stages = dcgan_stages(options.image_height, options.image_width, name);
  if (options_.channels.empty()) options_.channels = dcgan_channels(options.image_height, options.image_width);
  require(options_.channels.size() + 1 == stages.size(), "[", name, "] a DCGAN of ", options.image_height, "x",
          options.image_width, " images has ", stages.size() - 1, " hidden images: ", options_.channels.size(),
          " numbers of channels given");
  std::int64_t channels = options.latent;
  int position = 0;  // in the equivalent nn.Sequential: convolution, batch norm, ReLU, convolution, ...
  for (std::size_t i = 0; i < stages.size(); ++i, position += 3) {
    const bool last = i + 1 == stages.size();
    const std::int64_t next = last ? options.image_channels : options_.channels[i];
    convolutions_.emplace_back(engine::text(name, ".", position), channels, next, stages[i].kernel, stages[i].stride,
                               seed);
    if (!last) norms_.emplace_back(engine::text(name, ".", position + 1), next);
    channels = next;
  }
}

std::int64_t Dcgan::output_size() const {
  return options_.image_channels * options_.image_height * options_.image_width;
}

Var Dcgan::operator()(const Var& z) {
  require(z.rank() == 2 && z.dim(1) == latent_dimension(), "[", name_, "] z must be [B, ", latent_dimension(),
          "]: ", z.shape());
  // Inside, images are [channels, height, width, B], the layout that the layers are fastest in.
  constexpr auto layout = engine::Layout::batch_last;
  Var x = reshape(transpose(z), {latent_dimension(), 1, 1, z.dim(0)});
  for (std::size_t i = 0; i < norms_.size(); ++i) {
    x = convolutions_[i](x, layout);
    x = norms_[i](x, training_, layout, Activation::relu());
  }
  x = options_.last(convolutions_.back()(x, layout));
  const Var planes = reshape(x, {options_.image_channels, options_.image_height * options_.image_width, z.dim(0)});
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

std::vector<std::string> Dcgan::pytorch() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < norms_.size(); ++i)
    for (std::string line : {convolutions_[i].pytorch(), norms_[i].pytorch(), models::pytorch(Activation::relu())})
      lines.push_back(std::move(line));
  lines.push_back(convolutions_.back().pytorch());
  if (options_.last.kind != Activation::Kind::identity) lines.push_back(models::pytorch(options_.last));
  return lines;
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
