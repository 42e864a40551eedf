#include "ot/search/orthonormal.h"

#include <algorithm>
#include <cmath>

#include "engine/blas.h"
#include "engine/simd/kernels.h"
#include "engine/tensor.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;

double squared_norm(std::int64_t n, const real* x) {
  constexpr std::int64_t parts = 8;  // side by side, where one sum would wait for itself
  double sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts)
    for (std::int64_t part = 0; part < parts; ++part) sums[part] += static_cast<double>(x[i + part]) * x[i + part];
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void orthonormalise(real* row, std::int64_t d, std::initializer_list<OrthonormalRows> others) {
  constexpr double least = 1e-4;
  const auto& kernels = engine::simd::kernels();
  double length = std::sqrt(squared_norm(d, row));
  for (int pass = 0; pass < 3 && length > 0; ++pass) {  // each pass removes what rounding left of the one before
    kernels.scale(d, static_cast<real>(1 / length), row, row);
    for (const OrthonormalRows& other : others) {
      if (other.count == 0) continue;
      Tensor along(engine::Shape{other.count});
      engine::gemm_single(Transpose::no, Transpose::no, other.count, 1, d, 1, other.first, d, row, 1, 0, along.data(),
                          1);
      engine::gemm_single(Transpose::no, Transpose::no, 1, d, other.count, -1, along.data(), other.count, other.first,
                          d, 1, row, d);
    }
    const double rest = std::sqrt(squared_norm(d, row));
    length = pass == 0 && rest < least ? 0 : rest;
  }
  if (length > 0)
    kernels.scale(d, static_cast<real>(1 / length), row, row);
  else
    std::fill_n(row, d, real{0});
}

}  // namespace ot
