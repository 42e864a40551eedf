#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "data/npy.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace {
using Arguments = std::vector<std::string>;
using Values = std::vector<double>;

/// Coordinates in [0, 1) that are multiples of 2^-20, so that a shift by 1e7 is exact in double.
Values coordinates(std::size_t count, std::uint64_t stream) {
  Values values;
  for (std::size_t k = 0; k < count; ++k)
    values.push_back(std::floor(engine::Random(7, stream).uniform(k) * 0x1p20) * 0x1p-20);
  return values;
}

/// The coordinates s (v + shift).
Values moved(Values values, double shift, double s) {
  for (double& value : values) value = s * (value + shift);
  return values;
}

/// Two sets in a folder, and what solve makes of them.
struct Sets {
  TemporaryFolder folder;
  std::int64_t dimension;

  Sets(const Values& x, const Values& y, std::int64_t d) : dimension(d) {
    write_points("x.npy", x);
    write_points("y.npy", y);
  }
  void write_points(const std::string& file, const Values& points) const {
    data::write_npy<double>(folder / file, {static_cast<std::int64_t>(points.size()) / dimension, dimension}, points);
  }
  Outcome solve(const Arguments& more) const {
    Outcome outcome = semidual(Arguments{"solve", "--source", folder / "x.npy", "--target", folder / "y.npy",
                                         "--threads", "1", "--out", folder / "out", "--force"} +
                               more);
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    return outcome;
  }
  nlohmann::json result(const Arguments& more) const {
    solve(more);
    return nlohmann::json::parse(content(folder / "out/result.json"));
  }
  Values values(const std::string& file) const { return data::read_npy(folder / ("out/" + file)).as<double>(); }
};
}  // namespace

TEST_CASE("a shift of both sets changes nothing, and alpha stays that of the points as given") {
  const Values x = coordinates(60, 0), y = coordinates(80, 1);
  const Sets near(x, y, 2), far(moved(x, 1e7, 1), moved(y, 1e7, 1), 2);
  for (const Arguments& solver : {Arguments{"--solver", "exact"}, Arguments{"--solver", "adam"},
                                  Arguments{"--solver", "sinkhorn", "--lambda", "0.05"}}) {
    CAPTURE(solver[1]);
    for (const std::string cost : {"sqeuclidean", "euclidean", "cityblock"}) {
      CAPTURE(cost);
      const Arguments options = solver + Arguments{"--cost", cost, "--cost-scale", "one"};
      const double before = near.result(options)["dual"];
      CHECK(far.result(options)["dual"].get<double>() == doctest::Approx(before).epsilon(1e-6));
    }
  }
  const Arguments exact{"--solver", "exact"};
  double alpha = 0;
  for (const double value : moved(y, 1e7, 1)) alpha += value * value / 40;
  CHECK(far.result(exact)["primal"].get<double>() * alpha ==
        doctest::Approx(near.result(exact + Arguments{"--cost-scale", "one"})["primal"].get<double>()).epsilon(1e-9));
}

TEST_CASE("points on the line keep their digits however far from 0") {
  const Values x = moved(coordinates(50, 2), 1.7e9, 1), y = moved(coordinates(50, 3), 1.7e9 + 4, 1);
  Values sorted_x = x, sorted_y = y;
  std::sort(sorted_x.begin(), sorted_x.end());
  std::sort(sorted_y.begin(), sorted_y.end());
  double value = 0;
  for (std::size_t k = 0; k < x.size(); ++k) value += std::pow(sorted_x[k] - sorted_y[k], 2) / 50;
  const Sets sets(x, y, 1);
  const Arguments one{"--cost-scale", "one", "--solver"};
  CHECK(sets.result(one + Arguments{"exact"})["primal"].get<double>() == doctest::Approx(value).epsilon(1e-12));
  CHECK(sets.result(one + Arguments{"adam"})["dual"].get<double>() == doctest::Approx(value).epsilon(1e-2));
}

TEST_CASE("the unit of the coordinates is only that, from 1e-30 to 1e30") {
  const Values x = coordinates(60, 4), y = coordinates(60, 5);
  for (const std::string solver : {"exact", "adam"}) {
    CAPTURE(solver);
    const Arguments options{"--solver", solver, "--cost-scale", "one"};
    const Sets usual(x, y, 3);
    const double before = usual.result(options)["dual"];
    const Values psi = usual.values("psi.npy");
    for (const int exponent : {-100, 100}) {
      const double s = std::ldexp(1, exponent);
      const Sets sets(moved(x, 0, s), moved(y, 0, s), 3);
      CHECK(sets.result(options)["dual"].get<double>() / (s * s) == doctest::Approx(before).epsilon(1e-6));
      Values scaled = sets.values("psi.npy");
      for (double& value : scaled) value /= s * s;
      CHECK(scaled[7] == doctest::Approx(psi[7]).epsilon(1e-4));
    }
  }
}

TEST_CASE("weights of a single point, and zeros, in an array or a table: the others go to the nearest by psi") {
  const Sets sets(coordinates(20, 6), coordinates(20, 7), 2);
  Values a(10, 0);
  a[3] = 1;
  data::write_npy<double>(sets.folder / "a.npy", {10}, a);
  write(sets.folder / "b.csv", "weight\n0\n0\n0\n0\n0\n0\n0\n1\n0\n0\n");
  const nlohmann::json result = sets.result({"--solver", "exact", "--cost-scale", "one", "--source-weights",
                                             sets.folder / "a.npy", "--target-weights", sets.folder / "b.csv"});
  const Values x = coordinates(20, 6), y = coordinates(20, 7);
  CHECK(result["primal"].get<double>() ==
        doctest::Approx(std::pow(x[6] - y[14], 2) + std::pow(x[7] - y[15], 2)).epsilon(1e-12));
  CHECK(result["converged"] == true);
  CHECK(sets.values("assignment.npy") == Values(10, 7));
}

TEST_CASE("an ascent keeps the best psi: where all points are one, the dual is 0") {
  const Sets sets(Values(150, 0.5), Values(180, 0.5), 3);
  for (const std::string solver : {"adam", "asgd"}) {
    CAPTURE(solver);
    const Outcome outcome = sets.solve({"--solver", solver});
    CHECK(nlohmann::json::parse(content(sets.folder / "out/result.json"))["dual"] == 0);
    CHECK(contains(outcome.err, "below the best along the way, whose psi is kept: a smaller --rate"));
  }
}

TEST_CASE("plan.npy is the plan whose cost is printed, and has both marginals") {
  const Values x = coordinates(24, 8), y = coordinates(20, 9);
  const Sets sets(x, y, 2);
  for (const Arguments& solver : {Arguments{"adam"}, Arguments{"asgd"}, Arguments{"adam", "--lambda", "0.01"},
                                  Arguments{"sinkhorn", "--lambda", "0.01"}, Arguments{"exact"}}) {
    CAPTURE(solver[0]);
    const nlohmann::json result =
        sets.result(Arguments{"--cost-scale", "one", "--iterations", "30", "--plan-rows", "0:12", "--solver"} + solver);
    const Values plan = sets.values("plan.npy");
    double cost = 0;
    for (std::size_t i = 0; i < 12; ++i) {
      CHECK(std::accumulate(plan.begin() + 10 * i, plan.begin() + 10 * (i + 1), 0.0) == doctest::Approx(1.0 / 12));
      for (std::size_t j = 0; j < 10; ++j)
        cost += plan[10 * i + j] * (std::pow(x[2 * i] - y[2 * j], 2) + std::pow(x[2 * i + 1] - y[2 * j + 1], 2));
    }
    for (std::size_t j = 0; j < 10; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < 12; ++i) sum += plan[10 * i + j];
      CHECK(sum == doctest::Approx(0.1));
    }
    CHECK(result["transport_cost"].get<double>() == doctest::Approx(cost).epsilon(1e-9));
  }
}

TEST_CASE("a tolerance below what rounding allows ends Sinkhorn with a word on it") {
  const Sets sets(coordinates(120, 10), coordinates(140, 11), 2);
  const Outcome outcome =
      sets.solve({"--solver", "sinkhorn", "--lambda", "0.1", "--tolerance", "1e-30", "--iterations", "1000000"});
  CHECK(contains(outcome.err, "the marginal error no longer falls below"));
  CHECK(nlohmann::json::parse(content(sets.folder / "out/result.json"))["converged"] == false);
}

TEST_CASE("adam says how many digits float keeps of near points that lie far apart" *
          doctest::skip(sizeof(engine::real) == sizeof(double))) {
  Values x = coordinates(90, 12), y = coordinates(90, 13);
  for (std::size_t k = 0; k < x.size(); ++k)
    x[k] += 1e9 * static_cast<double>(k % 3), y[k] += 1e9 * static_cast<double>(k % 3);
  const Sets sets(x, y, 1);
  CHECK(contains(sets.solve({"--solver", "adam", "--iterations", "20"}).err, "float keeps about 0 digits"));
  CHECK(sets.solve({"--solver", "exact"}).err.empty());
}

TEST_CASE("sides that can hardly be in the same units are told, with what their coordinates run over") {
  const Sets sets(moved(coordinates(60, 6), 0, 255), coordinates(60, 7), 2);
  std::vector<std::uint8_t> bytes(60);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{190});
  data::write_npy<std::uint8_t>(sets.folder / "y.npy", {30, 2}, bytes);
  const std::string err = sets.solve({"--solver", "exact"}).err;
  CHECK(contains(err, "semidual: coordinates of --source run from "));
  CHECK(
      contains(err, "those of --target from 0.745098 to 0.976471 (bytes divided by 255): are they in the same units?"));

  const Sets apart(coordinates(60, 6), moved(coordinates(60, 7), 1, 1), 2);
  CHECK(contains(apart.solve({"--solver", "exact"}).err, "are they in the same units?"));
  const Sets alike(coordinates(60, 6), moved(coordinates(60, 7), 0, 2), 2);
  CHECK(!contains(alike.solve({"--solver", "exact"}).err, "are they in the same units?"));
}

TEST_CASE("one source point has no standard error") {
  const Sets sets(coordinates(2, 8), coordinates(20, 9), 2);
  CHECK(!sets.result({"--solver", "exact"}).contains("standard_error"));
}
