#include "engine/tape.h"

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "gradient_check.h"

using namespace engine;
using doctest::Approx;

TEST_CASE("a gradient follows every path to the output") {
  Tape tape;
  Var x = Tensor(Shape{2}, {3, 5});
  tape.watch(x);
  const Var y = sum(x * x + x);  // dy/dx = 2 x + 1
  const Var gradient = tape.gradient(y, {x})[0];
  CHECK(gradient.value().data()[0] == Approx(7));
  CHECK(gradient.value().data()[1] == Approx(11));
}

TEST_CASE("an input that the output does not depend on has gradient zero") {
  Tape tape;
  Var x = Tensor::scalar(1), other = Tensor::full({3}, 2);
  tape.watch(x);
  tape.watch(other);
  const auto gradients = tape.gradient(x * 2.0, {x, other});
  CHECK(gradients[0].value().item() == 2);
  CHECK(gradients[1].shape() == Shape{3});
  CHECK(gradients[1].value().data()[2] == 0);
  CHECK(tape.gradient(Tensor::scalar(4), {x})[0].value().item() == 0);
}

TEST_CASE("gradients can be asked in intermediate results") {
  Tape tape;
  Var x = Tensor::scalar(3);
  tape.watch(x);
  const Var square = x * x;
  const auto gradients = tape.gradient(square * square, {square, x});
  CHECK(gradients[0].value().item() == Approx(18));
  CHECK(gradients[1].value().item() == Approx(108));
}

TEST_CASE("a recorded sweep can be differentiated, to any order") {
  Tape tape;
  Var x = Tensor::scalar(2);
  tape.watch(x);
  Var derivative = pow(x, 4);
  for (double expected : {32.0, 48.0, 48.0, 24.0}) {  // 4x^3, 12x^2, 24x, 24
    derivative = tape.gradient(derivative, {x}, true)[0];
    CHECK(derivative.value().item() == Approx(expected));
  }
}

TEST_CASE("without create_graph nothing of the sweep is recorded") {
  Tape tape;
  Var x = Tensor::full({4}, 2);
  tape.watch(x);
  const Var y = sum(exp(x) * x);
  const std::size_t before = tape.size();
  tape.gradient(y, {x});
  CHECK(tape.size() == before);
  tape.gradient(y, {x}, true);
  CHECK(tape.size() > before);
}

TEST_CASE("constants, no_grad and finished tapes record nothing") {
  Var x = Tensor::scalar(2);
  CHECK_FALSE(recording());
  {
    Tape tape;
    CHECK(recording());
    const Var constant = x * x;
    CHECK(tape.size() == 0);
    tape.watch(x);
    CHECK(x.on_tape());
    {
      NoGrad pause;
      CHECK_FALSE(recording());
      CHECK_FALSE((x * x).on_tape());
    }
    CHECK((x * x).on_tape());
  }
  CHECK_FALSE(x.on_tape());
  CHECK((x * x).value().item() == 4);
}

TEST_CASE("to an inner tape the outer one's variables are constants") {
  Tape outer;
  Var x = Tensor::scalar(3);
  outer.watch(x);
  const Var square = x * x;
  {
    Tape inner;
    Var y = Tensor::scalar(5);
    inner.watch(y);
    const Var product = square * y;
    CHECK(inner.gradient(product, {y})[0].value().item() == Approx(9));
    CHECK_FALSE(square.on_tape());
  }
  CHECK(outer.gradient(square * 2.0, {x})[0].value().item() == Approx(12));
}

TEST_CASE("what is not on the tape, or not a number, has no gradient") {
  Tape tape;
  Var x = Tensor::full({2}, 1), constant = Tensor::scalar(1);
  tape.watch(x);
  CHECK_THROWS_WITH(tape.gradient(x, {x}), "[gradient] the output must have one element: [2]");
  CHECK_THROWS_WITH(tape.gradient(sum(x), {constant}),
                    "[gradient] the inputs must be watched by, or computed on, this tape: []");
}

TEST_CASE("an op without a second derivative says so instead of returning a wrong one") {
  // x^2 whose pullback hides its own dependence on x
  const auto square_once = [](const Var& x) {
    Var y = recorded(mul(x.value(), x.value()).value(), x);
    y.pull_back(x, [x](const Var& g) { return g * differentiable_once("square_once", (x * 2.0).value(), x); });
    return y;
  };
  Tape tape;
  Var x = Tensor::scalar(3);
  tape.watch(x);
  const Var gradient = tape.gradient(square_once(x), {x}, true)[0];
  CHECK(gradient.value().item() == Approx(6));
  CHECK_THROWS_WITH(tape.gradient(gradient, {x}), "[square_once] can not be differentiated twice");
}

TEST_CASE("a steady loop of ops asks the system for no memory") {
  Var weight = Random(1, 0).normal({32, 16}, 0, 1);
  const Tensor x = Random(1, 1).normal({8, 32}, 0, 1);
  const auto iterate = [&] {
    Tape tape;
    tape.watch(weight);
    return tape.gradient(mean(tanh(matmul(x, weight))), {weight});
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) iterate();
  const auto before = pool_statistics().system_allocations;
  for (int i = 0; i < 20; ++i) iterate();
  CHECK((pool_statistics().system_allocations == before) == engine::recycles_memory);
}

TEST_CASE("the gradient checker finds a wrong first and a wrong second gradient" * doctest::skip(!testing::precise)) {
  const std::vector<Tensor> inputs{Random(3, 0).normal({5}, 0, 1)};
  const auto right = [](const std::vector<Var>& in) { return in[0] * in[0] * in[0]; };
  const auto wrong_first = [](const std::vector<Var>& in) {
    const Var& x = in[0];
    Var y = recorded((x * x * x).value(), x);
    y.pull_back(x, [x](const Var& g) { return g * x * x * 2.99; });
    return y;
  };
  const auto wrong_second = [](const std::vector<Var>& in) {
    const Var& x = in[0];
    Var y = recorded((x * x * x).value(), x);
    y.pull_back(x, [x](const Var& g) { return g * Var((x * x * 3.0).value()); });
    return y;
  };
  CHECK(testing::gradient_errors(right, inputs).first < 1e-8);
  CHECK(testing::gradient_errors(right, inputs).second < 1e-8);
  CHECK(testing::gradient_errors(wrong_first, inputs).first > 1e-4);
  CHECK(testing::gradient_errors(wrong_second, inputs).first < 1e-8);
  CHECK(testing::gradient_errors(wrong_second, inputs).second > 1e-2);
}
