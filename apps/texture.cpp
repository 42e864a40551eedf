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
#include "apps/texture/pyramid.h"
#include "apps/texture/synthesis.h"
#include "data/images.h"
#include "data/png.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::real;
using engine::require;
using engine::Tensor;

namespace {

void require_sensible(const TextureRequest& request) {
  const fs::path out = request.out;
  require(!request.out.empty(), "--out is missing: the .png file to write");
  require(out.extension() == ".png", "--out must be a .png file: ", request.out);
  require(!fs::is_directory(out), "--out ", request.out, " is a folder: give the path of a file");
  require(request.force || !fs::exists(out), "--out ", request.out, " is there already: add --force to replace it");
  const fs::path folder = fs::absolute(out).parent_path();
  require(fs::is_directory(folder), "--out ", request.out, ": there is no folder ", folder.string());
  require(request.iterations >= 1, "--iterations must be at least 1: ", request.iterations);
  require(std::isfinite(request.minutes) && request.minutes >= 0,
          "--minutes must be a positive number, or 0 where --iterations tells: ", request.minutes);
  require(request.scales >= 1 && request.scales <= 12, "--scales must be 1 to 12: ", request.scales);
  require(request.patch >= 2 && request.patch <= 16, "--patch must be 2 to 16: ", request.patch);
  require(request.points >= 1, "--points must be at least 1: ", request.points);
  require(request.threads >= 1 && request.threads <= engine::max_threads, "--threads must be 1 to ",
          engine::max_threads, ": ", request.threads);
}

struct Size {
  std::int64_t height, width;
};

Size size_of(const TextureRequest& request, const data::Images& exemplar) {
  if (request.size.empty()) return {exemplar.height, exemplar.width};
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

/// [1, C, H, W], 0 black to 1 full.
Tensor tensor_of(const data::Images& image) {
  Tensor values({1, image.channels, image.height, image.width});
  const std::int64_t channels = image.channels, pixels = std::int64_t{image.height} * image.width;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      values.data()[c * pixels + p] =
          static_cast<real>(image.bytes[static_cast<std::size_t>(p * channels + c)]) / real(255);
  return values;
}

void write_image(const std::string& path, const Tensor& image) {
  const std::int64_t channels = image.dim(1), pixels = image.dim(2) * image.dim(3);
  std::vector<real> values(static_cast<std::size_t>(image.size()));
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      values[static_cast<std::size_t>(p * channels + c)] = image.data()[c * pixels + p];
  data::write_png_grid(path, values, static_cast<int>(image.dim(2)), static_cast<int>(image.dim(3)),
                       static_cast<int>(channels), 1, 1);
}

/// How far the work at each scale is, by iterations or by the clock. Coarser scales, where what lies where is settled
/// and iterations are cheap, take more of them: 1, 3, 5, ... times as many, S^2 times at S scales.
class Schedule {
 public:
  explicit Schedule(const TextureRequest& request) : request_(request) {}

  /// In all; 0 by the clock.
  std::int64_t total() const { return by_clock() ? 0 : request_.iterations * request_.scales * request_.scales; }
  bool by_clock() const { return request_.minutes > 0; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double seconds_left() const { return 60 * request_.minutes - seconds(); }

  /// From 0 to 1, at a scale of which `iterations` are done. By the clock each scale ends at half the time at which the
  /// next finer one does.
  double done(std::size_t scale, std::int64_t iterations) const {
    if (!by_clock())
      return static_cast<double>(iterations) /
             static_cast<double>(request_.iterations * (2 * static_cast<int>(scale) + 1));
    const double end = std::ldexp(60 * request_.minutes, -static_cast<int>(scale));
    const bool coarsest = static_cast<int>(scale) + 1 == request_.scales;
    const double start = coarsest ? 0 : end / 2;
    return std::clamp((seconds() - start) / (end - start), 0.0, 1.0);
  }

 private:
  using Clock = std::chrono::steady_clock;

  const TextureRequest& request_;
  Clock::time_point start_ = Clock::now();
};

/// Makes all steps at all scales. False when interrupted.
bool synthesise(Synthesis& synthesis, const TextureRequest& request, const Console& console) {
  const Interrupt interrupt;
  const Schedule schedule(request);
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

}  // namespace

int texture(const TextureRequest& request, const Console& console) {
  require_sensible(request);
  const data::Images exemplar = data::read_image(request.exemplar);
  const Size size = size_of(request, exemplar);
  require_patches(request, exemplar, size);
  const double values = static_cast<double>(size.height) * static_cast<double>(size.width) * exemplar.channels;
  require_memory(40 * sizeof(real) * values, engine::text("an image of ", size.height, "x", size.width),
                 "take a smaller --size");
  require_writable(request.out, values);
  engine::set_threads(request.threads);
  console.remark(engine::blas_warning());

  Synthesis synthesis(tensor_of(exemplar),
                      {.height = size.height,
                       .width = size.width,
                       .scales = request.scales,
                       .patch = {.size = request.patch, .points = request.points, .seed = request.seed}});
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

}  // namespace apps
