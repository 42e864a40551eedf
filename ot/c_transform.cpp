#include "ot/c_transform.h"

#include <algorithm>
#include <cmath>

#include "ot/brute_c_transform.h"
#include "ot/pruned_c_transform.h"
#include "ot/winners.h"

namespace ot {

using engine::require;
using engine::Tensor;

namespace {

// Fewer points than this are multiplied out as fast as they are searched.
constexpr std::int64_t fewest_points_to_search = 2048;

bool finite(const Tensor& tensor) {
  return std::all_of(tensor.values().begin(), tensor.values().end(), [](real value) { return std::isfinite(value); });
}

// Fills in the winners that the search has left open, by brute force.
void complete(const Target& target, const Tensor& x, const Tensor& psi, std::vector<std::int64_t>& winners) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < winners.size(); ++i)
    if (winners[i] < 0) open.push_back(i);
  if (open.empty()) return;
  const std::int64_t d = x.dim(1);
  Tensor rows({static_cast<std::int64_t>(open.size()), d});
  for (std::size_t i = 0; i < open.size(); ++i)
    std::copy_n(x.data() + static_cast<std::int64_t>(open[i]) * d, d, rows.data() + static_cast<std::int64_t>(i) * d);
  const CTransform found = brute_c_transform(target, rows, psi, 0, {});
  for (std::size_t i = 0; i < open.size(); ++i) winners[open[i]] = found.winners[i];
}

}  // namespace

CTransform c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  require(x.defined() && x.rank() == 2 && x.dim(0) >= 1 && x.dim(1) == target.dimension(),
          "[c_transform] x must be [B, d] with d the target's dimension: ", x.shape(), " against ", target.dimension());
  require(psi.defined() && psi.shape() == engine::Shape{target.size()},
          "[c_transform] psi must have one value for each point of the target: ", psi.shape(), " against ",
          target.size());
  require(lambda >= 0 && std::isfinite(lambda), "[c_transform] lambda must be finite and not negative: ", lambda);
  require(lambda == 0 || std::isfinite(static_cast<real>(1 / lambda)),
          "[c_transform] lambda is too small for its inverse, use 0: ", lambda);
  if (lambda == 0 && target.size() >= fewest_points_to_search && finite(x) && finite(psi)) {
    if (auto winners = target.pruned().winners(x, psi)) {
      complete(target, x, psi, *winners);
      return transform_at(target, x, psi, std::move(*winners), wanted);
    }
  }
  return brute_c_transform(target, x, psi, lambda, wanted);
}

}  // namespace ot
