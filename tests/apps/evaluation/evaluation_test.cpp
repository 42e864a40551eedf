#include "apps/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "data/digits.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::real;
using engine::Tensor;

namespace {

constexpr std::int64_t count = 100;

data::Dataset dataset_of(const Tensor& x) {
  data::Dataset dataset;
  dataset.name = "points";
  dataset.count = x.dim(0), dataset.dimension = x.dim(1);
  dataset.values = std::vector<engine::real>(x.values().begin(), x.values().end());
  return dataset;
}

/// 1000 points of the plane in two far classes, of which the second has `share`.
struct TwoClasses {
  TwoClasses(std::int64_t n, std::uint64_t stream, double share) : x(normal_points(n, 2, stream)) {
    for (std::int64_t i = 0; i < n; ++i) {
      const bool second = static_cast<double>(i % 10) < 10 * share;
      labels.push_back(second);
      if (second) x.data()[2 * i] += 30;
    }
  }
  Tensor x;
  std::vector<std::uint8_t> labels;
};

Evaluation two_classes() {
  TwoClasses training(1000, 0, 0.5);
  return {dataset_of(training.x), training.labels, TwoClasses(count, 1, 0.5).x, {}, 0};
}

/// 12x12 images of 3x3 grey squares.
Tensor images(std::int64_t n, std::uint64_t stream) {
  const Tensor squares = engine::Random(9, stream).uniform({n, 9}, 0, 1);
  Tensor x({n, 144});
  for (std::int64_t i = 0; i < n; ++i)
    for (int p = 0; p < 144; ++p) x.data()[i * 144 + p] = squares.data()[i * 9 + p / 12 / 4 * 3 + p % 12 / 4];
  return x;
}

Evaluation of_images(std::uint64_t seed = 0) {
  data::Dataset training = dataset_of(images(500, 0));
  training.height = training.width = 12, training.channels = 1;
  std::optional<apps::FeatureNetwork> features = apps::FeatureNetwork::random(apps::facts_of(training));
  return {std::move(training), {}, images(count, 1), std::move(features), seed};
}

const Measure& measure(const Result& result, const std::string& key) {
  const auto found = std::find_if(result.measures.begin(), result.measures.end(),
                                  [&](const Measure& measure) { return measure.key == key; });
  REQUIRE_MESSAGE(found != result.measures.end(), key);
  return *found;
}

}  // namespace

TEST_CASE("samples of the data's law measure what training points do, up to chance") {
  const Evaluation evaluation = two_classes();
  CHECK(evaluation.floor_draws() == 5);
  const Result result = evaluation.evaluate(TwoClasses(count, 2, 0.5).x, true);
  for (const Measure& found : result.measures) {
    CAPTURE(found.key);
    REQUIRE(found.value);
    REQUIRE(found.floor);
    REQUIRE(found.floor_spread);
    CHECK(std::abs(*found.value - *found.floor) <= 6 * *found.floor_spread + 0.02);
  }
  CHECK(*measure(result, "classes.total_variation").value <= 0.02);
  CHECK(result.class_shares.size() == 2);
  CHECK(*measure(result, "w2").error > 0);
  CHECK(*measure(result, "sinkhorn_divergence").error > 0);
  CHECK(evaluation.trained_on() == 0);
}

TEST_CASE("samples of half the data miss its coverage, its classes and its variance") {
  const Result result = two_classes().evaluate(TwoClasses(count, 3, 0).x, true);
  CHECK(*measure(result, "pixels.coverage").value < 0.55);
  CHECK(*measure(result, "pixels.precision").value > 0.8);
  CHECK(*measure(result, "classes.total_variation").value == doctest::Approx(0.5).epsilon(0.1));
  CHECK(*measure(result, "total_variance").value < 0.1);
  CHECK(*measure(result, "w2").value > 10 * *measure(result, "w2").floor);
  CHECK(result.class_shares == std::vector<double>{1, 0});
}

TEST_CASE("copies of training points are told by Z, and of the reference by what was trained on") {
  const TwoClasses training(1000, 0, 0.5);
  const Tensor copies({count, 2}, training.x.values().first(2 * count));
  CHECK(*measure(two_classes().evaluate(copies, false), "copying").value < -8);
  const Evaluation evaluation(dataset_of(training.x), {}, copies, {}, 0);
  CHECK(evaluation.trained_on() == 1);
  CHECK(evaluation.reference_classes().empty());
}

TEST_CASE("the quick measures are those of the table") {
  const Evaluation evaluation = two_classes();
  const Tensor samples = TwoClasses(count, 4, 0.3).x;
  const Evaluation::Quick quick = evaluation.quick(samples);
  const Result result = evaluation.evaluate(samples, false);
  CHECK(quick.coverage == *measure(result, "pixels.coverage").value);
  CHECK(quick.recall == *measure(result, "pixels.recall").value);
  REQUIRE(quick.class_tv);
  CHECK(*quick.class_tv == *measure(result, "classes.total_variation").value);
  CHECK(*quick.class_tv == doctest::Approx(0.2).epsilon(0.01));
  CHECK_FALSE(of_images().quick(images(count, 2)).class_tv);
}

TEST_CASE("images are also compared in features and by their edges") {
  const Evaluation evaluation = of_images();
  CHECK(evaluation.floor_draws() == 2);
  const Tensor fresh = images(count, 2);
  Tensor blurred = fresh.clone();
  for (real& value : blurred.values()) value = real(0.5) + (value - real(0.5)) / 2;
  const Result sharp = evaluation.evaluate(fresh, false), blurry = evaluation.evaluate(blurred, false);
  CHECK(*measure(sharp, "gradient_energy").value == doctest::Approx(1).epsilon(0.1));
  CHECK(*measure(blurry, "gradient_energy").value ==
        doctest::Approx(*measure(sharp, "gradient_energy").value / 4).epsilon(1e-3));
  CHECK(*measure(blurry, "features.frechet").value > 3 * *measure(sharp, "features.frechet").value);
  CHECK(measure(sharp, "pixels.coverage").name == "coverage in pixels");
  CHECK(*measure(sharp, "features.coverage").value > 0.5);
  CHECK(sharp.class_shares.empty());
}

TEST_CASE("measures depend on the seed through their floors alone, on the order of samples and on threads not at all") {
  const Tensor samples = images(count, 2);
  const int before = engine::threads();
  engine::set_threads(1);
  const Result one = of_images().evaluate(samples, true);
  engine::set_threads(3);
  const Result three = of_images().evaluate(samples, true);
  engine::set_threads(before);
  const Result seeded = of_images(1).evaluate(samples, true), other = of_images().evaluate(shuffled(samples, 0), true);
  for (std::size_t k = 0; k < one.measures.size(); ++k) {
    CAPTURE(one.measures[k].key);
    CHECK(*one.measures[k].value == *three.measures[k].value);
    CHECK(*one.measures[k].floor == *three.measures[k].floor);
    CHECK(*one.measures[k].value == *seeded.measures[k].value);
    // But for rounding, and for which samples fall into which split of the Sinkhorn divergence.
    const double slack = one.measures[k].key == "sinkhorn_divergence" ? 0.02 : 1e-6;
    CHECK(std::abs(*one.measures[k].value - *other.measures[k].value) <= slack);
  }
  CHECK(*measure(one, "pixels.coverage").floor != *measure(seeded, "pixels.coverage").floor);
}

TEST_CASE("fewer training points than two for each sample leave no floors") {
  const Evaluation evaluation(dataset_of(normal_points(150, 2, 0)), {}, normal_points(count, 2, 1), {}, 0);
  CHECK(evaluation.floor_draws() == 0);
  const Result result = evaluation.evaluate(normal_points(count, 2, 2), false);
  CHECK_FALSE(measure(result, "pixels.coverage").floor);
  CHECK(measure(result, "pixels.coverage").name == "coverage");
}

TEST_CASE("points that do not fit are refused") {
  CHECK_THROWS_WITH_AS(Evaluation(dataset_of(normal_points(150, 2, 0)), {}, normal_points(49, 2, 1), {}, 0),
                       "[evaluation] there must be at least 50 points of dimension 2: [49, 2]", engine::Error);
  CHECK_THROWS_WITH_AS(two_classes().quick(normal_points(99, 2, 0)),
                       doctest::Contains("as many as the points of the reference: [99, 2] against [100, 2]"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(two_classes().evaluate(normal_points(100, 3, 0), false),
                       doctest::Contains("[100, 3] against [100, 2]"), engine::Error);
}
