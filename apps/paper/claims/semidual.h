#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

// The dual problem, on B points x of mu and J points y of nu, for lambda = 0 and several lambda > 0; each row has the
// worst.

/// Theorem 2: the semi-dual H at an optimal psi is the primal value (8) of the optimal plan.
std::vector<Row> theorem_2(std::uint64_t seed);

/// (13): what taking c-transforms gains in the dual value (9), one after the other and both at once.
std::vector<Row> equation_13(std::uint64_t seed);

/// H(., theta) is concave.
std::vector<Row> concavity(std::uint64_t seed);

/// (101): nu minus the mean responsibilities is a supergradient of H(., theta).
std::vector<Row> supergradient(std::uint64_t seed);

}  // namespace apps::claims
