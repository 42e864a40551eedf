#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

namespace {

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

TEST_CASE("scale, axpy and standardise") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const Values x = random(n, -5, 5, 1), before = random(n, -5, 5, 2);
      Values y = before, scaled(count(n)), standard(count(n));
      kernels.scale(n, real(-0.3), x.data(), scaled.data());
      kernels.axpy(n, real(-0.3), x.data(), y.data());
      kernels.standardise(n, real(1.7), real(-0.3), real(2.5), x.data(), standard.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(std::abs(standard[i] - (Exact(x[i] - real(1.7)) * real(-0.3) + real(2.5))) <= 8 * epsilon);
        CHECK(scaled[i] == real(-0.3) * x[i]);
        CHECK(std::abs(y[i] - (before[i] + Exact(real(-0.3)) * x[i])) <= 8 * epsilon);  // fused or not
      }
    }
  });
}

TEST_CASE("bytes scale like the numbers they are") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : sizes) {
      CAPTURE(n);
      const std::vector<std::uint8_t> x = random_bytes(n + 1);
      Values y(count(n));
      kernels.from_bytes(n, real(1) / 255, x.data() + 1, y.data());
      for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == real(1) / 255 * static_cast<real>(x[i + 1]));
    }
  });
}

TEST_CASE("weighted sums of 8-bit points add up as in long double, whatever their number") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t n : {1, 16, 40, 203, 600})
      for (std::int64_t rows : {0, 1, 16, 17, 33, 70, 300}) {
        CAPTURE(n);
        CAPTURE(rows);
        constexpr std::int64_t stride = block_size + 3;
        std::vector<std::uint8_t> bytes = random_bytes(n * block_size);
        for (std::int64_t l = 0; l < block_size; ++l)  // columns without a point
          for (std::int64_t k = 32; k < std::min<std::int64_t>(n, 64); ++k) bytes[count(l * n + k)] = 0;
        const Values before = random(rows * n + 1, -5, 5, 2);
        Values weight = random(rows * stride, -1, 1, 1);
        for (std::int64_t q = 0; q < rows; ++q)  // points without weight, in all rows and in some
          for (std::int64_t l = 0; l < block_size; ++l)
            if (l % 5 == 1 || (q + l) % 3 == 0) weight[count(q * stride + l)] = 0;
        Values y = before;
        std::vector<const std::uint8_t*> points;
        for (std::int64_t l = 0; l < block_size; ++l) points.push_back(bytes.data() + l * n);
        std::vector<real*> sums;
        for (std::int64_t q = 0; q < rows; ++q) sums.push_back(y.data() + q * n);
        kernels.add_weighted_bytes(n, real(0.5), points.data(), rows, weight.data(), stride, sums.data());
        CHECK(y.back() == before.back());
        for (std::int64_t q = 0; q < rows; ++q)
          for (std::int64_t k = 0; k < n; ++k) {
            Exact sum = 0, modulus = 0;
            for (std::int64_t l = 0; l < block_size; ++l) {
              const Exact term = Exact(0.5) * weight[count(q * stride + l)] * bytes[count(l * n + k)];
              sum += term;
              modulus += std::abs(term);
            }
            const Exact wanted = before[count(q * n + k)] + sum;
            CHECK(std::abs(y[count(q * n + k)] - wanted) <= epsilon * (16 * modulus + std::abs(wanted)));
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
