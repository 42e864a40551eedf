#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual sample` was asked: exactly one of grid, count, latents and gif, or scatter, where
/// count and latents say what is drawn.
struct SampleRequest {
  std::string run;   ///< the run folder
  std::string out;   ///< the file to write, unless it is `gif`: .png for a picture, otherwise .npy, .csv or .tsv
  std::string grid;  ///< ROWSxCOLUMNS
  bool interpolate = false;  ///< each row of the grid walks between two latent points
  bool neighbours = false;   ///< each image of the grid has its nearest training image on its right
  bool scatter = false;      ///< draw the points over the data
  std::int64_t count = 0;    ///< how many points
  std::string latents;       ///< an array or table of latent points, [N, latent dimension]
  std::string of_class;      ///< of a conditional generator: the name or the number of the class to make
  std::string gif;           ///< the file to write: the pictures that training made, one after the other
  std::uint64_t seed = 0;    ///< of the latent points, unless `latents` gives them
};

/// Makes points with a run's generator in evaluation mode and writes them: a picture of rows x columns images, or of
/// points over the data (PointPicture), or a float32 array, of points [N, d], of images [N, h, w] or [N, h, w, c] with
/// colours beside alpha, or a table as the run's data were; or shows how they came about. A conditional generator makes
/// a class that is asked for, otherwise one in each row of a grid, or each as often as its share; a table then has a
/// column with them. Point i of a seed is the same whatever the count. Throws Error for a run, a checkpoint or a
/// request that won't do.
void sample(const SampleRequest& request, const Console& console);

}  // namespace apps
