#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/run_folder.h"
#include "data/npy.h"
#include "engine/random.h"
#include "engine/real.h"
#include "engine/tensor.h"
#include "tests/apps/program.h"

using apps::RunFolder;
using Arguments = std::vector<std::string>;
using Values = std::vector<double>;

namespace {

constexpr bool in_float = sizeof(engine::real) == sizeof(float);
constexpr std::int64_t dimension = 3;

/// `count` normal points of R^3.
Values normal_points(std::int64_t count) {
  const engine::Tensor z = engine::Random(1, 0).normal({count, dimension}, 0, 1);
  return {z.values().begin(), z.values().end()};
}

Values moved(Values x, double offset, double scale) {
  for (double& value : x) value = offset + scale * value;
  return x;
}

/// Files of points, and what the program makes of them.
struct Points {
  const TemporaryFolder folder;
  const RunFolder run{folder / "run"};

  std::string file(const Values& x, const std::string& name = "x.npy") const {
    data::write_npy<double>(folder / name, {std::ssize(x) / dimension, dimension}, x);
    return folder / name;
  }
  Outcome train(const Values& x, const Arguments& options = {}) const {
    return semidual(Arguments{"train", "--data", file(x), "--hold-out", "0.25", "--batch", "8", "--mlp-sizes", "8",
                              "--inner", "2", "--iterations", "4", "--threads", "1", "--force", "--out", run.root} +
                    options);
  }
  /// H of the last iteration.
  double loss(const Values& x, const Arguments& options = {}) const {
    const Outcome outcome = train(x, options);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return apps::Metrics::last(run.metrics()).loss;
  }
  Outcome solve(const Values& x, const Values& y, const Arguments& options) const {
    return semidual(Arguments{"solve", "--source", file(x, "a.npy"), "--target", file(y, "b.npy"), "--threads", "1",
                              "--force", "--out", folder / "solved"} +
                    options);
  }
  double dual(const Values& x, const Values& y, const Arguments& options) const {
    const Outcome outcome = solve(x, y, options);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return nlohmann::json::parse(content(folder / "solved/result.json"))["dual"];
  }
  /// The numbers that `evaluate` writes of the run, or of samples.
  nlohmann::json measures(const Arguments& what) const {
    const Outcome outcome = semidual(Arguments{"evaluate"} + what + Arguments{"--threads", "1", "--out", folder / "e"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return nlohmann::json::parse(content(folder / "e"))["measures"];
  }
};

}  // namespace

TEST_CASE("a number that is not finite is named with its file, point and coordinate, by each command") {
  const Points points;
  const Values well = normal_points(60);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    Values x = well;
    x[5 * dimension + 1] = bad;
    const std::string word = std::isnan(bad) ? "nan" : "-inf";
    const std::string where = ".npy: coordinate 1 of point 5 is " + word + "; all must be finite";
    for (const Outcome& outcome : {points.train(x), points.solve(x, well, {}), points.solve(well, x, {}),
                                   semidual({"evaluate", points.file(x), "--data", points.file(well, "y.npy"),
                                             "--reference", points.file(well, "z.npy")})}) {
      CHECK(outcome.code == 2);
      CHECK_MESSAGE(contains(outcome.err, where), outcome.err);
    }
  }
}

TEST_CASE("a number that float can't hold is refused, and how large one may be is told" * doctest::skip(!in_float)) {
  const Points points;
  CHECK(contains(points.train(moved(normal_points(60), 0, 1e39)).err,
                 "inf; all must be finite, and at most 3.40282e+38"));
}

TEST_CASE("points of any size are learned and evaluated alike: of 1e30, near 0 and far from it") {
  const Points points;
  const Values x = normal_points(240);
  const double loss = points.loss(x);
  const nlohmann::json measures = points.measures({points.run.root});
  CHECK(points.loss(moved(x, 0, std::ldexp(1, 100))) == loss);
  CHECK(points.measures({points.run.root}) == measures);
  CHECK(points.loss(moved(x, 0, 1e-41)) == doctest::Approx(loss).epsilon(1e-2));  // denormals, in float
  CHECK(points.loss(moved(x, 4096, 1)) == doctest::Approx(loss).epsilon(1e-2));
  CHECK(points.loss(moved(x, 0, 1e-41), {"--lambda", "0.05"}) ==
        doctest::Approx(points.loss(x, {"--lambda", "0.05"})).epsilon(1e-2));
}

TEST_CASE("points so far from 0 that float leaves little of them are told") {
  const Points points;
  CHECK(!contains(points.train(moved(normal_points(60), 4096, 1)).err, "rounding leaves"));
  const std::string err = points.train(moved(normal_points(60), 1e7, 1)).err;
  CHECK(contains(err, "of which rounding leaves less than a digit: take a number near these from it") == in_float);
}

TEST_CASE("without a scale, points whose costs float can't hold are refused" * doctest::skip(!in_float)) {
  const Points points;
  const Arguments unscaled{"--scale", "none"};
  const Outcome far = points.train(moved(normal_points(60), 0, 1e30), unscaled);
  CHECK(far.code == 2);
  CHECK_MESSAGE(contains(far.err, "squared distances must not overflow: point 0 is too far from the mean"), far.err);
  const Outcome near = points.train(moved(normal_points(60), 0, 1e-41), unscaled);
  CHECK(near.code == 2);
  CHECK_MESSAGE(contains(near.err, "scale the points, or take a cost that is not normalised"), near.err);
}

TEST_CASE(
    "points that repeat are a point of their weight, to a solver; rows, columns or all that are one are learned") {
  const Points points;
  const Values x = normal_points(24);
  Values few(x.begin(), x.begin() + 4 * dimension), repeated;
  for (int copy = 0; copy < 6; ++copy) repeated.insert(repeated.end(), few.begin(), few.end());
  for (const Arguments& solver : {Arguments{"--solver", "exact"}, Arguments{"--solver", "sinkhorn", "--lambda", "0.1"}})
    CHECK(points.dual(x, repeated, solver) == doctest::Approx(points.dual(x, few, solver)).epsilon(1e-5));

  Values row = normal_points(60), column = row;
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = row[k / dimension * dimension];
  for (std::size_t k = 1; k < column.size(); k += dimension) column[k] = 7;
  for (const Values& y : {row, column, repeated, Values(60 * dimension, 0.5), Values(dimension * 60, 7)})
    for (const Arguments& options : {Arguments{}, Arguments{"--lambda", "0.05"}})
      CHECK(std::isfinite(points.loss(y, options + Arguments{"--cost-scale", "one"})));
}

TEST_CASE("samples that are all one point have measures that are numbers") {
  const Points points;
  const Values x = normal_points(120);
  const nlohmann::json measures =
      points.measures({points.file(Values(120 * dimension, 0.5)), "--data", points.file(x, "y.npy"), "--reference",
                       points.file(moved(x, 0.1, 1), "z.npy")});
  CHECK_FALSE(measures.empty());
  for (const nlohmann::json& measure : measures) CHECK(measure["value"].is_number());
}

TEST_CASE("a gradient that overflows ends the run, with the iteration and the tensor's name") {
  const Points points;
  const auto ends_with = [&](const Arguments& options, const std::string& tensor, const std::string& iteration) {
    const Outcome outcome = points.train(normal_points(60), options);
    CHECK(outcome.code == 1);
    CHECK_MESSAGE(contains(outcome.err, "an element of " + tensor + " is no longer a finite number at iteration " +
                                            iteration + " (the first is 0)"),
                  outcome.err);
  };
  ends_with({"--optimizer", "rmsprop", "--lr", "1e308"}, "generator.0.weight", "1");  // by the step of the first
  ends_with({"--dual", "vector", "--dual-lr", "1e308"}, "psi", "0");
  ends_with({"--method", "wgan-gp", "--dual-lr", "1e308"}, "critic.0.weight", "0");
}
