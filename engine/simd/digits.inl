// The digits of numbers, where a level multiplies in digits. Part of words.inl and vnni.cpp.
#pragma once

#include <type_traits>

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// Numbers are whole doubles: they have more bits than a 32-bit integer, and AVX2 converts no vectors of longer ones.
template <class Arch, const Digits& layout>
void round_to_digits(Index n, const real* x, double centre, double step, const real* weight, std::int8_t* row,
                     Rest* rests) {
  using Numbers = xsimd::batch<double, Arch>;
  constexpr int bits = layout.bits, most = layout.most;
  using Digit = std::conditional_t<bits == 8, std::int8_t, std::int16_t>;
  constexpr Index together = Numbers::size;
  constexpr double base = std::int32_t{1} << bits;
  // A double of this size has no fraction, and the low bits of a whole number that is added are its own.
  const Numbers whole(6755399441055744.0);
  const auto rounded = [&](Numbers a) { return (a + whole) - whole; };
  const Numbers middle(centre), per_step(step > 0 ? 1 / step : 0);
  Numbers squares[most + 1], products[most + 1];
  for (int s = 0; s <= most; ++s) squares[s] = products[s] = Numbers(0.0);
  for (Index k = 0; k < n; k += together) {
    const Index count = n - k < together ? n - k : together;
    alignas(64) double values[together], weights[together];
    for (Index i = 0; i < together; ++i) values[i] = centre, weights[i] = 0;
    for (Index i = 0; i < count; ++i) values[i] = x[k + i], weights[i] = weight[k + i];
    const Numbers value = Numbers::load_aligned(values) - middle, factor = Numbers::load_aligned(weights);
    Numbers number = rounded(value * per_step);
    double unit = step;
    for (int s = most; s > 0; --s, unit *= base) {
      const Numbers rest = xsimd::fnma(Numbers(unit), number, value);
      squares[s] = xsimd::fma(rest, rest, squares[s]);
      products[s] = xsimd::fma(rest, factor, products[s]);
      // Of two whole numbers as near the upper one, so that digits are below base / 2.
      const Numbers next = s > 1 ? rounded(xsimd::fma(number, Numbers(1 / base), Numbers(0.25 / base))) : Numbers(0.0);
      alignas(64) double digit[together];
      (xsimd::fnma(Numbers(base), next, number) + whole).store_aligned(digit);
      std::int64_t digit_bits[together];
      __builtin_memcpy(digit_bits, digit, sizeof(digit));
      Digit digits[together];
      for (Index i = 0; i < together; ++i) digits[i] = static_cast<Digit>(digit_bits[i]);
      __builtin_memcpy(row + (s - 1) * layout.plane(n) + k * bits / 8, digits,
                       static_cast<std::size_t>(count) * sizeof(Digit));
      number = next;
    }
    squares[0] = xsimd::fma(value, value, squares[0]);
    products[0] = xsimd::fma(value, factor, products[0]);
  }
  for (int s = 0; s <= most; ++s) rests[s] = {xsimd::hadd(squares[s]), xsimd::hadd(products[s])};
}

// Calls products(b, g, begin, count, at, out) for each group g of each block b: for the queries begin + at[i], i <
// count, for which it is wanted, see digit_products; their products go to out + at[i] stride. Those of the others are
// -inf.
template <Index together, class Products>
void for_each_group(Index blocks, Index queries, const std::uint8_t* wanted, real* out, Index stride,
                    const Products& products) {
  for (Index begin = 0; begin < queries; begin += together)
    for (Index b = 0; b < blocks; ++b)
      for (Index g = 0; g < groups_in_block; ++g) {
        real* const first = out + begin * stride + b * block_size + g * group_size;
        std::int32_t at[together];
        Index count = 0;
        for (Index q = 0; q < queries - begin && q < together; ++q) {
          at[count] = static_cast<std::int32_t>(q);
          if (!wanted || wanted[(begin + q) * blocks + b] >> g & 1)
            ++count;
          else
            for (Index l = 0; l < group_size; ++l) first[q * stride + l] = -infinity;
        }
        products(b, g, begin, count, at, first);
      }
}

}  // namespace
}  // namespace engine::simd
