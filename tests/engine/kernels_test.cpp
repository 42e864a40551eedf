// Every kernel at every level that this CPU has, against long double, at sizes around the widths of vectors.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/random.h"
#include "engine/simd/levels.h"

using namespace engine::simd;
using engine::real;

namespace {

using Values = std::vector<real>;
using Exact = long double;

constexpr real infinite = std::numeric_limits<real>::infinity();
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();
constexpr Exact epsilon = std::numeric_limits<real>::epsilon();
const std::vector<std::int64_t> sizes{0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000};

// Runs the check for the kernels of each level.
void at_each_level(const std::function<void(const Kernels&)>& check) {
  for (Level level : levels()) {
    CAPTURE(name(level));
    check(*kernels_of(level));
  }
}

std::size_t count(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

Values random(std::int64_t n, double low, double high, std::uint64_t stream = 0) {
  const engine::Random numbers(7, stream);
  Values x(count(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<real>(low + (high - low) * numbers.uniform(i));
  return x;
}

std::vector<std::uint8_t> random_bytes(std::int64_t n) {
  const engine::Random numbers(7, 99);
  std::vector<std::uint8_t> x(count(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(numbers.bits(i));
  return x;
}

bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0);
}

// Relative distance in units of the last place, and absolute below the smallest normal number.
Exact ulps(real got, Exact wanted) {
  const Exact scale = std::max<Exact>(std::abs(wanted), std::numeric_limits<real>::min());
  return std::abs(static_cast<Exact>(got) - wanted) / (scale * epsilon);
}

using Unary = void (*Kernels::*)(std::int64_t, const real*, real*);
using Binary = void (*Kernels::*)(std::int64_t, const real*, const real*, real*);

struct UnaryCase {
  const char* name;
  Unary kernel;
  std::function<Exact(Exact)> exact;
  double low, high;
  double ulps;
};

const bool is_float = sizeof(real) == sizeof(float);
const double exponent_range = is_float ? 87 : 708;

const std::vector<UnaryCase> unary_cases{
    {"exp", &Kernels::exp, [](Exact x) { return std::exp(x); }, -exponent_range, exponent_range, 2},
    {"exp near 0", &Kernels::exp, [](Exact x) { return std::exp(x); }, -1, 1, 2},
    {"log", &Kernels::log, [](Exact x) { return std::log(x); }, 1e-30, 10, 2},
    {"log of large", &Kernels::log, [](Exact x) { return std::log(x); }, 1, 1e30, 2},
    {"sqrt", &Kernels::sqrt, [](Exact x) { return std::sqrt(x); }, 0, 100, 0.5},
    {"abs", &Kernels::abs, [](Exact x) { return std::abs(x); }, -10, 10, 0},
    {"sigmoid", &Kernels::sigmoid, [](Exact x) { return 1 / (1 + std::exp(-x)); }, -80, 80, 4},
    {"tanh", &Kernels::tanh, [](Exact x) { return std::tanh(x); }, -12, 12, 4},
    {"tanh near 0", &Kernels::tanh, [](Exact x) { return std::tanh(x); }, -0.01, 0.01, 4},
    {"softplus", &Kernels::softplus, [](Exact x) { return std::max<Exact>(x, 0) + std::log1p(std::exp(-std::abs(x))); },
     -80, 80, 4},
};

}  // namespace

TEST_CASE("functions of one argument are within a few units of the last place") {
  at_each_level([](const Kernels& kernels) {
    for (const UnaryCase& test : unary_cases) {
      CAPTURE(test.name);
      const Values x = random(20000, test.low, test.high);
      Values y(x.size());
      (kernels.*test.kernel)(20000, x.data(), y.data());
      Exact worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], test.exact(x[i])));
      CHECK(worst <= test.ulps);
    }
  });
}

TEST_CASE("an element does not depend on its place, on alignment or on what else is computed") {
  at_each_level([](const Kernels& kernels) {
    for (const UnaryCase& test : unary_cases) {
      CAPTURE(test.name);
      for (std::int64_t n : sizes) {
        CAPTURE(n);
        Values x = random(n + 1, test.low, test.high);
        Values y(count(n + 2), real(42));
        (kernels.*test.kernel)(n, x.data() + 1, y.data() + 1);  // one off any alignment
        CHECK(y.front() == 42);
        CHECK(y.back() == 42);
        Values alone(count(n)), together(y.begin() + 1, y.end() - 1);
        for (std::size_t i = 0; i < alone.size(); ++i) (kernels.*test.kernel)(1, &x[i + 1], &alone[i]);
        CHECK(same_bits(alone, together));
        (kernels.*test.kernel)(n, x.data() + 1, x.data() + 1);
        CHECK(same_bits(Values(x.begin() + 1, x.end()), together));
      }
    }
  });
}

TEST_CASE("functions of one argument at zero, infinity and NaN") {
  at_each_level([](const Kernels& kernels) {
    const auto at = [&](Unary kernel, real x) {
      real y = 42;
      (kernels.*kernel)(1, &x, &y);
      return y;
    };
    for (Unary kernel : {&Kernels::exp, &Kernels::log, &Kernels::sqrt, &Kernels::abs, &Kernels::sigmoid, &Kernels::tanh,
                         &Kernels::softplus})
      CHECK(std::isnan(at(kernel, not_a_number)));
    CHECK(at(&Kernels::exp, 0) == 1);
    CHECK(at(&Kernels::exp, -infinite) == 0);
    CHECK(at(&Kernels::exp, -1e4f) == 0);
    CHECK(at(&Kernels::exp, infinite) == infinite);
    CHECK(at(&Kernels::exp, 1e4f) == infinite);
    CHECK(at(&Kernels::log, 1) == 0);
    CHECK(at(&Kernels::log, 0) == -infinite);
    CHECK(at(&Kernels::log, infinite) == infinite);
    CHECK(std::isnan(at(&Kernels::log, -1)));
    CHECK(at(&Kernels::sqrt, 0) == 0);
    CHECK(at(&Kernels::sqrt, infinite) == infinite);
    CHECK(std::isnan(at(&Kernels::sqrt, -1)));
    CHECK(at(&Kernels::abs, -infinite) == infinite);
    CHECK_FALSE(std::signbit(at(&Kernels::abs, -real(0))));
    CHECK(at(&Kernels::sigmoid, 0) == real(0.5));
    CHECK(at(&Kernels::sigmoid, -infinite) == 0);
    CHECK(at(&Kernels::sigmoid, infinite) == 1);
    CHECK(at(&Kernels::tanh, 0) == 0);
    CHECK(at(&Kernels::tanh, -infinite) == -1);
    CHECK(at(&Kernels::tanh, infinite) == 1);
    CHECK(at(&Kernels::softplus, -infinite) == 0);
    CHECK(at(&Kernels::softplus, infinite) == infinite);
    CHECK(at(&Kernels::softplus, real(1e30)) == real(1e30));
  });
}

TEST_CASE("arithmetic is exact, fused gradients nearly so") {
  struct BinaryCase {
    const char* name;
    Binary kernel;
    std::function<real(real, real)> exact;
    double ulps;
  };
  const std::vector<BinaryCase> cases{
      {"add", &Kernels::add, [](real a, real b) { return a + b; }, 0},
      {"sub", &Kernels::sub, [](real a, real b) { return a - b; }, 0},
      {"mul", &Kernels::mul, [](real a, real b) { return a * b; }, 0},
      {"div", &Kernels::div, [](real a, real b) { return a / b; }, 0},
      {"sigmoid gradient", &Kernels::sigmoid_gradient,
       [](real g, real s) { return static_cast<real>(Exact(g) * s * (1 - Exact(s))); }, 4},
      {"tanh gradient", &Kernels::tanh_gradient,
       [](real g, real t) { return static_cast<real>(Exact(g) * (1 - Exact(t) * t)); }, 4},
  };
  at_each_level([&](const Kernels& kernels) {
    for (const BinaryCase& test : cases) {
      CAPTURE(test.name);
      for (std::int64_t n : sizes) {
        CAPTURE(n);
        Values a = random(n + 1, -5, 5, 1), b = random(n + 1, 0.05, 0.95, 2), c(count(n + 2), real(42));
        (kernels.*test.kernel)(n, a.data() + 1, b.data() + 1, c.data() + 1);
        CHECK(c.front() == 42);
        CHECK(c.back() == 42);
        Exact worst = 0;
        for (std::size_t i = 1; i < a.size(); ++i) worst = std::max(worst, ulps(c[i], test.exact(a[i], b[i])));
        CHECK(worst <= test.ulps);
        const Values result(c.begin() + 1, c.end() - 1);
        Values into_a = a;
        (kernels.*test.kernel)(n, into_a.data() + 1, b.data() + 1, into_a.data() + 1);
        CHECK(same_bits(Values(into_a.begin() + 1, into_a.end()), result));
        (kernels.*test.kernel)(n, a.data() + 1, b.data() + 1, b.data() + 1);
        CHECK(same_bits(Values(b.begin() + 1, b.end()), result));
      }
    }
  });
}

TEST_CASE("leaky_relu and its gradient switch above zero") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      Values x = random(n, -1, 1, 1), g = random(n, -1, 1, 2), y(count(n)), dx(count(n));
      if (n > 2) x[1] = 0;
      kernels.leaky_relu(n, real(0.25), x.data(), y.data());
      kernels.leaky_relu_gradient(n, real(0.25), g.data(), x.data(), dx.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(y[i] == (x[i] > 0 ? x[i] : x[i] / 4));
        CHECK(dx[i] == (x[i] > 0 ? g[i] : g[i] / 4));
      }
    }
  });
}

TEST_CASE("scale and axpy") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values x = random(n, -5, 5, 1), before = random(n, -5, 5, 2);
      Values y = before, scaled(count(n));
      kernels.scale(n, real(-0.3), x.data(), scaled.data());
      kernels.axpy(n, real(-0.3), x.data(), y.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(scaled[i] == real(-0.3) * x[i]);
        CHECK(std::abs(y[i] - (before[i] + Exact(real(-0.3)) * x[i])) <= 8 * epsilon);  // fused or not
      }
    }
  });
}

TEST_CASE("reductions are as good as their sums of moduli allow, and repeatable") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values a = random(n + 1, -5, 5, 1), b = random(n + 1, -5, 5, 2);
      const std::vector<std::uint8_t> bytes = random_bytes(n + 1);
      Exact sum = 0, modulus = 0, dot = 0, dot_modulus = 0, sum_exp = 0, dot_bytes = 0, bytes_modulus = 0;
      for (std::size_t i = 1; i < a.size(); ++i) {
        sum += a[i];
        modulus += std::abs(a[i]);
        dot += Exact(a[i]) * b[i];
        dot_modulus += std::abs(Exact(a[i]) * b[i]);
        sum_exp += std::exp(Exact(a[i]) - 2);
        dot_bytes += Exact(a[i]) * bytes[i];
        bytes_modulus += std::abs(Exact(a[i]) * bytes[i]);
      }
      // Within a lane at most n / 4 roundings and a few to join: far fewer than 16 of full size at these n.
      const Exact slack = 16 * epsilon;
      CHECK(std::abs(kernels.sum(n, a.data() + 1) - sum) <= slack * modulus);
      CHECK(std::abs(kernels.dot(n, a.data() + 1, b.data() + 1) - dot) <= slack * dot_modulus);
      CHECK(std::abs(kernels.sum_exp(n, 2, a.data() + 1) - sum_exp) <= slack * sum_exp);
      CHECK(std::abs(kernels.dot_bytes(n, a.data() + 1, bytes.data() + 1) - dot_bytes) <= slack * bytes_modulus);
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

TEST_CASE("softmin sums and responsibilities follow their formula; infinite offsets count exactly nothing") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      for (real lambda : {real(10), real(0.1), real(0.01)}) {
        CAPTURE(n);
        CAPTURE(lambda);
        Values offset = random(n, 0, 1, 1);
        const Values product = random(n, 0, 1, 2);
        for (std::size_t i = 2; i < offset.size(); i += 5) offset[i] = infinite;
        const real scale = -2, shift = real(-1.5), rate = 1 / lambda;
        Values y(count(n)), in_place = product;
        kernels.exp_affine(n, offset.data(), scale, product.data(), shift, rate, y.data());
        kernels.exp_affine(n, offset.data(), scale, in_place.data(), shift, rate, in_place.data());
        CHECK(same_bits(y, in_place));
        Exact sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
          const Exact wanted = std::exp((shift - offset[i] - Exact(scale) * product[i]) * rate);
          sum += wanted;
          if (offset[i] == infinite) CHECK(y[i] == 0);
          // The exponent's rounding is amplified; below the normal numbers nothing is promised.
          CHECK(std::abs(y[i] - wanted) <= (4 + 12 * rate) * epsilon * wanted + std::numeric_limits<real>::min());
        }
        CHECK(std::abs(kernels.sum_exp_affine(n, offset.data(), scale, product.data(), shift, rate) - sum) <=
              (20 + 12 * rate) * epsilon * sum);
      }
    }
  });
}

TEST_CASE("bytes scale and accumulate like the numbers they are") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const std::vector<std::uint8_t> x = random_bytes(n + 1);
      const Values before = random(n, -5, 5);
      Values y(count(n)), sum = before, wanted = before;
      kernels.from_bytes(n, real(1) / 255, x.data() + 1, y.data());
      kernels.axpy_bytes(n, real(0.5), x.data() + 1, sum.data());
      for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(y[i] == real(1) / 255 * static_cast<real>(x[i + 1]));
        CHECK(sum[i] == wanted[i] + real(0.5) * static_cast<real>(x[i + 1]));  // halves are exact: fused or not
      }
    }
  });
}

TEST_CASE("adam moves parameters and both moments in one pass") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values p0 = random(n, -1, 1, 1), m0 = random(n, -1, 1, 2), v0 = random(n, 0, 1, 3), g = random(n, -1, 1, 4);
      Values p = p0, m = m0, v = v0;
      const real rate = real(0.01), beta1 = real(0.9), beta2 = real(0.999), correction = 3, small = real(1e-8);
      kernels.adam(n, p.data(), m.data(), v.data(), g.data(), rate, beta1, beta2, correction, small);
      for (std::size_t i = 0; i < p.size(); ++i) {
        const Exact first = Exact(beta1) * m0[i] + (1 - Exact(beta1)) * g[i];
        const Exact second = Exact(beta2) * v0[i] + (1 - Exact(beta2)) * g[i] * g[i];
        CHECK(std::abs(m[i] - first) <= 2 * epsilon);
        CHECK(ulps(v[i], second) <= 4);
        CHECK(std::abs(p[i] - (p0[i] - rate * first / (std::sqrt(second) * correction + small))) <= 4 * epsilon);
      }
    }
  });
}

TEST_CASE("the level in use is the highest there is up to the one asked for") {
  const std::vector<Level> available = levels();
  REQUIRE_FALSE(available.empty());
  CHECK(&kernels_up_to(nullptr) == kernels_of(available.back()));
  for (Level level : available) {
    CHECK(kernels_of(level)->level == level);
    CHECK(kernels_up_to(name(level).c_str()).level == level);
  }
  for (Level level : {Level::baseline, Level::avx2, Level::avx512, Level::neon})  // never one that the CPU lacks
    CHECK(kernels_of(kernels_up_to(name(level).c_str()).level) != nullptr);
  CHECK_THROWS_WITH_AS(kernels_up_to("sse9"),
                       "[SEMIDUAL_SIMD] the environment variable must be baseline, avx2, avx512 or neon: sse9",
                       engine::Error);
  CHECK_THROWS_AS(kernels_up_to(""), engine::Error);
}
