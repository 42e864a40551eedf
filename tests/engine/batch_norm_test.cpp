#include "engine/ops/batch_norm.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "gradient_check.h"

using namespace engine;

namespace {

constexpr double tolerance = testing::precise ? 1e-12 : 2e-6;

Tensor random(const Shape& shape, std::uint64_t stream, real mean = 0, real deviation = 1) {
  return Random(51, stream).normal(shape, mean, deviation);
}

struct Running {
  explicit Running(std::int64_t channels) : mean(random({channels}, 0)), var(Tensor::full({channels}, 2)) {}
  Tensor mean, var;
};

struct Statistics {
  long double mean = 0, variance = 0;  // biased
};

Statistics statistics_of(const Tensor& x, std::int64_t channel) {
  const std::int64_t places = x.dim(2) * x.dim(3);
  Statistics s;
  const auto each = [&](const auto& visit) {
    for (std::int64_t b = 0; b < x.dim(0); ++b)
      for (std::int64_t i = 0; i < places; ++i)
        visit(static_cast<long double>(x.data()[(b * x.dim(1) + channel) * places + i]));
  };
  const auto count = static_cast<long double>(x.dim(0) * places);
  each([&](long double value) { s.mean += value / count; });
  each([&](long double value) { s.variance += (value - s.mean) * (value - s.mean) / count; });
  return s;
}

}  // namespace

TEST_CASE("batch norm takes four values to hand-computed ones") {
  // Mean 4, biased variance 5, unbiased 20/3.
  const Tensor x(Shape{2, 1, 1, 2}, {1, 3, 5, 7}), weight(Shape{1}, {2}), bias(Shape{1}, {10});
  Tensor mean(Shape{1}, {100}), var(Shape{1}, {1});
  const Tensor y = batch_norm2d_train(x, weight, bias, mean, var, 0.1, 4).value();
  for (int i = 0; i < 4; ++i) CHECK(y.data()[i] == doctest::Approx(10 + 2 * (x.data()[i] - 4) / 3.0));
  CHECK(mean.item() == doctest::Approx(0.9 * 100 + 0.1 * 4));
  CHECK(var.item() == doctest::Approx(0.9 + 0.1 * 20 / 3));
}

TEST_CASE("batch norm normalises every channel and moves the running statistics, for odd sizes") {
  for (const Shape& shape :
       {Shape{2, 1, 1, 1}, Shape{3, 2, 1, 1}, Shape{1, 3, 1, 7}, Shape{7, 9, 3, 3}, Shape{33, 17, 5, 3}}) {
    CAPTURE(shape);
    const std::int64_t channels = shape[1], places = shape[2] * shape[3];
    const Tensor x = random(shape, 1, 3, 2), weight = random({channels}, 2), bias = random({channels}, 3);
    Running running(channels);
    const Running before(channels);
    const Tensor y = batch_norm2d_train(x, weight, bias, running.mean, running.var).value();
    double worst = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      const Statistics s = statistics_of(x, c);
      const long double count = static_cast<long double>(shape[0] * places);
      for (std::int64_t b = 0; b < shape[0]; ++b)
        for (std::int64_t i = 0; i < places; ++i) {
          const std::int64_t at = (b * channels + c) * places + i;
          const long double expected =
              weight.data()[c] * (x.data()[at] - s.mean) / std::sqrt(s.variance + 1e-5L) + bias.data()[c];
          worst = std::max(worst, static_cast<double>(std::abs(expected - y.data()[at]) / (1 + std::abs(expected))));
        }
      CHECK(running.mean.data()[c] ==
            doctest::Approx(static_cast<double>(0.9L * before.mean.data()[c] + 0.1L * s.mean)).epsilon(tolerance));
      CHECK(
          running.var.data()[c] ==
          doctest::Approx(static_cast<double>(0.9L * 2 + 0.1L * s.variance * count / (count - 1))).epsilon(tolerance));
    }
    CHECK(worst < (testing::precise ? 1e-11 : 2e-4));
  }
}

TEST_CASE("with the batch last, batch norm and its gradients are those of the other layout") {
  const Shape shape{31, 5, 7, 6};
  std::vector<std::vector<Tensor>> results;
  for (const Layout layout : {Layout::batch_first, Layout::batch_last}) {
    const bool last = layout == Layout::batch_last;
    const Tensor probe = random(shape, 20);
    Tape tape;
    std::vector<Var> leaves{random(shape, 17, 3, 2), random({5}, 18), random({5}, 19)};
    for (Var& leaf : leaves) tape.watch(leaf);
    Running running(5);
    const Var x = last ? batch_last(leaves[0]) : leaves[0];
    const Var trained = batch_norm2d_train(x, leaves[1], leaves[2], running.mean, running.var, 0.1, 1e-5, layout);
    const Var y = trained + batch_norm2d_eval(x, leaves[1], leaves[2], running.mean, running.var, 1e-5, layout);
    const Var first = last ? batch_first(y) : y;
    std::vector<Tensor> values{first.value(), running.mean, running.var};
    for (const bool twice : {false, true})
      for (const Var& gradient : tape.gradient(sum(first * probe), leaves, twice)) values.push_back(gradient.value());
    results.push_back(values);
  }
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    double worst = 0, scale = 1;
    for (std::int64_t j = 0; j < results[0][i].size(); ++j) {
      worst = std::max(worst, std::abs(double(results[0][i].data()[j]) - double(results[1][i].data()[j])));
      scale = std::max(scale, std::abs(double(results[0][i].data()[j])));
    }
    CHECK(worst < 10 * tolerance * scale);
  }
}

TEST_CASE("the variance keeps its digits far from zero") {
  // 4096 + {0, 1, 2, 3}: the squares differ in the last digits of a float.
  const Tensor x(Shape{1, 1, 2, 2}, {4096, 4097, 4098, 4099});
  Tensor mean = Tensor::zeros({1}), var = Tensor::zeros({1});
  const Tensor y = batch_norm2d_train(x, Tensor::full({1}, 1), Tensor::zeros({1}), mean, var, 1, 0).value();
  CHECK(mean.item() == doctest::Approx(4097.5));
  CHECK(var.item() == doctest::Approx(5.0 / 3).epsilon(1e-6));
  CHECK(y.data()[0] == doctest::Approx(-1.5 / std::sqrt(1.25)).epsilon(1e-6));
}

TEST_CASE("a constant channel becomes the bias") {
  Tensor mean = Tensor::zeros({1}), var = Tensor::zeros({1});
  const Tensor y =
      batch_norm2d_train(Tensor::full({3, 1, 2, 2}, 5), Tensor::full({1}, 7), Tensor::full({1}, 3), mean, var).value();
  for (const real value : y.values()) CHECK(value == 3);
}

TEST_CASE("batch norm has right first and second gradients" * doctest::skip(!testing::precise)) {
  for (const Shape& shape : {Shape{2, 3, 1, 1}, Shape{3, 2, 2, 3}, Shape{5, 9, 1, 2}}) {
    CAPTURE(shape);
    const std::vector<Tensor> inputs{random(shape, 4, 1, 2), random({shape[1]}, 5), random({shape[1]}, 6)};
    testing::check_gradients(
        [&](const std::vector<Var>& in) {
          Running running(shape[1]);
          const Var y = batch_norm2d_train(in[0], in[1], in[2], running.mean, running.var, 0.1, 0.1);
          return y * y;
        },
        inputs);
    const Running running(shape[1]);
    testing::check_gradients(
        [&](const std::vector<Var>& in) {
          const Var y = batch_norm2d_eval(in[0], in[1], in[2], running.mean, running.var);
          return y * y;
        },
        inputs);
  }
}

TEST_CASE("the fused gradient agrees with the one that can be differentiated again") {
  const Shape shape{9, 11, 3, 3};
  Tape tape;
  std::vector<Var> leaves{random(shape, 7, 1, 2), random({11}, 8), random({11}, 9)};
  for (Var& leaf : leaves) tape.watch(leaf);
  Running running(11);
  const Var loss =
      sum(batch_norm2d_train(leaves[0], leaves[1], leaves[2], running.mean, running.var) * random(shape, 10));
  const auto fused = tape.gradient(loss, leaves), composed = tape.gradient(loss, leaves, true);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    double worst = 0;
    for (std::int64_t j = 0; j < leaves[i].size(); ++j)
      worst = std::max(worst, std::abs(double(fused[i].value().data()[j]) - double(composed[i].value().data()[j])));
    CHECK(worst < (testing::precise ? 1e-12 : 2e-5));
  }
}

TEST_CASE("with an activation, batch norm and its gradients are those of the two ops") {
  const Shape shape{9, 5, 3, 4};
  const Tensor probe = random(shape, 14);
  for (const bool training : {true, false})
    for (const Activation& activation :
         {Activation{}, Activation::leaky_relu(0.2), Activation::sigmoid(), Activation::tanh()}) {
      std::vector<std::vector<Tensor>> results;
      for (const bool fused : {true, false}) {
        Tape tape;
        std::vector<Var> leaves{random(shape, 11, 1, 2), random({5}, 12), random({5}, 13)};
        for (Var& leaf : leaves) tape.watch(leaf);
        Running running(5);
        const auto norm = [&](const Activation& applied) {
          const Layout layout = Layout::batch_first;
          return training ? batch_norm2d_train(leaves[0], leaves[1], leaves[2], running.mean, running.var, 0.1, 1e-5,
                                               layout, applied)
                          : batch_norm2d_eval(leaves[0], leaves[1], leaves[2], running.mean, running.var, 1e-5, layout,
                                              applied);
        };
        const Var y = fused ? norm(activation) : activation(norm({}));
        std::vector<Tensor> values{y.value()};
        for (const bool twice : {false, true})
          for (const Var& gradient : tape.gradient(sum(y * probe), leaves, twice)) values.push_back(gradient.value());
        results.push_back(values);
      }
      for (std::size_t i = 0; i < results[0].size(); ++i)
        for (std::int64_t j = 0; j < results[0][i].size(); ++j)
          CHECK(results[0][i].data()[j] == doctest::Approx(results[1][i].data()[j]).epsilon(tolerance));
    }
}

TEST_CASE("in evaluation the running statistics serve and stay") {
  const Tensor x = random({3, 2, 2, 2}, 11), weight = random({2}, 12), bias = random({2}, 13);
  Running running(2);
  const Running before(2);
  const Tensor y = batch_norm2d_eval(x, weight, bias, running.mean, running.var, 0.25).value();
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t c = i / 4 % 2;
    CHECK(y.data()[i] ==
          doctest::Approx(weight.data()[c] * (x.data()[i] - running.mean.data()[c]) / 1.5 + bias.data()[c])
              .epsilon(1e-5));
  }
  for (std::int64_t c = 0; c < 2; ++c) {
    CHECK(running.mean.data()[c] == before.mean.data()[c]);
    CHECK(running.var.data()[c] == before.var.data()[c]);
  }
}

TEST_CASE("batch norm gives the same bits on any number of threads") {
  const int before = threads();
  const Tensor x = random({31, 33, 3, 3}, 14), weight = random({33}, 15), bias = random({33}, 16);
  std::vector<Tensor> first;
  for (int count : {1, 2, 5}) {
    set_threads(count);
    Running running(33);
    Tape tape;
    std::vector<Var> leaves{x, weight, bias};
    for (Var& leaf : leaves) tape.watch(leaf);
    const Var y = batch_norm2d_train(leaves[0], leaves[1], leaves[2], running.mean, running.var);
    std::vector<Tensor> results{y.value(), running.mean, running.var};
    for (const Var& gradient : tape.gradient(sum(y * y * y), leaves)) results.push_back(gradient.value());
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      CHECK(std::equal(results[i].values().begin(), results[i].values().end(), first[i].values().begin()));
  }
  set_threads(before);
}

TEST_CASE("batch norm refuses what does not fit") {
  const Tensor x = Tensor::zeros({2, 3, 1, 1}), three = Tensor::zeros({3}), two = Tensor::zeros({2});
  Tensor mean = Tensor::zeros({3}), var = Tensor::zeros({3}), other = Tensor::zeros({2});
  CHECK_THROWS_WITH(batch_norm2d_train(two, three, three, mean, var), "[batch_norm2d] x must have four axes: [2]");
  CHECK_THROWS_WITH(batch_norm2d_train(x, two, three, mean, var),
                    "[batch_norm2d] weight and bias must have one value a channel: [2] and [3] for x [2, 3, 1, 1]");
  CHECK_THROWS_WITH(
      batch_norm2d_eval(x, three, three, mean, other),
      "[batch_norm2d] the running statistics must have one value a channel: [3] and [2] for x [2, 3, 1, 1]");
  CHECK_THROWS_WITH(batch_norm2d_train(Tensor::zeros({1, 3, 1, 1}), three, three, mean, var),
                    "[batch_norm2d] training needs at least two values a channel: [1, 3, 1, 1]");
  const auto with_slope = [&](double slope) {
    batch_norm2d_train(x, three, three, mean, var, 0.1, 1e-5, Layout::batch_first, Activation::leaky_relu(slope));
  };
  CHECK_THROWS_WITH(with_slope(-1), "[batch_norm2d] the slope must be finite and not negative: -1");
}
