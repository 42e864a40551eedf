#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual sample` was asked: exactly one of grid, count and latents.
struct SampleRequest {
  std::string run;         ///< the run folder
  std::string out;         ///< the file to write: .png for a grid, .npy otherwise
  std::string grid;        ///< ROWSxCOLUMNS
  std::int64_t count = 0;  ///< how many points
  std::string latents;     ///< an .npy file of latent points, [N, latent dimension]
  std::uint64_t seed = 0;  ///< of the latent points, unless `latents` gives them
};

/// Makes points with a run's generator in evaluation mode and writes them: a picture of rows x columns images, or a
/// float32 array [N, d]. Point i of a seed is the same whatever the count. Throws Error for a run, a checkpoint or
/// a request that won't do.
void sample(const SampleRequest& request, const Console& console);

}  // namespace apps
