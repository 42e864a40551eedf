#include "ot/sinkhorn/reduced_costs.h"

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

ReducedCosts::ReducedCosts(const CostMatrix& costs, double most_held)
    : costs_(costs),
      phi_(static_cast<std::size_t>(costs.rows()), 0),
      psi_(static_cast<std::size_t>(costs.columns()), 0) {
  const double entries = static_cast<double>(costs.rows()) * static_cast<double>(costs.columns());
  if (sizeof(real) * entries <= most_held)
    held_ = std::make_unique_for_overwrite<real[]>(static_cast<std::size_t>(costs.rows() * costs.columns()));
}

void ReducedCosts::refer_to(const std::vector<double>& phi, const std::vector<double>& psi) {
  phi_ = phi;
  psi_ = psi;
  if (!held()) return;
  const std::int64_t m = costs_.columns(), most_rows = std::max<std::int64_t>(1, (1 << 15) / m);
  engine::parallel_for(costs_.rows(), most_rows, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> buffer;
    write({begin, end - begin, 0, m}, buffer, held_.get() + begin * m, m);
  });
}

ReducedCosts::Tile ReducedCosts::tile(const CostTile& tile, Buffers& buffers) const {
  const std::int64_t m = costs_.columns();
  if (held()) return {held_.get() + tile.first_row * m + tile.first_column, m};
  buffers.reduced.resize(static_cast<std::size_t>(tile.rows * tile.columns));
  write(tile, buffers.costs, buffers.reduced.data(), tile.columns);
  return {buffers.reduced.data(), tile.columns};
}

void ReducedCosts::write(const CostTile& tile, std::vector<double>& costs, real* out, std::int64_t stride) const {
  costs.resize(static_cast<std::size_t>(tile.rows * tile.columns));
  costs_.tile(tile, costs.data());
  for (std::int64_t r = 0; r < tile.rows; ++r)
    engine::simd::kernels().reduce(tile.columns, costs.data() + r * tile.columns,
                                   phi_[static_cast<std::size_t>(tile.first_row + r)], psi_.data() + tile.first_column,
                                   out + r * stride);
}

}  // namespace ot
