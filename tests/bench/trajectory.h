#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace bench {

/// What the inner loop of one iteration of a run transforms: its first batches B_{n,1}, B_{n,2}, ... and the psi that
/// it starts from.
struct Snapshot {
  std::vector<engine::Tensor> batches;  ///< [200, d] each
  engine::Tensor psi;                   ///< [J]
};

/// The iterations up to `last` at which a trajectory is kept: 0, 10, 100, 1000.
std::vector<std::int64_t> kept_iterations(std::int64_t last);

/// Sees to it that `path` holds the snapshots of the kept iterations up to `last` of a run on the first `points` of
/// `data` ("mnist" or "digits"), 0 for all: the MLP, the paper's setting, lambda 0, seed 1. A file of just that run is
/// left as it is; otherwise the run is made, with its progress on standard output, and the file replaced.
void keep_trajectory(const std::string& path, const std::string& data, std::int64_t points, std::int64_t last);

/// A snapshot from such a file. Throws engine::Error where the file or the iteration is missing.
Snapshot read_snapshot(const std::string& path, std::int64_t iteration);

}  // namespace bench
