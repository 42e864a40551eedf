#include "apps/sample.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <span>
#include <vector>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "data/png.h"
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
  const data::NpyArray array = data::read_npy(path);
  require(array.shape.size() == 2 && array.shape[0] >= 1 && array.shape[1] == dimension, "--latents ", path,
          " must hold an array of shape [N, ", dimension, "]");
  std::vector<real> values = array.as<real>();
  require(std::all_of(values.begin(), values.end(), [](real z) { return std::isfinite(z); }), "--latents ", path,
          " holds NaN or infinity");
  return values;
}

/// The generator's points for `count` latent points; draw(i) gives those of batch i, [batch, latent dimension].
template <class Draws>
std::vector<float> points(models::Generator& generator, std::int64_t count, const Draws& draw) {
  const std::int64_t dimension = generator.output_size();
  std::vector<float> all(static_cast<std::size_t>(count * dimension));
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const Tensor made = evaluate(generator, draw(begin / batch));
    std::copy_n(made.data(), std::min(batch, count - begin) * dimension, all.begin() + begin * dimension);
  }
  return all;
}

void require_suffix(const std::string& out, const char* suffix) {
  require(out.ends_with(suffix), "--out must end in ", suffix, " for that: '", out, "'");
}

}  // namespace

void sample(const SampleRequest& request, const Console& console) {
  const int modes = !request.grid.empty() + (request.count != 0) + !request.latents.empty();
  require(modes == 1, "give one of --grid ROWSxCOLUMNS, --count N and --latents Z.npy");
  require(request.count >= 0, "--count must be at least 1: ", request.count);
  require_suffix(request.out, request.grid.empty() ? ".npy" : ".png");

  const RunFolder folder{request.run};
  const Config config = read_config(folder.config());
  const std::unique_ptr<models::Generator> generator = generator_of_run(folder, config);

  const std::int64_t latent = generator->latent_dimension(), dimension = generator->output_size();
  const auto draw = [&](std::int64_t i) {
    return latents(latent_law(config.options), request.seed, Draw::sample, i, 0, batch);
  };
  const auto require_room = [&](std::int64_t count, const char* option) {
    const double bytes = static_cast<double>(count) * static_cast<double>(dimension) * sizeof(float);
    require_memory(2 * bytes, "making so many points", std::string("take a smaller ") + option);
    require_writable(request.out, bytes);
  };

  if (!request.grid.empty()) {
    const Grid grid = parse_grid(request.grid);
    require(config.data.images(), "--grid is for images, the run makes points of dimension ", dimension,
            ": take --count");
    const std::int64_t count = std::int64_t{grid.rows} * grid.columns;
    require_room(count, "--grid");
    const std::vector<float> images = points(*generator, count, draw);
    data::write_png_grid(request.out, std::vector<real>(images.begin(), images.end()), config.data.height,
                         config.data.width, config.data.channels, grid.rows, grid.columns);
  } else {
    std::vector<real> given;
    if (!request.latents.empty()) given = read_latents(request.latents, latent);
    const std::int64_t count = given.empty() ? request.count : static_cast<std::int64_t>(given.size()) / latent;
    require_room(count, "--count");
    const auto draw_given = [&](std::int64_t i) {
      Tensor z = Tensor::zeros({batch, latent});
      std::copy_n(given.begin() + i * batch * latent, std::min(batch, count - i * batch) * latent, z.data());
      return z;
    };
    const std::vector<float> made =
        given.empty() ? points(*generator, count, draw) : points(*generator, count, draw_given);
    data::write_npy<float>(request.out, {count, dimension}, made);
  }
  console.out << request.out << '\n';
}

}  // namespace apps
