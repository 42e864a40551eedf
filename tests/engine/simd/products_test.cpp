#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

namespace {
std::int64_t place_in_blocks(const ProductShape& shape, std::int64_t row, std::int64_t k) {
  const std::int64_t first = row / row_block * row_block;
  return first * shape.depth + k * std::min(row_block, shape.rows - first) + row - first;
}
}  // namespace

TEST_CASE("sum_products adds up the products of small matrices, wherever their rows stand") {
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t rows : {1, 2, 3, 4, 7, 8, 13})
      for (std::int64_t lanes : {16, 17, 20, 31, 32, 40, 48, 56, 63, 64, 100})
        for (std::int64_t depth : {1, 5, 300})
          for (std::int64_t terms : {0, 1, 3}) {
            CAPTURE(rows);
            CAPTURE(lanes);
            CAPTURE(depth);
            CAPTURE(terms);
            const ProductShape shape{rows, lanes, depth, lanes + 3, lanes + 2};
            const std::int64_t a_size = depth * rows, x_size = depth * shape.stride_x;
            const Values a = random(3 * a_size, -1, 1, 1), x = random(3 * x_size, -1, 1, 2);
            const Term order[] = {{2 * a_size, x_size}, {0, 2 * x_size}, {a_size, 0}};
            Values y(count(rows * shape.stride_y), real(42));
            kernels.sum_products(terms, order, shape, a.data(), x.data(), y.data());
            Exact worst = 0;
            for (std::int64_t r = 0; r < rows; ++r) {
              for (std::int64_t l = 0; l < lanes; ++l) {
                Exact wanted = 0;
                for (const Term* t = order; t < order + terms; ++t)
                  for (std::int64_t k = 0; k < depth; ++k)
                    wanted +=
                        Exact(a[count(t->a + place_in_blocks(shape, r, k))]) * x[count(t->x + k * shape.stride_x + l)];
                worst = std::max(worst, std::abs(y[count(r * shape.stride_y + l)] - wanted));
              }
              for (std::int64_t l = lanes; l < shape.stride_y; ++l) CHECK(y[count(r * shape.stride_y + l)] == 42);
            }
            CHECK(worst <= Exact(terms * depth) * epsilon * Exact(terms * depth + 1));
          }
  });
}

TEST_CASE("a lane of sum_products has the same bits in every place and company") {
  at_each_level([](const Kernels& kernels) {
    constexpr std::int64_t depth = 9;
    for (std::int64_t lanes : {17, 40, 56, 100}) {
      CAPTURE(lanes);
      const Values a = random(depth * 8, -1, 1, 3), column = random(depth, -1, 1, 4);
      Values x(count(depth * lanes));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = column[i / count(lanes)];
      Values y(count(8 * lanes));
      const Term term{0, 0};
      kernels.sum_products(1, &term, {8, lanes, depth, lanes, lanes}, a.data(), x.data(), y.data());
      for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == y[i / count(lanes) * count(lanes)]);
    }
  });
}
