#include "engine/simd/bf16.h"

#include <bit>

#include "tests/engine/simd/every_level.h"

using engine::real;
using namespace engine::simd;
using namespace engine::simd::testing;

namespace {

constexpr bool in_float = sizeof(real) == sizeof(float);

/// The kernels of each level that has them.
std::vector<const Bf16Kernels*> all_kernels() {
  std::vector<const Bf16Kernels*> all;
  for (const Level level : levels())
    if (const Bf16Kernels* kernels = bf16_kernels_of(level)) all.push_back(kernels);
  return all;
}

const bool lacking = all_kernels().empty();

/// Rounded to 8 significant bits, ties to even.
float nearest(real x) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  const std::uint32_t halfway = 0x7fff + (bits >> 16 & 1);
  return std::bit_cast<float>((bits + halfway) & 0xffff0000u);
}

float lower(Bf16Pair pair) {
  return std::bit_cast<float>(pair << 16);
}

float upper(Bf16Pair pair) {
  return std::bit_cast<float>(pair & 0xffff0000u);
}

}  // namespace

TEST_CASE("bf16 rounds to the nearest, ties to even, and writes no further than it says" * doctest::skip(lacking)) {
  const Bf16Kernels& kernels = *all_kernels().front();  // the levels share them
  for (const std::int64_t n : sizes) {
    Values x = random(n, -3, 3), z = random(n, -3, 3, 1);
    if (n > 2) x[0] = real(1) + real(1) / 256, x[1] = real(1) + real(3) / 256, x[2] = 0;  // the first two are ties
    std::vector<Bf16Pair> pairs(count(n) + 1, 77), halves(count((n + 1) / 2) + 1, 77);
    kernels.pair(n, x.data(), z.data(), pairs.data());
    kernels.round(n, x.data(), halves.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(lower(pairs[i]) == nearest(x[i]));
      CHECK(upper(pairs[i]) == nearest(z[i]));
      CHECK((i % 2 == 0 ? lower(halves[i / 2]) : upper(halves[i / 2])) == nearest(x[i]));
    }
    if (n % 2 == 1) CHECK(upper(halves[count(n / 2)]) == 0);
    CHECK(pairs.back() == 77);
    CHECK(halves.back() == 77);
  }
}

TEST_CASE("bf16 pairs are transposed within their bounds" * doctest::skip(lacking)) {
  const Bf16Kernels& kernels = *all_kernels().front();
  for (const std::int64_t rows : {1, 15, 16, 17, 64})
    for (const std::int64_t columns : {1, 16, 31, 50}) {
      const std::int64_t stride_x = columns + 3, stride_y = rows + 2;
      std::vector<Bf16Pair> x(count(rows * stride_x)), y(count(columns * stride_y), 77);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Bf16Pair>(1000 + i);
      kernels.transpose(rows, columns, x.data(), stride_x, y.data(), stride_y);
      bool right = true;
      for (std::int64_t j = 0; j < columns; ++j)
        for (std::int64_t i = 0; i < stride_y; ++i)
          right = right && y[count(j * stride_y + i)] == (i < rows ? x[count(i * stride_x + j)] : 77);
      CHECK(right);
    }
}

TEST_CASE("bf16 products are sums of the rounded numbers' products" * doctest::skip(lacking)) {
  for (const std::int64_t rows : {1, 5, 6, 7, 16, 20, 33, 50})
    for (const std::int64_t columns : {1, 15, 16, 17, 48, 63, 64})
      for (const std::int64_t pairs : {1, 2, 16, 40})
        for (const bool add : {false, true}) {
          const std::int64_t width = (columns + 15) / 16 * 16, stride = columns + 1;
          const Values a = random(2 * rows * pairs, -1, 1), b = random(2 * width * pairs, -1, 1, 1);
          std::vector<Bf16Pair> left(count(rows * pairs)), right(count(width * pairs));
          all_kernels().front()->round(2 * rows * pairs, a.data(), left.data());
          all_kernels().front()->round(2 * width * pairs, b.data(), right.data());
          const Values before = random(rows * stride, -1, 1, 2);
          for (const Bf16Kernels* kernels : all_kernels()) {
            Values c = before;
            kernels->multiply(rows, columns, pairs, left.data(), right.data(), add, c.data(), stride);
            Exact worst = 0;
            for (std::int64_t r = 0; r < rows; ++r)
              for (std::int64_t j = 0; j < columns; ++j) {
                Exact expected = add ? before[count(r * stride + j)] : 0;
                for (std::int64_t k = 0; k < 2 * pairs; ++k)
                  expected +=
                      Exact(nearest(a[count(2 * r * pairs + k)])) * nearest(b[count(2 * (k / 2 * width + j) + k % 2)]);
                worst = std::max(worst, std::abs(c[count(r * stride + j)] - expected));
              }
            CHECK(worst < 1e-5);
            for (std::int64_t r = 0; r < rows; ++r)
              CHECK(c[count(r * stride + columns)] == before[count(r * stride + columns)]);
          }
        }
}

TEST_CASE("there are no bf16 kernels in double" * doctest::skip(in_float)) {
  CHECK(lacking);
  CHECK(bf16_kernels() == nullptr);
}
