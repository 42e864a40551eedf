#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/real.h"
#include "ot/plan/cost_matrix.h"

namespace ot {

using engine::real;

/// c_ij - phi_i - psi_j for reference potentials phi and psi, computed in double and rounded to real: small where a
/// plan of about these potentials has mass, hence exact enough there at any lambda. Held, 4 n m bytes, or computed
/// whenever a tile is asked for.
class ReducedCosts {
 public:
  /// Holds them where they take at most `most_held` bytes. Starts with potentials 0. The costs must outlive it.
  ReducedCosts(const CostMatrix& costs, double most_held);

  bool held() const { return held_ != nullptr; }
  const std::vector<double>& phi() const { return phi_; }
  const std::vector<double>& psi() const { return psi_; }
  /// Takes other references. Throws what the costs throw.
  void refer_to(const std::vector<double>& phi, const std::vector<double>& psi);

  /// How many rows and columns are best asked for at a time.
  std::int64_t rows_at_once() const { return held() ? 1 : 16; }
  std::int64_t columns_at_once() const { return held() ? costs_.columns() : 256; }

  /// The numbers of a tile, row after row, `stride` apart.
  struct Tile {
    const real* data;
    std::int64_t stride;
  };
  /// What a tile is computed in.
  struct Buffers {
    std::vector<double> costs;
    std::vector<real> reduced;
  };
  Tile tile(const CostTile& tile, Buffers& buffers) const;

 private:
  void write(const CostTile& tile, std::vector<double>& costs, real* out, std::int64_t stride) const;

  const CostMatrix& costs_;
  std::vector<double> phi_, psi_;
  std::unique_ptr<real[]> held_;  // [n, m]
};

}  // namespace ot
