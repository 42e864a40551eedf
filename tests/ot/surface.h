#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/random.h"
#include "engine/real.h"
#include "engine/tensor.h"

namespace ot::testing {

/// Points near a low-dimensional surface, as images are: `latent` coordinates bent into d, plus a little noise.
inline std::vector<engine::real> surface(std::int64_t count, std::int64_t d, std::int64_t latent, std::uint64_t seed,
                                         engine::real offset = 0) {
  using engine::Random;
  using engine::real;
  using engine::Tensor;
  const Tensor z = Random(seed, 0).normal({count, latent}, 0, 1), map = Random(99, 1).normal({latent, d}, 0, 1);
  const Tensor noise = Random(seed, 2).normal({count, d}, 0, real(0.05));
  std::vector<real> points(static_cast<std::size_t>(count * d));
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t c = 0; c < d; ++c) {
      real sum = 0;
      for (std::int64_t l = 0; l < latent; ++l) sum += z.data()[j * latent + l] * map.data()[l * d + c];
      points[static_cast<std::size_t>(j * d + c)] = offset + std::tanh(sum) + noise.data()[j * d + c];
    }
  return points;
}

}  // namespace ot::testing
