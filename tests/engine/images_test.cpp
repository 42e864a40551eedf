#include "engine/ops/images.h"

#include <doctest/doctest.h>

#include "gradient_check.h"

using namespace engine;

TEST_CASE("a stack of images changes its layout and back") {
  const Tensor x = Random(61, 0).normal({5, 2, 3, 4}, 0, 1), last = batch_last(x).value();
  CHECK(last.shape() == Shape{2, 3, 4, 5});
  CHECK(last.data()[((1 * 3 + 2) * 4 + 1) * 5 + 3] == x.data()[((3 * 2 + 1) * 3 + 2) * 4 + 1]);
  const Tensor back = batch_first(last).value();
  CHECK(back.shape() == x.shape());
  CHECK(std::equal(back.values().begin(), back.values().end(), x.values().begin()));
  for (const auto& [shape, layout] :
       {std::pair{x.shape(), Layout::batch_first}, std::pair{last.shape(), Layout::batch_last}}) {
    const ImageSizes sizes(shape, layout);
    CHECK(sizes.batch == 5);
    CHECK(sizes.channels == 2);
    CHECK(sizes.height == 3);
    CHECK(sizes.width == 4);
  }
}
