#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual figure` was asked. Lists are words separated by commas; an empty list is the one of the paper's
/// figure.
struct FigureRequest {
  std::string number;  ///< of the paper's figure: 1, 2, 3 or 4; or `critics`
  std::string out;     ///< the folder for the picture, its data and the runs
  std::string generators, duals, lambdas;
  std::string methods;                  ///< of critics
  std::int64_t iterations = 0;          ///< figure 4: steps of psi, critics: inner steps; 0: as in the paper
  std::int64_t network_iterations = 0;  ///< of runs with a network potential; 0: as many as the others
  std::string data = "mnist";
  std::int64_t points = 0;
  std::string preset = "paper";
  std::string dual_precision = "full";  ///< of runs with a network potential
  std::int64_t inner = 0, batch = 0;    ///< 0: the preset's
  std::string theta;                    ///< figure 4: the run whose generator is fixed; empty: one that is not trained
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all
};

/// Makes the runs that the figure lacks, goes on with those that are shorter than asked, and draws OUT/figureN.png
/// beside OUT/figureN.csv, its numbers, and OUT/figureN.gp, the gnuplot script. Every run stays in OUT/runs and serves
/// the next call; `critics` (draw_critics()) has no runs. Returns the exit code: 0, or 130 when interrupted. Throws
/// Error, before any run starts, for a request that won't do and where gnuplot is missing.
int figure(const FigureRequest& request, const Console& console);

}  // namespace apps
