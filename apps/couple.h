#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"
#include "apps/resources.h"

namespace apps {

/// What `semidual couple` was asked.
struct CoupleRequest {
  std::string result;      ///< the folder that `semidual solve` has written
  std::int64_t count = 0;  ///< how many pairs
  std::string out;         ///< the folder for the shards, or - for standard output
  std::string points;      ///< pairs for these points instead of draws of the source
  std::string labels;      ///< of the target's points: own, or a file
  bool balanced = false;   ///< every target point equally often, to within one
  std::uint64_t seed = 0;
  int threads = usable_cores();
  bool force = false;
};

/// Draws pairs (x, y_j) from the plan of a solved transport: x from its source, given x the point j of the least
/// c(x, y_j) - psi_j at lambda = 0, a draw from the responsibilities of x for lambda > 0. Pair p is a function of the
/// seed and p. The folder gets shards of pairs_of_shard pairs: points-NNNNNN.npy [n, d], index-NNNNNN.npy [n] and,
/// where labels are asked for, label-NNNNNN.npy [n]; shards that are there already are kept. `balanced` skips draws to
/// points that have had their share, and writes the draws' numbers, draw-NNNNNN.npy, too. To standard output go
/// records, as write() of PairArrays makes them. Returns the exit code: 0, or 130 when it was interrupted, with whole
/// shards kept. Throws Error for what can't be read or does not fit, and Failure where balanced draws come to no end.
int couple(const CoupleRequest& request, const Console& console);

inline constexpr std::int64_t couple_batch = 256, pairs_of_shard = 256 * couple_batch;

}  // namespace apps
