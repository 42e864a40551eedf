#include "engine/ops/reduce.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "gradient_check.h"

using namespace engine;
using doctest::Approx;

TEST_CASE("sums and means over any axes equal direct loops") {
  const Tensor x = Random(11, 0).normal({3, 5, 7}, 0, 1);
  const Tensor all = sum(x).value(), inner = sum(x, {-1}).value(), outer = sum(x, {0, 1}).value(),
               middle = mean(x, {1}, true).value();
  double total = 0;
  for (real v : x.values()) total += v;
  CHECK(all.item() == Approx(total).epsilon(1e-5));
  CHECK(mean(x).value().item() == Approx(total / 105).epsilon(1e-5));
  CHECK(inner.shape() == Shape{3, 5});
  CHECK(outer.shape() == Shape{7});
  CHECK(middle.shape() == Shape{3, 1, 7});
  const auto at = [&](int i, int j, int k) { return double(x.data()[(i * 5 + j) * 7 + k]); };
  double line = 0, face = 0, average = 0;
  for (int k = 0; k < 7; ++k) line += at(2, 3, k);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 5; ++j) face += at(i, j, 4);
  for (int j = 0; j < 5; ++j) average += at(1, j, 6) / 5;
  CHECK(inner.data()[2 * 5 + 3] == Approx(line).epsilon(1e-4));
  CHECK(outer.data()[4] == Approx(face).epsilon(1e-4));
  CHECK(middle.data()[1 * 7 + 6] == Approx(average).epsilon(1e-4));
}

TEST_CASE("reductions have right first and second gradients, at every size" * doctest::skip(!testing::precise)) {
  for (int n : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64}) {
    CAPTURE(n);
    const std::vector<Tensor> inputs{Random(12, 0).normal({2, n, 3}, 0, 1)};
    const auto check = [&](auto reduce) {
      testing::check_gradients([&](const std::vector<Var>& in) { return exp(reduce(in[0] * in[0])); }, inputs);
    };
    check([](const Var& x) { return sum(x, {1}); });
    check([](const Var& x) { return sum(x, {0, 2}, true); });
    check([](const Var& x) { return mean(x); });
    check([](const Var& x) { return mean(x, {-2, -1}); });
    check([](const Var& x) { return max(x, 1); });
    check([](const Var& x) { return min(x, -2, true); });
    check([](const Var& x) { return logsumexp(x, 1); });
    check([](const Var& x) { return logsumexp(x, -1, true); });
    check([](const Var& x) { return sum(x) * 0.1; });
  }
}

TEST_CASE("of equal extremes the first gets the gradient") {
  Tape tape;
  Var x = Tensor(Shape{4}, {1, 5, 5, 1});
  tape.watch(x);
  const Tensor highest = tape.gradient(max(x, 0), {x})[0].value(), lowest = tape.gradient(min(x, 0), {x})[0].value();
  CHECK(highest.data()[1] == 1);
  CHECK(highest.data()[2] == 0);
  CHECK(lowest.data()[0] == 1);
  CHECK(lowest.data()[3] == 0);
}

TEST_CASE("an extreme over a NaN is NaN") {
  const real nan = std::numeric_limits<real>::quiet_NaN();
  CHECK(std::isnan(max(Tensor(Shape{3}, {1, nan, 2}), 0).value().item()));
  CHECK(std::isnan(min(Tensor(Shape{3}, {nan, 1, 2}), 0).value().item()));
}

TEST_CASE("logsumexp is exact for large, small and infinite inputs") {
  const real infinity = std::numeric_limits<real>::infinity();
  const double log2 = std::log(2.0);
  CHECK(logsumexp(Tensor(Shape{2}, {10000, 10000}), 0).value().item() == Approx(10000 + log2));
  CHECK(logsumexp(Tensor(Shape{2}, {-10000, -10000}), 0).value().item() == Approx(-10000 + log2));
  CHECK(logsumexp(Tensor(Shape{3}, {-infinity, 3, -infinity}), 0).value().item() == Approx(3));
  CHECK(logsumexp(Tensor(Shape{2}, {-infinity, -infinity}), 0).value().item() == -infinity);
  CHECK(logsumexp(Tensor(Shape{2}, {infinity, 0}), 0).value().item() == infinity);
}

TEST_CASE("a -inf weight takes no gradient") {
  Tape tape;
  Var x = Tensor(Shape{2}, {-std::numeric_limits<real>::infinity(), 1});
  tape.watch(x);
  const Tensor gradient = tape.gradient(logsumexp(x, 0), {x})[0].value();
  CHECK(gradient.data()[0] == 0);
  CHECK(gradient.data()[1] == 1);
}

TEST_CASE("large sums do not depend on the number of threads") {
  const int before = threads();
  const Tensor x = Random(13, 0).normal({300, 1001}, 0, 1);
  set_threads(1);
  const Tensor all_1 = sum(x).value(), rows_1 = sum(x, {1}).value(), columns_1 = sum(x, {0}).value();
  set_threads(2);
  const Tensor all_2 = sum(x).value(), rows_2 = sum(x, {1}).value(), columns_2 = sum(x, {0}).value();
  set_threads(before);
  CHECK(all_1.item() == all_2.item());
  CHECK(std::equal(rows_1.values().begin(), rows_1.values().end(), rows_2.values().begin()));
  CHECK(std::equal(columns_1.values().begin(), columns_1.values().end(), columns_2.values().begin()));
}

TEST_CASE("axes and shapes that do not fit are refused") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH(sum(x, {2}), "[sum] axis must be in -2..1: 2 for [2, 3]");
  CHECK_THROWS_WITH(sum(x, {0, -2}), "[sum] an axis must be named once: -2 for [2, 3]");
  CHECK_THROWS_WITH(max(x, -3), "[max] axis must be in -2..1: -3 for [2, 3]");
  CHECK_THROWS_WITH(min(x, 5), "[min] axis must be in -2..1: 5 for [2, 3]");
  CHECK_THROWS_WITH(logsumexp(x, 2), "[logsumexp] axis must be in -2..1: 2 for [2, 3]");
  CHECK_THROWS_WITH(max(Tensor::zeros({2, 0}), 1), "[max] the axis must not be empty: axis 1 of [2, 0]");
  CHECK_THROWS_WITH(sum_to(x, {2}), "[sum_to] shapes must broadcast: [2] and [2, 3]");
}
