#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/console.h"
#include "apps/resources.h"

namespace apps {

/// What `semidual texture` was asked.
struct TextureRequest {
  std::string exemplar;   ///< the image whose texture is made, or a file of a generator of its texture
  std::string generator;  ///< conv: train a generator, in place of an image; otherwise empty
  std::string size;       ///< HEIGHTxWIDTH; empty: the exemplar's
  std::string out;        ///< the .png file to write, of a generator .safetensors
  /// Steps of the image at the finest scale, 100; at others 3, 5, ... times as many. Of a generator its own, 1000.
  std::optional<std::int64_t> iterations;
  double minutes = 0;  ///< in place of them, if not 0
  int scales = 5;
  std::int64_t patch = 4;
  std::optional<std::int64_t> points;  ///< patches of the exemplar at each scale, at most: 20000, of a generator 4000
  std::uint64_t seed = 0;
  int threads = usable_cores();
  bool force = false;
};

/// Makes another image of an exemplar's texture, as Synthesis does, coarse to fine, and writes it; or a generator of
/// them, as NetworkTraining does; or an image by a generator that was made so. Returns the exit code: 0, or 130 when it
/// was interrupted, with the image, or the generator, as far as it had come. Throws Error, before anything is
/// computed, for an image that can't be read or is smaller than a patch at the coarsest scale, and for options that
/// won't do.
int texture(const TextureRequest& request, const Console& console);

}  // namespace apps
