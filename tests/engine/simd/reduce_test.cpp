#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

TEST_CASE("reductions are as good as their sums of moduli allow, and repeatable") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values a = random(n + 1, -5, 5, 1), b = random(n + 1, -5, 5, 2);
      Exact sum = 0, modulus = 0, dot = 0, dot_modulus = 0, differences = 0, sum_exp = 0;
      for (std::size_t i = 1; i < a.size(); ++i) {
        sum += a[i];
        modulus += std::abs(a[i]);
        dot += Exact(a[i]) * b[i];
        dot_modulus += std::abs(Exact(a[i]) * b[i]);
        differences += std::abs(Exact(a[i]) - b[i]);
        sum_exp += std::exp(Exact(a[i]) - 2);
      }
      // Within a lane at most n / 4 roundings and a few to join: far fewer than 16 of full size at these n.
      const Exact slack = 16 * epsilon;
      CHECK(std::abs(kernels.sum(n, a.data() + 1) - sum) <= slack * modulus);
      CHECK(std::abs(kernels.dot(n, a.data() + 1, b.data() + 1) - dot) <= slack * dot_modulus);
      CHECK(std::abs(kernels.sum_abs_difference(n, a.data() + 1, b.data() + 1) - differences) <= slack * differences);
      CHECK(std::abs(kernels.sum_exp(n, 2, a.data() + 1) - sum_exp) <= slack * sum_exp);
      const Values aligned(a.begin() + 1, a.end());
      CHECK(kernels.sum(n, aligned.data()) == kernels.sum(n, a.data() + 1));
    }
    const Values ones(100003, real(1));
    CHECK(kernels.sum(100003, ones.data()) == 100003);
    CHECK(kernels.dot(100003, ones.data(), ones.data()) == 100003);
    CHECK(kernels.sum_exp(0, 1, nullptr) == 0);
  });
}

TEST_CASE("max finds the largest anywhere and passes NaN on") {
  at_each_level([](const Kernels& kernels) {
    CHECK(kernels.max(0, nullptr) == -infinite);
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      Values x = random(n, -5, -1);
      for (std::size_t place = 0; place<x.size(); place += n> 200 ? 37 : 1) {
        const real kept = x[place];
        x[place] = real(-0.5);
        CHECK(kernels.max(n, x.data()) == real(-0.5));
        x[place] = not_a_number;
        CHECK(std::isnan(kernels.max(n, x.data())));
        x[place] = kept;
      }
    }
    const Values lowest(20, -infinite);
    CHECK(kernels.max(20, lowest.data()) == -infinite);
  });
}

TEST_CASE("squared distances are sums in double of squared differences") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values x = random(n + 1, 0, 1, 1), y = random(n + 1, 0, 1, 2);
      const std::vector<std::uint8_t> bytes = random_bytes(n + 1);
      const real unit = real(1) / 255;
      Exact wanted = 0, wanted_bytes = 0;
      for (std::size_t i = 1; i < x.size(); ++i) {
        const Exact difference = x[i] - y[i], difference_bytes = x[i] - unit * static_cast<real>(bytes[i]);
        wanted += difference * difference;
        wanted_bytes += difference_bytes * difference_bytes;
      }
      // Contraction may leave out the rounding of unit y_i.
      CHECK(std::abs(kernels.squared_distance(n, x.data() + 1, y.data() + 1) - wanted) <= 1e-14L * wanted);
      CHECK(std::abs(kernels.squared_distance_bytes(n, x.data() + 1, unit, bytes.data() + 1) - wanted_bytes) <=
            4 * epsilon * static_cast<Exact>(n));
      CHECK(kernels.squared_distance(n, x.data(), x.data()) == 0);
    }
    // Close points far from the origin: x^2 - 2 x y + y^2 would lose every digit.
    const Values far(100, real(4096)), near(100, real(4096) + real(1) / 1024);
    CHECK(kernels.squared_distance(100, far.data(), near.data()) == 100.0 / (1024.0 * 1024.0));
  });
}
