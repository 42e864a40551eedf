#pragma once

#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/run_folder.h"

namespace apps::report {

/// A run and what it has left so far.
struct Run {
  RunFolder folder;
  Config config;
  std::string machine;                   ///< in words
  std::vector<Metrics::Column> metrics;  ///< none before the first iteration

  /// The folder's name.
  std::string name() const;
  std::int64_t iterations() const;
};

/// The page's head, and the section that says what was run: facts, the options that differ from the preset's, and all
/// of them to be unfolded.
std::string header(const Run& run);
std::string facts_section(const Run& run);

}  // namespace apps::report
