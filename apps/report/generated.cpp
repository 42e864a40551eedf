#include "apps/report/generated.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "apps/generators.h"
#include "apps/latent_walk.h"
#include "apps/latents.h"
#include "apps/report/page.h"
#include "apps/report/picture.h"
#include "apps/training_points.h"
#include "data/alpha.h"
#include "data/png.h"
#include "engine/error.h"
#include "engine/tensor.h"

namespace apps::report {

using engine::real;
using engine::Tensor;
using engine::text;

namespace {

constexpr std::int64_t pairs = 24;
constexpr std::size_t most_bytes_of_pair = 5000;
constexpr int walks = 4, steps = 10;
constexpr std::size_t most_bytes_of_walks = 50000;

Tensor grid_latents(const Config& config, std::int64_t count) {
  return latents(latent_law(config), config.options.seed, Draw::grid, 0, 0, count);
}

data::Images picture(const Config& config, std::span<const real> values, int rows, int columns) {
  return data::over_squares(
      data::image_grid(values, config.data.height, config.data.width, config.data.channels, rows, columns));
}

std::string neighbours(const std::string& content) {
  return section(
      "neighbours", "Nearest training images",
      "Above a generated image, below it the training image that it is nearest to, by its number. A generator "
      "that has learned makes images that are like those and yet not copies of them.",
      content);
}

}  // namespace

Neighbours neighbours_of(const Config& config, models::Generator& generator, const ot::Target& training) {
  Tensor images = evaluate(generator, grid_latents(config, pairs));
  std::vector<std::int64_t> numbers = nearest_points(training, images);
  Tensor nearest = points_at(training, numbers);
  return {std::move(images), std::move(nearest), std::move(numbers)};
}

std::string neighbours_section(const Config& config, const Neighbours& found) {
  const auto& [images, nearest, numbers] = found;
  const std::int64_t d = images.dim(1);
  std::string content = "<ul class=\"pairs\">\n";
  for (std::int64_t i = 0; i < pairs; ++i) {
    std::vector<real> pair(images.data() + i * d, images.data() + (i + 1) * d);
    pair.insert(pair.end(), nearest.data() + i * d, nearest.data() + (i + 1) * d);
    const std::int64_t number = numbers[static_cast<std::size_t>(i)];
    content += "<li>" +
               embedded(picture(config, pair, 2, 1), most_bytes_of_pair)
                   .element(text("Generated image ", i + 1, " over training image ", number)) +
               text("no. ", number, "</li>\n");
  }
  return neighbours(content + "</ul>\n");
}

std::string neighbours_missing(const std::string& why) {
  return neighbours(left_out("They are left out", why));
}

std::string walk_section(const Config& config, models::Generator& generator) {
  const Tensor z = latent_walks(grid_latents(config, 2 * walks), steps, latent_law(config));
  const Tensor images = evaluate(generator, z);
  return section(
      "walk", "From one image to another",
      "Each row goes from one latent point to another in even steps. Images that change little by little, and "
      "stay likely on the way, show that what lies between was learned too.",
      embedded(picture(config, images.values(), walks, steps), most_bytes_of_walks)
              .element(text(walks, " rows of ", steps, " generated images, each between two latent points"),
                       "class=\"walk\"") +
          '\n');
}

}  // namespace apps::report
