#include "apps/point_picture.h"

#include <cmath>

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
  CHECK(plain.width == 480);
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
  CHECK(*std::max_element(heights.begin(), heights.begin() + 240) == 371);
  CHECK(std::abs(*std::max_element(heights.begin() + 240, heights.end()) - 123) <= 1);
}

TEST_CASE("of many points some are drawn, in step with no order of them, and of many coordinates the first four") {
  const TemporaryFolder temporary;
  constexpr std::int64_t n = 10000;
  std::vector<real> points;
  for (int i = 0; i < n; ++i) points.insert(points.end(), {static_cast<real>(i % 2), 0, 0, 0, 5});
  apps::PointPicture(target_of(dataset(n, 5, std::move(points))), {})
      .write(temporary / "x.png", Tensor({1, 5}, {0, 0, 0, 0, 0}));
  const data::Images image = data::read_image(temporary / "x.png");
  CHECK(image.width == 640);
  // The bars of the first coordinate, 0 or 1 in turn, are of one height, 120 pixels, within 2.
  const auto height = [&](int column) {
    int pixels = 0;
    for (int row = 8; row < 158; ++row)
      pixels += image.bytes[static_cast<std::size_t>((row * image.width + column) * 3)] == grey[0];
    return pixels;
  };
  int low = 0, high = 0;
  for (int column = 8; column < 83; ++column) low = std::max(low, height(column));
  for (int column = 83; column < 158; ++column) high = std::max(high, height(column));
  CHECK(low >= 118);
  CHECK(high >= 118);
}
