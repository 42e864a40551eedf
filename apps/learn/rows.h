#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace apps {

/// Rows begin..end-1 of a batch.
struct Rows {
  std::int64_t begin = 0, end = 0;
};

/// These rows of x [B, d]; x itself where they are all.
engine::Tensor rows(const engine::Tensor& x, const Rows& which);

}  // namespace apps
