#include "engine/ops/shape.h"

#include <doctest/doctest.h>

#include "gradient_check.h"

using namespace engine;

TEST_CASE("transpose exchanges any two axes") {
  // Axes of size 1 and axes longer than what is transposed together.
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{1, 17, 1, 35}, Shape{16, 1, 33, 1}, Shape{2, 18, 3, 1}}) {
    CAPTURE(shape);
    const Tensor x = Random(21, 0).normal(shape, 0, 1);
    for (int a = 0; a < 4; ++a)
      for (int b = 0; b < 4; ++b) {
        const Tensor y = transpose(x, a, b - 4).value();
        CHECK(y.dim(a) == x.dim(b));
        CHECK(y.dim(b) == x.dim(a));
        int index[4], wrong = 0;
        for (index[0] = 0; index[0] < shape[0]; ++index[0])
          for (index[1] = 0; index[1] < shape[1]; ++index[1])
            for (index[2] = 0; index[2] < shape[2]; ++index[2])
              for (index[3] = 0; index[3] < shape[3]; ++index[3]) {
                int other[4];
                std::copy_n(index, 4, other);
                std::swap(other[a], other[b]);
                const auto offset = [](const Tensor& t, const int* i) {
                  return ((i[0] * t.dim(1) + i[1]) * t.dim(2) + i[2]) * t.dim(3) + i[3];
                };
                wrong += y.data()[offset(y, other)] != x.data()[offset(x, index)];
              }
        CHECK(wrong == 0);
      }
  }
}

TEST_CASE("slice, pad and concat are each other's inverses") {
  const Tensor x = Random(22, 0).normal({2, 5, 3}, 0, 1);
  const Var front = slice(x, 1, 0, 2), back = slice(x, 1, 2, 5);
  const Tensor whole = concat({front, back}, 1).value();
  CHECK(std::equal(whole.values().begin(), whole.values().end(), x.values().begin()));
  const Tensor padded = pad(front, -2, 1, 2).value();
  CHECK(padded.shape() == Shape{2, 5, 3});
  CHECK(padded.data()[0] == 0);
  CHECK(padded.data()[3] == x.data()[0]);
  CHECK(slice(x, 0, 1, 1).shape() == Shape{0, 5, 3});
}

TEST_CASE("shape ops have right first and second gradients" * doctest::skip(!testing::precise)) {
  const std::vector<Tensor> inputs{Random(23, 0).normal({2, 5, 3}, 0, 1), Random(23, 1).normal({2, 4, 3}, 0, 1)};
  const auto check = [&](auto op) {
    testing::check_gradients([&](const std::vector<Var>& in) { return exp(op(in[0] * in[0], in[1])); }, inputs);
  };
  check([](const Var& a, const Var&) { return reshape(a, {6, 5}); });
  check([](const Var& a, const Var&) { return transpose(a, 0, 2); });
  check([](const Var& a, const Var&) { return slice(a, 1, 1, 4); });
  check([](const Var& a, const Var&) { return pad(a, 0, 1, 2); });
  check([](const Var& a, const Var& b) { return concat({a, b, a}, 1); });
}

TEST_CASE("ranges, axes and sizes that do not fit are refused") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH(reshape(x, {4}), "[reshape] sizes must agree: [2, 3] to [4]");
  CHECK_THROWS_WITH(transpose(x, 0, 2), "[transpose] axis must be in -2..1: 2 for [2, 3]");
  CHECK_THROWS_WITH(slice(x, 1, 2, 4), "[slice] range must lie in 0..3: 2..4 of axis 1 of [2, 3]");
  CHECK_THROWS_WITH(slice(x, 3, 0, 1), "[slice] axis must be in -2..1: 3 for [2, 3]");
  CHECK_THROWS_WITH(pad(x, 0, -1, 0), "[pad] counts must not be negative: -1 and 0");
  CHECK_THROWS_WITH(pad(x, 9, 1, 0), "[pad] axis must be in -2..1: 9 for [2, 3]");
  CHECK_THROWS_WITH(concat(std::span<const Var>(), 0), "[concat] at least one part is needed");
  CHECK_THROWS_WITH(concat({x, Tensor::zeros({2, 4})}, 0),
                    "[concat] parts must agree outside axis 0: [2, 3] and [2, 4]");
  CHECK_THROWS_WITH(concat({x, Tensor::zeros({2})}, 0), "[concat] parts must have the same axes: [2, 3] and [2]");
  CHECK_THROWS_WITH(concat({Var(x)}, 4), "[concat] axis must be in -2..1: 4 for [2, 3]");
  CHECK_THROWS_WITH((Shape{1, 2, 3, 4, 5, 6, 7}), "[shape] at most 6 axes: 7");
  CHECK_THROWS_WITH((Shape{2, -1}), "[shape] sizes must not be negative: -1");
}

TEST_CASE("sizes whose product overflows are refused, also where it would wrap to 0") {
  constexpr std::int64_t k = std::int64_t{1} << 31;
  CHECK_THROWS_WITH((Tensor({4 * k, k})), "[shape] too many elements: [8589934592, 2147483648]");
  CHECK_THROWS_WITH((Tensor({k, k})), "[shape] too many elements: [2147483648, 2147483648]");
  CHECK((Shape{4 * k, k, 0}).size() == 0);
  CHECK(Shape{}.size() == 1);
}
