#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

// Kantorovich potentials, from the exact solver and from Sinkhorn's iteration, where they are unique up to a constant:
// for lambda > 0, and for lambda = 0 between random weights, no part of which sums to a part of the others.

/// Lemma 3: they vary continuously with mu; and (21), with its measure mu_n and as printed.
std::vector<Row> lemma_3(std::uint64_t seed);

/// Section 2.4: W_lambda is differentiable in the weights of mu and of nu, and its derivatives are phi and psi, up to a
/// constant (Cuturi and Peyre 2016, proposition 2.3; Feydy et al. 2019).
std::vector<Row> weight_derivatives(std::uint64_t seed);

}  // namespace apps::claims
