#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/gradient_formula.h"
#include "apps/paper/claims/row.h"

namespace apps::claims {

// Gradients in theta of E[phi(g_theta(Z))]: of F_lambda(psi, .), where phi is the c-transform of any psi, optimal or
// not, and of I(phi, .). As in gradient_formula.h against differences in double; and against E[D_theta g^T grad phi]
// with D_theta g by differences in double.

/// Lemma 6: F(psi, .) is differentiable for lambda = 0, with gradient (44), at several psi on whose ties there is no x.
std::vector<Row> lemma_6(std::uint64_t seed, const Formula& formula = grad_F);

/// Lemma 8: F_lambda(psi, .) is differentiable for lambda > 0, with gradient (60), at several psi and lambda.
std::vector<Row> lemma_8(std::uint64_t seed, const Formula& formula = grad_F);

/// (83) and (84), with the sign of grad c that makes (82) the gradient of E_lambda (79), and with the printed one.
std::vector<Row> equation_83(std::uint64_t seed);

/// (97): the derivative of theta -> mu_theta against a smooth phi of compact support.
std::vector<Row> equation_97(std::uint64_t seed);

}  // namespace apps::claims
