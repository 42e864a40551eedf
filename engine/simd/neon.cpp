// The kernels with NEON, which every 64-bit Arm CPU has.
#include "engine/simd/body.inl"

namespace engine::simd {

#ifndef SEMIDUAL_DOUBLE
namespace {

// xsimd 8.1 divides floats as a 32-bit Arm has to: through an approximate reciprocal, wrong in the last place, and NaN
// for infinity.
template <>
Batch<xsimd::neon64> quotient<xsimd::neon64>(Batch<xsimd::neon64> a, Batch<xsimd::neon64> b) {
  return vdivq_f32(a, b);
}

template <>
Batch<xsimd::neon64> root<xsimd::neon64>(Batch<xsimd::neon64> x) {
  return vsqrtq_f32(x);
}

}  // namespace
#endif

constinit const Kernels neon_kernels = table<xsimd::neon64>(Level::neon);

}  // namespace engine::simd
