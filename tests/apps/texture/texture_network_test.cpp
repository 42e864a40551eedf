#include "apps/texture/texture_network.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "apps/texture/network_training.h"
#include "engine/error.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "tests/engine/gradient_check.h"

using apps::TextureNetwork;
using engine::Tensor;
using engine::Var;

namespace {

/// A network whose batch norms have noted what images are like.
TextureNetwork network(int scales) {
  TextureNetwork made(3, scales, 5);
  for (std::uint64_t n = 1; n < 4; ++n) made(32, 40, 1, n);
  made.train(false);
  return made;
}

/// Stripes of period 8.
Tensor stripes(std::int64_t size) {
  Tensor image({1, 1, size, size});
  for (std::int64_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<engine::real>(i % 8 < 4 ? 0.9 : 0.1);
  return image;
}

}  // namespace

TEST_CASE("a texture network makes any size, cut from the next multiple, the same without a tape") {
  TextureNetwork made = network(3);
  const Tensor whole = made.image(32, 24, 7, 0);
  for (const auto& [height, width] : {std::pair{32, 24}, {31, 21}, {29, 24}}) {
    const Tensor image = made.image(height, width, 7, 0), slow = made(height, width, 7, 0).value();
    CHECK(image.shape() == engine::Shape{1, 3, height, width});
    CHECK(slow.shape() == image.shape());
    double worst = 0;
    for (std::int64_t i = 0; i < image.size(); ++i)
      worst = std::max(worst, std::abs(double(image.data()[i]) - double(slow.data()[i])));
    CHECK(worst < (engine::testing::precise ? 1e-12 : 1e-5));
    for (int y = 0; y < height; ++y)
      CHECK(std::ranges::equal(image.values().subspan(static_cast<std::size_t>(y * width), std::size_t(width)),
                               whole.values().subspan(static_cast<std::size_t>(y * 24), std::size_t(width))));
  }
  CHECK(made.image(1, 1, 7, 0).size() == 3);
  CHECK_THROWS_WITH_AS(made.image(0, 5, 7, 0), "[texture network] there is no image of 0x5", engine::Error);
  CHECK_THROWS_AS(made(5, 0, 7, 0), engine::Error);
}

TEST_CASE("an image is a function of seed and number, on any number of threads") {
  const int before = engine::threads();
  const TextureNetwork made = network(2);
  const auto image = [&](int threads, std::uint64_t seed, std::uint64_t number) {
    engine::set_threads(threads);
    return made.image(21, 30, seed, number);
  };
  const Tensor one = image(1, 0, 0);
  CHECK(std::ranges::equal(image(3, 0, 0).values(), one.values()));
  CHECK(!std::ranges::equal(image(1, 1, 0).values(), one.values()));
  CHECK(!std::ranges::equal(image(1, 0, 1).values(), one.values()));
  engine::set_threads(before);
}

TEST_CASE("gradients flow to every parameter of a texture network") {
  TextureNetwork made(1, 2, 5);
  std::vector<Tensor> at;
  for (const models::Parameter& p : made.parameters()) at.push_back(p.variable->value().clone());
  const auto loss = [&](const std::vector<Var>& parameters) {
    const std::vector<models::Parameter> its = made.parameters();
    for (std::size_t i = 0; i < its.size(); ++i) *its[i].variable = parameters[i];
    const Var image = made(6, 8, 2, 0);
    return sum(image * image);
  };
  // Short steps: leaky ReLUs have kinks, which steps cross the less often the shorter they are.
  constexpr bool precise = engine::testing::precise;
  CHECK(engine::testing::gradient_errors(loss, at, false, precise ? 1e-8 : 1e-4).first < (precise ? 1e-4 : 0.1));

  engine::Tape tape;
  std::vector<Var> parameters(at.begin(), at.end());
  for (Var& parameter : parameters) tape.watch(parameter);
  for (const Var& gradient : tape.gradient(loss(parameters), parameters))
    CHECK(std::ranges::any_of(gradient.value().values(), [](engine::real value) { return value != 0; }));
}

TEST_CASE("a texture network learns stripes, whatever its noise") {
  apps::NetworkTraining training(stripes(32), 2, {.points = 300, .inner = 3, .seed = 1});
  const double first = training.step(0);
  double last = 0;
  for (int i = 1; i < 80; ++i) last = training.step(i / 80.0);
  CHECK(last < first / 2);
  training.network().train(false);
  const Tensor image = training.network().image(40, 40, 9, 0);
  double down = 0, across = 0;
  for (std::int64_t y = 0; y + 1 < 40; ++y)
    for (std::int64_t x = 0; x + 1 < 40; ++x) {
      const engine::real* here = image.data() + y * 40 + x;
      down += std::pow(double(here[40] - here[0]), 2);
      across += std::pow(double(here[1] - here[0]), 2);
    }
  CHECK(down < across / 2);
}
