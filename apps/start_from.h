#pragma once

#include <string>

#include "apps/config.h"
#include "apps/options.h"

namespace apps {

/// config.json of the run that --from names. Throws Error where there is no run with a checkpoint.
Config read_run_to_start_from(const std::string& path);

/// Gives a new run's options those of the generator of `run`, its latents among them, its number of clusters where
/// there are no labels, and its kind of --scale, which is fitted to the new data.
void take_generator_options(TrainOptions& options, const Config& run);

/// Throws Error, with both values, where the generator that `options` ask for, for points like `data`, is not of the
/// shape, kind or latents of that of `run`.
void require_generator_of(const Config& run, const TrainOptions& options, const DataFacts& data);

}  // namespace apps
