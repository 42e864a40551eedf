#pragma once

#include <cstdint>
#include <cstring>

#include "engine/pool.h"
#include "engine/simd/kernels.h"

namespace ot {

/// Digits of a batch: a row of engine::simd::Digits for each of `batch` rows of d coordinates, 64-byte aligned, 0 at
/// first.
class DigitRows {
 public:
  DigitRows(std::int64_t batch, std::int64_t d)
      : bytes_(engine::simd::kernels().digits.row(d)), buffer_(static_cast<std::size_t>(batch * bytes_)) {
    std::memset(buffer_.data(), 0, static_cast<std::size_t>(batch * bytes_));
  }

  std::int8_t* row(std::int64_t i) const { return static_cast<std::int8_t*>(buffer_.data()) + i * bytes_; }

 private:
  std::int64_t bytes_;
  engine::Buffer buffer_;
};

}  // namespace ot
