#include "apps/point_picture.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "apps/measure.h"
#include "data/images.h"
#include "tests/apps/program.h"

using engine::real;
using engine::Tensor;

namespace {

ot::Target target_of(data::Dataset points, std::vector<double> weights = {}) {
  return apps::make_target(std::move(points), {ot::CostScale::one}, std::move(weights));
}

data::Dataset dataset(std::int64_t count, std::int64_t dimension, std::vector<real> values) {
  data::Dataset points;
  points.count = count;
  points.dimension = dimension;
  points.values = std::move(values);
  return points;
}

/// How many pixels have that colour.
int count(const data::Images& image, const data::Colour& colour) {
  int found = 0;
  for (std::size_t i = 0; i < image.bytes.size(); i += 3)
    found += std::equal(colour.begin(), colour.end(), image.bytes.begin() + static_cast<std::ptrdiff_t>(i));
  return found;
}

constexpr data::Colour grey{153, 170, 204}, red{204, 42, 0};
constexpr int ticks = 27;  // pixels on the left and below

}  // namespace

TEST_CASE("the data are grey dots, and samples red ones over them, where their own units have them") {
  const TemporaryFolder temporary;
  const auto picture = [&](const std::string& scale, std::vector<real> made) {
    const data::Dataset points = dataset(4, 2, {100, 0, 300, 0, 100, 8, 300, 8});
    const apps::Scaling scaling = apps::Scaling::fit(scale, points);
    apps::PointPicture(target_of(scaling.apply(points)), scaling)
        .write(temporary / "x.png", Tensor({2, 2}, std::move(made)));
    return data::read_image(temporary / "x.png");
  };
  const data::Images plain = picture("none", {200, 4, 100, 0});
  CHECK(plain.width == 480 + ticks);
  CHECK(count(plain, grey) == 3 * 9);
  CHECK(count(plain, red) == 2 * 9);
  CHECK(picture("minmax", {real(0.5), real(0.5), 0, 0}).bytes == plain.bytes);
  // Axes are the data's, wherever samples lie.
  CHECK(count(picture("none", {1000, 4, NAN, 0}), red) == 0);
  CHECK(count(picture("none", {1000, 4, NAN, 0}), grey) == 4 * 9);
}

TEST_CASE("points that weigh nothing are not drawn and decide no axis") {
  const TemporaryFolder temporary;
  const ot::Target two = target_of(dataset(2, 2, {0, 0, 1, 1}));
  const ot::Target three = target_of(dataset(3, 2, {0, 0, 1, 1, 9, 9}), {0.5, 0.5, 0});
  const Tensor made({1, 2}, {real(0.5), real(0.5)});
  apps::PointPicture(two, {}).write(temporary / "two.png", made);
  apps::PointPicture(three, {}).write(temporary / "three.png", made);
  CHECK(content(temporary / "two.png") == content(temporary / "three.png"));
}

TEST_CASE("points are drawn as often as they weigh") {
  const TemporaryFolder temporary;
  apps::PointPicture(target_of(dataset(2, 1, {0, 1}), {0.75, 0.25}), {})
      .write(temporary / "x.png", Tensor({1, 1}, {9}));
  const data::Images image = data::read_image(temporary / "x.png");
  std::vector<int> heights;
  for (int column = 0; column < image.width; ++column) {
    heights.push_back(0);
    for (int row = 0; row < image.height; ++row)
      heights.back() += image.bytes[static_cast<std::size_t>((row * image.width + column) * 3)] == grey[0];
  }
  // Bars of 4/5 of 464 pixels and a third of that, in the two halves.
  CHECK(*std::max_element(heights.begin(), heights.begin() + ticks + 240) == 371);
  CHECK(std::abs(*std::max_element(heights.begin() + ticks + 240, heights.end()) - 123) <= 1);
}

TEST_CASE("of many points some are drawn, in step with no order of them, and of many coordinates the first four") {
  const TemporaryFolder temporary;
  constexpr std::int64_t n = 10000;
  std::vector<real> points;
  for (int i = 0; i < n; ++i) points.insert(points.end(), {static_cast<real>(i % 2), 0, 0, 0, 5});
  apps::PointPicture(target_of(dataset(n, 5, std::move(points))), {})
      .write(temporary / "x.png", Tensor({1, 5}, {0, 0, 0, 0, 0}));
  const data::Images image = data::read_image(temporary / "x.png");
  CHECK(image.width == 640 + ticks);
  // The bars of the first coordinate, 0 or 1 in turn, are of one height, 120 pixels, within 2.
  const auto height = [&](int column) {
    int pixels = 0;
    for (int row = 8; row < 158; ++row)
      pixels += image.bytes[static_cast<std::size_t>((row * image.width + column) * 3)] == grey[0];
    return pixels;
  };
  int low = 0, high = 0;
  for (int column = ticks + 8; column < ticks + 83; ++column) low = std::max(low, height(column));
  for (int column = ticks + 83; column < ticks + 158; ++column) high = std::max(high, height(column));
  CHECK(low >= 118);
  CHECK(high >= 118);
}

TEST_CASE("a table's names stand along the axes, of texts with the text") {
  const TemporaryFolder temporary;
  const ot::Target target = target_of(dataset(2, 2, {0, 0, 1, 1}));
  const Tensor made({1, 2}, {real(0.5), real(0.5)});
  const auto picture = [&](const std::vector<data::Column>& columns) {
    apps::PointPicture(target, {}, columns).write(temporary / "x.png", made);
    return data::read_image(temporary / "x.png");
  };
  const data::Images numbers = picture({{"a = x"}, {"a = y"}});
  CHECK(numbers.width > 480 + ticks);
  CHECK(picture({{"a", false, {"x", "y"}}}).bytes == numbers.bytes);
  CHECK(picture({{"", false, {"a = x", "a = y"}}}).bytes == numbers.bytes);
  CHECK(picture({{"b"}, {"a = y"}}).bytes != numbers.bytes);
  CHECK(picture({{""}, {""}}).width == 480 + ticks);
}

TEST_CASE("behind points of two coordinates psi shades the cells at lambda 0, the c-transform otherwise") {
  const TemporaryFolder temporary;
  const Tensor made({1, 2}, {real(0.5), real(0.5)});
  // The cells of (0, 0) and (4, 0) meet where |x|^2 - 1 = |x - 4|^2: at 17/8, 1/8 beyond the middle; scaled, they stay.
  const data::Dataset points = dataset(2, 2, {0, 0, 4, 0});
  for (const char* const scale : {"none", "minmax"}) {
    const apps::Scaling scaling = apps::Scaling::fit(scale, points);
    const ot::Target target(scaling.apply(points).values, 2, 2, ot::CostScale::one);
    const auto unit = static_cast<real>(scaling.none() ? 1 : 1.0 / 16);
    apps::PointPicture(target, scaling).write(temporary / "x.png", made, Tensor({2}, {unit, 0}), 0);
    const data::Images image = data::read_image(temporary / "x.png");
    const auto light = [&](int right) {
      const auto* const pixel = image.bytes.data() + ((8 + 100) * image.width + ticks + 8 + right) * 3;
      return pixel[0] + pixel[1] + pixel[2];
    };
    // The axis is 4.8 wide and begins at -0.4.
    const int border = static_cast<int>(464 * (17.0 / 8 + 0.4) / 4.8);
    CHECK(light(border - 8) < 3 * 255);
    CHECK(light(border - 100) == light(border - 8));
    CHECK(light(border + 8) == 3 * 255);
    CHECK(light(460) == 3 * 255);
    int darkest = 3 * 255, at = 0;
    for (int right = border - 8; right < border + 8; ++right)
      if (light(right) < darkest) darkest = light(right), at = right;
    CHECK(darkest < light(border - 8));
    CHECK(std::abs(at - border) <= 2);
    // Costs grow from the points to where they meet, in bands.
    apps::PointPicture(target, scaling).write(temporary / "x.png", made, Tensor({2}, {0, 0}), 0.5 * unit);
    const data::Images soft = data::read_image(temporary / "x.png");
    const auto* const row = soft.bytes.data() + ((8 + 200) * soft.width + ticks + 8) * 3;
    CHECK(row[3 * 60 + 2] > row[3 * 232 + 2]);
  }
  // More coordinates, or more points than that is quick for, are shown alone.
  const auto same = [&](const ot::Target& target) {
    const Tensor one({1, target.dimension()}, std::vector<real>(static_cast<std::size_t>(target.dimension()), 0));
    apps::PointPicture(target, {}).write(temporary / "a.png", one);
    apps::PointPicture(target, {}).write(temporary / "b.png", one, Tensor::zeros({target.size()}), 0);
    return content(temporary / "a.png") == content(temporary / "b.png");
  };
  CHECK(same(target_of(dataset(2, 3, {0, 0, 0, 1, 1, 1}))));
  CHECK(same(target_of(dataset(20001, 2, std::vector<real>(40002, 1)))));
}
