// The kernels of every level, written once. Included by one file a level, which is compiled for that level's
// instructions; everything here is in an unnamed namespace and calls no function of another header that is not a
// template on the architecture, because the linker keeps one copy of a shared inline function, perhaps this one, and
// an older CPU would stop at its instructions.
//
// An element's value does not depend on its place in an array: the last n % width elements are padded to a whole
// vector and take the same path.
#pragma once

#include "engine/simd/blocks.inl"
#include "engine/simd/elementwise.inl"
#include "engine/simd/levels.h"
#include "engine/simd/precise.inl"
#include "engine/simd/reduce.inl"
#include "engine/simd/softmin.inl"
#include "engine/simd/weighted_bytes.inl"

namespace engine::simd {
namespace {

template <class Arch>
constexpr Kernels table(Level level) {
  return {.level = level,
          .exp = exp<Arch>,
          .log = log<Arch>,
          .sqrt = sqrt<Arch>,
          .abs = abs<Arch>,
          .sigmoid = sigmoid<Arch>,
          .tanh = tanh<Arch>,
          .softplus = softplus<Arch>,
          .leaky_relu = leaky_relu<Arch>,
          .add = add<Arch>,
          .sub = sub<Arch>,
          .mul = mul<Arch>,
          .div = div<Arch>,
          .leaky_relu_gradient = leaky_relu_gradient<Arch>,
          .sigmoid_gradient = sigmoid_gradient<Arch>,
          .tanh_gradient = tanh_gradient<Arch>,
          .scale = scale<Arch>,
          .axpy = axpy<Arch>,
          .standardise = standardise<Arch>,
          .sum = sum<Arch>,
          .dot = dot<Arch>,
          .sum_abs_difference = sum_abs_difference<Arch>,
          .max = max<Arch>,
          .sum_exp = sum_exp<Arch>,
          .min_affine = min_affine<Arch>,
          .find_affine = find_affine<Arch>,
          .exp_affine = exp_affine<Arch>,
          .from_bytes = from_bytes<Arch>,
          .add_weighted_bytes = add_weighted_bytes<Arch>,
          .squared_distance = squared_distance<Arch>,
          .squared_distance_bytes = squared_distance_bytes<Arch>,
          .precise_exp = precise_exp<Arch>,
          .precise_log = precise_log<Arch>,
          .squared_distances = squared_distances<Arch>,
          .cityblock_distances = cityblock_distances<Arch>,
          .reduce = reduce<Arch>,
          .group_minima = group_minima<Arch>,
          .group_values = group_values<Arch>,
          .box_bounds = box_bounds<Arch>,
          .digits = {},
          .round_to_digits = nullptr,
          .interleave_bytes = nullptr,
          .digit_products = nullptr,
          .adam = adam<Arch>};
}

}  // namespace
}  // namespace engine::simd
