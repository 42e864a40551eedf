#include "models/critic.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/reduce.h"
#include "engine/random.h"
#include "tests/engine/gradient_check.h"
#include "tests/models/oracle.h"

using namespace models;
using engine::Random;
using engine::Shape;
using engine::Tensor;
using engine::Var;

namespace {

std::vector<std::string> names_of(Critic& critic) {
  std::vector<std::string> names;
  for (const Parameter& p : critic.parameters()) names.push_back(p.name);
  return names;
}

}  // namespace

TEST_CASE("an mlp critic equals the layers written out, one value a point") {
  MlpCritic f({3, 7, 5, 1}, 4);
  const Tensor points = Random(4, 0).normal({11, 3}, 0, 1);
  const auto p = f.parameters();
  auto x = models::testing::numbers(points);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    x = models::testing::linear(x, models::testing::numbers(p[2 * layer].variable->value()),
                                models::testing::numbers(p[2 * layer + 1].variable->value()));
    if (layer < 2) x = models::testing::leaky_relu(x, 0.2);
  }
  const Tensor y = f(points).value();
  CHECK(y.shape() == Shape{11});
  CHECK(models::testing::difference(y, x) < models::testing::tolerance);
}

TEST_CASE("a convolutional critic is the dcgan backwards, with the shapes of its layers") {
  ConvCritic plain({.height = 28, .width = 28}, 1), normed({.height = 28, .width = 28, .batch_norm = true}, 1);
  CHECK(names_of(plain) == std::vector<std::string>{"critic.0.weight", "critic.0.bias", "critic.2.weight",
                                                    "critic.2.bias", "critic.4.weight", "critic.4.bias",
                                                    "critic.7.weight", "critic.7.bias"});
  CHECK(names_of(normed) == std::vector<std::string>{"critic.0.weight", "critic.0.bias", "critic.2.weight",
                                                     "critic.3.weight", "critic.3.bias", "critic.5.weight",
                                                     "critic.6.weight", "critic.6.bias", "critic.9.weight",
                                                     "critic.9.bias"});
  const auto p = plain.parameters();
  CHECK(p[0].variable->shape() == Shape{64, 1, 3, 3});
  CHECK(p[4].variable->shape() == Shape{256, 128, 3, 3});
  CHECK(p[6].variable->shape() == Shape{1, 256 * 3 * 3});
  for (const auto& [height, width] : {std::pair{8, 8}, {9, 31}, {32, 28}, {64, 48}}) {
    ConvCritic f({.height = height, .width = width, .image_channels = 3}, 2);
    CHECK(f(Random(2, 0).uniform({2, 3 * height * width}, 0, 1)).shape() == Shape{2});
  }
}

TEST_CASE("without batch norm a critic's value at a point does not depend on others") {
  ConvCritic f({.height = 8, .width = 9, .image_channels = 2, .channels = {3, 4}}, 1);
  const Tensor x = Random(1, 1).uniform({5, 144}, 0, 1);
  const Tensor all = f(x).value(), one = f(Tensor({1, 144}, x.values().subspan(2 * 144, 144))).value();
  CHECK(all.data()[2] == doctest::Approx(one.item()).epsilon(1e-4));
}

TEST_CASE("critics can be differentiated twice" * doctest::skip(!engine::testing::precise)) {
  const auto check = [](Critic& f, std::int64_t d) {
    const auto errors = engine::testing::gradient_errors([&](const std::vector<Var>& at) { return sum(f(at[0])); },
                                                         {Random(3, 1).uniform({4, d}, 0, 1)});
    CHECK(errors.first < 1e-6);
    CHECK(errors.second < 1e-5);
  };
  MlpCritic mlp({6, 5, 4, 1}, 2);
  check(mlp, 6);
  ConvCritic conv({.height = 8, .width = 8, .channels = {3, 4}}, 2);
  check(conv, 64);
}

TEST_CASE("critics with several outputs have a row of them for each point, of which each is as that of one output") {
  const Tensor x = Random(3, 1).uniform({4, 64}, 0, 1);
  MlpCritic mlp({64, 5, 3}, 2);
  ConvCritic conv({.height = 8, .width = 8, .channels = {3, 4}, .outputs = 3}, 2),
      one({.height = 8, .width = 8, .channels = {3, 4}}, 2);
  CHECK(mlp(x).shape() == Shape{4, 3});
  CHECK(conv(x).shape() == Shape{4, 3});
  const auto several = conv.parameters(), single = one.parameters();
  for (std::size_t p = 0; p < single.size(); ++p)  // those of the first output, and of what lies before
    std::ranges::copy(several[p].variable->value().values().first(single[p].variable->value().values().size()),
                      single[p].variable->value().data());
  for (std::int64_t i = 0; i < 4; ++i)
    CHECK(conv(x).value().data()[3 * i] == doctest::Approx(one(x).value().data()[i]).epsilon(1e-5));
}

TEST_CASE("critics refuse what does not fit") {
  MlpCritic mlp({3, 4, 1}, 1);
  CHECK_THROWS_WITH(mlp(Tensor::zeros({5, 2})), "[critic] x must be [B, 3]: [5, 2]");
  ConvCritic conv({.height = 8, .width = 8, .channels = {2, 2}}, 1);
  CHECK_THROWS_WITH(conv(Tensor::zeros({5, 63})), "[critic] x must be [B, 64]: [5, 63]");
  CHECK_THROWS_WITH(ConvCritic({.height = 28, .width = 28, .channels = {2}}, 1),
                    "[critic] a critic of 28x28 images has 3 hidden images: 1 numbers of channels given");
}
