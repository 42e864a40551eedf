#include "ot/sparse_asgd.h"

#include <cmath>

#include "ot/c_transform.h"

namespace ot {

SparseAsgd::SparseAsgd(const Target& target, VectorPotential& potential, const DualOptions& options)
    : target_(target), potential_(potential), options_(options) {}

void SparseAsgd::begin() {
  steps_ = 0;
  moves_.clear();
}

void SparseAsgd::step(const engine::Tensor& x) {
  engine::Tensor psi = potential_.values();
  const CTransform transform = c_transform(target_, x, psi, 0);
  ++steps_;
  const double amount = options_.rate / std::pow(static_cast<double>(steps_), options_.decay) /
                        static_cast<double>(transform.winners.size());
  for (const std::int64_t winner : transform.winners) {
    if (winner < 0) continue;
    psi.data()[winner] -= static_cast<real>(amount);
    if (options_.average) moves_.push_back({winner, steps_, amount});
  }
}

void SparseAsgd::finish() {
  // A move made at step k is missing from the first k - 1 of the iterates.
  engine::Tensor psi = potential_.values();
  for (const Move& move : moves_)
    psi.data()[move.point] +=
        static_cast<real>(move.amount * static_cast<double>(move.step - 1) / static_cast<double>(steps_));
  moves_.clear();
}

}  // namespace ot
