#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "apps/paper/claims/learning_problem.h"
#include "apps/paper/claims/row.h"

namespace apps::claims {

// The gradient formulas, (Grad-OT) and its kin, against central differences of the loss in every parameter of the
// generator. The loss is computed in double; the gradient as the program's training does, by automatic differentiation
// in the build's precision.

/// A gradient in theta that a theorem claims, given a psi* that is optimal at theta.
using Formula =
    std::function<std::vector<double>(LearningProblem& problem, std::span<const double> psi_star, double lambda)>;

/// The gradient of F_lambda(psi*, .), or H_lambda(psi*, .), which is the same: (53) and (65).
std::vector<double> grad_F(LearningProblem& problem, std::span<const double> psi_star, double lambda);

/// The gradient (77): grad F_lambda(psi*, .) - grad I(chi*, .).
std::vector<double> grad_F_minus_grad_I(LearningProblem& problem, std::span<const double> psi_star, double lambda);

/// How well a gradient at the problem's parameters agrees with differences of a function of these, which is named.
Row gradient_row(const std::string& claim, const std::string& name, LearningProblem& problem,
                 const std::vector<double>& gradient, const std::function<double(std::span<const double>)>& function);

/// Proposition 1, lambda = 0: h - H(psi_0, .) is least at theta_0, and (Grad-OT) holds at each psi_0 of several that
/// are optimal at theta_0.
std::vector<Row> proposition_1(std::uint64_t seed, const Formula& formula = grad_F);

/// Theorem 3: h is differentiable, with gradient (53), lambda = 0.
std::vector<Row> theorem_3(std::uint64_t seed, const Formula& formula = grad_F);

/// Theorem 4: the same for the cost |x - y|, whose gradient jumps at y.
std::vector<Row> theorem_4(std::uint64_t seed, const Formula& formula = grad_F);

/// Theorem 5: h_lambda is differentiable, with gradient (65), at several lambda > 0.
std::vector<Row> theorem_5(std::uint64_t seed, const Formula& formula = grad_F);

/// Theorem 6: the Sinkhorn divergence s_lambda is differentiable, with gradient (77), at several lambda > 0.
std::vector<Row> theorem_6(std::uint64_t seed, const Formula& formula = grad_F_minus_grad_I);

/// The Sinkhorn divergence (72) is positive, and zero for equal measures.
std::vector<Row> sinkhorn_divergence(std::uint64_t seed);

}  // namespace apps::claims
