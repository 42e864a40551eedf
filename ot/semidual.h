#pragma once

#include "engine/tape.h"
#include "ot/target.h"
#include "ot/transformer.h"

namespace ot {

/// The semi-dual functional (99) on a batch, H = (1/B) sum_i psi^{c,lambda}(x_i) + sum_j nu_j psi_j: x [B, d], psi [J]
/// -> scalar. Its gradient in x_i is that of the c-transform over B, (104); in psi it is nu minus the mean
/// responsibilities, (101). Only what the tape asks for is computed. Throws Error as c_transform() does, and
/// `[semidual] can not be differentiated twice`.
engine::Var semidual(const Target& target, const engine::Var& x, const engine::Var& psi, double lambda);
/// The same by a Transformer.
engine::Var semidual(Transformer& transform, const engine::Var& x, const engine::Var& psi, double lambda);

/// sum_j nu_j psi_j, psi [J]. Outside the support psi may be anything, even infinite. Of a target that ranks share it
/// is the sum over the points of all, and a call that all of them make.
double expectation(const Target& target, const engine::Tensor& psi);

/// (101), the gradient of H in psi given the mass of the c-transform, [J]: nu_j - mass_j.
engine::Tensor semidual_gradient(const Target& target, const engine::Tensor& mass);

}  // namespace ot
