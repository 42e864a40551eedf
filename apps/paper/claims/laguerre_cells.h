#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

/// Lemma 4: the Monge map T (40) is locally constant in (psi, x) off the ties A_psi (39), at random psi and x; and, as
/// printed, on them, at psi that are moved until x lies on a tie.
std::vector<Row> lemma_4(std::uint64_t seed);

}  // namespace apps::claims
