#include "apps/paper/figure.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/paper/plot.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "engine/product.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using Arguments = std::vector<std::string>;

namespace {

/// Whether gnuplot is there to draw; says so where it is not.
bool can_draw() {
  const bool found = std::system("command -v gnuplot >/dev/null 2>&1") == 0;
  if (!found) MESSAGE("gnuplot is missing: this test case is skipped");
  return found;
}

/// The arguments that make a figure of a few built-in digits in `folder`.
Arguments small_figure(const std::string& number, const std::string& folder) {
  return {"figure",  number, "--data",       "digits", "--points",  "60", "--batch", "4",
          "--inner", "2",    "--iterations", "2",      "--threads", "1",  "--out",   folder};
}

std::vector<std::string> lines(const std::string& path) {
  std::istringstream text(content(path));
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line);
  return all;
}

/// The checkpoints below a figure's folder.
std::map<std::string, std::string> checkpoints(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const fs::directory_entry& run : fs::directory_iterator(folder + "/runs"))
    all[run.path().filename()] = content(RunFolder{run.path()}.checkpoint());
  return all;
}

/// $PATH without anything in it, as long as it lives.
class EmptyPath {
 public:
  EmptyPath() : before_(std::getenv("PATH")) { ::setenv("PATH", "", 1); }
  ~EmptyPath() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("figure 3 makes a run for each combination, and draws H of each iteration") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "it's here";
  const Arguments arguments = small_figure("3", out) + Arguments{"--lambdas", "0.1,0", "--network-iterations", "1"};
  const Outcome outcome = semidual(arguments);
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "dcgan-network-0.1: iteration 1/1  H "));
  CHECK(contains(outcome.out, "figure: " + out + "/figure3.png\nnumbers: " + out + "/figure3.csv\n"));
  CHECK(content(out + "/figure3.png").starts_with("\x89PNG"));
  CHECK(fs::file_size(out + "/figure3.png") < 150'000);
  CHECK(contains(content(out + "/figure3.gp"), "set title 'DCGAN, SDOTNN'"));

  const std::vector<std::string> csv = lines(out + "/figure3.csv");
  REQUIRE(csv.size() == 1 + 4 * 2 + 4 * 1);
  CHECK(csv[0] == "generator,dual,lambda,iteration,loss");
  CHECK(csv[1].starts_with("mlp,vector,0,0,"));
  CHECK(csv[12].starts_with("dcgan,network,0.1,0,"));
  const double loss = apps::Metrics::last(RunFolder{out + "/runs/mlp-vector-0"}.metrics()).loss;
  CHECK(csv[2] == engine::text("mlp,vector,0,1,", loss));
}

TEST_CASE("a figure takes runs as they are, goes on with them, or makes them again, and mixes in no others") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out", straight = temporary / "straight";
  const auto figure = [](const char* number, const std::string& folder, const Arguments& more) {
    return semidual(small_figure(number, folder) + Arguments{"--lambdas", "0", "--generators", "mlp"} + more);
  };
  const Arguments one{"--network-iterations", "1"}, few{"--iterations", "3", "--network-iterations", "2"};
  REQUIRE(figure("3", out, one).code == 0);

  // A second call, for another figure too.
  const auto before = checkpoints(out);
  const Outcome again = figure("3", out, one);
  CHECK(again.code == 0);
  CHECK(contains(again.out, "mlp-vector-0: kept, 2 iterations\n"));
  CHECK(figure("2", out, one).code == 0);
  CHECK(checkpoints(out) == before);
  CHECK(lines(out + "/figure2.csv").size() == 1 + 2 + 1);
  CHECK(contains(content(out + "/figure2.gp"), "set title 'MLP, λ = 0'"));

  // Runs of other options.
  const Outcome other = figure("3", out, Arguments{"--points", "50"});
  CHECK(other.code == 2);
  CHECK(contains(other.err, "runs/mlp-vector-0: --points can't change on --resume: the run has 60, asked is 50"));
  const Outcome longer = figure("3", out, Arguments{"--seed", "7", "--iterations", "5"});
  CHECK(longer.code == 2);
  CHECK(contains(longer.err, "runs/mlp-vector-0: --seed can't change"));

  // Longer runs, missing ones and a damaged one end with the bytes of a run in one go.
  REQUIRE(figure("3", straight, few).code == 0);
  fs::remove_all(out + "/runs/mlp-network-0");
  const Outcome more = figure("3", out, few);
  CHECK_MESSAGE(more.code == 0, more.err);
  CHECK(contains(more.out, "mlp-vector-0: iteration 3/3"));
  CHECK_FALSE(contains(more.out, "mlp-vector-0: iteration 2/3"));
  CHECK(checkpoints(out) == checkpoints(straight));
  fs::remove(out + "/runs/mlp-vector-0/checkpoint.safetensors");
  CHECK(figure("3", out, few).code == 0);
  CHECK(checkpoints(out) == checkpoints(straight));
}

TEST_CASE("Ctrl-C ends a figure with 130 and keeps its runs, and the same call goes on") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out", straight = temporary / "straight";
  const Arguments some{"--iterations", "4", "--lambdas", "0"};
  const Outcome stopped = interrupted_at("iteration 2/4", small_figure("2", out) + some);
  CHECK(stopped.code == 130);
  CHECK(stopped.err == "");
  CHECK(contains(stopped.out, "interrupted; all that was finished is kept, and the same command goes on\n"));
  CHECK_FALSE(fs::exists(out + "/figure2.png"));
  CHECK(apps::read_checkpoint(out + "/runs/dcgan-vector-0/checkpoint.safetensors").iterations == 2);
  CHECK(semidual(small_figure("2", out) + some).code == 0);
  CHECK(semidual(small_figure("2", straight) + some).code == 0);
  CHECK(checkpoints(out) == checkpoints(straight));
  CHECK(content(out + "/figure2.csv") == content(straight + "/figure2.csv"));
}

TEST_CASE("a figure's networks, and no other run of it, multiply in bf16 where it is asked") {
  if (!can_draw() || !engine::has_bf16_products()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Arguments bf16{"--dual-precision", "bf16", "--lambdas", "0.1"};
  const Outcome outcome = semidual(small_figure("2", out) + bf16);
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  const auto precision = [&](const std::string& run) {
    return apps::read_config(RunFolder{out + "/runs/" + run}.config()).options.dual_precision;
  };
  CHECK(precision("dcgan-network-0.1") == "bf16");
  CHECK(precision("dcgan-vector-0.1") == "full");
  const Outcome full = semidual(small_figure("2", out) + Arguments{"--lambdas", "0.1"});
  CHECK(full.code == 2);
  CHECK(contains(full.err, "runs/dcgan-network-0.1: --dual-precision can't change on --resume"));

  CHECK(semidual(small_figure("4", out) + bf16).code == 0);
  const Outcome inner = semidual(small_figure("4", out) + Arguments{"--lambdas", "0.1"});
  CHECK(inner.code == 2);
  CHECK(contains(inner.err, "runs/inner/network-asgd-0.1.txt is of other options"));
}

TEST_CASE("figure 1 shows images of each run") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome outcome = semidual(small_figure("1", out) + Arguments{"--lambdas", "0", "--duals", "vector"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(content(out + "/figure1.png").starts_with("\x89PNG"));
  CHECK(content(out + "/figure1-images.png").starts_with("\x89PNG"));
  const std::vector<std::string> csv = lines(out + "/figure1.csv");
  REQUIRE(csv.size() == 3);
  CHECK(csv[0] == "generator,dual,lambda,iterations,loss");
  CHECK(csv[1].starts_with("mlp,vector,0,2,"));
  CHECK(csv[2].starts_with("dcgan,vector,0,2,"));
}

TEST_CASE("figure 4 follows H along steps of psi alone, which Sinkhorn's value bounds") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Arguments arguments = small_figure("4", out) + Arguments{"--lambdas", "0.05", "--iterations", "5"};
  const Outcome outcome = semidual(arguments);
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(content(out + "/figure4.png").starts_with("\x89PNG"));
  CHECK(contains(content(out + "/figure4.gp"), "fixed generator: initial DCGAN"));
  const std::vector<std::string> csv = lines(out + "/figure4.csv");
  REQUIRE(csv.size() == 1 + 2 + 4 * 6);
  CHECK(csv[0] == "dual,optimizer,lambda,step,loss");
  REQUIRE(csv[2].starts_with("sinkhorn,primal,0.05,,"));
  const double w = std::stod(csv[2].substr(csv[2].rfind(',') + 1));
  for (std::size_t row = 3; row < csv.size(); ++row) {
    const double h = std::stod(csv[row].substr(csv[row].rfind(',') + 1));
    CHECK(h <= w + 1e-4);
    if (row == 8) CHECK(h > std::stod(csv[3].substr(csv[3].rfind(',') + 1)));  // the last of the first curve's steps
  }

  const Outcome again = semidual(arguments);
  CHECK(contains(again.out, "network-adam-0.05: kept\n"));
  CHECK(lines(out + "/figure4.csv") == csv);
  const Outcome other = semidual(arguments + Arguments{"--seed", "5"});
  CHECK(other.code == 2);
  CHECK(contains(other.err, "runs/inner/sinkhorn-0.05.txt is of other options"));

  SUBCASE("interrupted, it keeps the finished loops") {
    const std::string stopped = temporary / "stopped";
    const Arguments same = small_figure("4", stopped) + Arguments{"--lambdas", "0.05", "--iterations", "5"};
    CHECK(interrupted_at("vector-adam-0.05", same).code == 130);
    const Outcome rest = semidual(same);
    CHECK(rest.code == 0);
    CHECK(contains(rest.out, "vector-adam-0.05: kept\n"));
    CHECK(lines(stopped + "/figure4.csv") == csv);
  }
  SUBCASE("the generator may be that of a run") {
    const std::string run = temporary / "run";
    REQUIRE(semidual(small_run(run) + Arguments{"--iterations", "1"}).code == 0);
    const Outcome trained = semidual(small_figure("4", temporary / "trained") +
                                     Arguments{"--lambdas", "0", "--duals", "vector", "--theta", run});
    CHECK_MESSAGE(trained.code == 0, trained.err);
    CHECK(contains(content(temporary / "trained/figure4.gp"),
                   "fixed generator: MLP after 1 iterations of layered SDOT, λ = 0"));
  }
}

TEST_CASE("figures 2 and 4 take a psi in layers, by either preset") {
  if (!can_draw()) return;
  for (const char* preset : {"paper", "best"}) {
    CAPTURE(preset);
    const TemporaryFolder temporary;
    const std::string out = temporary / "out";
    const Arguments layers{"--duals", "layers", "--lambdas", "0.05", "--preset", preset};
    const Outcome two = semidual(small_figure("2", out) + layers);
    CHECK_MESSAGE(two.code == 0, two.err);
    const std::vector<std::string> losses = lines(out + "/figure2.csv");
    REQUIRE(losses.size() == 1 + 2);
    CHECK(losses[1].starts_with("dcgan,layers,0.05,0,"));

    const Outcome four = semidual(small_figure("4", out) + layers);
    CHECK_MESSAGE(four.code == 0, four.err);
    const std::vector<std::string> csv = lines(out + "/figure4.csv");
    REQUIRE(csv.size() == 1 + 2 + 2 * 3);
    CHECK(csv[3].starts_with("layers,asgd,0.05,0,"));
    CHECK(csv[6].starts_with("layers,adam,0.05,0,"));
    const auto number = [](const std::string& row) { return std::stod(row.substr(row.rfind(',') + 1)); };
    for (std::size_t row = 3; row < csv.size(); ++row) CHECK(number(csv[row]) <= number(csv[2]) + 1e-4);
  }
}

TEST_CASE("figure 4 moves psi at the rate of points that are not scaled, however far they lie apart") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  std::vector<float> points(120);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = static_cast<float>(i * 37 % 101) - 50;
  data::write_npy<float>(temporary / "points.npy", {60, 2}, points);
  const Outcome outcome = semidual(small_figure("4", temporary / "out") +
                                   Arguments{"--data", temporary / "points.npy", "--generators", "mlp", "--duals",
                                             "layers", "--lambdas", "0.05", "--preset", "best"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const std::vector<std::string> curve = lines(temporary / "out/runs/inner/layers-adam-0.05.txt");
  REQUIRE_FALSE(curve.empty());
  CHECK_MESSAGE(contains(curve.front(), "\"rate\":0.03,"), curve.front());
}

TEST_CASE("each potential has dashes and a name of its own, and --help names it") {
  const std::vector<std::string> duals{"vector", "layers", "network"};
  const std::string help = semidual({"figure", "--help"}).out;
  const std::size_t option = help.find("--duals");
  REQUIRE(option != help.npos);
  for (const std::string& dual : duals) {
    CHECK(contains(help.substr(option, help.find("--lambdas", option) - option), dual));
    for (const std::string& other : duals) {
      CHECK((apps::dashes_of_dual(dual) == apps::dashes_of_dual(other)) == (dual == other));
      CHECK((apps::dual_label(dual) == apps::dual_label(other)) == (dual == other));
    }
  }
}

TEST_CASE("a figure that can't be made is refused in one line, before any run") {
  const TemporaryFolder inputs, temporary;
  data::write_npy<float>(inputs / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 1, 1, 1});
  write(inputs / "file", "x");
  const auto refused = [&](const std::string& number, const Arguments& more, const std::string& why) {
    const Outcome outcome = semidual(small_figure(number, temporary / "out") + more);
    CHECK_MESSAGE(outcome.code == 2, why);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(temporary.empty());
  };
  refused("5", {}, "there is no figure '5': give 1, 2, 3, 4 or critics");
  refused("two", {}, "there is no figure 'two'");
  refused("2", {"--out", inputs / "file"}, "is a file: give the path of a folder");
  refused("2", {"--generators", "mlp,gan"}, "--generators 'gan' is unknown: it must be mlp or dcgan");
  refused("2", {"--generators", "mlp,,dcgan"}, "--generators must be words with commas between: 'mlp,,dcgan'");
  refused("2", {"--duals", "vector,vector"}, "--duals has vector twice: 'vector,vector'");
  refused("2", {"--duals", "table"}, "--dual 'table' is unknown: it must be layers or vector or network");
  refused("2", {"--lambdas", "0,x"}, "--lambdas must be numbers with commas between: '0,x'");
  refused("2", {"--lambdas", "-1"}, "--lambda must be 0 or a positive number: -1");
  refused("2", {"--preset", "good"}, "--preset 'good' is unknown");
  refused("2", {"--dual-precision", "half"}, "--dual-precision 'half' is unknown: it must be full or bf16");
  refused("2", {"--dual-precision", "bf16", "--duals", "vector"},
          "--dual-precision bf16 is for --duals network, a vector multiplies nothing");
  if (!engine::has_bf16_products())
    refused("2", {"--dual-precision", "bf16"}, "--dual-precision bf16 needs a CPU with AVX-512 BF16");
  refused("2", {"--iterations", "-1"}, "--iterations must be at least 1: -1");
  refused("2", {"--network-iterations", "-1"}, "--network-iterations must be at least 1: -1");
  {
    const EmptyPath nothing_installed;
    refused("2", {}, "gnuplot, which draws the figures, is not found: install the package gnuplot-nox");
  }
  if (!can_draw()) return;
  refused("1", {"--data", inputs / "points.npy", "--points", "0"}, "figure 1 shows images");
}

TEST_CASE("figure 4 needs one generator for the data") {
  if (!can_draw()) return;
  const TemporaryFolder temporary;
  const std::string out = temporary / "out";
  const Outcome two = semidual(small_figure("4", out) + Arguments{"--generators", "mlp,dcgan"});
  CHECK(two.code == 2);
  CHECK(contains(two.err, "figure 4 has one generator: give --generators mlp or dcgan, or --theta"));
  const Outcome none = semidual(small_figure("4", out) + Arguments{"--theta", temporary / "missing"});
  CHECK(none.code == 2);
  CHECK(contains(none.err, temporary / "missing"));
}
