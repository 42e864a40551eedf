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

/// Throws Error unless the points of --source have the dimension of those of --target.
void require_same_space(const SolveOptions& options, std::int64_t source, std::int64_t target);

/// The law that --source names, of the target's dimension, its draws a function of a seed. A run's is that of the
/// points that `semidual sample` writes; --source-mean and --source-scale shift and scale it as the others. Throws
/// Error for runs that can't be read, and for those of another dimension.
std::unique_ptr<ot::Source> make_source(const SolveOptions& options, std::int64_t dimension, std::uint64_t seed);

}  // namespace apps
