#include "apps/texture.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "apps/interrupt.h"
#include "apps/progress.h"
#include "apps/texture/network_file.h"
#include "apps/texture/network_training.h"
#include "apps/texture/pyramid.h"
#include "apps/texture/synthesis.h"
#include "apps/texture/texture_image.h"
#include "data/images.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::real;
using engine::require;

namespace {

bool is_network(const std::string& path) {
  return fs::path(path).extension() == ".safetensors";
}

/// Throws Error unless --out can be made, a file with this ending.
void require_out(const TextureRequest& request, const std::string& ending) {
  const fs::path out = request.out;
  require(!request.out.empty(), "--out is missing: the ", ending, " file to write");
  require(out.extension() == ending, "--out must be a ", ending, " file: ", request.out);
  require(!fs::is_directory(out), "--out ", request.out, " is a folder: give the path of a file");
  require(request.force || !fs::exists(out), "--out ", request.out, " is there already: add --force to replace it");
  const fs::path folder = fs::absolute(out).parent_path();
  require(fs::is_directory(folder), "--out ", request.out, ": there is no folder ", folder.string());
}

void require_sensible(const TextureRequest& request) {
  require(request.generator.empty() || request.generator == "conv",
          "--generator must be conv, or left out: ", request.generator);
  require_out(request, request.generator.empty() ? ".png" : ".safetensors");
  require(!request.iterations || *request.iterations >= 1,
          "--iterations must be at least 1: ", request.iterations.value_or(0));
  require(std::isfinite(request.minutes) && request.minutes >= 0,
          "--minutes must be a positive number, or 0 where --iterations tells: ", request.minutes);
  require(request.scales >= 1 && request.scales <= 12, "--scales must be 1 to 12: ", request.scales);
  require(request.patch >= 2 && request.patch <= 16, "--patch must be 2 to 16: ", request.patch);
  require(!request.points || *request.points >= 1, "--points must be at least 1: ", request.points.value_or(0));
  require(request.threads >= 1 && request.threads <= engine::max_threads, "--threads must be 1 to ",
          engine::max_threads, ": ", request.threads);
  if (is_network(request.exemplar)) {
    const TextureRequest plain;
    for (const auto& [name, given] : {std::pair{"generator", !request.generator.empty()},
                                      {"iterations", request.iterations.has_value()},
                                      {"minutes", request.minutes > 0},
                                      {"scales", request.scales != plain.scales},
                                      {"patch", request.patch != plain.patch},
                                      {"points", request.points.has_value()}})
      require(!given, "--", name, " is of no use to ", request.exemplar, ", a generator that is trained: leave it out");
    require(!request.size.empty(), "--size is missing: HEIGHTxWIDTH of the image that ", request.exemplar, " makes");
  } else if (!request.generator.empty()) {
    require(request.size.empty(), "--size is for the images that the generator makes: leave it out");
  }
}

struct Size {
  std::int64_t height, width;
};

Size size_of(const TextureRequest& request, Size otherwise = {}) {
  if (request.size.empty()) return otherwise;
  int height = 0, width = 0;
  char end;
  require(std::sscanf(request.size.c_str(), "%5dx%5d%c", &height, &width, &end) == 2 && height >= 1 && width >= 1,
          "--size must be HEIGHTxWIDTH, such as 256x256: '", request.size, "'");
  return {height, width};
}

/// Throws Error unless the exemplar and the image have a patch at the coarsest scale.
void require_patches(const TextureRequest& request, const data::Images& exemplar, Size size) {
  Size coarsest{exemplar.height, exemplar.width};
  for (int s = 1; s < request.scales; ++s) coarsest = {coarser_size(coarsest.height), coarser_size(coarsest.width)};
  require(std::min(coarsest.height, coarsest.width) >= request.patch, request.exemplar, ", of ", exemplar.height, "x",
          exemplar.width, " pixels, has ", coarsest.height, "x", coarsest.width, " at the coarsest of ", request.scales,
          " scales, less than a patch of ", request.patch, "x", request.patch,
          ": take fewer --scales or a larger exemplar");
  const std::int64_t least = (request.patch - 1) * halved_from(request.scales) + 1;
  require(std::min(size.height, size.width) >= least, "--size ", size.height, "x", size.width, ": at ", request.scales,
          " scales of patches of ", request.patch, "x", request.patch, " an image must have at least ", least,
          " rows and columns: take fewer --scales or a larger size");
}

/// How far the work at each scale is, by iterations or by the clock. Coarser scales, where what lies where is settled
/// and iterations are cheap, take more of them: 1, 3, 5, ... times as many, S^2 times at S scales.
class Schedule {
 public:
  Schedule(std::int64_t iterations, double minutes, int scales)
      : iterations_(iterations), minutes_(minutes), scales_(scales) {}

  /// In all; 0 by the clock.
  std::int64_t total() const { return by_clock() ? 0 : iterations_ * scales_ * scales_; }
  bool by_clock() const { return minutes_ > 0; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double seconds_left() const { return 60 * minutes_ - seconds(); }

  /// From 0 to 1, at a scale of which `iterations` are done. By the clock each scale ends at half the time at which the
  /// next finer one does.
  double done(std::size_t scale, std::int64_t iterations) const {
    if (!by_clock())
      return static_cast<double>(iterations) / static_cast<double>(iterations_ * (2 * static_cast<int>(scale) + 1));
    const double end = std::ldexp(60 * minutes_, -static_cast<int>(scale));
    const double start = static_cast<int>(scale) + 1 == scales_ ? 0 : end / 2;
    return std::clamp((seconds() - start) / (end - start), 0.0, 1.0);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t iterations_;
  double minutes_;
  int scales_;
  Clock::time_point start_ = Clock::now();
};

/// Makes all steps at all scales. False when interrupted.
bool synthesise(Synthesis& synthesis, const TextureRequest& request, const Console& console) {
  const Interrupt interrupt;
  const Schedule schedule(request.iterations.value_or(100), request.minutes, request.scales);
  Progress progress(console.out, console.terminal, 0, schedule.total());
  std::int64_t iterations = 0;
  do {
    for (std::int64_t i = 0; schedule.done(synthesis.scale(), i) < 1; ++i) {
      if (interrupt.requested()) return false;
      const double loss = synthesis.step(schedule.done(synthesis.scale(), i));
      progress.update(++iterations, loss, schedule.seconds_left());
    }
  } while (synthesis.refine());
  return true;
}

/// The same of a generator.
bool train(NetworkTraining& training, const TextureRequest& request, const Console& console) {
  const Interrupt interrupt;
  const Schedule schedule(request.iterations.value_or(1000), request.minutes, 1);
  Progress progress(console.out, console.terminal, 0, schedule.total());
  for (std::int64_t i = 0; schedule.done(0, i) < 1; ++i) {
    if (interrupt.requested()) return false;
    const double loss = training.step(schedule.done(0, i));
    if (!std::isfinite(loss)) throw Failure(engine::text("H of iteration ", i + 1, " is no longer a finite number"));
    progress.update(i + 1, loss, schedule.seconds_left());
  }
  return true;
}

double pixels_of(Size size) {
  return static_cast<double>(size.height) * static_cast<double>(size.width);
}

/// Throws Error where there is not the memory for an image of that size, with so many values a pixel, or the disk.
void require_room(const TextureRequest& request, Size size, double values_per_pixel) {
  require_memory(values_per_pixel * sizeof(real) * pixels_of(size),
                 engine::text("an image of ", size.height, "x", size.width), "take a smaller --size");
  require_writable(request.out, 3 * pixels_of(size));
}

int make_image(const TextureRequest& request, const data::Images& exemplar, const Console& console) {
  const Size size = size_of(request, {exemplar.height, exemplar.width});
  require_patches(request, exemplar, size);
  require_room(request, size, 40.0 * exemplar.channels);
  Synthesis synthesis(
      tensor_of(exemplar),
      {.height = size.height,
       .width = size.width,
       .scales = request.scales,
       .patch = {.size = request.patch, .points = request.points.value_or(20000), .seed = request.seed}});
  console.out << "texture of " << request.exemplar << ": " << size.height << "x" << size.width << ", " << request.scales
              << " scales" << std::endl;
  const bool whole = synthesise(synthesis, request, console);
  write_image(request.out, synthesis.image());
  if (!whole)
    console.out << "interrupted at scale " << synthesis.scale() + 1 << " of " << request.scales
                << ", the finest being 1: the image is as far as it came\n";
  console.out << request.out << '\n';
  return whole ? 0 : 130;
}

int make_network(const TextureRequest& request, const data::Images& exemplar, const Console& console) {
  const Size size{exemplar.height, exemplar.width};
  require_patches(request, exemplar, size);
  // An image's gradient takes as much again, and what is between them.
  require_memory(20.0 * TextureNetwork::values_per_pixel * sizeof(real) * pixels_of(size),
                 engine::text("training on an exemplar of ", size.height, "x", size.width), "take a part of it");
  require_writable(request.out, 1e6);
  NetworkTraining training(tensor_of(exemplar), request.scales,
                           {.size = request.patch, .points = request.points.value_or(4000), .seed = request.seed});
  console.out << "generator of the texture of " << request.exemplar << ": " << request.scales << " scales" << std::endl;
  const bool whole = train(training, request, console);
  write_network(request.out, training.network());
  if (!whole) console.out << "interrupted: the generator is as far as it came\n";
  console.out << request.out << '\n';
  return whole ? 0 : 130;
}

int make_image_by_network(const TextureRequest& request, const Console& console) {
  const Size size = size_of(request);
  const TextureNetwork network = read_network(request.exemplar);
  require_room(request, size, TextureNetwork::values_per_pixel);
  const auto start = std::chrono::steady_clock::now();
  const engine::Tensor image = network.image(size.height, size.width, request.seed, 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  console.out << engine::text(size.height, "x", size.width, " in ", std::round(100 * seconds) / 100, " s") << std::endl;
  write_image(request.out, image);
  console.out << request.out << '\n';
  return 0;
}

}  // namespace

int texture(const TextureRequest& request, const Console& console) {
  require_sensible(request);
  engine::set_threads(request.threads);
  console.remark(engine::blas_warning());
  if (is_network(request.exemplar)) return make_image_by_network(request, console);
  const data::Images exemplar = data::read_image(request.exemplar);
  return request.generator.empty() ? make_image(request, exemplar, console) : make_network(request, exemplar, console);
}

}  // namespace apps
