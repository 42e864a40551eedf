#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

/// What a large lambda does: W_lambda grows with lambda, from W to the integral of c by mu x nu, at the speed of 1 /
/// lambda, as Hoeffding's lemma has it at psi = 0 in (14). And so figure 3's caption, by which the limit value of the
/// loss increases as lambda -> 0.
std::vector<Row> limit_of_W(std::uint64_t seed);

/// Section 6.2: for lambda -> infinity the gradient of psi^{c,lambda} goes to the integral of grad_x c by nu, at the
/// speed of 1 / lambda.
std::vector<Row> limit_of_gradient(std::uint64_t seed);

}  // namespace apps::claims
