#include "engine/shared_span.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <doctest/doctest.h>

using engine::SharedSpan;

TEST_CASE("copies share their numbers, which live as long as the last of them") {
  const auto alive = std::make_shared<int>(0);
  const std::vector<int> numbers{1, 2, 3};
  SharedSpan<int> part;
  CHECK(part.empty());
  {
    const SharedSpan<int> all(numbers, alive), copy = all;
    CHECK(copy.data() == numbers.data());
    CHECK(copy == numbers);
    part = copy.subspan(1, 2);
    CHECK(alive.use_count() == 4);
  }
  CHECK(alive.use_count() == 2);
  CHECK(part == std::vector<int>{2, 3});
  CHECK(part != numbers);
  part = std::vector<int>{7};
  CHECK(alive.use_count() == 1);
  CHECK(part[0] == 7);
  CHECK(std::span<const int>(part).size() == 1);
  const SharedSpan<float> bits = SharedSpan<std::uint32_t>(std::vector<std::uint32_t>{0x3f800000}).as<float>();
  CHECK(bits == std::vector<float>{1});
}
