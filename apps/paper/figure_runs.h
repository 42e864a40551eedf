#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/console.h"
#include "apps/options.h"
#include "apps/run_folder.h"

namespace apps {

/// What one run learns, beside what all runs of a figure share.
struct Combination {
  std::string generator, dual;
  double lambda;
};

/// A figure with nothing left open.
struct Figure {
  int number;
  std::filesystem::path folder;
  std::vector<std::string> generators, duals;
  std::vector<double> lambdas;
  std::int64_t iterations, network_iterations;
  /// The options given that apply to all runs, `dual_precision` to those with a network; 0 in `inner` and `batch` is
  /// the preset's number.
  std::string data, preset, dual_precision;
  std::int64_t points, inner, batch;
  std::uint64_t seed;
  int threads;

  /// figure1, ...: the picture's name.
  std::string name() const;
  /// Generators x duals x lambdas, those with a vector first, for they are made sooner.
  std::vector<Combination> combinations() const;
  TrainOptions options(const Combination& combination) const;
  /// Its folder, such as runs/mlp-vector-0.025, the same for all figures.
  RunFolder run(const Combination& combination) const;
};

/// The shortest text for a lambda: 0.025.
std::string lambda_text(double lambda);

/// Makes each run of the figure that is missing and goes on with each that is shorter than asked; those that are longer
/// serve as they are. Returns the exit code, 130 when interrupted. Throws Error for a run in the folder that was made
/// with other options.
int make_runs(const Figure& figure, const Console& console);

}  // namespace apps
