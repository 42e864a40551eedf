#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ot/bytes/byte_products.h"
#include "ot/soft_transform.h"
#include "ot/transformed.h"

namespace ot {

/// c_transform() to 8-bit points by visiting every one for every x, in products of digits: lambda = 0 in one digit
/// where that tells nearly all points apart (byte_winners), lambda > 0 in as few as put terms off by 2^-15 at most. x
/// and psi are finite, and have been checked.
CTransform byte_c_transform(const Target& target, ByteBlocks& blocks, const engine::Tensor& x,
                            const engine::Tensor& psi, double lambda, Wanted wanted);

/// For lambda > 0: the same in two halves. The target and the blocks must outlive it.
std::unique_ptr<SoftTransform> byte_soft_transform(const Target& target, ByteBlocks& blocks, const engine::Tensor& x,
                                                   const engine::Tensor& psi, double lambda);

/// For lambda = 0: the winners of dense_winners().
std::vector<std::int64_t> digit_winners(const Target& target, ByteBlocks& blocks, const engine::Tensor& x,
                                        const engine::Tensor& psi);

}  // namespace ot
