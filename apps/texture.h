#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"
#include "apps/resources.h"

namespace apps {

/// What `semidual texture` was asked.
struct TextureRequest {
  std::string exemplar;           ///< the image whose texture is made
  std::string size;               ///< HEIGHTxWIDTH; empty: the exemplar's
  std::string out;                ///< the .png file to write
  std::int64_t iterations = 100;  ///< steps of the image at the finest scale; at others 3, 5, ... times as many
  double minutes = 0;             ///< in place of them, if not 0
  int scales = 5;
  std::int64_t patch = 4, points = 20000;
  std::uint64_t seed = 0;
  int threads = usable_cores();
  bool force = false;
};

/// Makes another image of an exemplar's texture, as Synthesis does, coarse to fine, and writes it. Returns the exit
/// code: 0, or 130 when it was interrupted, with the image as far as it had come. Throws Error, before anything is
/// computed, for an image that can't be read or is smaller than a patch at the coarsest scale, and for options that
/// won't do.
int texture(const TextureRequest& request, const Console& console);

}  // namespace apps
