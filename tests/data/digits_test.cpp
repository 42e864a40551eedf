#include "data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>
#include <string>

#include "engine/error.h"
#include "engine/parallel.h"

#include <doctest/doctest.h>

namespace {

constexpr std::size_t pixels = 784;

std::span<const std::uint8_t> image(const data::Digits& digits, std::size_t i) {
  return std::span(digits.images).subspan(i * pixels, pixels);
}

}  // namespace

TEST_CASE("a digit is a function of the seed and its number alone") {
  const data::Digits all = data::draw_digits(1000, 7);
  const data::Digits some = data::draw_digits(300, 7), rest = data::draw_digits(700, 7, 300);
  CHECK(std::equal(some.images.begin(), some.images.end(), all.images.begin()));
  CHECK(std::equal(some.labels.begin(), some.labels.end(), all.labels.begin()));
  CHECK(std::equal(rest.images.begin(), rest.images.end(), all.images.begin() + 300 * 784));
  CHECK(std::equal(rest.labels.begin(), rest.labels.end(), all.labels.begin() + 300));
  CHECK(data::draw_digits(300, 8).images != some.images);

  const int before = engine::threads();
  for (const int threads : {1, 2, 3}) {
    engine::set_threads(threads);
    CHECK(data::draw_digits(1000, 7).images == all.images);
  }
  engine::set_threads(before);
}

TEST_CASE("every digit is drawn about equally often and no two alike") {
  const std::size_t count = 5000;
  const data::Digits digits = data::draw_digits(count, 1);
  std::array<int, 10> drawn{};
  std::set<std::string> distinct;
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(digits.labels[i] < 10);
    ++drawn[digits.labels[i]];
    distinct.insert(std::string(image(digits, i).begin(), image(digits, i).end()));
  }
  for (const int times : drawn) CHECK(std::abs(times - 500) < 110);  // five standard deviations
  CHECK(distinct.size() == count);
}

TEST_CASE("digits are laid out as MNIST's are") {
  const std::size_t count = 2000;
  const data::Digits digits = data::draw_digits(count, 2);
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double mass = 0, x = 0, y = 0;
    double brightest = 0;
    int border = 0;
    for (std::size_t k = 0; k < pixels; ++k) {
      const double value = image(digits, i)[k];
      const std::size_t row = k / 28, column = k % 28;
      mass += value;
      x += value * (static_cast<double>(column) + 0.5);
      y += value * (static_cast<double>(row) + 0.5);
      brightest = std::max(brightest, value);
      border += value > 0 && (row == 0 || row == 27 || column == 0 || column == 27);
    }
    INFO("image ", i, " of a ", int{digits.labels[i]});
    CHECK(std::abs(x / mass - 14) < 1.5);
    CHECK(std::abs(y / mass - 14) < 1.5);
    CHECK(brightest > 180);
    CHECK(border <= 6);
    total += mass;
  }
  CHECK(total / (count * pixels) == doctest::Approx(33.3).epsilon(0.05));  // MNIST's mean byte
}

TEST_CASE("digits of one class are closer to their own mean than to the others'") {
  const std::size_t count = 4000;
  const data::Digits digits = data::draw_digits(count, 3);
  std::array<std::array<double, pixels>, 10> mean{};
  std::array<double, 10> drawn{};
  for (std::size_t i = 0; i < count; ++i) {
    ++drawn[digits.labels[i]];
    for (std::size_t k = 0; k < pixels; ++k) mean[digits.labels[i]][k] += image(digits, i)[k];
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<double, 10> distance{};
    for (std::size_t digit = 0; digit < 10; ++digit)
      for (std::size_t k = 0; k < pixels; ++k)
        distance[digit] += std::pow(image(digits, i)[k] - mean[digit][k] / drawn[digit], 2);
    right += static_cast<std::size_t>(std::min_element(distance.begin(), distance.end()) - distance.begin()) ==
             digits.labels[i];
  }
  CHECK(right > count * 3 / 4);  // MNIST: 82%
}

TEST_CASE("no digits at all are refused") {
  CHECK_THROWS_WITH_AS(data::draw_digits(0, 1), "[digits] the number of digits must be at least 1: 0", engine::Error);
}
