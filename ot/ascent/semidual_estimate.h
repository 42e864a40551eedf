#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "engine/tensor.h"
#include "ot/transformer.h"

namespace ot {

/// How good a potential is, from a sample of the source.
struct SemidualEstimate {
  double dual = 0, dual_error = 0;                ///< (14), and its standard error
  double chi_squared = 0, chi_squared_error = 0;  ///< sum_j (q_j - nu_j)^2 / nu_j for the plan's marginal q; 0 at best
};

/// The estimate from G = `groups` independent batches of one size, batch(0) to batch(G - 1). With m_g the mean
/// responsibilities of a batch, chi^2 is estimated by sum_j [(sum_g m_gj)^2 - sum_g m_gj^2] / nu_j / (G (G - 1)) - 1,
/// whose expectation is exactly chi^2; its standard error is the jackknife's. None where `go_on`, asked before each
/// batch, said no.
std::optional<SemidualEstimate> estimate_semidual(Transformer& transform, const engine::Tensor& psi, double lambda,
                                                  int groups, const std::function<engine::Tensor(int)>& batch,
                                                  const std::function<bool()>& go_on = {});

/// The number of the first batch of a Source that estimates are from; steps' batches are numbered from 0.
inline constexpr std::uint64_t first_estimate = std::uint64_t{1} << 40;

}  // namespace ot
