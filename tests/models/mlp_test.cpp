#include "models/mlp.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/models/oracle.h"

using namespace models;
using engine::Random;
using engine::real;
using engine::Shape;
using engine::Tensor;
using engine::Var;

TEST_CASE("the paper's MLP has 1,486,352 parameters under PyTorch's names and layouts") {
  Mlp mlp(MlpOptions{}, 1);
  std::int64_t count = 0;
  for (const Parameter& parameter : mlp.parameters()) count += parameter.variable->size();
  CHECK(count == 1'486'352);
  CHECK(mlp.latent_dimension() == 100);
  CHECK(mlp.output_size() == 784);
  CHECK(mlp.buffers().empty());

  const auto parameters = mlp.parameters();
  const std::vector<std::string> names{"generator.0.weight", "generator.0.bias",   "generator.2.weight",
                                       "generator.2.bias",   "generator.4.weight", "generator.4.bias",
                                       "generator.6.weight", "generator.6.bias"};
  REQUIRE(parameters.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(parameters[i].name == names[i]);
  CHECK(parameters[2].variable->shape() == Shape{512, 256});
  CHECK(parameters[7].variable->shape() == Shape{784});
  CHECK(Mlp({.sizes = {2, 3}}, 1, "g").parameters()[0].name == "g.0.weight");
}

TEST_CASE("an MLP of any sizes equals the layers written out") {
  Mlp mlp({.sizes = {3, 7, 5, 2}, .slope = 0.3}, 4);
  const Tensor z = Random(4, 0).uniform({9, 3}, -1, 1);
  const auto p = mlp.parameters();
  auto x = testing::numbers(z);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    x = testing::linear(x, testing::numbers(p[2 * layer].variable->value()),
                        testing::numbers(p[2 * layer + 1].variable->value()));
    x = layer < 2 ? testing::leaky_relu(x, 0.3L) : testing::sigmoid(x);
  }
  const Tensor y = mlp(z).value();
  CHECK(y.shape() == Shape{9, 2});
  CHECK(testing::difference(y, x) < testing::tolerance);
}

TEST_CASE("an MLP starts at a mean: with weights of 0 it makes that point, as far as a sigmoid gets") {
  Mlp mlp({.sizes = {3, 4, 5}}, 4);
  mlp.start_at(Tensor({5}, {real(0.25), real(0.5), real(0.9), 0, 7}));
  auto p = mlp.parameters();
  Tensor weight = p[2].variable->value();
  std::fill_n(weight.data(), weight.size(), real{0});
  const Tensor x = mlp(Random(4, 0).uniform({2, 3}, -1, 1)).value();
  const double made[] = {0.25, 0.5, 0.9, 0.01, 0.99};
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t c = 0; c < 5; ++c) CHECK(x.data()[i * 5 + c] == doctest::Approx(made[c]).epsilon(1e-6));
  CHECK_THROWS_WITH_AS(mlp.start_at(Tensor({4})), "[generator] the mean must be [5]: [4]", engine::Error);
}

TEST_CASE("an MLP may end in tanh, or in its sums, starts at a mean there too, and says so in PyTorch") {
  const auto made = [](const engine::Activation& last) {
    Mlp mlp({.sizes = {3, 4, 3}, .last = last}, 4);
    mlp.start_at(Tensor({3}, {real(-0.5), real(0.25), 7}));
    auto p = mlp.parameters();
    Tensor weight = p[2].variable->value();
    std::fill_n(weight.data(), weight.size(), real{0});
    CHECK(mlp.pytorch().size() == (last.kind == engine::Activation::Kind::identity ? 3 : 4));
    const Tensor x = mlp(Tensor::zeros({1, 3})).value();
    return std::vector<double>(x.values().begin(), x.values().end());
  };
  const std::vector<double> linear = made({}), tanh = made(engine::Activation::tanh());
  CHECK(linear == std::vector<double>{-0.5, 0.25, 7});
  CHECK(tanh[0] == doctest::Approx(-0.5));
  CHECK(tanh[1] == doctest::Approx(0.25));
  CHECK(tanh[2] == doctest::Approx(0.98));
  CHECK(Mlp({.sizes = {2, 3}, .last = engine::Activation::tanh()}, 1).pytorch() ==
        std::vector<std::string>{"nn.Linear(2, 3)", "nn.Tanh()"});
}

TEST_CASE("an MLP has no training mode of its own") {
  Mlp mlp({.sizes = {3, 4, 2}}, 4);
  const Tensor z = Random(4, 0).uniform({5, 3}, -1, 1), before = mlp(z).value();
  mlp.train(false);
  const Tensor after = mlp(z).value();
  CHECK(std::equal(before.values().begin(), before.values().end(), after.values().begin()));
}

TEST_CASE("gradients reach every parameter of the MLP") {
  Mlp mlp({.sizes = {4, 6, 5, 3}}, 2);
  engine::Tape tape;
  std::vector<Var> leaves;
  for (const Parameter& parameter : mlp.parameters()) {
    tape.watch(*parameter.variable);
    leaves.push_back(*parameter.variable);
  }
  const Var y = mlp(Random(2, 0).uniform({8, 4}, -1, 1));
  for (const Var& gradient : tape.gradient(sum(y * y), leaves)) {
    const auto values = gradient.value().values();
    CHECK(std::any_of(values.begin(), values.end(), [](engine::real g) { return g != 0; }));
  }
}

TEST_CASE("the MLP gives the same bits on any number of threads, and another seed another network") {
  const int before = engine::threads();
  const Tensor z = Random(4, 0).uniform({33, 100}, -1, 1);
  std::vector<Tensor> results;
  for (int count : {1, 2, 3}) {
    engine::set_threads(count);
    Mlp mlp(MlpOptions{}, 5);
    results.push_back(mlp(z).value());
    CHECK(std::equal(results[0].values().begin(), results[0].values().end(), results.back().values().begin()));
  }
  engine::set_threads(before);
  Mlp other(MlpOptions{}, 6);
  CHECK(other(z).value().values()[0] != results[0].values()[0]);
}

TEST_CASE("an MLP refuses latents of another dimension and networks without layers") {
  Mlp mlp({.sizes = {3, 4, 2}}, 1);
  CHECK_THROWS_WITH(mlp(Tensor::zeros({5, 2})), "[generator] z must be [B, 3]: [5, 2]");
  CHECK_THROWS_WITH(mlp(Tensor::zeros({3})), "[generator] z must be [B, 3]: [3]");
  CHECK_THROWS_WITH(Mlp({.sizes = {3}}, 1),
                    "[generator] a network of linear layers needs an input and an output size: 1 sizes given");
  CHECK_THROWS_WITH(Mlp({.sizes = {3, 0, 2}}, 1), "[generator.0] a linear layer's sizes must be at least 1: 3 to 0");
}
