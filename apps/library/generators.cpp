#include <algorithm>
#include <memory>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/library/calls.h"
#include "apps/run_folder.h"
#include "engine/error.h"

using apps::library::call;
using apps::library::require_given;
using engine::require;
using engine::Tensor;

struct semidual_generator {
  apps::Config config;
  apps::LatentLaw law;
  std::unique_ptr<models::Generator> generator;
};

int semidual_generator_load(semidual_context* context, const char* run, semidual_generator** generator) {
  return call(context, [&] {
    require_given(generator, "generator");
    const apps::RunFolder folder{apps::library::word(run, "run")};
    auto loaded = std::make_unique<semidual_generator>();
    loaded->config = apps::read_config(folder.config());
    loaded->law = apps::latent_law(loaded->config);
    loaded->generator = apps::generator_of_run(folder, loaded->config);
    *generator = loaded.release();
  });
}

void semidual_generator_destroy(semidual_generator* generator) {
  const std::unique_ptr<semidual_generator> last(generator);
}

int semidual_generator_shape(const semidual_generator* generator, int64_t* dimension, int64_t* height, int64_t* width,
                             int64_t* channels) {
  const semidual_context one{1};
  return call(&one, [&] {
    require_given(generator, "generator");
    for (const void* out : {dimension, height, width, channels}) require_given(out, "each of the shape's numbers");
    const apps::DataFacts& data = generator->config.data;
    *dimension = data.dimension, *height = data.height, *width = data.width, *channels = data.channels;
  });
}

int semidual_generator_sample(semidual_context* context, semidual_generator* generator, uint64_t seed, int64_t first,
                              int64_t count, float* points) {
  return call(context, [&] {
    constexpr std::int64_t batch = 256;  // also where fewer are asked for: the bits of a point do not depend on count
    constexpr std::int64_t points_of_a_seed = batch << 40;
    require_given(generator, "generator");
    require(first >= 0 && first % batch == 0, "first must be a multiple of ", batch, ", at least 0: ", first);
    require(count >= 0, "count must be at least 0: ", count);
    require(first <= points_of_a_seed && count <= points_of_a_seed - first, "a seed has ", points_of_a_seed,
            " points, not ", count, " from ", first, " on: take another seed");
    if (count > 0) require_given(points, "points");
    const std::int64_t d = generator->generator->output_size();
    for (std::int64_t begin = 0; begin < count; begin += batch) {
      const Tensor z = apps::latents(generator->law, seed, apps::Draw::sample, (first + begin) / batch, 0, batch);
      const Tensor made = generator->config.scaling.undo(apps::evaluate(*generator->generator, z));
      std::copy_n(made.data(), std::min(batch, count - begin) * d, points + begin * d);
    }
  });
}
