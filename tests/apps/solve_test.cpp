#include "apps/solve.h"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/solvers/solve_transport.h"
#include "data/npy.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace {
namespace fs = std::filesystem;
using engine::real;
using Arguments = std::vector<std::string>;
using Values = std::vector<double>;

Values read(const std::string& path) {
  return data::read_npy(path).as<double>();
}

/// Six points of the plane, and the same shifted by (1, 2), which costs 5, in another order.
struct Shifted {
  TemporaryFolder folder;
  const std::vector<int> order{3, 0, 5, 1, 4, 2};

  Shifted() {
    const Values x{0, 0, 1, 0, 0, 1, 3, 1, 2, 2, 1, 4};
    Values y(12);
    for (std::size_t i = 0; i < 6; ++i) {
      const auto j = static_cast<std::size_t>(order[i]);
      y[2 * j] = x[2 * i] + 1, y[2 * j + 1] = x[2 * i + 1] + 2;
    }
    data::write_npy<double>(folder / "x.npy", {6, 2}, x);
    data::write_npy<double>(folder / "y.npy", {6, 2}, y);
  }

  Arguments arguments(const Arguments& more) const {
    return Arguments{"solve", "--source",     folder / "x.npy", "--target", folder / "y.npy", "--cost-scale", "one",
                     "--out", folder / "out", "--threads",      "1"} +
           more;
  }
  nlohmann::json result() const { return nlohmann::json::parse(content(folder / "out/result.json")); }
};
}  // namespace

TEST_CASE("exact transport of a shifted cloud is the shift, and everything is kept") {
  const Shifted shifted;
  const Outcome outcome = semidual(shifted.arguments({"--solver", "exact", "--plan-rows", "1:3"}));
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "primal            5\n"));
  CHECK(contains(outcome.out, "6 x 6 points of dimension 2"));
  const nlohmann::json result = shifted.result();
  CHECK(result["primal"].get<double>() == doctest::Approx(5));
  CHECK(std::abs(result["gap"].get<double>()) <= 1e-9);
  CHECK(result["converged"] == true);
  CHECK(result["options"]["solver"] == "exact");
  const Values assignment = read(shifted.folder / "out/assignment.npy"), plan = read(shifted.folder / "out/plan.npy");
  CHECK(assignment == Values(shifted.order.begin(), shifted.order.end()));
  CHECK(plan.size() == 12);
  CHECK(plan[0] == doctest::Approx(1.0 / 6));   // row 1 goes to 0
  CHECK(plan[11] == doctest::Approx(1.0 / 6));  // row 2 goes to 5
  double dual = 0;
  for (const char* file : {"out/psi.npy", "out/value.npy"})
    for (const double value : read(shifted.folder / file)) dual += value / 6;
  CHECK(dual == doctest::Approx(5));
}

TEST_CASE("sinkhorn, adam and asgd come to the same values, dual and primal") {
  const Shifted shifted;
  for (const std::string lambda : {"0.5", "0.05"}) {
    double sinkhorn = 0;
    for (const std::string solver : {"sinkhorn", "adam", "asgd"}) {
      CAPTURE(solver);
      CAPTURE(lambda);
      const Outcome outcome = semidual(shifted.arguments(
          {"--solver", solver, "--lambda", lambda, "--force", "--iterations", "1500", "--plan-rows", "0:6"}));
      CHECK_MESSAGE(outcome.code == 0, outcome.err);
      const nlohmann::json result = shifted.result();
      const double dual = result["dual"], primal = result["primal"];
      if (sinkhorn == 0) sinkhorn = dual;
      CHECK(dual == doctest::Approx(sinkhorn).epsilon(5e-3));
      CHECK(primal >= dual - 1e-5);
      CHECK(primal <= 1.05 * dual);
      CHECK(result["chi_squared"].get<double>() <= 0.01);
      CHECK(result["standard_error"].get<double>() > 0);
      CHECK_FALSE(fs::exists(shifted.folder / "out/assignment.npy"));
      double mass = 0;
      for (const double share : read(shifted.folder / "out/plan.npy")) mass += share;
      CHECK(mass == doctest::Approx(1).epsilon(1e-6));
    }
  }
}

TEST_CASE("adam and asgd find the assignment of a shifted cloud") {
  const Shifted shifted;
  for (const std::string solver : {"adam", "asgd"}) {
    CAPTURE(solver);
    const Outcome outcome =
        semidual(shifted.arguments({"--solver", solver, "--force", "--batch", "0", "--iterations", "500"}));
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(shifted.result()["dual"].get<double>() == doctest::Approx(5).epsilon(0.01));
    CHECK(shifted.result()["primal"].get<double>() == doctest::Approx(5).epsilon(0.01));
    CHECK(contains(outcome.out, "H "));
  }
}

TEST_CASE("--verbose tells after each stage of an ascent which ways its c-transforms took") {
  const Shifted shifted;
  for (const std::string solver : {"adam", "asgd", "sinkhorn"}) {
    CAPTURE(solver);
    const Arguments all{"--solver", solver, "--lambda", "0.5", "--force", "--iterations", "20"};
    const Outcome plain = semidual(shifted.arguments(all)),
                  outcome = semidual(shifted.arguments(all + Arguments{"--verbose"}));
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    CHECK_FALSE(contains(plain.out, "c-transforms"));
    int lines = 0;
    std::istringstream text(outcome.out);
    for (std::string line; std::getline(text, line);) {
      if (!contains(line, "c-transforms")) continue;
      ++lines;
      CHECK(line.starts_with("c-transforms: 0 by search, 0 by digits, "));
      CHECK(line.ends_with(" dense"));
    }
    CHECK(lines == (solver == "sinkhorn" ? 0 : 10));
  }
}

TEST_CASE("points on the line are sorted, however many, and weights are taken") {
  const TemporaryFolder folder;
  Values x, y;
  for (int i = 0; i < 3000; ++i) x.push_back((i * 7919) % 3000), y.push_back(10 + (i * 104729) % 3000);
  data::write_npy<double>(folder / "x.npy", {3000, 1}, x);
  data::write_npy<double>(folder / "y.npy", {3000, 1}, y);
  const Arguments line{"solve", "--solver", "exact", "--cost-scale", "half", "--threads", "1", "--out", folder / "out"};
  const Outcome all = semidual(line + Arguments{"--source", folder / "x.npy", "--target", folder / "y.npy"});
  CHECK_MESSAGE(all.code == 0, all.err);
  CHECK(contains(all.out, "primal            50\n"));

  data::write_npy<double>(folder / "a.npy", {2}, Values{0.25, 0.75});
  data::write_npy<double>(folder / "b.npy", {1}, Values{1});
  data::write_npy<double>(folder / "u.npy", {2, 1}, Values{0, 2});
  data::write_npy<double>(folder / "v.npy", {1, 1}, Values{4});
  const Outcome weighted =
      semidual(line + Arguments{"--source", folder / "u.npy", "--target", folder / "v.npy", "--force",
                                "--source-weights", folder / "a.npy", "--target-weights", folder / "b.npy"});
  CHECK_MESSAGE(weighted.code == 0, weighted.err);
  CHECK(contains(weighted.out, "primal            3.5\n"));  // (0.25 16 + 0.75 4) / 2
}

TEST_CASE("every solver takes the cost that is asked for") {
  const Shifted shifted;
  for (const auto& entry : std::vector<std::pair<std::string, double>>{
           {"euclidean", std::sqrt(5.0)}, {"cityblock", 3.0}, {"sqeuclidean", 5.0}}) {
    const std::string cost = entry.first;
    const double value = entry.second;
    for (const std::string solver : {"exact", "adam"}) {
      CAPTURE(cost);
      CAPTURE(solver);
      const Outcome outcome = semidual(shifted.arguments({"--solver", solver, "--cost", cost, "--force"}));
      CHECK_MESSAGE(outcome.code == 0, outcome.err);
      CHECK(shifted.result()["dual"].get<double>() == doctest::Approx(value).epsilon(0.01));
      // A sum of coordinates has many optimal plans, and adam's potentials tell little of which mass to keep.
      const double tolerance = solver == "adam" && cost == "cityblock" ? 0.1 : 0.01;
      CHECK(shifted.result()["primal"].get<double>() == doctest::Approx(value).epsilon(tolerance));
    }
  }
  const Outcome divergence =
      semidual(shifted.arguments({"--solver", "sinkhorn", "--lambda", "0.5", "--cost", "power", "--cost-power", "1.5",
                                  "--target", shifted.folder / "x.npy", "--divergence", "on", "--force"}));
  CHECK_MESSAGE(divergence.code == 0, divergence.err);
  CHECK(std::abs(shifted.result()["divergence"].get<double>()) <= 1e-4);

  data::write_npy<double>(shifted.folder / "u.npy", {2, 1}, Values{0, 1});
  data::write_npy<double>(shifted.folder / "v.npy", {2, 1}, Values{5, 2});
  const Outcome line =
      semidual(shifted.arguments({"--solver", "exact", "--cost", "power", "--cost-power", "3", "--source",
                                  shifted.folder / "u.npy", "--target", shifted.folder / "v.npy", "--force"}));
  CHECK_MESSAGE(line.code == 0, line.err);
  CHECK(contains(line.out, "primal            36\n"));  // (2^3 + 4^3) / 2
}

TEST_CASE(
    "the Sinkhorn divergence of a set to itself is zero, and positive to another, whether costs are held or not") {
  const Shifted shifted;
  for (const std::string megabytes : {"4000", "0"}) {
    CAPTURE(megabytes);
    const Arguments sinkhorn{"--solver", "sinkhorn", "--lambda",      "0.5",    "--divergence",
                             "on",       "--force",  "--cost-memory", megabytes};
    REQUIRE(semidual(shifted.arguments(sinkhorn)).code == 0);
    CHECK(shifted.result()["divergence"].get<double>() == doctest::Approx(5).epsilon(1e-3));  // a shift, debiased
    REQUIRE(semidual(shifted.arguments(sinkhorn + Arguments{"--target", shifted.folder / "x.npy"})).code == 0);
    CHECK(std::abs(shifted.result()["divergence"].get<double>()) <= 1e-5);
  }
}

TEST_CASE("the same seed gives the same bytes on any number of threads, another seed others") {
  const Shifted shifted;
  const auto psi = [&](const Arguments& more) {
    const Outcome outcome =
        semidual(shifted.arguments(Arguments{"--iterations", "20", "--batch", "3", "--force"} + more));
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    return content(shifted.folder / "out/psi.npy");
  };
  const std::string one = psi({"--seed", "1", "--threads", "1"});
  CHECK(psi({"--seed", "1", "--threads", "2"}) == one);
  CHECK(psi({"--seed", "2", "--threads", "1"}) != one);
}

TEST_CASE("results are not replaced, unless by --force once all is right, and nothing stale stays") {
  const Shifted shifted;
  REQUIRE(semidual(shifted.arguments({"--solver", "exact"})).code == 0);
  const std::string before = content(shifted.folder / "out/result.json");
  const Outcome refused = semidual(shifted.arguments({"--solver", "exact"}));
  CHECK(refused.code == 2);
  CHECK(contains(refused.err, "out holds results already: --force replaces them"));
  CHECK(semidual(shifted.arguments({"--force", "--solver", "exact", "--lambda", "1"})).code == 2);
  CHECK(content(shifted.folder / "out/result.json") == before);
  CHECK(fs::exists(shifted.folder / "out/assignment.npy"));
  const std::vector<std::string> killed{"psi.npy", "value.npy", "plan.npy"};
  for (const std::string& file : killed) write(shifted.folder / ("out/" + file + ".tmp-7-0"), "x");
  REQUIRE(semidual(shifted.arguments({"--solver", "sinkhorn", "--lambda", "1", "--force"})).code == 0);
  CHECK_FALSE(fs::exists(shifted.folder / "out/assignment.npy"));
  for (const std::string& file : killed) CHECK_FALSE(fs::exists(shifted.folder / ("out/" + file + ".tmp-7-0")));
}

TEST_CASE("bad input to solve is one line, exit code 2, and nothing written") {
  const Shifted shifted;
  const TemporaryFolder& folder = shifted.folder;
  data::write_npy<double>(folder / "negative.npy", {6}, Values{0.5, 0.5, 0.25, -0.25, 0, 0});
  data::write_npy<double>(folder / "nan.npy", {6}, Values{0.5, 0.5, NAN, 0, 0, 0});
  data::write_npy<double>(folder / "two.npy", {2}, Values{0.5, 0.5});
  data::write_npy<double>(folder / "seven.npy", {7}, Values{0.5, 0.5, 0, 0, 0, 0, 0});
  data::write_npy<double>(folder / "sum.npy", {6}, Values(6, 1));
  data::write_npy<double>(folder / "line.npy", {3, 1}, Values(3, 1));
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(shifted.arguments(arguments));
    CHECK_MESSAGE(outcome.code == 2, why);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.starts_with("semidual: "));
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK_FALSE(fs::exists(folder / "out"));
  };
  refused({"--source", ""}, "--source is missing");
  refused({"--target", ""}, "--target is missing");
  refused({"--source", folder / "missing.npy"}, folder / "missing.npy");
  refused({"--source", folder / "line.npy"}, "line.npy has points of dimension 1, --target");
  refused({"--source-weights", folder / "negative.npy"}, "finite and not negative: number 3 is -0.25");
  refused({"--target-weights", folder / "nan.npy"},
          "nan.npy must hold numbers that are finite and not negative: number 2");
  refused({"--target-weights", folder / "sum.npy"}, "sum.npy must sum to 1, its sum is 6: divide it by that");
  refused({"--source-weights", folder / "two.npy"}, "--source-weights " + folder / "two.npy" + " must hold 6 numbers");
  refused({"--source-weights", folder / "seven.npy"}, "must hold 6 numbers, one for each point: it holds 7");
  refused({"--solver", "simplex"},
          "--solver 'simplex' is unknown: it must be asgd or adam or drag or sinkhorn or exact");
  refused({"--solver", "exact", "--lambda", "0.1"}, "--solver exact is for --lambda 0: 0.1 takes sinkhorn");
  refused({"--solver", "sinkhorn"}, "--solver sinkhorn needs a positive --lambda: 0 takes exact");
  refused({"--lambda", "1e-320"}, "--lambda is too small for its inverse, use 0: ");
  refused({"--lambda", "-1"}, "--lambda must be 0 or a positive number: -1");
  refused({"--lambda", "0.1", "--lambda-schedule", "0.05"},
          "--lambda-schedule must be 0 or more than --lambda 0.1: 0.05");
  refused({"--solver", "sinkhorn", "--lambda", "1", "--lambda-schedule", "2"}, "a factor above 0 and at most 1: 2");
  refused({"--iterations", "0"}, "--iterations must be at least 1: 0");
  refused({"--batch", "-1"}, "--batch must be at least 0: -1");
  refused({"--rate", "-1"}, "--rate must be 0 or a positive number: -1");
  refused({"--tolerance", "-1"}, "--tolerance must be 0 or a positive number: -1");
  refused({"--divergence", "on"}, "--divergence on is for --solver sinkhorn: 'adam'");
  refused({"--cost", "cosine"}, "--cost 'cosine' is unknown");
  refused({"--cost", "power", "--cost-power", "0.5"}, "--cost-power must be a finite number of at least 1: 0.5");
  refused({"--cost-scale", "two"}, "--cost-scale 'two' is unknown");
  refused({"--threads", "0"}, "--threads must be 1 to");
  refused({"--plan-rows", "3"}, "--plan-rows must be BEGIN:END, such as 0:10: '3'");
  refused({"--plan-rows", "0:7"}, "--plan-rows 0:7 must end at 6");
  refused({"--out", folder / "x.npy"}, "is a file: give the path of a folder");
  refused({"--out", ""}, "--out is missing");
  data::write_npy<std::uint8_t>(folder / "many.npy", {3000000, 2}, std::vector<std::uint8_t>(6000000, 1));
  const Arguments many{"--source", folder / "many.npy", "--target", folder / "many.npy"};
  refused(many + Arguments{"--solver", "exact"},
          "3000000 x 3000000 points with --solver exact are too many: the product may be 100000000 at most");
  refused(many + Arguments{"--solver", "sinkhorn", "--lambda", "1", "--cost-memory", "1000000000"},
          "3000000 x 3000000 points with --solver sinkhorn takes about");
  refused({"--cost-memory", "-1"}, "--cost-memory must be at least 0 megabytes: -1");
}

TEST_CASE("Ctrl-C keeps what a solver has reached and exits with 130") {
  const Shifted shifted;
  const Arguments arguments = shifted.arguments({"--iterations", "1000", "--batch", "3"});
  const Outcome outcome = interrupted_at("iteration 51/1000", arguments);
  CHECK(outcome.code == 130);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "interrupted after 51 of 1000 iterations"));
  CHECK(shifted.result()["iterations"] == 51);
  CHECK(read(shifted.folder / "out/psi.npy").size() == 6);
  CHECK(read(shifted.folder / "out/value.npy").size() == 6);
}

TEST_CASE("told to end within an iteration, Sinkhorn keeps what the one before came to") {
  std::vector<double> x, y;
  for (std::uint64_t k = 0; k < 80; ++k)
    x.push_back(engine::Random(8, 0).normal(k)), y.push_back(engine::Random(8, 1).normal(k));
  const ot::Target target(std::vector<real>(y.begin(), y.end()), 40, 2, ot::CostScale::one);
  const apps::TransportProblem problem{.x = engine::Tensor({40, 2}, std::vector<real>(x.begin(), x.end())),
                                       .mu = Values(40, 1.0 / 40),
                                       .target = target,
                                       .from = {x, {}, 40, 2},
                                       .to = {y, {}, 40, 2},
                                       .rows = {0, 2}};
  apps::SolveOptions options = apps::default_solve_options("sinkhorn", "x.npy");
  options.lambda = 0.01;
  options.lambda_schedule = 1;
  options.cost_memory = 0;
  options.divergence = "on";
  bool enough = false;
  double dual = 0;
  const apps::TransportSolution solution =
      apps::solve_transport(problem, options, [&](const apps::SolverProgress& progress) {
        if (enough) return false;
        enough = progress.iterations == 3;
        if (enough) dual = progress.dual;
        return true;
      });
  CHECK(solution.iterations == 3);
  REQUIRE(solution.psi.size() == 40);
  REQUIRE(solution.phi.size() == 40);
  CHECK(solution.dual == doctest::Approx(dual));
  CHECK(*solution.marginal_error > 0);
  CHECK_FALSE(solution.primal.has_value());
  CHECK_FALSE(solution.chi_squared.has_value());
  CHECK_FALSE(solution.divergence.has_value());
  CHECK(solution.plan_rows.empty());
  CHECK_FALSE(solution.converged);

  const apps::TransportSolution none =
      apps::solve_transport(problem, options, [](const apps::SolverProgress&) { return false; });
  CHECK(none.psi.empty());
}
