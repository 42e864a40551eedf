#pragma once

#include <deque>
#include <vector>

#include "engine/real.h"
#include "ot/shards.h"
#include "ot/transformer.h"

namespace ot {

/// The c-transform for lambda > 0 put together of those to the shards: with nu_s the mass of shard s and psi^c_s the
/// c-transform to it as a measure of its own,
///
///     e^{-psi^c / lambda} = sum_s nu_s e^{-psi^c_s / lambda},
///
/// and its responsibilities are those of the shard times nu_s e^{(psi^c - psi^c_s) / lambda}. Where ranks share the
/// target each computes its shards; the values of all, and the sums of gradients in the order of the shards, go from
/// rank to rank.
class ShardedTransform {
 public:
  /// The shards must outlive it; a call that all ranks make.
  explicit ShardedTransform(const Shards& shards);

  /// As Transformer::operator(), for lambda > 0.
  CTransform operator()(const engine::Tensor& x, const engine::Tensor& psi, double lambda, Wanted wanted);
  void restart();
  /// Of all shards here.
  Transformer::Counts ways() const;

 private:
  /// Of some rows, which are this share of the batch: writes values [rows], and adds to gradient [rows, d] and mass [J]
  /// where they are not null.
  void transform_rows(const engine::Tensor& x, const engine::Tensor& psi, double lambda, double share_of_batch,
                      engine::real* values, engine::real* gradient, engine::real* mass);

  const Shards& shards_;
  std::deque<Transformer> transforms_;
  std::vector<double> masses_;  // of all ranks' shards
  std::size_t first_here_ = 0;  // which of these is the first one here
};

}  // namespace ot
