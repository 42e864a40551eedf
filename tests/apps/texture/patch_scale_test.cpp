#include "apps/texture/patch_scale.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/ops/patches.h"
#include "ot/semidual.h"
#include "tests/engine/gradient_check.h"

using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

Tensor noise(std::int64_t height, std::int64_t width) {
  return Random(1, 0).uniform({1, 3, height, width}, 0, 1);
}

}  // namespace

TEST_CASE("the target has the exemplar's patches, all or as many as may be") {
  const Tensor exemplar = noise(12, 10);
  CHECK(apps::PatchScale(exemplar, {.points = 1000}, 0).target().size() == 9 * 7);
  const apps::PatchScale some(exemplar, {.points = 5}, 0);
  CHECK(some.target().size() == 5);
  CHECK(some.target().dimension() == 48);
  CHECK(some.target().scale() == doctest::Approx(1 / 48.0));
  const Tensor all = engine::patches(exemplar, 4).value();
  for (std::int64_t j = 0; j < 5; ++j) {
    double nearest = 1;
    for (std::int64_t i = 0; i < all.dim(0); ++i)
      nearest = std::min(nearest, some.target().squared_distance(all.data() + 48 * i, j));
    CHECK(nearest == 0);
  }
}

TEST_CASE("an image's patches are at no distance from themselves, whatever psi has seen of them") {
  const Tensor exemplar = noise(30, 20);
  apps::PatchScale scale(exemplar, {.points = 1000}, 0);
  CHECK(std::abs(scale.loss(exemplar).value().item()) < 1e-6);
  for (int i = 0; i < 20; ++i) scale.ascend(exemplar);
  const double after = scale.loss(exemplar).value().item();
  CHECK(after <= 1e-6);  // H bounds the cost, 0, from below
  CHECK(after > -1e-3);  // where another image of noise comes to 0.05
}

TEST_CASE("of one patch the loss is its mean squared difference") {
  apps::PatchScale scale(Tensor::full({1, 3, 4, 4}, 0.75), {}, 0);
  const Tensor image = Tensor::full({1, 3, 9, 9}, 0.25);
  scale.ascend(image);
  CHECK(double(scale.loss(image).value().item()) == doctest::Approx(0.25));
}

TEST_CASE("psi rises until half of what is black pays for becoming grey") {
  apps::PatchScale scale(Tensor({1, 1, 1, 2}, {0, engine::real(0.1)}), {.size = 1}, 0);
  const Tensor black = Tensor::zeros({1, 1, 8, 8});
  CHECK(scale.loss(black).value().item() == 0);
  for (int i = 0; i < 20; ++i) scale.ascend(black);
  const double h = scale.loss(black).value().item();
  CHECK(h <= 0.00501);  // half of 0.1^2
  CHECK(h > 0.004);
}

TEST_CASE("of a large image the loss sees every pixel but at the edges, where it begins and ends by chance") {
  apps::PatchScale scale(noise(20, 20), {}, 0);
  const std::int64_t side = 300;
  Var image = Tensor::full({1, 3, side, side}, 2);  // brighter than the exemplar: each pixel is to become darker
  engine::Tape tape;
  tape.watch(image);
  const Tensor gradient = tape.gradient(scale.loss(image), {image})[0].value();
  for (std::int64_t i = 0; i < gradient.size(); ++i) {
    const std::int64_t y = i / side % side, x = i % side;
    if (std::min(y, x) >= 3 && std::max(y, x) < side - 3) CHECK(gradient.data()[i] > 0);
  }
}

TEST_CASE("the loss has the gradient of its values" * doctest::skip(!engine::testing::precise)) {
  const Tensor exemplar = noise(12, 12);
  engine::testing::check_gradients([&](const auto& in) { return apps::PatchScale(exemplar, {}, 0).loss(in[0]); },
                                   {Random(2, 0).uniform({1, 3, 9, 10}, 0, 1)}, false);
}

TEST_CASE("a patch that does not fit the exemplar is an error") {
  CHECK_THROWS_WITH_AS(apps::PatchScale(noise(3, 8), {}, 0), "[patch scale] a patch of 4x4 does not fit [1, 3, 3, 8]",
                       engine::Error);
}
