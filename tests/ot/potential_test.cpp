#include "ot/potential.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/product.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Error;
using engine::Tape;
using engine::Var;

namespace {
/// A small network with two layers, [n, d] -> [n, 1].
struct Network {
  Var weight1 = Random(21, 0).normal({6, 3}, 0, real(0.5)), bias1 = Random(21, 1).normal({6}, 0, real(0.5)),
      weight2 = Random(21, 2).normal({1, 6}, 0, real(0.5)), bias2 = Tensor::zeros({1});
  Var operator()(const Var& y) const { return linear(engine::tanh(linear(y, weight1, bias1)), weight2, bias2); }
  std::vector<Var*> parameters() { return {&weight1, &bias1, &weight2, &bias2}; }
};
}  // namespace

TEST_CASE("a vector potential starts at zero and is its own parameter") {
  const Target target(std::vector<real>{1, 2, 3}, 3, 1, CostScale::one);
  VectorPotential potential(target);
  CHECK(same(potential.values(), Tensor::zeros({3})));
  REQUIRE(potential.parameters().size() == 1);
  potential.parameters()[0]->value().data()[1] = 5;
  CHECK(same(potential.values(), Tensor({3}, {0, 5, 0})));
  const auto square = [](const Tensor& psi) { return mul(psi, psi).value(); };
  CHECK(same(potential.pull_back(square)[0].value(), Tensor({3}, {0, 25, 0})));
}

TEST_CASE("a network potential equals the network on all points at once, in values and in the gradients of H") {
  for (const std::int64_t count : {1, 7, 4100}) {
    CAPTURE(count);
    const Tensor y = Random(22, 0).normal({count, 3}, 0, 1), x = Random(22, 1).normal({20, 3}, 0, 1);
    const Target target(vector_of(y), count, 3, CostScale::inverse_alpha);
    const PointIndex index(target);
    Network network;
    // Memory for the tape of one part, as there must always be, of two, and of all.
    for (const std::int64_t memory : {std::int64_t{0}, std::int64_t{500000}, NetworkPotential::Options().memory})
      for (const double lambda : {0.0, 0.05}) {
        NetworkPotential potential(index, [&](const Var& points) { return network(points); }, network.parameters(),
                                   {.memory = memory});
        CHECK(potential.parameters() == network.parameters());
        Tape tape;
        for (Var* parameter : network.parameters()) tape.watch(*parameter);
        const Var psi = engine::reshape(network(y), {count});
        const Var h = semidual(target, x, psi, lambda);
        const std::vector<Var> expected =
            tape.gradient(h, {network.weight1, network.bias1, network.weight2, network.bias2});

        CHECK(distance(potential.values(), psi.value()) < 20 * epsilon);
        const std::vector<Var> gradients = potential.pull_back([&](const Tensor& values) {
          CHECK(same(values, potential.values()));
          return semidual_gradient(target, c_transform(target, x, values, lambda, {.mass = true}).mass);
        });
        REQUIRE(gradients.size() == 4);
        for (std::size_t p = 0; p < 4; ++p) {
          CHECK(gradients[p].shape() == expected[p].shape());
          CHECK(distance(gradients[p].value(), expected[p].value()) < 200 * epsilon);
        }
      }
  }
}

TEST_CASE("the gradient of H in a network's parameters, (105), is that of finite differences" *
          doctest::skip(sizeof(real) == sizeof(float))) {
  const Target target(vector_of(Random(23, 0).normal({40, 3}, 0, 1)), 40, 3, CostScale::inverse_alpha);
  const PointIndex index(target);
  const Tensor x = Random(23, 1).normal({30, 3}, 0, 1);
  Network network;
  NetworkPotential potential(
      index, [&](const Var& y) { return network(y); }, network.parameters());
  for (const double lambda : {0.0, 0.05, 1.0}) {
    CAPTURE(lambda);
    const auto h = [&] { return semidual(target, x, potential.values(), lambda).value().item(); };
    const std::vector<Var> gradients = potential.pull_back([&](const Tensor& psi) {
      return semidual_gradient(target, c_transform(target, x, psi, lambda, {.mass = true}).mass);
    });
    const std::vector<Var*> parameters = network.parameters();
    for (std::size_t p = 0; p < parameters.size(); ++p)
      for (std::int64_t i = 0; i < parameters[p]->size(); ++i) {
        constexpr double step = 1e-6;
        real& parameter = parameters[p]->value().data()[i];
        const real before = parameter;
        parameter = static_cast<real>(before + step);
        const double up = h();
        parameter = static_cast<real>(before - step);
        const double down = h();
        parameter = before;
        CHECK(gradients[p].value().data()[i] == doctest::Approx((up - down) / (2 * step)).epsilon(1e-5).scale(1));
      }
  }
}

TEST_CASE("a gradient evaluates a network once on the points whose tape fits in memory, twice on the others") {
  const Target target(vector_of(Random(22, 2).normal({9000, 3}, 0, 1)), 9000, 3, CostScale::one);
  const PointIndex index(target);
  Network network;
  const auto evaluations = [&](std::int64_t memory) {
    int parts = 0;
    NetworkPotential potential(index, [&](const Var& y) { return ++parts, network(y); }, network.parameters(),
                               {.memory = memory});
    potential.pull_back([](const Tensor& psi) { return psi.clone(); });
    return parts;
  };
  CHECK(evaluations(0) == 3 + 2);
  CHECK(evaluations(NetworkPotential::Options().memory) == 3);
  // A part of 4096 points keeps 3 coordinates, 6 values after tanh, and psi: 10 reals a point and a little more.
  CHECK(evaluations(std::int64_t{4096 * 10 * sizeof(real)} * 5 / 2) == 3 + 1);
}

TEST_CASE("a network sees all points, in an order where those that are like each other stand together") {
  constexpr std::int64_t count = 5000, d = 6;
  Tensor y = Random(24, 0).normal({count, d}, 0, 1);
  for (std::int64_t j = 0; j < count; ++j)  // two kinds, in turns
    std::fill_n(y.data() + j * d + j % 2 * d / 2, d / 2, real{0});
  const Target target(vector_of(y), count, d, CostScale::one);
  const PointIndex index(target);
  Var slope = Random(24, 1).normal({d, 1}, 0, 1);
  int changes = 0;
  NetworkPotential potential(index,
                             [&](const Var& points) {
                               for (std::int64_t p = 1; p < points.dim(0); ++p) {
                                 const auto first_kind = [&](std::int64_t at) {
                                   return points.value().data()[at * d] == 0;
                                 };
                                 changes += first_kind(p) != first_kind(p - 1);
                               }
                               return matmul(points, slope);
                             },
                             {&slope});
  CHECK(distance(potential.values(), engine::reshape(matmul(y, slope), {count}).value()) < 20 * epsilon);
  CHECK(changes < count / 4);
}

TEST_CASE("a network of 8-bit points sees byte / 255") {
  const Target target(std::vector<std::uint8_t>{0, 255, 51}, 3, 1, CostScale::one);
  const PointIndex index(target);
  Var slope = Tensor({1, 1}, {2});
  NetworkPotential potential(index, [&](const Var& y) { return matmul(y, slope); }, {&slope});
  CHECK(distance(potential.values(), Tensor({3}, {0, 2, real(0.4)})) < 2 * epsilon);
}

TEST_CASE("a network in bf16 has nearly the values and gradients of one in full, and c-transforms are in full" *
          doctest::skip(!engine::has_bf16_products())) {
  const Tensor y = Random(22, 0).normal({4100, 3}, 0, 1);
  const Target target(vector_of(y), 4100, 3, CostScale::inverse_alpha);
  const PointIndex index(target);
  Network network;
  const auto function = [&](const Var& points) { return network(points); };
  NetworkPotential full(index, function, network.parameters()),
      rounded(index, function, network.parameters(), {.bf16 = true});
  const Tensor psi = rounded.values();
  CHECK_FALSE(same(psi, full.values()));
  CHECK(distance(psi, full.values()) < 0.02);
  const auto gradient_in = [](const Tensor& values) { return values.clone(); };
  const std::vector<Var> expected = full.pull_back(gradient_in), gradients = rounded.pull_back(gradient_in);
  for (std::size_t p = 0; p < expected.size(); ++p) {
    double size = 0;
    for (const real g : expected[p].value().values()) size = std::max(size, std::abs(double(g)));
    CHECK(distance(gradients[p].value(), expected[p].value()) < 0.02 * size);
  }
}

TEST_CASE("potentials say what does not fit") {
  const Target target(std::vector<real>{1, 2, 3}, 3, 1, CostScale::one);
  const PointIndex index(target);
  Var parameter = Tensor::zeros({1});
  CHECK_THROWS_WITH_AS(NetworkPotential(index, [](const Var& y) { return y; }, {}),
                       "[potential] a network must have parameters", Error);
  if (!engine::has_bf16_products())
    CHECK_THROWS_WITH_AS(NetworkPotential(index, [](const Var& y) { return y; }, {&parameter}, {.bf16 = true}),
                         "[potential] bf16 needs a CPU with AVX-512 BF16", Error);
  NetworkPotential short_one(index, [](const Var& y) { return engine::sum(y); }, {&parameter});
  CHECK_THROWS_WITH_AS(short_one.values(),
                       "[potential] a network must return one value for each point: [] for 3 points", Error);
  NetworkPotential good(index, [&](const Var& y) { return y + parameter; }, {&parameter});
  CHECK_THROWS_WITH_AS(good.pull_back([](const Tensor&) { return Tensor::zeros({2}); }),
                       "[potential] a gradient must have one value for each point of the target: [2] against 3", Error);
}
