#include "apps/train.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using apps::RunFolder;
using Arguments = std::vector<std::string>;

TEST_CASE("training leaves a whole run folder and names its pictures and checkpoint") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "deep/run"};
  const Outcome outcome =
      semidual(small_run(run.root) + Arguments{"--iterations", "5", "--samples-every", "2", "--checkpoint-every", "2"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "iteration 5/5  H "));
  CHECK(contains(outcome.out, "samples: " + run.grid(5)));
  CHECK(contains(outcome.out, "checkpoint: " + run.checkpoint()));
  for (const int n : {2, 4, 5}) CHECK(content(run.grid(n)).starts_with("\x89PNG"));
  CHECK_FALSE(fs::exists(run.grid(3)));
  CHECK(content(run.metrics()).starts_with("iteration,loss,iteration_seconds,estimates\n0,"));
  CHECK(apps::Metrics::last(run.metrics()).iteration == 4);
  CHECK(apps::read_checkpoint(run.checkpoint()).iterations == 5);
  const auto config = nlohmann::json::parse(content(run.config()));
  CHECK(config.at("options").at("batch") == 4);
  CHECK(config.at("options").at("dual-optimizer") == "adam");
  CHECK(config.at("data").at("count") == 40);
}

TEST_CASE(
    "--verbose tells at each checkpoint which ways the c-transforms since the last took, and changes nothing else") {
  const TemporaryFolder temporary;
  const Arguments run{"--iterations", "5", "--checkpoint-every", "2"};
  const Outcome plain = semidual(small_run(temporary / "plain") + run);
  const Outcome verbose = semidual(small_run(temporary / "verbose") + run + Arguments{"--verbose"});
  CHECK_MESSAGE(verbose.code == 0, verbose.err);
  CHECK_FALSE(contains(plain.out, "c-transforms"));
  std::string lines;  // two steps of psi and one of the generator in each iteration, to points too few to be searched
  std::istringstream text(verbose.out);
  for (std::string line; std::getline(text, line);)
    if (contains(line, "c-transforms")) lines += line + '\n';
  CHECK(lines ==
        "c-transforms: 0 by search, 0 by digits, 6 dense\n"
        "c-transforms: 0 by search, 0 by digits, 6 dense\n"
        "c-transforms: 0 by search, 0 by digits, 3 dense\n");
  CHECK(content(RunFolder{temporary / "plain"}.checkpoint()) == content(RunFolder{temporary / "verbose"}.checkpoint()));
  CHECK(content(RunFolder{temporary / "plain"}.config()) == content(RunFolder{temporary / "verbose"}.config()));
}

TEST_CASE("--minutes ends a run by the time of its iterations, those before --resume included") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const auto seconds = [&] {
    double sum = 0;
    for (const apps::Metrics::Row& row : apps::Metrics::read(run.metrics())) sum += row.seconds;
    return sum;
  };
  const auto train = [&](const Arguments& arguments, double least) {
    const std::string in_words = std::to_string(least);
    const double minutes = std::stod(in_words);
    const Outcome outcome = semidual(arguments + Arguments{"--minutes", in_words});
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(contains(outcome.out, "0 s left"));
    CHECK(seconds() > 60 * minutes * (1 - 1e-5));  // of a row's seconds 6 digits are written
    CHECK(seconds() - apps::Metrics::last(run.metrics()).seconds < 60 * minutes + 1e-2);
  };
  train(small_run(run.root) + Arguments{"--lr-schedule", "cosine"}, 0.002);
  const std::int64_t first = apps::Metrics::last(run.metrics()).iteration;
  train({"train", "--resume", "--out", run.root}, seconds() / 60 + 0.002);  // however long one iteration took
  CHECK(apps::Metrics::last(run.metrics()).iteration > first);
}

TEST_CASE("--evaluate-every writes what evaluate tells into metrics.csv, beside the iterations where it was due") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const engine::Tensor points = engine::Random(3, 0).uniform({140, 4}, 0, 1);
  data::write_npy<engine::real>(temporary / "points.npy", {140, 4}, points.values());
  const Outcome outcome = semidual({"train", "--data", temporary / "points.npy", "--hold-out", "0.5", "--batch", "4",
                                    "--inner", "2", "--iterations", "4", "--evaluate-every", "2", "--out", run.root});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  std::istringstream rows(content(run.metrics()));
  std::string header, row[4];
  std::getline(rows, header);
  CHECK(header == "iteration,loss,iteration_seconds,estimates,coverage,recall,class_tv");
  for (std::string& text : row) std::getline(rows, text);
  for (const int n : {0, 2}) CHECK(std::ranges::count(row[n], ',') == 3);
  for (const int n : {1, 3}) CHECK(std::ranges::count(row[n], ',') == 6);
  CHECK(row[3].ends_with(","));  // these points have no classes

  REQUIRE(semidual({"evaluate", run.root, "--assignment", "off"}).code == 0);
  const auto evaluation = nlohmann::json::parse(content(run.root / "evaluation.json"));
  for (const auto& measure : evaluation.at("measures"))
    for (const auto& [key, column] : {std::pair("pixels.coverage", 4), std::pair("pixels.recall", 5)})
      if (measure.at("key") == key) {
        std::string cells = row[3];
        for (int comma = 0; comma < column; ++comma) cells = cells.substr(cells.find(',') + 1);
        CHECK(std::stod(cells) == doctest::Approx(measure.at("value").get<double>()).epsilon(1e-5));
      }
}

TEST_CASE("--evaluate-every without points to compare with is refused, and leaves the run that --force would replace") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const engine::Tensor points = engine::Random(3, 0).uniform({140, 4}, 0, 1);
  data::write_npy<engine::real>(temporary / "points.npy", {140, 4}, points.values());
  const auto train = [&](const Arguments& more) {
    return semidual(Arguments{"train", "--data", temporary / "points.npy", "--batch", "4", "--inner", "2",
                              "--iterations", "1", "--threads", "1", "--out", run.root} +
                    more);
  };
  REQUIRE(train({}).code == 0);
  const std::string before = content(run.checkpoint());
  const Arguments evaluated{"--force", "--evaluate-every", "1"};
  const Outcome none = train(evaluated), few = train(evaluated + Arguments{"--hold-out", "0.1"});
  CHECK(none.code == 2);
  CHECK(none.err == "semidual: there are no held-out points for --evaluate-every 1: give --hold-out 0.1\n");
  CHECK(few.code == 2);
  CHECK(contains(few.err, "--hold-out 0.1 keeps 14 points, at least 50 are needed: give a larger share"));
  CHECK(content(run.checkpoint()) == before);
}

TEST_CASE("a name that config.json can't hold is refused, and leaves the run that --force would replace") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + Arguments{"--iterations", "1"}).code == 0);
  const std::string before = content(run.checkpoint()), data = temporary / "caf\xe9.npy";
  data::write_npy<float>(data, {3, 2}, std::vector<float>{0, 0, 0, 1, 1, 1});
  const Outcome outcome = semidual({"train", "--data", data, "--iterations", "1", "--out", run.root, "--force"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "semidual: --data " + data + ": is no UTF-8; rename it\n");
  CHECK(content(run.checkpoint()) == before);
}

TEST_CASE("either optimizer moves either potential, with and without regularization") {
  for (const char* optimizer : {"asgd", "adam"})
    for (const char* dual : {"vector", "network"})
      for (const char* lambda : {"0", "0.05"}) {
        const TemporaryFolder temporary;
        const RunFolder run{temporary / "run"};
        const Outcome outcome =
            semidual(small_run(run.root) + Arguments{"--dual-optimizer", optimizer, "--dual", dual, "--lambda", lambda,
                                                     "--dual-batch", "6", "--dual-warmup", "2", "--iterations", "1"});
        CHECK_MESSAGE(outcome.code == 0, outcome.err);
        CHECK(contains(outcome.out, "warming up: 2 steps of psi\n"));
        const apps::Checkpoint checkpoint = apps::read_checkpoint(run.checkpoint());
        CHECK(checkpoint.iterations == 1);
        CHECK(apps::all_finite(checkpoint.tensors));
      }
}

TEST_CASE("bad input is one line, exit code 2, and nothing written") {
  const TemporaryFolder inputs, temporary;
  data::write_npy<float>(inputs / "nan.npy", {2, 1}, std::vector<float>{0, NAN});
  data::write_npy<float>(inputs / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 1, 1, 1});
  data::write_npy<float>(inputs / "zeros.npy", {3, 2}, std::vector<float>(6));
  data::write_npy<double>(inputs / "two.npy", {2}, std::vector<double>{0.5, 0.5});
  data::write_npy<double>(inputs / "negative.npy", {3}, std::vector<double>{1, 1, -1});
  write(inputs / "text.npy", "not an array");
  fs::create_directory(inputs / "empty");

  const Arguments points{"--data", inputs / "points.npy"};
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome =
        semidual(Arguments{"train", "--iterations", "1", "--threads", "1", "--out", temporary / "run"} + arguments);
    CHECK_MESSAGE(outcome.code == 2, why);
    CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
    CHECK(outcome.err.starts_with("semidual: "));
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(temporary.empty());
  };
  refused({}, "--data is missing");
  refused({"--data", inputs / "missing"}, inputs / "missing");
  refused({"--data", inputs / "empty"}, inputs / "empty");
  refused({"--data", inputs / "text.npy"}, inputs / "text.npy");
  refused({"--data", inputs / "nan.npy"}, inputs / "nan.npy");
  refused({"--data", inputs / "zeros.npy"}, "zero");
  refused(points + Arguments{"--points", "4"}, "4");
  refused(points + Arguments{"--lambda", "-1"}, "--lambda must be 0 or a positive number: -1");
  refused(points + Arguments{"--lambda", "nan"}, "--lambda must be 0 or a positive number: nan");
  refused(points + Arguments{"--cost", "l2"}, "--cost 'l2' is unknown: it must be sqeuclidean or euclidean");
  refused(points + Arguments{"--cost", "power", "--cost-power", "0.9"}, "must be a finite number of at least 1: 0.9");
  refused(points + Arguments{"--cost-power", "3"}, "--cost-power is for --cost power");
  refused(points + Arguments{"--target-batch", "4"},
          "--target-batch must be at most the number of points that weigh something, 3: 4");
  refused(points + Arguments{"--lambda", "0.1", "--shards", "2"},
          "--shards 2 are too many for 3 points: take one for each 512 of them at most");
  refused(points + Arguments{"--batch", "0"}, "--batch must be at least 1: 0");
  refused(points + Arguments{"--batch", "many"}, "--batch");
  refused(points + Arguments{"--iterations", "-5"}, "--iterations must be at least 1: -5");
  refused(points + Arguments{"--generator", "gan"}, "--generator 'gan' is unknown: it must be mlp or dcgan or auto");
  refused(points + Arguments{"--generator", "dcgan"}, "--generator dcgan makes images");
  refused(points + Arguments{"--colour"}, "--colour");
  refused(points + Arguments{"--weights", inputs / "two.npy"}, "must hold 3 numbers, one for each point: it holds 2");
  refused(points + Arguments{"--weights", inputs / "negative.npy"}, "negative");
  refused(points + Arguments{"--weights", inputs / "missing"}, inputs / "missing");
  refused(points + Arguments{"--batch", "2000000000"}, "training with --batch 2000000000 takes about");
  refused({"--data", "digits", "--points", "2", "--iterations", "1000000000", "--samples-every", "1"}, "the disk has");
  refused(points + Arguments{"--resume"}, "holds no run to resume: leave out --resume to start one");
  refused(points + Arguments{"--out", inputs / "points.npy"}, "is a file: give the path of a folder");
  refused(points + Arguments{"--out", inputs / "points.npy/run"}, "can't");
  refused(points + Arguments{"--out", "/proc/run"}, "/proc");
  refused(points + Arguments{"--out", ""}, "--out is missing");
}

TEST_CASE("a loss that is no longer finite ends the run, and keeps the last good checkpoint") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const Outcome outcome = semidual(small_run(run.root) + Arguments{"--iterations", "9", "--lr", "1e100"});
  CHECK(outcome.code == 1);
  CHECK(contains(outcome.err, "is no longer a finite number at iteration 1 (the first is 0): try a smaller --lr"));
  CHECK(contains(outcome.err, run.checkpoint()));
  CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
  const apps::Checkpoint kept = apps::read_checkpoint(run.checkpoint());
  CHECK(kept.iterations == 0);
  CHECK(apps::all_finite(kept.tensors));
}

TEST_CASE("an H that stays below 0 is told once, with what may help") {
  const TemporaryFolder temporary;
  const Arguments few = small_run(temporary / "run") + Arguments{"--iterations", "50", "--force"};
  const std::string err = semidual(few + Arguments{"--dual-lr", "100"}).err;
  CHECK(contains(err, "H has been below 0 for 20 iterations"));
  CHECK(contains(err, "a smaller --dual-lr or a larger --inner may help\n"));
  CHECK(err.find("below 0") == err.rfind("below 0"));
  CHECK(!contains(semidual(few).err, "below 0"));
}

TEST_CASE("a checkpoint never holds NaN, though the loss was finite") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  const Outcome outcome =
      semidual(small_run(run.root) + Arguments{"--iterations", "1", "--lr", "1e308", "--dual-lr", "1e-9"});
  CHECK(outcome.code == 1);
  CHECK(apps::all_finite(apps::read_checkpoint(run.checkpoint()).tensors));
}

TEST_CASE("points that are not images are learned and drawn, with a note where they can't be reached") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"};
  data::write_npy<float>(temporary / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 2, -1, 1});
  data::write_npy<double>(temporary / "weights.npy", {3}, std::vector<double>{0.5, 0.25, 0.25});
  const Outcome outcome =
      semidual({"train", "--data", temporary / "points.npy", "--weights", temporary / "weights.npy", "--iterations",
                "2", "--batch", "3", "--threads", "1", "--last-layer", "tanh", "--scale", "none", "--out", run.root});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.err,
                 "the data's values run from -1 to 2, --last-layer tanh makes them between -1 and 1: take --last-layer "
                 "linear, or scale the data\n"));
  CHECK(contains(outcome.out, "samples: " + run.grid(2)));
  CHECK(content(run.grid(2)).starts_with("\x89PNG"));
}

TEST_CASE("points far from 0 are learned scaled, and sampled, evaluated and resumed where the data lie") {
  const TemporaryFolder temporary;
  const RunFolder run{temporary / "run"}, straight{temporary / "straight"};
  std::vector<float> values;  // a ring about (100, 100, 5000)
  for (int i = 0; i < 400; ++i) {
    const double angle = 0.017 * i;
    const double point[] = {100 + 3 * std::cos(angle), 100 + std::sin(angle), 5000};
    values.insert(values.end(), std::begin(point), std::end(point));
  }
  data::write_npy<float>(temporary / "ring.npy", {400, 3}, values);
  for (const char* scale : {"auto", "minmax", "whiten"}) {
    const Arguments train{"train",     "--data",  temporary / "ring.npy",
                          "--scale",   scale,     "--hold-out",
                          "0.2",       "--batch", "20",
                          "--threads", "1",       "--dual",
                          "vector",    "--lr",    "0.003",
                          "--force"};
    const Outcome outcome =
        semidual(train + Arguments{"--iterations", "60", "--schedule-iterations", "60", "--out", straight.root});
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    const std::size_t remark = outcome.err.find(" does not stretch ");
    CHECK_MESSAGE(remark != outcome.err.npos, outcome.err);
    CHECK(outcome.err.find(" does not stretch ", remark + 1) == outcome.err.npos);
    REQUIRE(semidual(train + Arguments{"--iterations", "30", "--schedule-iterations", "60", "--out", run.root}).code ==
            0);
    REQUIRE(semidual({"train", "--resume", "--iterations", "60", "--out", run.root}).code == 0);
    CHECK(content(run.checkpoint()) == content(straight.checkpoint()));
    CHECK(content(run.grid(60)) == content(straight.grid(60)));
    CHECK(contains(content(run.checkpoint()), "scaling.shift"));
    CHECK(contains(content(run.checkpoint()), "scaling.scale"));

    REQUIRE(semidual({"sample", run.root, "--count", "200", "--out", temporary / "x.npy"}).code == 0);
    const std::vector<double> x = data::read_npy(temporary / "x.npy").as<double>();
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - (i % 3 == 2 ? 5000 : 100)) < 10);
    const Outcome evaluated = semidual({"evaluate", run.root, "--threads", "1"});
    CHECK_MESSAGE(evaluated.code == 0, evaluated.err);
    const std::string word = scale == std::string("auto") ? "standard" : scale;
    CHECK(contains(evaluated.out, "All points are compared as --scale " + word + " has them."));
    CHECK(contains(semidual({"info", run.root}).out, word == "whiten"
                                                         ? "# x = generator(z) @ tensors[\"scaling.scale\"]"
                                                         : "# x = generator(z) * tensors[\"scaling.scale\"]"));
  }
}
