#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "apps/solve_options.h"
#include "ot/ascent/source.h"

namespace apps {

/// The law that a word names: normal, uniform, ball or sphere; none for another.
std::optional<ot::Law> law_of(const std::string& word);

/// Whether --source names a law rather than points: normal, uniform, ball, sphere, or a run's folder.
bool is_law(const std::string& source);

/// What --source names, its draws a function of a seed: points with their weights, or a law of the target's dimension.
/// A run's is that of the points that `semidual sample` writes; --source-mean and --source-scale shift and scale it as
/// the others. Throws Error for points and runs that can't be read, and for another dimension than the target's.
std::unique_ptr<ot::Source> make_source(const SolveOptions& options, std::int64_t dimension, std::uint64_t seed);

}  // namespace apps
