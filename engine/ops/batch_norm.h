#pragma once

#include "engine/ops/activation.h"
#include "engine/ops/images.h"
#include "engine/tape.h"

namespace engine {

/// Normalises each channel of x, [B, C, H, W] or as `layout` has it, over images and places, PyTorch's batch_norm2d: in
/// training weight (x - mean) / sqrt(variance + epsilon) + bias with the batch's own (biased) mean and variance;
/// running_mean and running_var [C] move by `momentum` towards the batch's mean and unbiased variance. The activation
/// is applied while values are in the cache. Throws Error where shapes do not fit, for fewer than two values a channel,
/// and for an activation's slope that is negative or not finite.
Var batch_norm2d_train(const Var& x, const Var& weight, const Var& bias, Tensor& running_mean, Tensor& running_var,
                       double momentum = 0.1, double epsilon = 1e-5, Layout layout = Layout::batch_first,
                       const Activation& activation = {});

/// The same with the running statistics in place of the batch's, as a generator is sampled after training.
Var batch_norm2d_eval(const Var& x, const Var& weight, const Var& bias, const Tensor& running_mean,
                      const Tensor& running_var, double epsilon = 1e-5, Layout layout = Layout::batch_first,
                      const Activation& activation = {});

}  // namespace engine
