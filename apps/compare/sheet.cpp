#include "apps/compare/sheet.h"

#include <algorithm>
#include <filesystem>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/report/picture.h"
#include "data/lettering.h"
#include "data/png.h"
#include "engine/error.h"

namespace apps::comparing {

namespace {

constexpr int gap = 8, images_in_a_strip = 16, widest_strip = 1000, most_magnified = 3;
constexpr data::Colour ink{34, 38, 43};

/// Each pixel `factor` x `factor` times.
data::Images magnified(const data::Images& image, int factor) {
  data::Images large{1, image.height * factor, image.width * factor, image.channels, {}};
  for (int y = 0; y < large.height; ++y)
    for (int x = 0; x < large.width; ++x) {
      const auto from = image.bytes.begin() + (y / factor * image.width + x / factor) * image.channels;
      large.bytes.insert(large.bytes.end(), from, from + image.channels);
    }
  return large;
}

/// Puts a picture on the paper, what is transparent over its white.
void place(const data::Images& picture, data::Images& paper, int left, int top) {
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      const std::uint8_t* from = picture.bytes.data() + (y * picture.width + x) * picture.channels;
      std::uint8_t* to = paper.bytes.data() + ((top + y) * paper.width + left + x) * 3;
      const int white = picture.channels == 4 ? 255 - from[3] : 0;
      for (int c = 0; c < 3; ++c)
        to[c] = static_cast<std::uint8_t>(std::min(255, from[picture.channels == 1 ? 0 : c] + white));
    }
}

/// Nothing of a run that has left no checkpoint.
std::vector<data::Images> generated(const RunFolder& run) {
  if (!std::filesystem::exists(run.checkpoint())) return {};
  const Config config = read_config(run.config());
  const DataFacts& image = config.data;
  const int count = std::clamp(widest_strip / image.width, 1, images_in_a_strip);
  const engine::Tensor z = latents(latent_law(config), config.options.seed, Draw::sample, 0, 0, count);
  const data::Images strip = data::image_grid(evaluate(*generator_of_run(run, config), z).values(), image.height,
                                              image.width, image.channels, 1, count);
  return {magnified(strip, std::clamp(widest_strip / strip.width, 1, most_magnified))};
}

/// The run's last picture of its points, half as large.
std::vector<data::Images> drawn(const RunFolder& run) {
  const std::vector<std::int64_t> grids = run.grids();
  if (grids.empty()) return {};
  return {report::shrunk(data::read_image(run.grid(grids.back())), 2)};
}

}  // namespace

data::Images sheet(const std::vector<Strip>& strips) {
  constexpr int head = data::letter_height + gap;
  int width = 1, height = gap;
  for (const Strip& strip : strips) {
    int along = gap, highest = 0;
    for (const data::Images& picture : strip.pictures) {
      along += picture.width + gap;
      highest = std::max(highest, picture.height);
    }
    width = std::max({width, along, data::length_of(strip.name) + 2 * gap});
    height += head + highest + 2 * gap;
  }
  data::Images paper{1, height, width, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width * 3, 255)};
  int top = gap;
  for (const Strip& strip : strips) {
    data::write_text(paper, gap, top, strip.name, ink);
    int left = gap, highest = 0;
    for (const data::Images& picture : strip.pictures) {
      place(picture, paper, left, top + head);
      left += picture.width + gap;
      highest = std::max(highest, picture.height);
    }
    top += head + highest + 2 * gap;
  }
  return paper;
}

std::vector<Strip> strips_of(const std::vector<Row>& rows, const DataFacts& data) {
  std::vector<Strip> strips;
  for (const Row& row : rows) {
    const std::string preset = row.preset + (row.outcomes.front().failure.empty() ? "" : " (failed)");
    std::vector<data::Images> pictures = data.images() ? generated(row.runs.front()) : drawn(row.runs.front());
    if (data.images() || strips.empty() || !strips.back().name.starts_with(row.method + ":")) {
      strips.push_back({row.method + ": " + preset, std::move(pictures)});
    } else {
      strips.back().name += ", " + preset;
      std::ranges::move(pictures, std::back_inserter(strips.back().pictures));
    }
  }
  return strips;
}

}  // namespace apps::comparing
