#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "apps/options.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// H(psi_k, theta) for k = 0..steps along one inner loop of Algorithm 1, with the batch x [B, d] in place of each B_k
/// and of mu_theta: what a long loop can reach is then W_lambda(x, target). psi_k is what the loop would return if it
/// ended after k steps, for ASGD with --dual-average the mean of its iterates (102). `go_on` is asked before each step;
/// once it says no, what has been computed is returned.
std::vector<double> inner_loop(const TrainOptions& options, const ot::Target& target, const engine::Tensor& x,
                               std::int64_t steps, const std::function<bool()>& go_on);

}  // namespace apps
