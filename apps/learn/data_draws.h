#pragma once

#include <cstdint>
#include <vector>

#include "engine/random.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// Batches of the data, as those of a mini-batch method are: where all points weigh the same, distinct ones, every such
/// set equally likely; otherwise draws from nu, independent of one another. Either way a mean over the batch is one
/// over nu without bias.
class DataDraws {
 public:
  /// nu must outlive it.
  explicit DataDraws(const ot::Target& nu);

  /// `count` points, [count, d], a function of the random numbers' address. Throws Error where nu is uniform on fewer.
  engine::Tensor operator()(std::int64_t count, const engine::Random& random) const;

 private:
  const ot::Target& nu_;
  std::vector<double> cumulated_;  // of the weights, where they differ
};

}  // namespace apps
