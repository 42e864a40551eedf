#pragma once

#include <cstdint>
#include <memory>

#include "engine/tensor.h"
#include "models/generator.h"

namespace apps {

/// The mean of a generator's theta over the iterations, the late ones above all, as a generator of its own: what the
/// batches leave of noise in theta is smaller there (Polyak and Juditsky, 1992).
class AveragedGenerator {
 public:
  /// `mean` is of the same kind as `trained`, which must outlive it. In iteration n the mean keeps the share
  /// min(share, (n + 1) / (n + 10)) of itself, so that it soon forgets the start.
  AveragedGenerator(models::Generator& trained, std::unique_ptr<models::Generator> mean, double share);

  /// Takes in theta after iteration n, which counts from 0.
  void update(std::int64_t n);
  /// The mean, with buffers as the points that z makes have it.
  models::Generator& settled(const engine::Tensor& z);

 private:
  models::Generator& trained_;
  std::unique_ptr<models::Generator> mean_;
  double share_;
};

}  // namespace apps
