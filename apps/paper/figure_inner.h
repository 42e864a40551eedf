#pragma once

#include "apps/console.h"
#include "apps/paper/figure_runs.h"

namespace apps {

/// Figure 4: H along `iterations` steps of psi alone, from psi = 0 or the network's initial weights, by ASGD and by
/// Adam, for each potential and lambda, on one fixed batch of the generator `theta`, a run folder, or of the one that
/// figure's runs start from where it is empty. Each panel has a lambda, and a line at what Sinkhorn reaches.
///
/// Each curve is kept in FOLDER/runs/inner and serves the next call. Writes FOLDER/figure4.csv
/// (dual,optimizer,lambda,step,loss, and rows sinkhorn,dual and sinkhorn,primal: the bounds of W) and draws
/// figure4.png. Returns the exit code, 130 when interrupted. Throws Error for a theta that won't do and for kept curves
/// of other options.
int draw_inner_loops(const Figure& figure, const std::string& theta, const Console& console);

}  // namespace apps
