#pragma once

#include "apps/paper/figure_runs.h"

namespace apps {

/// Figure 1 from the runs' checkpoints: a grid of generated images for each run, a row for each potential and generator
/// and a column for each lambda, from the same z. Writes FOLDER/figure1-images.png (the grids alone) and figure1.csv
/// (generator,dual,lambda,iterations,loss: H at the last iteration), and draws figure1.png.
void draw_digits(const Figure& figure);

}  // namespace apps
