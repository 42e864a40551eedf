#include "apps/scaling.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "apps/measure.h"
#include "engine/error.h"
#include "engine/random.h"

using apps::Scaling;
using engine::real;
using engine::Tensor;

namespace {

data::Dataset dataset(std::int64_t dimension, std::vector<real> values) {
  data::Dataset points;
  points.dimension = dimension;
  points.count = std::ssize(values) / dimension;
  points.values = std::move(values);
  return points;
}

/// 400 correlated points of the plane about (100, -7), with `more` constant coordinates of value 5000.
data::Dataset correlated(int more = 0) {
  const Tensor z = engine::Random(3, 0).normal({400, 2}, 0, 1);
  std::vector<real> values;
  for (std::int64_t i = 0; i < 400; ++i) {
    const real a = z.data()[2 * i], b = z.data()[2 * i + 1];
    values.insert(values.end(), {100 + 3 * a, -7 + 2 * a + real(0.1) * b});
    values.insert(values.end(), static_cast<std::size_t>(more), 5000);
  }
  return dataset(2 + more, values);
}

double mean(const data::Dataset& x, std::int64_t k) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.count; ++i) sum += x.values[static_cast<std::size_t>(i * x.dimension + k)];
  return sum / static_cast<double>(x.count);
}

double covariance(const data::Dataset& x, std::int64_t a, std::int64_t b) {
  double sum = 0;
  const double mean_a = mean(x, a), mean_b = mean(x, b);
  for (std::int64_t i = 0; i < x.count; ++i)
    sum += (x.values[static_cast<std::size_t>(i * x.dimension + a)] - mean_a) *
           (x.values[static_cast<std::size_t>(i * x.dimension + b)] - mean_b);
  return sum / static_cast<double>(x.count);
}

/// The largest relative error of points that were scaled and scaled back.
double there_and_back(const Scaling& scaling, const data::Dataset& x) {
  const Tensor back = scaling.undo(apps::points_of(scaling.apply(x)));
  double worst = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i)
    worst =
        std::max<double>(worst, std::abs(back.values()[i] - x.values[i]) / std::max<real>(1, std::abs(x.values[i])));
  return worst;
}

}  // namespace

TEST_CASE("standard gives every coordinate mean 0 and variance 1, minmax the range from 0 to 1, and both are undone") {
  const data::Dataset x = correlated();
  const Scaling standard = Scaling::fit("standard", x), minmax = Scaling::fit("minmax", x);
  const data::Dataset y = standard.apply(x), unit = minmax.apply(x);
  for (std::int64_t k = 0; k < 2; ++k) {
    CHECK(std::abs(mean(y, k)) < 1e-6);
    CHECK(covariance(y, k, k) == doctest::Approx(1).epsilon(1e-5));
  }
  CHECK(data::range_of(unit).low == 0);
  CHECK(data::range_of(unit).high == 1);
  CHECK(there_and_back(standard, x) < 1e-6);
  CHECK(there_and_back(minmax, x) < 1e-6);
  CHECK(standard.unscaled() == "");
}

TEST_CASE("whiten gives points of covariance 1, and nothing to those that have it") {
  const data::Dataset x = correlated();
  const Scaling whiten = Scaling::fit("whiten", x);
  const data::Dataset y = whiten.apply(x);
  CHECK(covariance(y, 0, 0) == doctest::Approx(1).epsilon(1e-3));
  CHECK(covariance(y, 1, 1) == doctest::Approx(1).epsilon(1e-3));
  CHECK(std::abs(covariance(y, 0, 1)) < 1e-3);
  CHECK(there_and_back(whiten, x) < 1e-6);
  const Scaling again = Scaling::fit("whiten", y);
  for (std::size_t i = 0; i < 4; ++i) CHECK(again.scale()[i] == doctest::Approx(i % 3 == 0 ? 1 : 0).epsilon(1e-2));
  CHECK(whiten.unscaled() == "");
}

TEST_CASE("what is constant is shifted, not stretched, and said") {
  const data::Dataset x = correlated(2);
  for (const char* kind : {"standard", "minmax", "whiten"}) {
    const Scaling scaling = Scaling::fit(kind, x);
    const data::Dataset y = scaling.apply(x);
    const real middle = kind == std::string("minmax") ? real(0.5) : 0;
    CHECK(std::abs(y.values[2] - middle) < 1e-6);
    CHECK(std::abs(y.values[7] - middle) < 1e-6);
    const Tensor moved = scaling.undo(Tensor({1, 4}, {0, 0, middle + real(0.25), middle}));
    CHECK(moved.data()[2] == doctest::Approx(5000.25));
    CHECK(there_and_back(scaling, x) < 1e-6);
  }
  CHECK(Scaling::fit("minmax", x).unscaled() ==
        "--scale minmax does not stretch columns 2, 3 (the first is 0), which are constant");
  CHECK(Scaling::fit("standard", correlated(1)).unscaled() ==
        "--scale standard does not stretch column 2 (the first is 0), which is constant");
  CHECK(Scaling::fit("standard", dataset(7, std::vector<real>(14, 3))).unscaled() ==
        "--scale standard does not stretch columns 0, 1, 2, 3, 4, ... (the first is 0), which are constant");
  // A line has one direction in which its points do not vary, though all coordinates do.
  CHECK(Scaling::fit("whiten", dataset(2, {0, 0, 1, 2, 2, 4, 3, 6})).unscaled() ==
        "--scale whiten does not stretch 1 of 2 directions, in which the points do not vary");
}

TEST_CASE("a scaling is its shift and scale, by which it gives the same bits, and a checkpoint's tensors") {
  for (const char* kind : {"standard", "whiten"}) {
    const data::Dataset x = correlated();
    const Scaling fitted = Scaling::fit(kind, x), kept(fitted.shift(), fitted.scale());
    CHECK(kept.apply(x).values == fitted.apply(x).values);
    const ot::NamedTensors tensors = fitted.tensors();
    REQUIRE(tensors.size() == 2);
    CHECK(tensors[0].first == "scaling.shift");
    CHECK(tensors[0].second.data()[0] == doctest::Approx(fitted.shift()[0]));
    CHECK(tensors[1].first == "scaling.scale");
    CHECK(tensors[1].second.size() == std::ssize(fitted.scale()));
  }
}

TEST_CASE("none leaves points as they are, and bytes are scaled as the numbers that they stand for") {
  const data::Dataset x = correlated();
  const Scaling none = Scaling::fit("none", x);
  CHECK(none.none());
  CHECK(none.apply(x).values == x.values);
  CHECK(none.undo(Tensor({1, 1}, {7})).item() == 7);
  CHECK(none.tensors().empty());
  data::Dataset bytes;
  bytes.count = 3, bytes.dimension = 1, bytes.bytes = std::vector<std::uint8_t>{0, 51, 102};
  const Scaling minmax = Scaling::fit("minmax", bytes);
  CHECK(minmax.scale()[0] == doctest::Approx(0.4));
  const data::Dataset y = minmax.apply(bytes);
  CHECK(y.bytes.empty());
  CHECK(y.values == std::vector<real>{0, 0.5, 1});
}

TEST_CASE("a scaling of images, of another dimension or that can't be undone is refused") {
  data::Dataset image = dataset(4, {1, 2, 3, 4});
  image.height = image.width = 2, image.channels = 1;
  CHECK_THROWS_WITH_AS(Scaling::fit("standard", image),
                       "--scale standard is for points, the data are images: take --scale none", engine::Error);
  CHECK(Scaling::fit("none", image).none());
  CHECK_THROWS_WITH_AS(Scaling::fit("log", image),
                       "--scale 'log' is unknown: it must be none or standard or minmax or whiten", engine::Error);
  CHECK_THROWS_WITH_AS(Scaling({1, 2}, {1, 2, 3}), "[scaling] the scale must be [2] or [2, 2]: 3 numbers",
                       engine::Error);
  CHECK_THROWS_WITH_AS(Scaling({1, NAN}, {1, 2}), "[scaling] all numbers must be finite", engine::Error);
  CHECK_THROWS_WITH_AS(Scaling({1, 2}, {1, 0}), "[scaling] the scale can't be undone: it is 0 somewhere",
                       engine::Error);
  const Scaling plane({0, 0}, {1, 1});
  CHECK_THROWS_WITH_AS(plane.apply(dataset(3, {1, 2, 3})), "[scaling] the points must be of dimension 2: 3",
                       engine::Error);
  CHECK_THROWS_WITH_AS(plane.undo(Tensor({1, 3})), "[scaling] the points must be [n, 2]: [1, 3]", engine::Error);
}
