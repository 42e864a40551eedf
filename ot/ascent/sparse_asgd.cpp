#include "ot/ascent/sparse_asgd.h"

#include <cmath>

#include "ot/c_transform.h"

namespace ot {

SparseAsgd::SparseAsgd(Transformer& transform, VectorPotential& potential, const DualOptions& options)
    : transform_(transform), potential_(potential), options_(options) {}

void SparseAsgd::begin() {
  transform_.restart();
  steps_ = 0;
  moves_.clear();
}

double SparseAsgd::next_length() {
  ++steps_;
  return options_.rate / std::pow(static_cast<double>(steps_), options_.decay);
}

void SparseAsgd::lower(engine::Tensor& psi, std::int64_t point, double amount) {
  psi.data()[point] -= static_cast<real>(amount);
  if (options_.average) moves_.push_back({point, steps_, amount});
}

void SparseAsgd::step(const engine::Tensor& x) {
  engine::Tensor psi = potential_.values();
  const CTransform transform = transform_(x, psi, 0);
  const double amount = next_length() / static_cast<double>(transform.winners.size());
  for (const std::int64_t winner : transform.winners)
    if (const std::int64_t place = transform_.target().of_rank().place(winner); place >= 0) lower(psi, place, amount);
}

void SparseAsgd::step(const engine::Tensor& x, const Subset& subset) {
  engine::Tensor psi = potential_.values();
  const CTransform transform = c_transform(subset.target, x, subset.gather(psi), 0);
  const double length = next_length(), amount = length / static_cast<double>(transform.winners.size());
  for (const std::int64_t point : subset.points) lower(psi, point, -length / static_cast<double>(subset.points.size()));
  for (const std::int64_t winner : transform.winners)
    if (winner >= 0) lower(psi, subset.points[static_cast<std::size_t>(winner)], amount);
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
