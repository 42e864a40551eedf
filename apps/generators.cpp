#include "apps/generators.h"

#include <algorithm>
#include <vector>

#include "apps/checkpoint.h"
#include "engine/error.h"
#include "models/dcgan.h"
#include "models/first_weights.h"
#include "models/mlp.h"

namespace apps {

using engine::require;

namespace {

/// What --last-layer names.
engine::Activation last_layer(const TrainOptions& asked) {
  require_one_of("last-layer", asked.last_layer, {"sigmoid", "tanh", "linear"});
  return asked.last_layer == "sigmoid" ? engine::Activation::sigmoid()
         : asked.last_layer == "tanh"  ? engine::Activation::tanh()
                                       : engine::Activation();
}

/// A class is asked for beside the latent coordinates.
std::int64_t latent_size(const TrainOptions& asked, const DataFacts& data) {
  return asked.latent_dim + std::ssize(data.classes);
}

models::MlpOptions mlp_options(const TrainOptions& asked, const DataFacts& data) {
  models::MlpOptions options;
  options.sizes = numbers_of("mlp-sizes", asked.mlp_sizes);
  options.sizes.insert(options.sizes.begin(), latent_size(asked, data));
  options.sizes.push_back(data.dimension);
  options.last = last_layer(asked);
  return options;
}

models::DcganOptions dcgan_options(const TrainOptions& asked, const DataFacts& data) {
  require(data.images(), "--generator dcgan makes images, the data are points of dimension ", data.dimension,
          ": take --generator mlp");
  constexpr std::int64_t least = models::Dcgan::smallest_side, most = models::Dcgan::largest_side;
  require(std::min(data.height, data.width) >= least && std::max(data.height, data.width) <= most,
          "--generator dcgan makes images of ", least, "x", least, " to ", most, "x", most, ", the data are ",
          data.height, "x", data.width, " ones: take --generator mlp");
  models::DcganOptions options{latent_size(asked, data), {}, data.channels, data.height, data.width, last_layer(asked)};
  if (asked.dcgan_channels.empty()) return options;
  options.channels = numbers_of("dcgan-channels", asked.dcgan_channels);
  const std::size_t hidden = models::dcgan_stages(data.height, data.width).size() - 1;
  require(options.channels.size() == hidden, "--dcgan-channels ", asked.dcgan_channels, " must be ", hidden,
          " numbers for ", data.height, "x", data.width, " images: ", options.channels.size(), " given");
  return options;
}

}  // namespace

std::unique_ptr<models::Generator> make_generator(const TrainOptions& asked, const DataFacts& data) {
  require_one_of("generator", asked.generator, {"mlp", "dcgan"});
  std::unique_ptr<models::Generator> generator;
  if (asked.generator == "mlp")
    generator = std::make_unique<models::Mlp>(mlp_options(asked, data), asked.seed);
  else
    generator = std::make_unique<models::Dcgan>(dcgan_options(asked, data), asked.seed);
  if (asked.init_deviation > 0) models::draw_normal_weights(generator->parameters(), asked.init_deviation, asked.seed);
  return generator;
}

// Measured: 41 kB a draw for the MLP on 28x28 images, 467 kB for the DCGAN, in float.
std::int64_t values_per_draw(const TrainOptions& options, const DataFacts& data) {
  std::int64_t hidden = 0;
  if (options.generator == "mlp") {
    for (const std::int64_t size : numbers_of("mlp-sizes", options.mlp_sizes)) hidden += size;
    return 4 * hidden + 4 * data.dimension;
  }
  const std::vector<models::DcganStage> stages = models::dcgan_stages(data.height, data.width);
  const std::vector<std::int64_t> channels = dcgan_options(options, data).channels;
  for (std::size_t i = 0; i < channels.size(); ++i) hidden += channels[i] * stages[i].height * stages[i].width;
  return 5 * hidden + 4 * data.dimension;
}

ot::NamedTensors tensors_of(models::Generator& generator) {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : generator.parameters()) tensors.emplace_back(p.name, p.variable->value());
  for (const models::State& buffer : generator.buffers()) tensors.emplace_back(buffer.name, *buffer.tensor);
  return tensors;
}

std::unique_ptr<models::Generator> generator_of_run(const RunFolder& run, const Config& config) {
  std::unique_ptr<models::Generator> generator = make_generator(config.options, config.data);
  try {
    copy_tensors(read_checkpoint(run.checkpoint()).tensors, tensors_of(*generator));
  } catch (const engine::Error& error) {
    engine::fail(run.checkpoint(), " does not fit the run's ", config.options.generator, " generator: ", error.what());
  }
  return generator;
}

engine::Tensor evaluate(models::Generator& generator, const engine::Tensor& z) {
  const engine::NoGrad off_tape;
  generator.train(false);
  engine::Tensor points = generator(z).value();
  generator.train(true);
  return points;
}

}  // namespace apps
