#include "apps/sample.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/latent_walk.h"
#include "apps/latents.h"
#include "apps/point_picture.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "apps/training_points.h"
#include "data/alpha.h"
#include "data/array_file.h"
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
  const data::Array array = data::read_array(path);
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
  const std::int64_t count = 2 * std::int64_t{grid.rows};
  Tensor ends({count, law.size()});
  for (std::int64_t begin = 0; begin < count; begin += batch)
    std::copy_n(draw(begin / batch).data(), std::min(batch, count - begin) * law.size(),
                ends.data() + begin * law.size());
  const Tensor z = latent_walks(ends, grid.columns, law);
  return {z.values().begin(), z.values().end()};
}

/// Which class each point of a conditional generator is asked to be of.
class AskedClasses {
 public:
  /// The class of this name or number for all, or if it is empty as law and seed have them. Throws Error for one that
  /// the run does not have.
  AskedClasses(const Config& config, const LatentLaw& law, const std::string& asked, std::uint64_t seed)
      : law_(law), seed_(seed) {
    const std::vector<ClassFacts>& classes = config.data.classes;
    if (asked.empty()) return;
    require(!classes.empty(), "--class ", asked, ": the run learned no classes; train with --labels to have some");
    std::string names;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (classes[c].name == asked) one_ = static_cast<std::int64_t>(c);
      names += (c > 0 ? ", " : "") + classes[c].name;
    }
    require(one_ >= 0, "--class '", asked, "' is none of the run's classes: ", names);
    require(classes[static_cast<std::size_t>(one_)].share > 0, "--class ", asked, ": the run had no points of it");
  }

  /// Lets each class that there is have so many points in turn, unless one is asked for.
  void take_turns(std::int64_t points) { turn_ = points; }

  /// Of points i batch to (i + 1) batch - 1.
  std::vector<std::int64_t> operator()(std::int64_t i) const {
    if (one_ >= 0) return std::vector<std::int64_t>(batch, one_);
    if (turn_ == 0) return drawn_classes(law_, seed_, Draw::sample, i, 0, batch);
    const std::vector<std::int64_t> present = law_.present();
    std::vector<std::int64_t> classes;
    for (std::int64_t p = i * batch; p < (i + 1) * batch; ++p)
      classes.push_back(present[static_cast<std::size_t>(p / turn_) % present.size()]);
    return classes;
  }

 private:
  const LatentLaw& law_;
  std::uint64_t seed_;
  std::int64_t one_ = -1, turn_ = 0;
};

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

/// The points [n, d] as an array, which reads back as what they are, or as a table: as the run's data were, or nameless
/// columns of numbers; of a conditional generator with a column of their classes, if there are any, where nameless ones
/// are called x1, x2 and so on.
void write_points(const std::string& path, std::vector<float> points, const DataFacts& data,
                  std::span<const std::int64_t> classes) {
  if (data.channels == 4) data::divide_by_alpha(points);
  const std::int64_t count = std::ssize(points) / data.dimension;
  if (!data::is_table(path)) {
    std::vector<std::int64_t> shape{count, data.dimension};
    if (data.images()) shape = {count, data.height, data.width};
    if (data.channels > 1) shape.push_back(data.channels);
    return data::write_npy<float>(path, shape, points);
  }
  std::vector<data::Column> columns = data.columns;
  if (columns.empty()) columns.resize(static_cast<std::size_t>(data.dimension));
  if (classes.empty()) return data::write_table(path, columns, points);
  // A header is told by its names over numbers: that of the classes alone may stand over texts.
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].name.empty()) columns[c].name = engine::text('x', c + 1);
  data::Column& last = columns.emplace_back();
  last.name = "class";
  for (const ClassFacts& one : data.classes) last.categories.push_back(one.name);
  std::vector<float> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.insert(rows.end(), points.begin() + i * data.dimension, points.begin() + (i + 1) * data.dimension);
    rows.resize(rows.size() + data.classes.size());
    (rows.end() - std::ssize(data.classes))[classes[static_cast<std::size_t>(i)]] = 1;
  }
  data::write_table(path, columns, rows);
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

  const LatentLaw law = latent_law(config);
  const bool conditional = !law.shares.empty(), labelled = !config.options.labels.empty();
  AskedClasses classes(config, law, request.of_class, request.seed);
  const std::int64_t dimension = generator->output_size();
  const auto require_room = [&](std::int64_t count, const char* option) {
    const double bytes = static_cast<double>(count) * static_cast<double>(dimension) * sizeof(float);
    require_memory(2 * bytes, "making so many points", std::string("take a smaller ") + option);
    require_writable(request.out, bytes);
  };
  const auto draw = [&](std::int64_t i) {
    return conditional ? latents(law, request.seed, Draw::sample, i, 0, classes(i))
                       : latents(law, request.seed, Draw::sample, i, 0, batch);
  };
  std::vector<real> given;
  std::int64_t width = law.size();  // of a row of these
  const auto draw_given = [&](std::int64_t i) {
    const auto all = static_cast<std::int64_t>(given.size());
    Tensor z = Tensor::zeros({batch, width});
    std::copy_n(given.begin() + i * batch * width, std::min(batch * width, all - i * batch * width), z.data());
    return width == law.size() ? z : beside_classes(law, z, classes(i));
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
    if (labelled) classes.take_turns(request.interpolate ? 2 : grid.columns);
    if (request.interpolate) given = walks(draw, grid, law);
    const std::vector<float> points = made(count, {});
    std::vector<real> images(points.begin(), points.end());
    if (request.neighbours) {
      images = beside_neighbours(images, training_points(config));
      grid.columns *= 2;
    }
    data::write_png(request.out, data::image_grid(images, config.data.height, config.data.width, config.data.channels,
                                                  grid.rows, grid.columns));
  } else {
    require(!request.scatter || !config.data.images(),
            "--scatter is for points, the run makes images: take --grid 8x8");
    if (!request.latents.empty()) given = read_latents(request.latents, width = law.dimension);
    const std::int64_t asked = request.count == 0 ? PointPicture::draws : request.count;
    const std::int64_t count = given.empty() ? asked : static_cast<std::int64_t>(given.size()) / width;
    require_room(count, "--count");
    if (request.scatter) {
      const std::vector<float> points = made(count, {});
      const ot::Target training = training_points(config);
      PointPicture(training, config.scaling, config.data.columns)
          .write(request.out, Tensor({count, dimension}, std::vector<real>(points.begin(), points.end())));
    } else {
      std::vector<std::int64_t> of_points;
      for (std::int64_t i = 0; labelled && std::ssize(of_points) < count; ++i)
        std::ranges::copy(classes(i), std::back_inserter(of_points));
      write_points(request.out, made(count, config.scaling), config.data, of_points);
    }
  }
  console.out << request.out << '\n';
}

}  // namespace apps
