#include <span>

#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

namespace {

std::vector<double> uniform(std::int64_t n, std::uint64_t stream) {
  std::vector<double> x(count(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 2 * engine::Random(7, stream).uniform(i) - 1;
  return x;
}

}  // namespace

TEST_CASE("distances of many pairs are the sums of their coordinates' differences, whatever real is") {
  constexpr double scale = 0.75;
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t dimension : {0, 1, 2, 7, 128, 300})
      for (std::int64_t rows : {0, 1, 3, 4, 9})
        for (std::int64_t groups : {0, 1, 3}) {
          CAPTURE(dimension);
          CAPTURE(rows);
          const std::int64_t points = groups * group_size;
          const std::vector<double> x = uniform(rows * dimension, 0), y = uniform(points * dimension, 1);
          std::vector<double> squares(count(rows * points + 1), 42), moduli = squares;
          kernels.squared_distances(rows, groups, dimension, x.data(), y.data(), scale, squares.data());
          kernels.cityblock_distances(rows, groups, dimension, x.data(), y.data(), scale, moduli.data());
          CHECK(squares.back() == 42);
          CHECK(moduli.back() == 42);
          Exact worst = 0;
          for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t j = 0; j < points; ++j) {
              Exact square = 0, modulus = 0;
              for (std::int64_t k = 0; k < dimension; ++k) {
                const Exact difference =
                    x[count(r * dimension + k)] -
                    Exact{y[count((j / group_size * dimension + k) * group_size + j % group_size)]};
                square += scale * difference * difference;
                modulus += scale * std::abs(difference);
              }
              worst = std::max(worst, std::abs(squares[count(r * points + j)] - square));
              worst = std::max(worst, std::abs(moduli[count(r * points + j)] - modulus));
            }
          CHECK(worst <= 4 * static_cast<Exact>(dimension) * std::numeric_limits<double>::epsilon());
        }
  });
}

TEST_CASE("distances keep their digits however far the points lie from 0, and are 0 between equal points") {
  at_each_level([](const Kernels& kernels) {
    std::vector<double> y(2 * group_size, 1e9), square(group_size), modulus(group_size);
    y[3] += 0x1p-20;
    const std::vector<double> x(2, 1e9);
    kernels.squared_distances(1, 1, 2, x.data(), y.data(), 1, square.data());
    kernels.cityblock_distances(1, 1, 2, x.data(), y.data(), 1, modulus.data());
    for (std::size_t j = 0; j < square.size(); ++j) {
      CHECK(square[j] == (j == 3 ? 0x1p-40 : 0));
      CHECK(modulus[j] == (j == 3 ? 0x1p-20 : 0));
    }
  });
}

TEST_CASE("reduce subtracts in double before it rounds") {
  at_each_level([](const Kernels& kernels) {
    for (const std::int64_t n : sizes) {
      std::vector<double> x = uniform(n, 2), b = uniform(n, 3);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += 1e9 + b[i];
      Values y(count(n + 1), 42);
      kernels.reduce(n, x.data(), 1e9, b.data(), y.data());
      CHECK(y.back() == 42);
      for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == static_cast<real>(x[i] - 1e9 - b[i]));
    }
  });
}

TEST_CASE("exp and log in double are right to the last places, whatever real is") {
  at_each_level([](const Kernels& kernels) {
    for (const std::int64_t n : sizes) {
      std::vector<double> x = uniform(n, 4), y(count(n + 1), 42), z = y;
      for (double& value : x) value *= 700;
      kernels.precise_exp(n, x.data(), y.data());
      kernels.precise_log(n, y.data(), z.data());
      CHECK(y.back() == 42);
      CHECK(z.back() == 42);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Exact e = std::exp(Exact{x[i]}), log = std::log(Exact{y[i]});
        CHECK(std::abs(y[i] - e) <= 4 * std::numeric_limits<double>::epsilon() * e);
        CHECK(std::abs(z[i] - log) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(log));
      }
    }
    const double far[] = {-infinite, -1e300, -709, 0, 710, 1e300, infinite};
    double exp[std::size(far)];
    kernels.precise_exp(std::ssize(far), far, exp);
    for (const double zero : {exp[0], exp[1], exp[2]}) CHECK(zero == 0);
    CHECK(exp[3] == 1);
    for (const double e : {exp[4], exp[5], exp[6]}) CHECK(e == infinite);
  });
}
