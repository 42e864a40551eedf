#include "engine/ops/linear.h"

#include <doctest/doctest.h>

#include "engine/ops/matmul.h"
#include "engine/product.h"
#include "gradient_check.h"

using namespace engine;

namespace {
const Activation activations[] = {
    {}, Activation::relu(), Activation::leaky_relu(0.2), Activation::sigmoid(), Activation::tanh()};

Var unfused(const Activation& activation, const Var& sums) {
  switch (activation.kind) {
    case Activation::Kind::leaky_relu:
      return leaky_relu(sums, activation.slope);
    case Activation::Kind::sigmoid:
      return sigmoid(sums);
    case Activation::Kind::tanh:
      return tanh(sums);
    default:
      return sums;
  }
}
}  // namespace

TEST_CASE("linear is x weight^T + bias") {
  const Tensor x(Shape{2, 3}, {1, 2, 3, 4, 5, 6}), weight(Shape{2, 3}, {1, 0, -1, 2, 1, 0}), bias(Shape{2}, {10, 20});
  const Tensor y = linear(x, weight, bias).value();
  CHECK(y.data()[0] == 8);
  CHECK(y.data()[1] == 24);
  CHECK(y.data()[2] == 8);
  CHECK(y.data()[3] == 33);
}

TEST_CASE("linear with an activation is the activation of the sums, at sizes of one and of many tiles") {
  for (const std::int64_t batch : {1, 7, 600})
    for (const std::int64_t outputs : {1, 33, 530})
      for (const Activation& activation : activations) {
        const Tensor x = Random(41, 0).normal({batch, 19}, 0, 1), weight = Random(41, 1).normal({outputs, 19}, 0, 1),
                     bias = Random(41, 2).normal({outputs}, 0, 1);
        const Tensor y = linear(x, weight, bias, activation).value();
        const Tensor expected =
            unfused(activation, matmul(x, weight, Transpose::no, Transpose::yes) + Var(bias)).value();
        REQUIRE(y.shape() == expected.shape());
        double worst = 0;
        for (std::int64_t i = 0; i < y.size(); ++i)
          worst = std::max(worst, std::abs(double(y.data()[i]) - double(expected.data()[i])));
        CHECK(worst < 2e-5);
      }
}

TEST_CASE("linear has right first and second gradients with every activation" * doctest::skip(!testing::precise)) {
  for (const Activation& activation : activations)
    testing::check_gradients(
        [&](const std::vector<Var>& in) {
          const Var out = linear(in[0], in[1], in[2], activation);
          return out * out;
        },
        {Random(42, 0).normal({5, 3}, 0, 1), Random(42, 1).normal({4, 3}, 0, 1), Random(42, 2).normal({4}, 0, 1)});
}

TEST_CASE("matmul and linear in bf16 are near those in full, for all transposes and odd sizes, with their gradients" *
          doctest::skip(!has_bf16_products())) {
  const auto distance = [](const Var& a, const Var& b) {
    double worst = 0;
    for (std::int64_t i = 0; i < a.size(); ++i)
      worst = std::max(worst, std::abs(double(a.value().data()[i]) - double(b.value().data()[i])));
    return worst;
  };
  for (const std::int64_t m : {1, 65, 300})
    for (const std::int64_t n : {1, 40, 200})
      for (const std::int64_t k : {1, 33, 130})
        for (const Transpose ta : {Transpose::no, Transpose::yes})
          for (const Transpose tb : {Transpose::no, Transpose::yes}) {
            // Small whole numbers are exact in bf16, and so are their products' sums in float.
            const auto whole = [](std::int64_t rows, std::int64_t columns, Transpose t, std::uint64_t stream) {
              Tensor x =
                  Random(43, stream).uniform(t == Transpose::no ? Shape{rows, columns} : Shape{columns, rows}, -9, 9);
              for (real& value : x.values()) value = std::round(value);
              return x;
            };
            const Tensor a = whole(m, k, ta, 0), b = whole(k, n, tb, 1);
            const Var exact = matmul(a, b, ta, tb);
            const Bf16Products rounding;
            CHECK(distance(matmul(a, b, ta, tb), exact) == 0);
          }

  const std::vector<Tensor> inputs{Random(44, 0).normal({70, 33}, 0, 1), Random(44, 1).normal({20, 33}, 0, 1),
                                   Random(44, 2).normal({20}, 0, 1)};
  const auto gradients = [&] {
    Tape tape;
    std::vector<Var> leaves(inputs.begin(), inputs.end());
    for (Var& leaf : leaves) tape.watch(leaf);
    const Var y = linear(leaves[0], leaves[1], leaves[2], Activation::leaky_relu(0.2));
    return tape.gradient(sum(y * y), leaves);
  };
  const std::vector<Var> full = gradients();
  {
    const Bf16Products rounding;
    const std::vector<Var> rounded = gradients();
    for (std::size_t i = 0; i < full.size(); ++i) {
      const double error = distance(rounded[i], full[i]), size = distance(full[i], Tensor::zeros(full[i].shape()));
      CHECK(error > 0);
      CHECK(error < 0.02 * size);
    }
  }
  CHECK(distance(gradients()[0], full[0]) == 0);  // the guard has ended
}

TEST_CASE("linear refuses what does not fit") {
  const Tensor x = Tensor::zeros({200, 100}), weight = Tensor::zeros({5, 100}), bias = Tensor::zeros({5});
  CHECK_THROWS_WITH(linear(x, Tensor::zeros({99, 256}), bias),
                    "[linear] x [B, in] and weight [out, in] must agree in `in`: [200, 100] x [99, 256]");
  CHECK_THROWS_WITH(linear(x, weight, Tensor::zeros({3})),
                    "[linear] bias [out] must match weight [out, in]: [3] against [5, 100]");
  if (!has_bf16_products())
    CHECK_THROWS_WITH(Bf16Products(),
                      "[bf16] this program or this CPU has no products of bfloat16 numbers (AVX-512 BF16)");
  CHECK_THROWS_WITH(linear(x, weight, bias, Activation::leaky_relu(-0.5)),
                    "[linear] the slope must be finite and not negative: -0.5");
}
