#include "engine/ops/elementwise.h"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "gradient_check.h"

using namespace engine;

namespace {

struct UnaryCase {
  std::string name;
  Var (*op)(const Var&);
  long double (*reference)(long double);
  double low, high;  // the inputs' range; kinks lie outside, or are met with probability zero
};

const std::vector<UnaryCase> unary_cases{
    {"neg", neg, [](long double x) { return -x; }, -3, 3},
    {"exp", exp, [](long double x) { return std::exp(x); }, -3, 3},
    {"log", log, [](long double x) { return std::log(x); }, 0.3, 3},
    {"sqrt", sqrt, [](long double x) { return std::sqrt(x); }, 0.3, 3},
    {"pow 3", [](const Var& x) { return pow(x, 3); }, [](long double x) { return x * x * x; }, -2, 2},
    {"pow 2.5", [](const Var& x) { return pow(x, 2.5); }, [](long double x) { return std::pow(x, 2.5L); }, 0.3, 3},
    {"pow -1", [](const Var& x) { return pow(x, -1); }, [](long double x) { return 1 / x; }, 0.3, 3},
    {"abs", abs, [](long double x) { return std::abs(x); }, -3, 3},
    {"relu", relu, [](long double x) { return x > 0 ? x : 0; }, -3, 3},
    {"leaky_relu", [](const Var& x) { return leaky_relu(x, 0.2); }, [](long double x) { return x > 0 ? x : 0.2L * x; },
     -3, 3},
    {"sigmoid", sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, -5, 5},
    {"tanh", tanh, [](long double x) { return std::tanh(x); }, -3, 3},
    {"softplus", softplus, [](long double x) { return std::log1p(std::exp(x)); }, -5, 5},
};

constexpr int sizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64};

}  // namespace

TEST_CASE("unary ops agree with long double at every size") {
  for (const UnaryCase& c : unary_cases) {
    CAPTURE(c.name);
    for (int n : sizes) {
      const Tensor x = Random(5, 1).uniform({n}, static_cast<real>(c.low), static_cast<real>(c.high));
      const Tensor y = c.op(x).value();
      for (int i = 0; i < n; ++i) {
        const long double expected = c.reference(x.data()[i]);
        CHECK(std::abs(y.data()[i] - expected) <=
              16 * std::numeric_limits<real>::epsilon() * (std::abs(expected) + 0.1L));
      }
    }
  }
}

TEST_CASE("unary ops have right first and second gradients" * doctest::skip(!testing::precise)) {
  for (const UnaryCase& c : unary_cases) {
    CAPTURE(c.name);
    for (int n : {1, 7, 33}) {
      const Tensor x = Random(5, 2).uniform({n}, static_cast<real>(c.low), static_cast<real>(c.high));
      // The cube makes second derivatives of linear ops visible too (a square would make sqrt's vanish).
      testing::check_gradients([&](const std::vector<Var>& in) { return c.op(in[0]) * c.op(in[0]) * c.op(in[0]); },
                               {x});
    }
  }
}

TEST_CASE("at kinks the gradients are those that are documented") {
  Tape tape;
  Var zero = Tensor::scalar(0);
  tape.watch(zero);
  CHECK(tape.gradient(relu(zero), {zero})[0].value().item() == 0);
  CHECK(tape.gradient(abs(zero), {zero})[0].value().item() == 0);
  CHECK(tape.gradient(leaky_relu(zero, 0.25), {zero})[0].value().item() == real(0.25));
  CHECK(tape.gradient(pow(zero, 0), {zero})[0].value().item() == 0);
}

TEST_CASE("saturating ops stay finite far from zero") {
  const Tensor x(Shape{4}, {-1000, -100, 100, 1000});
  const Tensor s = sigmoid(x).value(), t = tanh(x).value(), p = softplus(x).value();
  CHECK(s.data()[0] == doctest::Approx(0));
  CHECK(s.data()[3] == 1);
  CHECK(t.data()[0] == -1);
  CHECK(t.data()[3] == 1);
  CHECK(p.data()[0] == doctest::Approx(0));
  CHECK(p.data()[3] == 1000);
}

TEST_CASE("binary ops broadcast, and their gradients are summed back" * doctest::skip(!testing::precise)) {
  using Binary = Var (*)(const Var&, const Var&);
  const std::vector<std::pair<Shape, Shape>> shapes{{{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{3, 4}, {3, 1}},
                                                    {{3, 1}, {1, 4}}, {{}, {2, 3}},  {{2, 3, 5}, {3, 1}},
                                                    {{1}, {17}},      {{31}, {31}},  {{2, 1, 3, 1}, {4, 1, 5}}};
  struct BinaryCase {
    std::string name;
    Binary op;
  };
  for (const BinaryCase& c : {BinaryCase{"add", add}, {"sub", sub}, {"mul", mul}, {"div", div}}) {
    for (const auto& pair : shapes) {
      CAPTURE(c.name);
      CAPTURE(text(pair.first, " ", pair.second));
      const std::vector<Tensor> inputs{Random(6, 0).uniform(pair.first, 0.5, 2),
                                       Random(6, 1).uniform(pair.second, 0.5, 2)};
      const auto f = [op = c.op](const std::vector<Var>& in) {
        const Var y = op(in[0], in[1]);
        return y * y;
      };
      testing::check_gradients(f, inputs);
      testing::check_gradients([&](const std::vector<Var>& in) { return f({in[1], in[0]}); }, inputs);
    }
  }
}

TEST_CASE("binary ops compute element by element, with broadcasting as in NumPy") {
  const Tensor a(Shape{2, 3}, {1, 2, 3, 4, 5, 6}), row(Shape{3}, {10, 20, 40}), column(Shape{2, 1}, {1, 2});
  const Tensor sums = add(a, row).value(), differences = sub(column, a).value(), products = mul(a, column).value(),
               quotients = div(row, column).value();
  CHECK(sums.data()[5] == 46);
  CHECK(differences.data()[3] == -2);
  CHECK(products.data()[4] == 10);
  CHECK(quotients.shape() == Shape{2, 3});
  CHECK(quotients.data()[5] == 20);
  CHECK(add(Tensor(Shape{0, 3}), row).shape() == Shape{0, 3});
}

TEST_CASE("broadcast_to repeats, and its adjoint sums back" * doctest::skip(!testing::precise)) {
  const Tensor x = Random(7, 0).normal({3, 1}, 0, 1);
  testing::check_gradients([](const std::vector<Var>& in) { return exp(broadcast_to(in[0], {2, 3, 4})); }, {x});
  testing::check_gradients(
      [](const std::vector<Var>& in) {
        return exp(sum_to(in[0] * in[0], {3, 1}));
      },
      {Random(7, 1).normal({2, 3, 4}, 0, 1)});
}

TEST_CASE("shapes that do not broadcast are refused with both shapes") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4});
  CHECK_THROWS_WITH(add(a, b), "[add] shapes must broadcast: [2, 3] and [4]");
  CHECK_THROWS_WITH(sub(a, b), "[sub] shapes must broadcast: [2, 3] and [4]");
  CHECK_THROWS_WITH(mul(a, b), "[mul] shapes must broadcast: [2, 3] and [4]");
  CHECK_THROWS_WITH(div(a, b), "[div] shapes must broadcast: [2, 3] and [4]");
  CHECK_THROWS_WITH(broadcast_to(a, {3}), "[broadcast_to] shapes must broadcast: [2, 3] to [3]");
  CHECK_THROWS_WITH(broadcast_to(b, {2, 3}), "[broadcast_to] shapes must broadcast: [4] and [2, 3]");
}

TEST_CASE("elementwise results do not depend on the number of threads") {
  const int before = threads();
  const Tensor x = Random(8, 0).normal({100001}, 0, 1);
  set_threads(1);
  const Tensor one = tanh(x * x).value();
  set_threads(2);
  const Tensor two = tanh(x * x).value();
  set_threads(before);
  CHECK(std::equal(one.values().begin(), one.values().end(), two.values().begin()));
}
