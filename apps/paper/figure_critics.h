#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/console.h"

namespace apps {

/// A bench of what generators are trained by, with nothing left open.
struct CriticsFigure {
  std::filesystem::path folder;
  std::vector<std::string> methods;
  std::string preset;
  std::int64_t steps, points, batch;  ///< a batch of 0: the preset's
  std::uint64_t seed;
};

/// Has each method tell W and its gradient at generators that stay fixed, along its inner steps (CriticPath), and
/// prints a table of where it comes to. Writes FOLDER/critics.csv (problem,method,steps,estimate,truth,cosine) and
/// draws critics.png: in panels for each problem the estimate over the truth, and the cosine. Returns the exit code,
/// 130 when interrupted, with nothing written. Throws Error as critic_path().
int draw_critics(const CriticsFigure& figure, const Console& console);

}  // namespace apps
