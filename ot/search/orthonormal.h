#pragma once

#include <cstdint>
#include <initializer_list>

#include "engine/real.h"

namespace ot {

using engine::real;

/// ||x||^2 of x [n], summed in double.
double squared_norm(std::int64_t n, const real* x);

/// Consecutive orthonormal rows, [count, d].
struct OrthonormalRows {
  const real* first;
  std::int64_t count;
};

/// Makes `row` [d] orthogonal to the others and of length 1, or zero where less than 1e-4 of its length is left.
void orthonormalise(real* row, std::int64_t d, std::initializer_list<OrthonormalRows> others);

}  // namespace ot
