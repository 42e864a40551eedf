#include "engine/ops/patches.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "engine/ops/convolution.h"
#include "engine/ops/matmul.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "gradient_check.h"

using namespace engine;

namespace {

/// Patches that overlap, that tile, with gaps between, and edges that they do not reach; the image itself.
const struct {
  Shape images;
  std::int64_t size, stride;
} cases[] = {{{1, 1, 1, 1}, 1, 1}, {{1, 3, 9, 7}, 4, 1}, {{2, 3, 8, 12}, 4, 4},
             {{2, 2, 9, 8}, 2, 3}, {{3, 1, 7, 6}, 3, 2}, {{1, 2, 4, 4}, 4, 5}};

}  // namespace

TEST_CASE("a convolution is the product of the patches and its kernels") {
  for (const auto& c : cases) {
    const Shape images = c.images;
    const std::int64_t size = c.size, stride = c.stride;
    CAPTURE(images);
    const Tensor x = Random(3, 0).normal(images, 0, 1);
    const Tensor kernels = Random(3, 1).normal({5, images[1], size, size}, 0, 1);
    const Tensor map = conv2d(x, kernels, {.stride = stride}).value();
    const Tensor products =
        matmul(patches(x, size, stride), transpose(reshape(kernels, {5, images[1] * size * size}))).value();
    const std::int64_t places = map.dim(2) * map.dim(3);
    REQUIRE(products.shape() == Shape{images[0] * places, 5});
    for (std::int64_t i = 0; i < map.size(); ++i) {
      const std::int64_t image = i / (5 * places), filter = i / places % 5, place = i % places;
      CHECK(double(products.data()[(image * places + place) * 5 + filter]) ==
            doctest::Approx(double(map.data()[i])).epsilon(1e-4));
    }
  }
}

TEST_CASE("summed patches count in each pixel the places that see it") {
  const Tensor ones = Tensor::full({1, 1, 5, 4}, 1);
  const Tensor seen = sum_of_patches(patches(ones, 3), {1, 1, 5, 4}, 3).value();
  const Tensor expected({1, 1, 5, 4}, {1, 2, 2, 1, 2, 4, 4, 2, 3, 6, 6, 3, 2, 4, 4, 2, 1, 2, 2, 1});
  CHECK(std::ranges::equal(seen.values(), expected.values()));
}

TEST_CASE("patches and their sum have right first and second gradients" * doctest::skip(!testing::precise)) {
  for (const auto& c : cases) {
    const Shape images = c.images;
    const std::int64_t size = c.size, stride = c.stride;
    CAPTURE(images);
    const Tensor x = Random(4, 0).normal(images, 0, 1);
    const Tensor p = Random(4, 1).normal(patches(x, size, stride).shape(), 0, 1);
    const auto squared = [](const Var& y) { return y * y; };  // so that second gradients are not 0
    testing::check_gradients([&](const auto& in) { return squared(patches(in[0], size, stride)); }, {x});
    testing::check_gradients([&](const auto& in) { return squared(sum_of_patches(in[0], images, size, stride)); }, {p});
  }
}

TEST_CASE("patches and their sum are the same on any number of threads") {
  const int before = threads();
  const Shape images{2, 3, 40, 30};
  const Tensor x = Random(5, 0).normal(images, 0, 1);
  set_threads(1);
  const Tensor cut = patches(x, 4).value(), sum = sum_of_patches(cut, images, 4).value();
  set_threads(3);
  CHECK(std::ranges::equal(patches(x, 4).value().values(), cut.values()));
  CHECK(std::ranges::equal(sum_of_patches(cut, images, 4).value().values(), sum.values()));
  set_threads(before);
}

TEST_CASE("patches say what does not fit") {
  const Tensor x = Tensor::zeros({1, 1, 5, 4});
  CHECK_THROWS_WITH_AS(patches(x.reshaped({5, 4}), 2), "[patches] images must be [B, C, H, W]: [5, 4]", Error);
  CHECK_THROWS_WITH_AS(patches(x, 5), "[patches] a patch must fit the images: 5x5 in [1, 1, 5, 4]", Error);
  CHECK_THROWS_WITH_AS(patches(x, 0), "[patches] a patch must fit the images: 0x0 in [1, 1, 5, 4]", Error);
  CHECK_THROWS_WITH_AS(patches(x, 2, 0), "[patches] the stride must be at least 1: 0", Error);
  CHECK_THROWS_WITH_AS(sum_of_patches(Tensor::zeros({3, 4}), x.shape(), 2),
                       "[sum_of_patches] patches of images [1, 1, 5, 4] must be [12, 4]: [3, 4]", Error);
}
