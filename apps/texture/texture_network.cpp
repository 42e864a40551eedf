#include "apps/texture/texture_network.h"

#include <algorithm>
#include <utility>

#include "apps/texture/patch_scales.h"
#include "apps/texture/pyramid.h"
#include "apps/texture/texture_strips.h"
#include "engine/error.h"
#include "engine/ops/activation.h"
#include "engine/ops/shape.h"
#include "engine/random.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t noise_channels = 4;
constexpr engine::Activation leaky{engine::Activation::Kind::leaky_relu, 0.2};

// Images are [C, H, W, 1] here, which lies in memory as [1, C, H, W] does: the layout that layers are fastest in.
constexpr auto layout = engine::Layout::batch_last;

/// Of what a scale makes, 0 the finest.
std::int64_t channels_of(int scale) {
  return std::min(16 + 16 * scale, 64);
}

/// The noise of one scale, `block` 0 the coarsest; their streams lie beside those of the psi, which count from 0.
engine::Random noise(std::uint64_t seed, std::uint64_t number, std::size_t block) {
  return {seed, (std::uint64_t{1} << 62) + (number << 6) + block};
}

/// Each pixel four times.
Var doubled(const Var& x) {
  const std::int64_t channels = x.dim(0), rows = x.dim(1), columns = x.dim(2);
  const Var pixels = reshape(x, {channels * rows * columns, 1});
  const Var wide = engine::reshape(engine::concat({pixels, pixels}, 1), {channels * rows, 1, 2 * columns});
  return reshape(engine::concat({wide, wide}, 1), {channels, 2 * rows, 2 * columns, 1});
}

Var wrapped_convolution(const models::Conv2d& convolution, const Var& x) {
  const Var around = wrapped(reshape(x, {1, x.dim(0), x.dim(1), x.dim(2)}), 1, 1);
  return convolution(reshape(around, {x.dim(0), x.dim(1) + 2, x.dim(2) + 2, 1}), layout);
}

}  // namespace

TextureNetwork::TextureNetwork(std::int64_t image_channels, int scales, std::uint64_t seed)
    : image_channels_(image_channels), colours_("texture.colours", channels_of(0), image_channels, 1, {}, seed) {
  std::int64_t before = 0;
  for (int s = scales - 1; s >= 0; --s) {
    const std::string name = engine::text("texture.", s, '.');
    const std::int64_t channels = channels_of(s);
    blocks_.push_back({{name + "0", before + noise_channels, channels, 3, {}, seed},
                       {name + "3", channels, channels, 3, {}, seed},
                       {name + "1", channels},
                       {name + "4", channels}});
    before = channels;
  }
}

Var TextureNetwork::operator()(std::int64_t height, std::int64_t width, std::uint64_t seed, std::uint64_t number) {
  engine::require(std::min(height, width) >= 1, "[texture network] there is no image of ", height, "x", width);
  const std::int64_t whole = halved_from(scales());
  std::int64_t rows = (height + whole - 1) / whole, columns = (width + whole - 1) / whole;
  Var x;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    Block& block = blocks_[b];
    const Tensor z = noise(seed, number, b).uniform({noise_channels, rows, columns, 1}, -1, 1);
    const Var in = b == 0 ? Var(z) : engine::concat({doubled(x), z}, 0);
    x = block.first_norm(wrapped_convolution(block.first, in), training_, layout, leaky);
    x = block.second_norm(wrapped_convolution(block.second, x), training_, layout, leaky);
    rows *= 2, columns *= 2;
  }
  const Var image = engine::Activation::sigmoid()(colours_(x, layout));
  const Var made = reshape(image, {1, image_channels_, image.dim(1), image.dim(2)});
  return slice(slice(made, 2, 0, height), 3, 0, width);
}

Tensor TextureNetwork::image(std::int64_t height, std::int64_t width, std::uint64_t seed, std::uint64_t number) const {
  engine::require(std::min(height, width) >= 1, "[texture network] there is no image of ", height, "x", width);
  const std::int64_t whole = halved_from(scales());
  std::int64_t rows = (height + whole - 1) / whole, columns = (width + whole - 1) / whole;
  Tensor x;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& block = blocks_[b];
    x = refined(x, noise(seed, number, b), noise_channels, rows, columns, {block.first, block.first_norm},
                {block.second, block.second_norm});
    rows *= 2, columns *= 2;
  }
  return mixed(x, colours_.weight.value(), engine::Activation::sigmoid(), height, width);
}

std::vector<models::Parameter> TextureNetwork::parameters() {
  std::vector<models::Parameter> all;
  const auto add = [&](auto& layer) {
    for (models::Parameter& parameter : layer.parameters()) all.push_back(std::move(parameter));
  };
  for (Block& block : blocks_) add(block.first), add(block.first_norm), add(block.second), add(block.second_norm);
  add(colours_);
  return all;
}

std::vector<models::State> TextureNetwork::buffers() {
  std::vector<models::State> all;
  for (Block& block : blocks_)
    for (models::BatchNorm2d* norm : {&block.first_norm, &block.second_norm})
      for (models::State& state : norm->buffers()) all.push_back(std::move(state));
  return all;
}

}  // namespace apps
