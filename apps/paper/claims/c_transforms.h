#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

// The lemmas on c-transforms, for the cost |x - y|^2 / alpha and a nu with random weights, over several potentials and
// lambda; each row has the worst.

/// |psi^{c,lambda}(x) - psi^{c,lambda}(x')| is at most the modulus of continuity of c, (18).
std::vector<Row> lemma_1(std::uint64_t seed);

/// psi -> psi^{c,lambda} is 1-Lipschitz for the uniform norm.
std::vector<Row> lemma_2(std::uint64_t seed);

/// The gradient of psi^c off the ties, (43).
std::vector<Row> lemma_5(std::uint64_t seed);

/// The gradient of psi^{c,lambda}: as finite differences have it, and as (56) has it.
std::vector<Row> lemma_7(std::uint64_t seed);

}  // namespace apps::claims
