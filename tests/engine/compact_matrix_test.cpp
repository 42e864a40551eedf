#include "engine/compact_matrix.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/random.h"

using namespace engine;

namespace {

constexpr std::int64_t group = 256;

/// Rows that are 0 but for some columns, others in each group of rows: of the second group all are.
Tensor sparse(std::int64_t rows, std::int64_t columns) {
  Tensor x = Random(61, 0).normal({rows, columns}, 0, 1);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < columns; ++k) {
      const std::int64_t g = i / group;
      if (g == 1 || (k + 3 * g) % 7 < 3 || k == columns - 1) x.data()[i * columns + k] = 0;
    }
  return x;
}

double distance(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i]) - b.data()[i]));
  return largest;
}

constexpr double tolerance = 200 * std::numeric_limits<real>::epsilon();

}  // namespace

TEST_CASE("a compact matrix is the matrix, and so are its products") {
  for (const std::int64_t rows : {group, 3 * group + 17})
    for (const std::int64_t columns : {2, 30, 1100}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const Tensor x = sparse(rows, columns);
      const auto compact = CompactMatrix::of(x);
      REQUIRE(compact);
      CHECK(distance(compact->dense(), x) == 0);
      for (const std::int64_t n : {1, 40, 600}) {
        CAPTURE(n);
        const Tensor w = Random(62, 0).normal({n, columns}, 0, real(0.1)), left = Random(62, 1).normal({rows, n}, 0, 1);
        Tensor product = Tensor::full({rows, n}, 2);
        compact->for_each_tile(n, [&](const ProductTile& tile) { compact->add_product(tile, w, product.data()); });
        CHECK(
            distance(product, (matmul(x, w, Transpose::no, Transpose::yes) + Var(Tensor::full({rows, n}, 2))).value()) <
            tolerance);
        const Tensor from_left = matmul(left, x, Transpose::yes).value();
        CHECK(distance(compact->product_from_left(left), from_left) < 10 * tolerance);
      }
    }
}

TEST_CASE("a matrix is compact only where that spares much") {
  CHECK_FALSE(CompactMatrix::of(sparse(group - 1, 30)));
  CHECK_FALSE(CompactMatrix::of(Random(63, 0).normal({2 * group, 30}, 0, 1)));
  Tensor x = Random(63, 1).normal({group, 30}, 0, 1);
  for (std::int64_t i = 0; i < group; ++i) std::fill_n(x.data() + i * 30, 5, real{0});
  CHECK_FALSE(CompactMatrix::of(x));
  for (std::int64_t i = 0; i < group; ++i) std::fill_n(x.data() + i * 30, 6, real{0});
  CHECK(CompactMatrix::of(x));
  x.data()[17] = std::numeric_limits<real>::quiet_NaN();  // is not 0
  x.data()[0] = std::numeric_limits<real>::quiet_NaN();
  CHECK_FALSE(CompactMatrix::of(x));
}

TEST_CASE("a layer on values with common zeros, constant or on the tape, has the gradients of a product with them") {
  constexpr std::int64_t rows = 2 * group + 5, columns = 21, outputs = 4;
  const Tensor x = sparse(rows, columns);
  Var weight = Random(64, 0).normal({outputs, columns}, 0, 1), bias = Random(64, 1).normal({outputs}, 0, 1);
  const auto gradients = [&](bool constant, const auto& layer) {
    Tape tape;
    Var points = x.clone();
    std::vector<Var> inputs;
    for (Var* input : {&weight, &bias, &points}) {
      if (constant && input == &points) continue;
      tape.watch(*input);
      inputs.push_back(*input);
    }
    const Var y = layer(points);
    std::vector<Tensor> all{y.value()};
    const auto first = tape.gradient(mean(mul(y, y)), inputs, true);
    for (const Var& gradient : first) all.push_back(gradient.value());
    const auto second = tape.gradient(sum(mul(first[0], first[0])), inputs);
    for (const Var& gradient : second) all.push_back(gradient.value());
    return all;
  };
  const auto linear_layer = [&](const Var& points) { return linear(points, weight, bias, Activation::sigmoid()); };
  const auto product_layer = [&](const Var& points) {
    return sigmoid(matmul(points, weight, Transpose::no, Transpose::yes) + bias);
  };
  for (const bool constant : {true, false}) {
    CAPTURE(constant);
    const auto found = gradients(constant, linear_layer), expected = gradients(constant, product_layer);
    REQUIRE(found.size() == expected.size());
    for (std::size_t g = 0; g < found.size(); ++g) {
      CAPTURE(g);
      CHECK(distance(found[g], expected[g]) < tolerance);
    }
  }
  CHECK(distance(gradients(true, linear_layer)[0], gradients(false, linear_layer)[0]) == 0);
}
