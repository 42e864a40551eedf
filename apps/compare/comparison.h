#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/compare.h"
#include "apps/config.h"
#include "apps/options.h"
#include "apps/run_folder.h"

namespace apps::comparing {

/// A row of the table: a method by a preset, with all its options but the seed.
struct Entry {
  std::string method, preset;
  TrainOptions options;
};

/// A comparison with nothing left open.
struct Comparison {
  std::filesystem::path folder;
  std::vector<Entry> entries;   ///< method by method, in the order that was asked
  std::vector<double> factors;  ///< of the rates of `best`
  double seconds = 0;
  std::uint64_t first_seed = 0;
  std::int64_t seeds = 0;
  std::string features;  ///< as for evaluate, and so is `count`
  std::int64_t count = 0;
  DataFacts data;  ///< of the training points

  /// The options of a run: of this entry with its rates times the factor, of so many seconds.
  TrainOptions options(const Entry& entry, double factor, std::uint64_t seed, double seconds) const;
  /// FOLDER/runs/METHOD-PRESET-SEED.
  RunFolder run(const Entry& entry, std::uint64_t seed) const;
  /// FOLDER/tries/METHOD-FACTOR, in which a factor is tried.
  RunFolder trial(const Entry& entry, double factor) const;
  /// Whether there is something to try: more than one factor.
  bool tries(const Entry& entry) const { return entry.preset == "best" && factors.size() > 1; }
};

/// What was asked, completed by what FOLDER/compare.json has on --resume, otherwise by the defaults. All entries of a
/// preset have the generator, the latent points and the start that `semidual` has by it, unless options are given, and
/// no clusters; all of both presets have one scale. Writes compare.json. Throws Error for what won't do: unknown words,
/// data that can't be read or have no held-out points, a folder that holds a comparison, or on --resume none or
/// another.
Comparison comparison_of(const CompareRequest& request);

}  // namespace apps::comparing
