#include "models/psi_network.h"

#include <doctest/doctest.h>

#include "engine/random.h"
#include "tests/models/oracle.h"

using namespace models;
using engine::Random;
using engine::Shape;
using engine::Tensor;

TEST_CASE("the paper's psi network has 566,273 parameters under PyTorch's names") {
  PsiNetwork psi(PsiNetwork::paper_sizes(784), 1);
  const auto parameters = psi.parameters();
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters) count += parameter.variable->size();
  CHECK(count == 566'273);
  REQUIRE(parameters.size() == 8);
  CHECK(parameters[0].name == "psi.0.weight");
  CHECK(parameters[0].variable->shape() == Shape{512, 784});
  CHECK(parameters[7].name == "psi.6.bias");
  CHECK(parameters[7].variable->shape() == Shape{1});
}

TEST_CASE("a psi network equals the layers written out, one value a point") {
  PsiNetwork psi({3, 7, 5, 1}, 4);
  const Tensor points = Random(4, 0).normal({11, 3}, 0, 1);
  const auto p = psi.parameters();
  auto x = testing::numbers(points);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    x = testing::linear(x, testing::numbers(p[2 * layer].variable->value()),
                        testing::numbers(p[2 * layer + 1].variable->value()));
    if (layer < 2) x = testing::leaky_relu(x, 0);
  }
  const Tensor y = psi(points).value();
  CHECK(y.shape() == Shape{11});
  CHECK(testing::difference(y, x) < testing::tolerance);
}

TEST_CASE("a psi network refuses points of another dimension and more than one output") {
  const PsiNetwork psi({3, 4, 1}, 1);
  CHECK_THROWS_WITH(psi(Tensor::zeros({5, 2})), "[psi] y must be [J, 3]: [5, 2]");
  CHECK_THROWS_WITH(PsiNetwork({3, 4, 2}, 1), "[psi] the last size must be 1, psi has one value a point: 2");
  CHECK_THROWS_WITH(PsiNetwork({1}, 1),
                    "[psi] a network of linear layers needs an input and an output size: 1 sizes given");
}
