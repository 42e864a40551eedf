#include "apps/sample.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latent_walk.h"
#include "apps/point_picture.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "apps/training_points.h"
#include "data/gif.h"
#include "data/images.h"
#include "data/npy.h"
#include "data/png.h"
#include "data/table.h"
#include "engine/error.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;

namespace {

/// Points are made so many at a time, also where fewer are asked for: the bits of a point do not depend on the count.
constexpr std::int64_t batch = 256;

struct Grid {
  int rows = 0, columns = 0;
};

Grid parse_grid(const std::string& text) {
  Grid grid;
  char end;
  require(std::sscanf(text.c_str(), "%4dx%4d%c", &grid.rows, &grid.columns, &end) == 2 && grid.rows >= 1 &&
              grid.columns >= 1,
          "--grid must be ROWSxCOLUMNS, such as 8x8: '", text, "'");
  return grid;
}

std::vector<real> read_latents(const std::string& path, std::int64_t dimension) {
  const data::Array array = data::read_npy(path);
  require(array.shape.size() == 2 && array.shape[0] >= 1 && array.shape[1] == dimension, "--latents ", path,
          " must hold an array of shape [N, ", dimension, "]");
  std::vector<real> values = array.as<real>();
  require(std::all_of(values.begin(), values.end(), [](real z) { return std::isfinite(z); }), "--latents ", path,
          " holds NaN or infinity");
  return values;
}

/// The generator's points for `count` latent points, scaled back by `scaling`; draw(i) gives those of batch i, [batch,
/// latent dimension].
template <class Draws>
std::vector<float> points(models::Generator& generator, const Scaling& scaling, std::int64_t count, const Draws& draw) {
  const std::int64_t dimension = generator.output_size();
  std::vector<float> all(static_cast<std::size_t>(count * dimension));
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const Tensor made = scaling.undo(evaluate(generator, draw(begin / batch)));
    std::copy_n(made.data(), std::min(batch, count - begin) * dimension, all.begin() + begin * dimension);
  }
  return all;
}

/// For each row of the grid the latent points from one draw to the next.
template <class Draws>
std::vector<real> walks(const Draws& draw, const Grid& grid, const LatentLaw& law) {
  const std::int64_t latent = law.dimension;
  const std::int64_t count = 2 * std::int64_t{grid.rows};
  Tensor ends({count, latent});
  for (std::int64_t begin = 0; begin < count; begin += batch)
    std::copy_n(draw(begin / batch).data(), std::min(batch, count - begin) * latent, ends.data() + begin * latent);
  const Tensor z = latent_walks(ends, grid.columns, law);
  return {z.values().begin(), z.values().end()};
}

/// `images` [n, d] with the training image nearest to each after it, [2 n, d].
std::vector<real> beside_neighbours(const std::vector<real>& images, const ot::Target& training) {
  const std::int64_t d = training.dimension(), n = static_cast<std::int64_t>(images.size()) / d;
  const Tensor nearest = points_at(training, nearest_points(training, Tensor({n, d}, images)));
  std::vector<real> pairs(2 * images.size());
  for (std::int64_t i = 0; i < n; ++i) {
    std::copy_n(images.begin() + i * d, d, pairs.begin() + 2 * i * d);
    std::copy_n(nearest.data() + i * d, d, pairs.begin() + (2 * i + 1) * d);
  }
  return pairs;
}

void require_suffix(const char* option, const std::string& out, std::initializer_list<const char*> suffixes) {
  std::string list;
  for (const char* suffix : suffixes) {
    if (out.ends_with(suffix)) return;
    list += (list.empty() ? "" : " or ") + std::string(suffix);
  }
  engine::fail(option, " must end in ", list, " for that: '", out, "'");
}

/// A table as the run's data were, or as nameless columns of numbers; otherwise an array.
void write_points(const std::string& path, const std::vector<float>& points, const DataFacts& data) {
  if (!data::is_table(path)) {
    const auto count = std::ssize(points) / data.dimension;
    data::write_npy<float>(path, {count, data.dimension}, points);
  } else if (data.columns.empty()) {
    data::write_table(path, std::vector<data::Column>(static_cast<std::size_t>(data.dimension)), points);
  } else {
    data::write_table(path, data.columns, points);
  }
}

void require_modes_agree(const SampleRequest& request) {
  const int modes = !request.grid.empty() + (request.count != 0) + !request.latents.empty() + !request.gif.empty();
  require(modes == 1 || (modes == 0 && request.scatter),
          "give one of --grid ROWSxCOLUMNS, --scatter, --count N, --latents Z.npy and --gif FILE.gif");
  require(!request.scatter || (request.grid.empty() && request.gif.empty()),
          "--scatter draws points: leave out --grid and --gif");
  require(request.count >= 0, "--count must be at least 1: ", request.count);
  require(!request.grid.empty() || !request.interpolate, "--interpolate makes a grid: give --grid ROWSxCOLUMNS");
  require(!request.grid.empty() || !request.neighbours, "--neighbours makes a grid: give --grid ROWSxCOLUMNS");
  require(!request.interpolate || !request.neighbours, "give one of --interpolate and --neighbours");
  if (!request.gif.empty()) {
    require(request.out.empty(), "--gif names the file to write: leave out --out ", request.out);
    require_suffix("--gif", request.gif, {".gif"});
  } else {
    require(!request.out.empty(), "--out is missing: the file to write");
    if (request.grid.empty() && !request.scatter)
      require_suffix("--out", request.out, {".npy", ".csv", ".tsv"});
    else
      require_suffix("--out", request.out, {".png"});
  }
}

void write_training_gif(const RunFolder& folder, const std::string& path) {
  const std::vector<std::int64_t> grids = folder.grids();
  require(!grids.empty(), folder.samples().string(), " holds no pictures to show: train on with --resume");
  const auto count = static_cast<std::int64_t>(grids.size());
  // About six seconds, no faster than browsers show and no slower than one can wait; the last stays for two.
  const int hundredths = static_cast<int>(std::clamp<std::int64_t>(600 / count, 4, 20));
  data::write_gif(
      path, count, [&](std::int64_t i) { return data::read_image(folder.grid(grids[static_cast<std::size_t>(i)])); },
      hundredths, 200);
}

}  // namespace

void sample(const SampleRequest& request, const Console& console) {
  require_modes_agree(request);
  const RunFolder folder{request.run};
  const Config config = read_config(folder.config());
  if (!request.gif.empty()) {
    write_training_gif(folder, request.gif);
    console.out << request.gif << '\n';
    return;
  }
  const std::unique_ptr<models::Generator> generator = generator_of_run(folder, config);

  const LatentLaw law = latent_law(config.options);
  const std::int64_t latent = law.dimension, dimension = generator->output_size();
  const auto require_room = [&](std::int64_t count, const char* option) {
    const double bytes = static_cast<double>(count) * static_cast<double>(dimension) * sizeof(float);
    require_memory(2 * bytes, "making so many points", std::string("take a smaller ") + option);
    require_writable(request.out, bytes);
  };
  const auto draw = [&](std::int64_t i) { return latents(law, request.seed, Draw::sample, i, 0, batch); };
  std::vector<real> given;
  const auto draw_given = [&](std::int64_t i) {
    const auto all = static_cast<std::int64_t>(given.size());
    Tensor z = Tensor::zeros({batch, latent});
    std::copy_n(given.begin() + i * batch * latent, std::min(batch * latent, all - i * batch * latent), z.data());
    return z;
  };
  const auto made = [&](std::int64_t count, const Scaling& scaling) {
    return given.empty() ? points(*generator, scaling, count, draw) : points(*generator, scaling, count, draw_given);
  };

  if (!request.grid.empty()) {
    Grid grid = parse_grid(request.grid);
    require(config.data.images(), "--grid is for images, the run makes points of dimension ", dimension,
            ": take --scatter or --count");
    require(!request.interpolate || grid.columns >= 2, "--interpolate takes at least 2 columns, from one image to ",
            "another: --grid ", request.grid);
    const std::int64_t count = std::int64_t{grid.rows} * grid.columns;
    require_room(request.neighbours ? 2 * count : count, "--grid");
    if (request.interpolate) given = walks(draw, grid, law);
    const std::vector<float> points = made(count, {});
    std::vector<real> images(points.begin(), points.end());
    if (request.neighbours) {
      images = beside_neighbours(images, training_points(config));
      grid.columns *= 2;
    }
    data::write_png_grid(request.out, images, config.data.height, config.data.width, config.data.channels, grid.rows,
                         grid.columns);
  } else {
    require(!request.scatter || !config.data.images(),
            "--scatter is for points, the run makes images: take --grid 8x8");
    if (!request.latents.empty()) given = read_latents(request.latents, latent);
    const std::int64_t asked = request.count == 0 ? PointPicture::draws : request.count;
    const std::int64_t count = given.empty() ? asked : static_cast<std::int64_t>(given.size()) / latent;
    require_room(count, "--count");
    if (request.scatter) {
      const std::vector<float> points = made(count, {});
      PointPicture(training_points(config), config.scaling)
          .write(request.out, Tensor({count, dimension}, std::vector<real>(points.begin(), points.end())));
    } else {
      write_points(request.out, made(count, config.scaling), config.data);
    }
  }
  console.out << request.out << '\n';
}

}  // namespace apps
