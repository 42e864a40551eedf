#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual evaluate` was asked.
struct EvaluateRequest {
  std::string what;       ///< a run folder, or samples: any data source
  std::string data;       ///< what the samples are to be like; of a run: where its data lie now
  std::string reference;  ///< held-out points: any data source; empty: see evaluation/README.md
  std::string resize;     ///< how images of given samples and of their data are read, as for train; a run has its own
  std::string crop;
  bool grey = false;
  bool alpha = false;
  std::int64_t count = 0;  ///< samples, and as many reference points; 0: 2000, or as many as there are
  std::string features;    ///< a file of `semidual features`; empty: a random network
  std::string assignment;  ///< on or off; empty: on up to 3000 samples
  std::uint64_t seed = 0;  ///< of the samples, and of which points are compared
  int threads = 0;         ///< 0: all cores
  std::string out;         ///< the file to write; empty: RUN/evaluation.json, none for given samples
};

/// Compares fresh samples of a run, or given ones, with held-out points, prints a table and writes it as JSON: see
/// evaluation::Evaluation and evaluation::Summary. Throws Error, before anything is computed, for a request, run,
/// samples, reference or features that won't do.
void evaluate(const EvaluateRequest& request, const Console& console);

}  // namespace apps
