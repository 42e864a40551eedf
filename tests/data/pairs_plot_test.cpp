#include "data/pairs_plot.h"

#include <cmath>
#include <limits>

#include "tests/data/files.h"

using data::Axis;
using data::Colour;
using data::PairsPlot;
using engine::real;

namespace {

constexpr Colour white{255, 255, 255}, red{255, 0, 0}, blue{0, 0, 255};

Colour at(const PairsPlot& plot, int row, int column) {
  const data::Images& image = plot.image();
  const auto* const pixel = image.bytes.data() + (row * image.width + column) * 3;
  return {pixel[0], pixel[1], pixel[2]};
}

int count(const PairsPlot& plot, const Colour& colour) {
  int found = 0;
  for (int row = 0; row < plot.image().height; ++row)
    for (int column = 0; column < plot.image().width; ++column) found += at(plot, row, column) == colour;
  return found;
}

}  // namespace

TEST_CASE("points at the ends of both axes light the pixels in the corners, with the second axis upwards") {
  PairsPlot plot({{-1, 1}, {10, 30}});
  CHECK(plot.image().count == 1);
  CHECK(plot.image().width == 480);
  CHECK(plot.image().height == 480);
  CHECK(plot.image().channels == 3);
  CHECK(count(plot, red) == 0);
  plot.add(std::vector<real>{-1, 10}, red);
  plot.add(std::vector<real>{1, 30}, blue);
  CHECK(at(plot, 471, 8) == red);
  CHECK(at(plot, 8, 471) == blue);
  CHECK(at(plot, 471, 471) == white);
  // Dots of 3x3 pixels, cut by the frame.
  CHECK(count(plot, red) == 4);
  CHECK(count(plot, blue) == 4);
  plot.add(std::vector<real>{0, 20}, red);
  CHECK(at(plot, 239, 240) == red);
  CHECK(count(plot, red) == 13);
}

TEST_CASE("what is drawn later lies over what was drawn before") {
  PairsPlot plot({{0, 1}, {0, 1}});
  plot.add(std::vector<real>{real(0.5), real(0.5), real(0.1), real(0.1)}, blue);
  plot.add(std::vector<real>{real(0.5), real(0.5)}, red);
  CHECK(count(plot, red) == 9);
  CHECK(count(plot, blue) == 9);
}

TEST_CASE("points outside the axes, NaN and infinite ones are left out") {
  const real infinity = std::numeric_limits<real>::infinity(), nan = std::numeric_limits<real>::quiet_NaN();
  for (const int d : {1, 2, 3}) {
    PairsPlot plot(std::vector<Axis>(static_cast<std::size_t>(d), {0, 1}));
    const std::vector<std::uint8_t> before = plot.image().bytes;
    for (const real value : {nan, infinity, -infinity, real(1.01), real(-0.01), std::numeric_limits<real>::max()})
      plot.add(std::vector<real>(static_cast<std::size_t>(d), value), red);
    CHECK(plot.image().bytes == before);
  }
}

TEST_CASE("a point of three coordinates lies in each panel where its two are") {
  PairsPlot plot({{0, 1}, {0, 1}, {0, 1}});
  CHECK(plot.image().width == 632);
  CHECK(plot.image().height == 632);
  plot.add(std::vector<real>{0, 1, 0}, red);
  // The panels of 200 pixels begin at 8, 216 and 424: (0, 1), (0, 2) and (1, 2) to the right and upwards.
  CHECK(at(plot, 216, 8) == red);
  CHECK(at(plot, 623, 8) == red);
  CHECK(at(plot, 623, 415) == red);
  CHECK(at(plot, 216, 207) == white);
  // Nothing above the diagonal.
  for (int row = 0; row < 207; ++row)
    for (int column = 209; column < 632; ++column) REQUIRE(at(plot, row, column) == white);
  // Of a number left out the panels without it remain.
  PairsPlot part({{0, 1}, {0, 1}, {0, 1}});
  part.add(std::vector<real>{std::numeric_limits<real>::quiet_NaN(), 1, 0}, red);
  CHECK(at(part, 216, 8) == white);
  CHECK(at(part, 623, 415) == red);
}

TEST_CASE("a histogram fills the shares of the first set and outlines those of later ones") {
  PairsPlot plot({{0, 41}});
  // Shares 3/4 and 1/4: the higher comes to 4/5 of 464 pixels.
  plot.add(std::vector<real>{real(0.5), real(0.5), real(0.5), real(40.5)}, blue);
  const auto height = [&](int column, const Colour& colour) {
    int pixels = 0;
    for (int row = 8; row < 472; ++row) pixels += at(plot, row, column) == colour;
    return pixels;
  };
  CHECK(height(12, blue) == 371);
  CHECK(height(465, blue) == 123);
  CHECK(height(240, blue) == 0);
  plot.add(std::vector<real>{real(20.5), real(40.5)}, red);
  CHECK(height(240, red) == 2);
  CHECK(height(465, red) == 2);
  CHECK(at(plot, 471 - 247 + 1, 240) == red);
  CHECK(height(12, blue) == 371);
  CHECK(height(465, blue) == 123);
}

TEST_CASE("ticks stand where their values lie, on the left and below, with labels and names in the margin") {
  const data::Axis plain{0, 8}, ticked{0, 8, "", {{-1, "-1"}, {0, "0"}, {4, "4"}, {9, "9"}}};
  data::Axis named = ticked;
  named.name = "name";
  const int size = PairsPlot({plain, plain}).image().width;
  const int with_ticks = PairsPlot({ticked, plain}).image().width, with_names = PairsPlot({named, plain}).image().width;
  CHECK(with_ticks > size);
  CHECK(with_names > with_ticks);
  const PairsPlot plot({ticked, ticked});
  const int left = 8 + with_ticks - size, below = 8 + 464;
  // Under the frame and left of it, at 0 and at the middle.
  const Colour frame = at(plot, below, left + 100);
  CHECK(at(plot, below + 3, left) == frame);
  CHECK(at(plot, below + 3, left + 232) == frame);
  CHECK(at(plot, below + 3, left + 100) == white);
  CHECK(at(plot, below - 1, left - 4) == frame);
  CHECK(at(plot, below - 1 - 232, left - 4) == frame);
  // Nothing of values beyond the axis.
  const PairsPlot less({{0, 8, "", {{0, "0"}, {4, "4"}}}, {0, 8, "", {{0, "0"}, {4, "4"}}}});
  CHECK(plot.image().bytes == less.image().bytes);
  // A histogram has one axis.
  const PairsPlot histogram(std::vector<Axis>{named});
  for (int row = 0; row < 464; ++row)
    for (int column = 0; column < 8 + with_names - size - 1; ++column) REQUIRE(at(histogram, row, column) == white);
}

TEST_CASE("of labels without room the first and the last remain, of a name what there is room for") {
  const std::string label(20, '8');
  const auto with = [&](std::vector<data::Tick> ticks, const std::string& name) {
    return PairsPlot({{0, 8, name, std::move(ticks)}, {0, 8}}).image().bytes;
  };
  CHECK(with({{0, label}, {4, label}, {8, label}}, "x") == with({{0, label}, {4, ""}, {8, label}}, "x"));
  CHECK(with({}, std::string(500, 'x')) == with({}, std::string(900, 'x')));
}

TEST_CASE("shades lie behind points, the higher the darker, with lines between cells") {
  PairsPlot plot({{0, 1}, {0, 1}});
  plot.shade(2, std::vector<real>{0, 1, 1, 2}, std::vector<std::int64_t>{5, 6, 6, 7});
  const auto light = [&](int row, int column) {
    const Colour colour = at(plot, row, column);
    return colour[0] + colour[1] + colour[2];
  };
  const int low = light(400, 50), middle = light(400, 400), high = light(50, 400);
  CHECK(low > middle);
  CHECK(middle > high);
  CHECK(light(50, 50) == middle);
  CHECK(low == 3 * 255);
  // Lines where the lower left square meets others, and the upper right one.
  for (const auto& [row, column] : {std::pair{400, 8 + 231}, {240, 100}, {240, 400}, {100, 8 + 231}})
    CHECK(light(row, column) < high);
  CHECK(light(400, 8 + 232) == middle);
  PairsPlot without({{0, 1}, {0, 1}});
  without.shade(2, std::vector<real>{0, 1, 1, 2});
  CHECK(at(without, 400, 8 + 231) == at(without, 400, 50));
  PairsPlot even({{0, 1}, {0, 1}});
  even.shade(1, std::vector<real>{7});
  CHECK(at(even, 100, 100) == white);
  plot.add(std::vector<real>{real(0.25), real(0.25)}, red);
  CHECK(count(plot, red) == 9);
}

TEST_CASE("an axis leaves a margin, and is finite about what is constant") {
  const Axis usual = data::axis_of(-5, 5);
  CHECK(usual.low == -6);
  CHECK(usual.high == 6);
  for (const double value : {0.0, 7.0, -1e30, 1e-30}) {
    const Axis constant = data::axis_of(value, value);
    CHECK(std::isfinite(constant.high - constant.low));
    CHECK(constant.low < value);
    CHECK(constant.high > value);
  }
  CHECK(data::axis_of(0, 0).high == 0.5);
  CHECK(data::axis_of(100, 100).low == 50);
  const double next = std::nextafter(real(100), real(101));
  CHECK(data::axis_of(100, next).high == doctest::Approx(150));
}

TEST_CASE("axes and points that can't be drawn are refused") {
  CHECK(error_of([] { PairsPlot({}); }) == "a picture of points needs an axis");
  CHECK(error_of([] { PairsPlot({{1, 1}}); }) == "an axis must run from a number to a larger: 1, 1");
  CHECK(error_of([] {
          PairsPlot({{0, std::numeric_limits<double>::infinity()}});
        }) == doctest::Contains("an axis must run"));
  CHECK(error_of([] {
          PairsPlot({{0, 1}, {0, 1}}).add(std::vector<real>(3), red);
        }) == "3 numbers are no points of dimension 2");
  CHECK(error_of([] {
          PairsPlot({{0, 1}}).shade(1, std::vector<real>{1});
        }) == "shades lie behind points of 2 coordinates, not 1");
  CHECK(error_of([] {
          PairsPlot({{0, 1}, {0, 1}}).shade(2, std::vector<real>(4), std::vector<std::int64_t>(3));
        }) == "shades of 2x2 squares are not 4 values and 3 cells");
}
