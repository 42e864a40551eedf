#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// The time and rate of the product at the heart of a c-transform on all of MNIST as engine::gemm computes it,
/// [200, 784] x [784, 60000]: ms, GFLOP/s.
std::vector<double> plain_product();

}  // namespace bench
