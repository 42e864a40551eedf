#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

TEST_CASE("digit products are the integers that the digits and bytes stand for, at every level that has them") {
  at_each_level([](const Kernels& kernels) {
    if (!kernels.digit_products) return;
    const bool interleaves = kernels.interleave_bytes != nullptr;
    REQUIRE(interleaves);
    std::uint32_t state = 1;
    const auto byte = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
    for (std::int64_t n : {1, 3, 4, 7, 60, 64, 65, 784})
      for (int digits : {1, 2, 3})
        for (std::int64_t queries : {0, 1, 2, 5, 6, 7, 13}) {
          CAPTURE(n);
          CAPTURE(digits);
          CAPTURE(queries);
          const std::int64_t padded = padded_bytes(n);
          std::vector<std::uint8_t> rows(count(block_size * n));
          std::vector<std::int8_t> query(count(queries * digits * padded));
          for (auto& b : rows) b = static_cast<std::uint8_t>(byte());
          for (auto& q : query) q = static_cast<std::int8_t>(byte());
          engine::Tensor scratch(engine::Shape{padded * block_size});
          auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
          Values sums(block_size);
          kernels.interleave_bytes(n, rows.data(), block, sums.data());
          const Values scale = random(queries, real(0.5), 2, 1), shift = random(queries, -1, 1, 2),
                       slope = random(queries, -1, 1, 3);
          const std::int64_t stride = block_size + 3;  // what lies between rows stays as it is
          Values out(count(queries * stride), real(42));
          kernels.digit_products(n, block, sums.data(), queries, digits, query.data(), scale.data(), shift.data(),
                                 slope.data(), out.data(), stride);
          for (std::int64_t q = 0; q < queries; ++q) {
            for (std::int64_t l = 0; l < block_size; ++l) {
              Exact sum = 0, modulus = 0, bytes = 0;
              for (std::int64_t k = 0; k < n; ++k) {
                Exact number = 0;
                for (int s = 0; s < digits; ++s) number = 256 * number + query[count((q * digits + s) * padded + k)];
                sum += number * rows[count(l * n + k)];
                modulus += std::abs(number) * rows[count(l * n + k)];
                bytes += rows[count(l * n + k)];
              }
              CHECK(sums[count(l)] == bytes);
              const Exact wanted = scale[count(q)] * sum + shift[count(q)] + slope[count(q)] * bytes;
              modulus = scale[count(q)] * modulus + std::abs(shift[count(q)]) + std::abs(slope[count(q)]) * bytes;
              CHECK(std::abs(out[count(q * stride + l)] - wanted) <= 4 * epsilon * modulus);
            }
            for (std::int64_t l = block_size; l < stride; ++l) CHECK(out[count(q * stride + l)] == 42);
          }
        }
  });
}

TEST_CASE("the largest digits and bytes do not overflow") {
  at_each_level([](const Kernels& kernels) {
    if (!kernels.digit_products) return;
    const std::vector<std::uint8_t> rows(count(block_size * most_digit_coordinates), 255);
    const std::vector<std::int8_t> query(count(most_digit_coordinates), -128);
    engine::Tensor scratch(engine::Shape{most_digit_coordinates * block_size});
    auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
    Values sums(block_size), out(block_size);
    kernels.interleave_bytes(most_digit_coordinates, rows.data(), block, sums.data());
    for (real sum : sums) CHECK(sum == real(255.0 * most_digit_coordinates));
    const real one = 1, zero = 0;
    kernels.digit_products(most_digit_coordinates, block, sums.data(), 1, 1, query.data(), &one, &zero, &zero,
                           out.data(), block_size);
    for (real value : out) CHECK(value == real(-128.0 * 255 * most_digit_coordinates));
  });
}
