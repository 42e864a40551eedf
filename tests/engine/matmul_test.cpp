#include "engine/ops/matmul.h"

#include <cmath>

#include <doctest/doctest.h>

#include "gradient_check.h"

using namespace engine;

namespace {
constexpr Transpose both[] = {Transpose::no, Transpose::yes};

Shape stored(std::int64_t rows, std::int64_t columns, Transpose t) {
  return t == Transpose::no ? Shape{rows, columns} : Shape{columns, rows};
}
}  // namespace

TEST_CASE("matmul equals the direct sum for all transposes and odd sizes") {
  for (std::int64_t m : {1, 7, 33})
    for (std::int64_t n : {1, 8, 17})
      for (std::int64_t k : {1, 9, 64})
        for (Transpose ta : both)
          for (Transpose tb : both) {
            const Tensor a = Random(31, 0).normal(stored(m, k, ta), 0, 1);
            const Tensor b = Random(31, 1).normal(stored(k, n, tb), 0, 1);
            const Tensor c = matmul(a, b, ta, tb).value();
            CHECK(c.shape() == Shape{m, n});
            double worst = 0;
            for (std::int64_t i = 0; i < m; ++i)
              for (std::int64_t j = 0; j < n; ++j) {
                long double expected = 0;
                for (std::int64_t l = 0; l < k; ++l)
                  expected +=
                      static_cast<long double>(ta == Transpose::no ? a.data()[i * k + l] : a.data()[l * m + i]) *
                      (tb == Transpose::no ? b.data()[l * n + j] : b.data()[j * k + l]);
                worst = std::max(worst, static_cast<double>(std::abs(c.data()[i * n + j] - expected)));
              }
            CHECK(worst < 2e-5);
          }
}

TEST_CASE("matmul has right first and second gradients for all transposes" * doctest::skip(!testing::precise)) {
  for (Transpose ta : both)
    for (Transpose tb : both) {
      const std::vector<Tensor> inputs{Random(32, 0).normal(stored(3, 5, ta), 0, 1),
                                       Random(32, 1).normal(stored(5, 7, tb), 0, 1)};
      testing::check_gradients(
          [&](const std::vector<Var>& in) {
            const Var c = matmul(in[0], in[1], ta, tb);
            return c * c;
          },
          inputs);
    }
}

TEST_CASE("matrices that do not fit are refused with both shapes") {
  const Tensor a = Tensor::zeros({200, 100}), b = Tensor::zeros({99, 256}), v = Tensor::zeros({3});
  CHECK_THROWS_WITH(matmul(a, b), "[matmul] inner sizes must agree: [200, 100] x [99, 256]");
  CHECK_THROWS_WITH(matmul(a, b, Transpose::yes, Transpose::yes),
                    "[matmul] inner sizes must agree: [200, 100]^T x [99, 256]^T");
  CHECK_THROWS_WITH(matmul(a, v), "[matmul] both inputs must be matrices: [200, 100] x [3]");
}
