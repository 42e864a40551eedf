#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"

namespace apps {

/// What `semidual features` was asked.
struct FeaturesRequest {
  std::string data;         ///< images with labels: digits, mnist or mnist-test
  std::int64_t points = 0;  ///< the first so many of them; 0: all
  std::string out;          ///< the file to write
  std::int64_t epochs = 10;
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all cores
};

/// Trains a classifier of the images, measures its accuracy on others (mnist: the test images, mnist-test: the
/// training images, digits: 10000 of another seed) and writes the file that FeatureNetwork::read takes. Returns the
/// exit code: 0, or 130 when it was interrupted, with nothing written. Throws Error, before anything is computed, for a
/// request that won't do.
int features(const FeaturesRequest& request, const Console& console);

}  // namespace apps
