#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual verify` was asked.
struct VerifyRequest {
  std::string only;  ///< the name of one claim; empty: all
  std::uint64_t seed = 0;
};

/// Measures the paper's claims and prints a table: the claim, what was measured, the figure, its tolerance, and pass,
/// fail, or refuted where the paper as it is printed does not hold and the notes below the table say what does.
/// Returns the exit code, 1 if any row fails. Throws Error for a name that there isn't.
int verify(const VerifyRequest& request, const Console& console);

/// The names that --only knows, with commas between them.
std::string claim_names();

}  // namespace apps
