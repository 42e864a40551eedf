#pragma once

#include <optional>

#include "apps/compare/comparison.h"
#include "apps/compare/validation.h"
#include "apps/console.h"

namespace apps::comparing {

/// The factor of the grid whose trial, of the first seed and the seconds of a run over the number of factors, comes
/// nearest to the validation's points; the first of equal ones. Failed trials come last. None when interrupted.
std::optional<double> best_factor(const Comparison& comparison, const Entry& entry, const Validation& validation,
                                  const Console& console);

}  // namespace apps::comparing
