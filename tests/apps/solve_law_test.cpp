#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/source_law.h"
#include "data/npy.h"
#include "engine/error.h"
#include "tests/apps/program.h"

namespace {
using Arguments = std::vector<std::string>;
using doctest::Approx;

/// Two points of the line, a quarter and three quarters of the way along [0, 1].
struct Line {
  TemporaryFolder folder;

  Line() { data::write_npy<double>(folder / "y.npy", {2, 1}, std::vector<double>{0.25, 0.75}); }
  Arguments arguments(const Arguments& more) const {
    return Arguments{"solve",     "--target", folder / "y.npy", "--cost-scale", "one", "--out", folder / "out",
                     "--threads", "1"} +
           more;
  }
  nlohmann::json result() const { return nlohmann::json::parse(content(folder / "out/result.json")); }
};

/// A run of a few iterations on some digits.
struct Run {
  TemporaryFolder folder;
  std::string path = folder / "run";

  Run() {
    const Outcome outcome =
        semidual({"train", "--data", "digits", "--points", "300", "--preset", "paper", "--mlp-sizes", "8",
                  "--iterations", "1", "--batch", "10", "--threads", "1", "--out", path});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  }
};

std::string refusal(const Arguments& arguments) {
  const Outcome outcome = semidual(arguments);
  CHECK(outcome.code == 2);
  return outcome.err;
}
}  // namespace

TEST_CASE("the uniform law goes half to each of two points in the middle of its halves") {
  for (const std::string solver : {"adam", "asgd", "drag"}) {
    CAPTURE(solver);
    const Line line;
    const Outcome outcome = semidual(line.arguments({"--source", "uniform", "--solver", solver}));
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(contains(outcome.out, "uniform to " + line.folder / "y.npy" + ": 2 points of dimension 1, " + solver));
    const nlohmann::json result = line.result();
    CHECK(result.at("converged") == true);
    CHECK(std::abs(result.at("dual").get<double>() - 1.0 / 48) <= 5 * result.at("standard_error").get<double>());
    CHECK(result.at("chi_squared_n/m").get<double>() ==
          Approx(result.at("chi_squared").get<double>() * result.at("samples").get<double>() / 2));
    CHECK(result.at("options").at("tolerance") == 2e-5);
    const std::vector<double> psi = data::read_npy(line.folder / "out/psi.npy").as<double>();
    CHECK(psi.at(0) - psi.at(1) == Approx(0).scale(1).epsilon(0.01));
    CHECK_FALSE(std::filesystem::exists(line.folder / "out/value.npy"));
  }
}

TEST_CASE("a law is shifted and scaled by its options") {
  const Line line;
  const Outcome outcome = semidual(
      line.arguments({"--source", "uniform", "--source-mean", "10", "--source-scale", "0.001", "--tolerance", "0.01"}));
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(line.result().at("dual").get<double>() == Approx((9.7505 * 9.7505 + 9.2505 * 9.2505) / 2).epsilon(1e-5));
}

TEST_CASE("a run's generator is a law, of the points that it makes") {
  const Run run;
  CHECK(apps::is_law(run.path));
  CHECK_FALSE(apps::is_law(run.folder / "nothing"));
  apps::SolveOptions options;
  options.source = run.path;
  const auto source = apps::make_source(options, 784, 1);
  const engine::Tensor first = source->batch(3, 5), later = source->batch((std::uint64_t{1} << 48) + 3, 5);
  CHECK(first.shape() == engine::Shape{5, 784});
  CHECK(std::ranges::equal(first.values(), source->batch(3, 5).values()));
  CHECK_FALSE(std::ranges::equal(first.values(), later.values()));
  for (const engine::real value : first.values()) CHECK((value >= 0 && value <= 1));

  const Outcome outcome =
      semidual({"solve", "--source", run.path, "--target", "digits", "--target-points", "50", "--iterations", "60",
                "--batch", "20", "--threads", "1", "--out", run.folder / "out"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
}

TEST_CASE("what does not fit a law is refused by its option, value and remedy") {
  const Line line;
  const auto refused = [&](const Arguments& more) {
    return refusal(line.arguments(Arguments{"--source", "normal"} + more));
  };
  CHECK(contains(refused({"--solver", "exact"}),
                 "--solver exact needs points: --source normal is a law, which asgd, adam and drag take"));
  CHECK(contains(refused({"--source-points", "3"}), "--source-points 3: --source normal is a law, not points"));
  CHECK(contains(refused({"--source-weights", "w.npy"}), "--source-weights w.npy: --source normal is a law"));
  CHECK(contains(refused({"--plan-rows", "0:1"}), "--plan-rows 0:1: --source normal is a law, which has no rows"));
  CHECK(contains(refused({"--batch", "0"}), "--batch must be at least 1 where --source is a law: 0"));
  CHECK(contains(refused({"--tolerance", "-2"}), "--tolerance must be 0 or a positive number: -2"));
  CHECK(contains(refused({"--source-mean", "inf"}), "--source-mean must be a number: inf"));
  CHECK(contains(refused({"--source-scale", "0"}), "--source-scale must be a positive number: 0"));
  CHECK(contains(refused({"--lambda-schedule", "1"}), "--lambda-schedule from a law is for --solver drag: 'adam'"));
  CHECK(contains(refused({"--dual", "network"}), "--dual"));
  const Arguments points{"--source", line.folder / "y.npy"};
  CHECK(contains(refusal(line.arguments(points + Arguments{"--source-mean", "1"})),
                 "--source-mean and --source-scale are for a law, such as --source normal"));
  CHECK(contains(refusal(line.arguments(points + Arguments{"--dual", "layers", "--solver", "exact"})),
                 "--dual layers is for asgd, adam and drag: 'exact'"));
  const Run run;
  CHECK(contains(refusal(line.arguments({"--source", run.path})), "has points of dimension 784, --target"));
}
