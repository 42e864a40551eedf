#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

TEST_CASE("min_affine returns the lowest index of the least value") {
  at_each_level([](const Kernels& kernels) {
    const auto check = [&](const Values& offset, real scale, const Values& product) {
      Minimum wanted{infinite, -1};  // all values here are exact
      for (std::size_t i = 0; i < offset.size(); ++i) {
        const real u = offset[i] + scale * product[i];
        if (u < wanted.value) wanted = {u, static_cast<std::int64_t>(i)};
      }
      const Minimum got =
          kernels.min_affine(static_cast<std::int64_t>(offset.size()), offset.data(), scale, product.data());
      CHECK(got.index == wanted.index);
      CHECK(got.value == wanted.value);
    };
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      for (std::uint64_t trial = 0; trial < 20; ++trial) {  // few different values: many ties
        Values offset = random(n, -4, 4, 2 * trial), product = random(n, -4, 4, 2 * trial + 1);
        for (real& value : offset) value = std::round(value);
        for (real& value : product) value = std::round(value);
        check(offset, -2, product);
        for (std::size_t i = trial; i < offset.size(); i += 3) offset[i] = i % 2 ? not_a_number : infinite;
        check(offset, -2, product);
      }
      check(Values(count(n), infinite), -2, Values(count(n), real(1)));
      check(Values(count(n), not_a_number), -2, Values(count(n), real(1)));
      check(Values(count(n), real(3)), 0, Values(count(n), real(1)));
    }
    const std::int64_t large = (1 << 20) + 100;  // past the first block, whose minimum it must not forget
    Values offset(count(large), real(1)), product(count(large), real(0));
    offset[12345] = offset.back() = -1;
    check(offset, 1, product);
    offset.back() = -2;
    check(offset, 1, product);
  });
}

TEST_CASE("the elements up to a limit are found in order") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      Values offset = random(n, 0, 1, 1);
      const Values product = random(n, 0, 1, 2);
      for (std::size_t i = 2; i < offset.size(); i += 5) offset[i] = infinite;
      for (real limit : {real(-3), real(-1), real(0), real(2), infinite}) {
        CAPTURE(n);
        CAPTURE(limit);
        std::vector<std::int32_t> found(count(n + 1), 42), wanted;
        for (std::int64_t j = 0; j < n; ++j)
          if (offset[count(j)] - product[count(j)] / 2 <= limit) wanted.push_back(static_cast<std::int32_t>(j));
        const std::int64_t size =
            kernels.find_affine(n, offset.data(), real(-0.5), product.data(), limit, found.data());
        CHECK(found.back() == 42);
        found.resize(count(size));
        CHECK(found == wanted);
      }
    }
  });
}

TEST_CASE("responsibilities follow their formula; infinite offsets count exactly nothing, NaN stays") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      for (real lambda : {real(10), real(0.1), real(sizeof(real) == sizeof(float) ? 0.01 : 0.002)}) {
        CAPTURE(n);
        CAPTURE(lambda);
        Values offset = random(n, 0, 1, 1);
        const Values product = random(n, 0, 1, 2);
        for (std::size_t i = 2; i < offset.size(); i += 5) offset[i] = i % 2 ? not_a_number : infinite;
        const real scale = -2, shift = real(-1.5), rate = 1 / lambda;
        Values y(count(n)), in_place = product;
        const real sum = kernels.exp_affine(n, offset.data(), scale, product.data(), shift, rate, y.data());
        const real total = kernels.sum(n, y.data());
        CHECK((sum == total || (std::isnan(sum) && std::isnan(total))));
        kernels.exp_affine(n, offset.data(), scale, in_place.data(), shift, rate, in_place.data());
        CHECK(same_bits(y, in_place));
        for (std::size_t i = 0; i < y.size(); ++i) {
          if (std::isnan(offset[i])) {
            CHECK(std::isnan(y[i]));
            continue;
          }
          const Exact wanted = std::exp((shift - offset[i] - Exact(scale) * product[i]) * rate);
          if (offset[i] == infinite) CHECK(y[i] == 0);
          // The exponent's rounding is amplified; small terms are left out.
          const bool left_out = y[i] == 0 && wanted < Exact(1.01) * least_term;
          if (!left_out) CHECK(std::abs(y[i] - wanted) <= (4 + 12 * rate) * epsilon * wanted);
          CHECK((y[i] == 0 || y[i] >= least_term));
        }
      }
    }
  });
}
