#include "ot/dense/block_shares.h"

#include <algorithm>

#include "engine/simd/kernels.h"

namespace ot {

using engine::simd::block_size;

double BlockShares::add(double weight, double least, std::span<const real> terms, real* sum) {
  const auto factor = static_cast<real>(weight), least_term = static_cast<real>(least / weight);
  const std::size_t begin = sums_.size() * block_size;
  if (shares_.size() < begin + block_size) shares_.resize(2 * begin + block_size);
  real* const __restrict share = shares_.data() + begin;
  for (std::size_t l = 0; l < terms.size(); ++l) {
    const real product = factor * terms[l];
    share[l] = terms[l] < least_term ? 0 : product;
  }
  std::fill(share + terms.size(), share + block_size, real{0});
  const double total = engine::simd::kernels().sum(block_size, share);
  if (total != 0) sums_.push_back(sum);
  return total;
}

void BlockShares::end_block(std::span<const std::int64_t> points) {
  target_.add_points(points, std::ssize(sums_), shares_.data(), block_size, sums_.data());
  sums_.clear();
}

}  // namespace ot
