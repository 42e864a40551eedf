#include "engine/ops/linear.h"

#include <doctest/doctest.h>

#include "engine/ops/matmul.h"
#include "gradient_check.h"

using namespace engine;

namespace {
const Activation activations[] = {{}, Activation::relu(), Activation::leaky_relu(0.2), Activation::sigmoid()};

Var unfused(const Activation& activation, const Var& sums) {
  switch (activation.kind) {
    case Activation::Kind::leaky_relu:
      return leaky_relu(sums, activation.slope);
    case Activation::Kind::sigmoid:
      return sigmoid(sums);
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

TEST_CASE("linear refuses what does not fit") {
  const Tensor x = Tensor::zeros({200, 100}), weight = Tensor::zeros({5, 100}), bias = Tensor::zeros({5});
  CHECK_THROWS_WITH(linear(x, Tensor::zeros({99, 256}), bias),
                    "[linear] x [B, in] and weight [out, in] must agree in `in`: [200, 100] x [99, 256]");
  CHECK_THROWS_WITH(linear(x, weight, Tensor::zeros({3})),
                    "[linear] bias [out] must match weight [out, in]: [3] against [5, 100]");
  CHECK_THROWS_WITH(linear(x, weight, bias, Activation::leaky_relu(-0.5)),
                    "[linear] the slope must be finite and not negative: -0.5");
}
