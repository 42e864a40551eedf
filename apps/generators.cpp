#include "apps/generators.h"

#include "apps/checkpoint.h"
#include "engine/error.h"
#include "models/dcgan.h"
#include "models/mlp.h"

namespace apps {

using engine::require;

std::unique_ptr<models::Generator> make_generator(const TrainOptions& asked, const DataFacts& data) {
  if (asked.generator == "mlp") {
    models::MlpOptions options;
    options.sizes = numbers_of("mlp-sizes", asked.mlp_sizes);
    options.sizes.insert(options.sizes.begin(), asked.latent_dim);
    options.sizes.push_back(data.dimension);
    return std::make_unique<models::Mlp>(options, asked.seed);
  }
  require(asked.generator == "dcgan", "--generator '", asked.generator, "' is unknown: it must be mlp or dcgan");
  models::DcganOptions options;
  options.latent = asked.latent_dim;
  require(data.images(), "--generator dcgan makes images, the data are points of dimension ", data.dimension,
          ": take --generator mlp");
  require(data.height == options.image_height && data.width == options.image_width,
          "--generator dcgan makes 28x28 images, the data are ", data.height, "x", data.width,
          " ones: take --generator mlp");
  options.image_channels = data.channels;
  return std::make_unique<models::Dcgan>(options, asked.seed);
}

// Measured: 41 kB a draw for the MLP on 28x28 images, 467 kB for the DCGAN, in float.
std::int64_t values_per_draw(const TrainOptions& options, std::int64_t dimension) {
  constexpr std::int64_t dcgan_hidden = 256 * 3 * 3 + 128 * 7 * 7 + 64 * 15 * 15;
  if (options.generator != "mlp") return 5 * dcgan_hidden + 4 * dimension;
  std::int64_t hidden = 0;
  for (const std::int64_t size : numbers_of("mlp-sizes", options.mlp_sizes)) hidden += size;
  return 4 * hidden + 4 * dimension;
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

engine::Random random_draws(std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k) {
  return {seed, static_cast<std::uint64_t>(purpose) << 56 | static_cast<std::uint64_t>(n) << 16 |
                    static_cast<std::uint64_t>(k)};
}

LatentLaw latent_law(const TrainOptions& options) {
  return {options.latent == "normal", options.latent_dim, options.latent_scale};
}

engine::Tensor latents(const LatentLaw& law, std::uint64_t seed, Draw purpose, std::int64_t n, std::int64_t k,
                       std::int64_t count) {
  const engine::Random random = random_draws(seed, purpose, n, k);
  const auto scale = static_cast<engine::real>(law.scale);
  return law.normal ? random.normal({count, law.dimension}, 0, scale)
                    : random.uniform({count, law.dimension}, -scale, scale);
}

}  // namespace apps
