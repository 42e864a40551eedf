#pragma once

#include <string>

#include "tests/bench/figures.h"

namespace bench {

// Each measures in the calling process; in_child() gives it one.

/// The machine's multiply-add peak at each SIMD level that it has, on one thread and on all.
Figures multiply_add_peak();

/// The product at the heart of a c-transform on all of MNIST as engine::gemm computes it, [200, 784] x [784, 60000].
Figures plain_product();

/// c_transform() of 200 blurred points to all points of `data` ("mnist" or "digits"), psi random. Throws engine::Error,
/// before it measures, where it differs from a long-double oracle.
Figures c_transform(const std::string& data, double lambda);

/// `semidual train` with the paper's setting (K = 10 inner steps, batches of 200): iterations, the way to the first of
/// them, and H. `pytorch` is the reference's time for an iteration.
Figures training(const std::string& data, const std::string& generator, double lambda, double pytorch);

}  // namespace bench
