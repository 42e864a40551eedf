#include <cstring>

#include "engine/random.h"
#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

namespace {

constexpr int all_most = 3;

std::int64_t digit_at(const Digits& layout, const std::int8_t* plane, std::int64_t k) {
  if (layout.bits == 8) return plane[k];
  std::int16_t word;
  std::memcpy(&word, plane + 2 * k, sizeof(word));
  return word;
}

// The number of `digits` digits of coordinate k that begins at `row`.
Exact number_at(const Digits& layout, std::int64_t n, const std::int8_t* row, int digits, std::int64_t k) {
  Exact number = 0;
  for (int s = 0; s < digits; ++s)
    number = std::exp2(layout.bits) * number + digit_at(layout, row + s * layout.plane(n), k);
  return number;
}

// Bytes that look drawn at random.
class Bytes {
 public:
  template <class Byte>
  std::vector<Byte> draw(std::int64_t n) {
    std::vector<Byte> bytes(count(n));
    for (Byte& byte : bytes) byte = static_cast<Byte>((state_ = state_ * 1664525u + 1013904223u) >> 24);
    return bytes;
  }

 private:
  std::uint32_t state_ = 1;
};

std::vector<const std::uint8_t*> pointers_to(const std::vector<std::uint8_t>& rows, std::int64_t n) {
  std::vector<const std::uint8_t*> pointers;
  for (std::int64_t l = 0; l < block_size; ++l) pointers.push_back(rows.data() + l * n);
  return pointers;
}

// Calls check(kernels, digits) for each level that has digits and each number of them.
template <class Check>
void at_each_number_of_digits(const Check& check) {
  at_each_level([&](const Kernels& kernels) {
    CHECK((kernels.digits.bits == 0) == (kernels.digit_products == nullptr));
    CHECK((kernels.digits.bits == 0) == (kernels.round_to_digits == nullptr));
    CHECK((kernels.digits.bits == 0) == (kernels.interleave_bytes == nullptr));
    CHECK(kernels.digits.most <= all_most);
    for (int digits = 1; digits <= kernels.digits.most; ++digits) {
      CAPTURE(digits);
      check(kernels, digits);
    }
  });
}

}  // namespace

TEST_CASE("digits stand for the nearest numbers, and what they leave out is told for each number of them") {
  at_each_number_of_digits([](const Kernels& kernels, int digits) {
    const Digits& layout = kernels.digits;
    const double largest = std::exp2(layout.bits * layout.most - 1) - std::exp2(layout.bits * (layout.most - 1));
    for (const std::int64_t n : {1, 4, 7, 16, 33, 100}) {
      CAPTURE(n);
      const engine::Random random(5, static_cast<std::uint64_t>(n));
      engine::Tensor x = random.uniform({n}, real(-0.5), 2), weight = engine::Random(6, 0).normal({n}, 0, 1);
      x.data()[0] = 2;
      x.data()[n - 1] = real(-0.5);
      for (const double centre : {0.75, 0.0}) {
        const double step = (2 - centre) / largest;
        std::vector<std::int8_t> row(count(layout.row(n)));
        Rest rests[all_most + 1];
        kernels.round_to_digits(n, x.data(), centre, step, weight.data(), row.data(), rests);
        Exact squares = 0, products = 0;
        const double unit = step * std::exp2(layout.bits * (layout.most - digits));
        for (std::int64_t k = 0; k < n; ++k) {
          const Exact rest = x.data()[k] - centre - unit * number_at(layout, n, row.data(), digits, k);
          CHECK(std::abs(static_cast<double>(rest)) <= 0.5 * unit * (1 + std::exp2(1 - layout.bits)));
          squares += rest * rest;
          products += rest * weight.data()[k];
        }
        const double size = 1e-14 * static_cast<double>(n);
        CHECK(rests[digits].squares == doctest::Approx(static_cast<double>(squares)).epsilon(1e-5));
        CHECK(std::abs(rests[digits].products - static_cast<double>(products)) <= size);
      }
    }
  });
}

TEST_CASE("numbers without a step are all 0, and without digits all is left out") {
  at_each_number_of_digits([](const Kernels& kernels, int) {
    const Digits& layout = kernels.digits;
    constexpr real x[] = {1, 3, 5}, weight[] = {1, 2, 4};
    std::vector<std::int8_t> row(count(layout.row(3)), 1);
    Rest rests[all_most + 1];
    kernels.round_to_digits(3, x, 2, 0, weight, row.data(), rests);
    for (int s = 0; s <= layout.most; ++s) {
      CHECK(rests[s].squares == 11);
      CHECK(rests[s].products == 13);
    }
    for (std::int64_t k = 0; k < 3; ++k) CHECK(number_at(layout, 3, row.data(), layout.most, k) == 0);
  });
}

TEST_CASE("digit products are the integers that the digits and bytes stand for, at every level that has them") {
  at_each_number_of_digits([](const Kernels& kernels, int digits) {
    Bytes bytes;
    for (std::int64_t n : {1, 3, 4, 7, 60, 64, 65, 784, 1100})
      for (std::int64_t queries : {0, 1, 2, 5, 6, 7, 13, 35, 40}) {
        // Many queries, or coordinates, take long.
        if (queries == 40 ? n != 65 : (queries == 35) != (n == 1100)) continue;
        CAPTURE(n);
        CAPTURE(queries);
        const Digits& layout = kernels.digits;
        auto rows = bytes.draw<std::uint8_t>(block_size * n);
        // Coordinates that are 0 for all points, for all but one, for a quarter of them; all coordinates for some
        // points.
        for (std::int64_t l = 0; l < block_size; ++l)
          for (std::int64_t k = 0; k < n; ++k)
            if (k % 16 < 5 || (k % 16 < 10 && l != 37) || (k % 16 < 14 && l < 16) || l / 4 == 2)
              rows[count(l * n + k)] = 0;
        constexpr std::int64_t all = 40;
        const auto query = bytes.draw<std::int8_t>(all * layout.row(n));
        std::vector<std::int32_t> found;  // some in order, some twice; or all in order
        for (std::int64_t q = 0; q < queries; ++q)
          found.push_back(static_cast<std::int32_t>(q < 4 || queries == all ? q : q * q % all));
        engine::Tensor scratch(engine::Shape{layout.block(n)});
        auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
        Values sums(block_size);
        kernels.interleave_bytes(n, pointers_to(rows, n).data(), block, sums.data());
        const Values scale = random(all, real(0.5), 2, 1), shift = random(all, -1, 1, 2), slope = random(all, -1, 1, 3);
        const std::int64_t stride = block_size + 3;  // what lies between rows stays as it is
        Values out(count(queries * stride), real(42));
        const DigitBlock points = {block, sums.data()};
        kernels.digit_products(n, 1, &points, queries, found.data(), nullptr, digits,
                               {query.data(), scale.data(), shift.data(), slope.data()}, out.data(), stride);
        for (std::int64_t q = 0; q < queries; ++q) {
          const std::int64_t r = found[count(q)];
          std::vector<Exact> numbers;
          for (std::int64_t k = 0; k < n; ++k)
            numbers.push_back(number_at(layout, n, query.data() + r * layout.row(n), digits, k));
          for (std::int64_t l = 0; l < block_size; ++l) {
            Exact sum = 0, modulus = 0, total = 0;
            for (std::int64_t k = 0; k < n; ++k) {
              sum += numbers[count(k)] * rows[count(l * n + k)];
              modulus += std::abs(numbers[count(k)]) * rows[count(l * n + k)];
              total += rows[count(l * n + k)];
            }
            CHECK(sums[count(l)] == total);
            const Exact wanted = scale[count(r)] * sum + shift[count(r)] + slope[count(r)] * total;
            modulus = scale[count(r)] * modulus + std::abs(shift[count(r)]) + std::abs(slope[count(r)]) * total;
            CHECK(std::abs(out[count(q * stride + l)] - wanted) <= 4 * epsilon * modulus);
          }
          for (std::int64_t l = block_size; l < stride; ++l) CHECK(out[count(q * stride + l)] == 42);
        }
      }
  });
}

TEST_CASE("blocks that are multiplied together have the products that each has alone, and groups those of all") {
  at_each_number_of_digits([](const Kernels& kernels, int digits) {
    constexpr std::int64_t blocks = 6, queries = 21;
    const Digits& layout = kernels.digits;
    Bytes bytes;
    for (const std::int64_t n : {5, 128, 784, 4500}) {
      CAPTURE(n);
      engine::Tensor scratch({blocks, layout.block(n)});
      Values sums(count(blocks * block_size));
      std::vector<DigitBlock> block;
      for (std::int64_t b = 0; b < blocks; ++b) {
        auto rows = bytes.draw<std::uint8_t>(block_size * n);
        // Other coordinates are 0 in each, and in the fourth all.
        for (std::int64_t l = 0; l < block_size; ++l)
          for (std::int64_t k = 0; k < n; ++k)
            if (b == 3 || (k / 4 + b) % 5 < 2) rows[count(l * n + k)] = 0;
        auto* const points = reinterpret_cast<std::uint8_t*>(scratch.data() + b * layout.block(n));
        kernels.interleave_bytes(n, pointers_to(rows, n).data(), points, sums.data() + b * block_size);
        block.push_back({points, sums.data() + b * block_size});
      }
      const auto query = bytes.draw<std::int8_t>(queries * layout.row(n));
      const Values scale = random(queries, real(0.5), 2, 1), shift = random(queries, -1, 1, 2),
                   slope = random(queries, -1, 1, 3);
      std::vector<std::int32_t> found;
      for (std::int32_t q = 0; q < queries; ++q) found.push_back(q);
      const auto multiply = [&](std::int64_t some, const DigitBlock* of, const std::uint8_t* wanted, real* out) {
        kernels.digit_products(n, some, of, queries, found.data(), wanted, digits,
                               {query.data(), scale.data(), shift.data(), slope.data()}, out, some * block_size);
      };
      const auto wanted = bytes.draw<std::uint8_t>(queries * blocks);
      Values together(count(queries * blocks * block_size)), alone(count(queries * block_size)), some = together;
      multiply(blocks, block.data(), nullptr, together.data());
      multiply(blocks, block.data(), wanted.data(), some.data());
      int different = 0, left_out = 0;
      for (std::int64_t b = 0; b < blocks; ++b) {
        multiply(1, &block[count(b)], nullptr, alone.data());
        for (std::int64_t q = 0; q < queries; ++q)
          for (std::int64_t l = 0; l < block_size; ++l) {
            const std::int64_t at = (q * blocks + b) * block_size + l;
            const bool is_wanted = wanted[count(q * blocks + b)] >> (l / group_size) & 1;
            different += together[count(at)] != alone[count(q * block_size + l)];
            left_out += !is_wanted && some[count(at)] == -std::numeric_limits<real>::infinity();
            different += some[count(at)] != alone[count(q * block_size + l)] &&
                         (is_wanted || some[count(at)] != -std::numeric_limits<real>::infinity());
          }
      }
      CHECK(different == 0);
      CHECK(left_out > 0);
    }
  });
}

TEST_CASE("a block of zeros has products of zero") {
  at_each_number_of_digits([](const Kernels& kernels, int digits) {
    constexpr std::int64_t n = 37;
    const std::vector<std::uint8_t> rows(count(block_size * n), 0);
    const std::vector<std::int8_t> query(count(kernels.digits.row(n)), 100);
    engine::Tensor scratch(engine::Shape{kernels.digits.block(n)});
    auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
    Values sums(block_size, 42), out(block_size, 42);
    kernels.interleave_bytes(n, pointers_to(rows, n).data(), block, sums.data());
    const real one = 1, shift = 3, slope = 5;
    const std::int32_t found = 0;
    const DigitBlock points = {block, sums.data()};
    kernels.digit_products(n, 1, &points, 1, &found, nullptr, digits, {query.data(), &one, &shift, &slope}, out.data(),
                           block_size);
    for (std::int64_t l = 0; l < block_size; ++l) {
      CHECK(sums[count(l)] == 0);
      CHECK(out[count(l)] == 3);
    }
  });
}

TEST_CASE("the largest digits and bytes do not overflow") {
  at_each_level([](const Kernels& kernels) {
    const Digits& layout = kernels.digits;
    if (layout.bits == 0) return;
    constexpr std::int64_t n = most_digit_coordinates;
    const std::vector<std::uint8_t> rows(count(block_size * n), 255);
    std::vector<std::int8_t> query(count(layout.row(n)), 0);  // of the lowest digits, first ones alone
    for (std::int64_t k = layout.bits / 8 - 1; k < layout.plane(n); k += layout.bits / 8) query[count(k)] = -128;
    engine::Tensor scratch(engine::Shape{layout.block(n)});
    auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
    Values sums(block_size), out(block_size);
    kernels.interleave_bytes(n, pointers_to(rows, n).data(), block, sums.data());
    for (real sum : sums) CHECK(sum == real(255.0 * n));
    const real one = 1, zero = 0;
    const std::int32_t found[] = {0, 63};
    const DigitBlock points = {block, sums.data()};
    kernels.digit_products(n, 1, &points, 1, found, nullptr, 1, {query.data(), &one, &zero, &zero}, out.data(),
                           block_size);
    const double least = -std::exp2(layout.bits - 1) * 255 * n;
    for (real value : out) CHECK(value == doctest::Approx(least).epsilon(1e-5));
  });
}
