// Runs that learn a generator for classes of points.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "data/table.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace {

using Arguments = std::vector<std::string>;

const double centres[3][2] = {{-3, 0}, {3, 1}, {0, 4}};

/// Points about three centres in turn, 200 of each, with their labels beside them as -1, 5 and 7.
void write_points(const std::string& points, const std::string& labels) {
  std::vector<float> values;
  std::vector<std::int32_t> classes;
  const engine::Tensor noise = engine::Random(1, 2).normal({600, 2}, 0, 0.3);
  for (std::int64_t j = 0; j < 600; ++j) {
    for (std::int64_t k = 0; k < 2; ++k)
      values.push_back(static_cast<float>(centres[j % 3][k] + static_cast<double>(noise.data()[2 * j + k])));
    classes.push_back(j % 3 == 0 ? -1 : j % 3 == 1 ? 5 : 7);
  }
  data::write_npy<float>(points, {600, 2}, values);
  data::write_npy<std::int32_t>(labels, {600}, classes);
}

Arguments training(const std::string& data, const std::string& labels, const std::string& out) {
  return {"train", "--data",  data, "--labels",     labels, "--out",     out, "--seed",          "3",   "--mlp-sizes",
          "32",    "--batch", "60", "--iterations", "1000", "--threads", "1", "--samples-every", "1000"};
}

Outcome sample(const Arguments& arguments) {
  return semidual(Arguments{"sample"} + arguments);
}

}  // namespace

TEST_CASE("a conditional generator makes points of the class that it is asked for, and resumes to the same bytes") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run", points = temporary / "x.npy", labels = temporary / "l.npy";
  write_points(points, labels);
  const Outcome trained = semidual(training(points, labels, run));
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const apps::Config config = apps::read_config(apps::RunFolder{run}.config());
  REQUIRE(config.data.classes.size() == 3);
  CHECK(config.data.classes[2].name == "7");
  CHECK(config.data.classes[2].share == doctest::Approx(1.0 / 3));

  for (std::size_t c = 0; c < 3; ++c) {
    const std::string name = config.data.classes[c].name, file = temporary / "s.npy";
    REQUIRE(sample({run, "--count", "100", "--class", name, "--out", file}).code == 0);
    const std::vector<float> made = data::read_npy(file).as<float>();
    int nearest = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      const auto distance = [&](std::size_t k) {
        return std::hypot(made[2 * i] - centres[k][0], made[2 * i + 1] - centres[k][1]);
      };
      nearest += distance(c) < distance((c + 1) % 3) && distance(c) < distance((c + 2) % 3);
    }
    CHECK(nearest >= 98);
  }

  // Without a class all come up, and a table says which.
  REQUIRE(sample({run, "--count", "300", "--out", temporary / "s.csv"}).code == 0);
  const data::Table table = data::read_table(temporary / "s.csv");
  CHECK(table.columns.size() == 3);
  REQUIRE(sample({run, "--scatter", "--out", temporary / "s.png"}).code == 0);

  // In the same order as the classes of the latents that are given.
  data::write_npy<float>(temporary / "z.npy", {2, 2}, std::vector<float>{0, 0, 1, 1});
  CHECK(sample({run, "--latents", temporary / "z.npy", "--class", "5", "--out", temporary / "t.npy"}).code == 0);

  const std::string half = temporary / "half";
  REQUIRE(semidual(training(points, labels, half) + Arguments{"--iterations", "90", "--schedule-iterations", "1000"})
              .code == 0);
  REQUIRE(semidual({"train", "--out", half, "--resume", "--iterations", "1000"}).code == 0);
  CHECK(content(half + "/checkpoint.safetensors") == content(run + "/checkpoint.safetensors"));

  const Outcome evaluated = semidual({"evaluate", run, "--reference", points, "--data", points});
  CHECK(evaluated.code == 2);  // the training data themselves
  const Outcome info = semidual({"info", run});
  CHECK(info.out.find("classes             -1, 5, 7") != std::string::npos);
  CHECK(info.out.find("nn.Linear(5, 32)") != std::string::npos);
}

TEST_CASE("a table of points without names beside their classes can be read back") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run", points = temporary / "x.npy", labels = temporary / "l.csv";
  write_points(points, temporary / "l.npy");
  std::string kinds = "kind\n";
  for (int i = 0; i < 200; ++i) kinds += "ant\nbee\ncat\n";
  write(labels, kinds);
  const Outcome trained = semidual(training(points, labels, run) + Arguments{"--iterations", "1"});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  REQUIRE(sample({run, "--count", "60", "--out", temporary / "s.csv"}).code == 0);
  CHECK(content(temporary / "s.csv").starts_with("x1,x2,class\n"));
  const data::Table table = data::read_table(temporary / "s.csv");
  CHECK(table.rows == 60);
  CHECK(table.columns.back().categories == std::vector<std::string>{"ant", "bee", "cat"});
}

TEST_CASE("evaluate tells how often a conditional generator makes the class asked for") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run", points = temporary / "x.npy", labels = temporary / "l.npy";
  write_points(points, labels);
  REQUIRE(semidual(training(points, labels, run) + Arguments{"--hold-out", "0.2"}).code == 0);
  const Outcome outcome = semidual({"evaluate", run});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const auto json = nlohmann::json::parse(content(run + "/evaluation.json"));
  CHECK(json.at("classes").at("names") == nlohmann::json({"-1", "5", "7"}));
  bool told = false, semidual = false;
  for (const auto& measure : json.at("measures")) {
    if (measure.at("key") == "asked_class") told = measure.at("value").get<double>() > 0.97;
    if (measure.at("key") == "semidual") semidual = std::isfinite(measure.at("value").get<double>());
  }
  CHECK(told);
  CHECK(semidual);
}

TEST_CASE("images of a conditional generator stand in a grid with a row for each class") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run";
  REQUIRE(
      semidual(small_run(run) + Arguments{"--labels", "own", "--points", "100", "--batch", "12", "--iterations", "1"})
          .code == 0);
  REQUIRE(sample({run, "--grid", "10x2", "--out", temporary / "a.png"}).code == 0);
  REQUIRE(sample({run, "--grid", "1x2", "--class", "0", "--out", temporary / "b.png"}).code == 0);
  REQUIRE(sample({run, "--grid", "10x2", "--interpolate", "--out", temporary / "c.png"}).code == 0);
}

TEST_CASE("labels and classes that won't do are refused in a line") {
  const TemporaryFolder temporary;
  const std::string points = temporary / "x.npy", labels = temporary / "l.npy", run = temporary / "run";
  write_points(points, labels);
  const auto refused = [&](const Outcome& outcome, const std::string& why) {
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err == "semidual: " + why + "\n", outcome.err);
  };
  const auto train = [&](const std::string& file, const Arguments& more = {}) {
    return semidual(training(points, file, run) + more);
  };
  data::write_npy<std::int32_t>(temporary / "few.npy", {3}, std::vector<std::int32_t>{1, 2, 3});
  refused(train(temporary / "few.npy"),
          "--labels " + temporary / "few.npy" + ": there are 3 labels for 600 points: there must be one for each");
  refused(train("own"),
          "--labels own: " + points + " has no labels of its own: give a file with a label for each point");
  std::vector<std::int32_t> lonely(600, 1);
  lonely[17] = 2;
  data::write_npy<std::int32_t>(temporary / "lonely.npy", {600}, lonely);
  refused(train(temporary / "lonely.npy"),
          "--labels " + temporary / "lonely.npy" +
              ": class '2' has a single point: a class needs at least 2, or none; leave that point out");
  refused(train(labels, {"--batch", "2"}), "--batch: there must be a point of each of the 3 classes in a batch: 2");

  REQUIRE(train(labels, {"--iterations", "1"}).code == 0);
  refused(sample({run, "--count", "1", "--class", "6", "--out", temporary / "s.npy"}),
          "--class '6' is none of the run's classes: -1, 5, 7");
  data::write_npy<std::int32_t>(temporary / "other.npy", {600}, std::vector<std::int32_t>(600, 1));
  refused(semidual({"train", "--out", run, "--resume", "--labels", temporary / "other.npy"}),
          "--labels '" + temporary / "other.npy" + "' are not those of the run, '" + labels + "'");
  REQUIRE(semidual(small_run(temporary / "plain") + Arguments{"--iterations", "1"}).code == 0);
  refused(sample({temporary / "plain", "--count", "1", "--class", "6", "--out", temporary / "s.npy"}),
          "--class 6: the run learned no classes; train with --labels to have some");
}

TEST_CASE("clusters are classes that a run finds by itself, drawn as often as the data have them") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run", points = temporary / "x.npy";
  write_points(points, temporary / "l.npy");
  Arguments arguments = training(points, "", run) + Arguments{"--clusters", "3", "--hold-out", "0.1"};
  std::erase(arguments, "--labels");
  std::erase(arguments, "");
  const Outcome trained = semidual(arguments);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const apps::Config config = apps::read_config(apps::RunFolder{run}.config());
  REQUIRE(config.data.classes.size() == 3);
  for (const apps::ClassFacts& one : config.data.classes) CHECK(one.share == doctest::Approx(1.0 / 3).epsilon(0.1));
  REQUIRE(sample({run, "--count", "600", "--out", temporary / "s.npy"}).code == 0);
  const std::vector<float> made = data::read_npy(temporary / "s.npy").as<float>();
  int about[3] = {0, 0, 0};
  for (std::size_t i = 0; i < 600; ++i)
    for (std::size_t k = 0; k < 3; ++k)
      about[k] += std::hypot(made[2 * i] - centres[k][0], made[2 * i + 1] - centres[k][1]) < 1;
  for (const int number : about) CHECK(std::abs(number - 200) < 60);
  const Outcome evaluated = semidual({"evaluate", run});
  CHECK_MESSAGE(evaluated.code == 0, evaluated.err);
  CHECK(evaluated.out.find("W by the semi-dual") != std::string::npos);
  CHECK(evaluated.out.find("asked for") == std::string::npos);

  CHECK(semidual(training(points, temporary / "l.npy", temporary / "other") + Arguments{"--clusters", "3"}).err ==
        "semidual: --clusters 3 takes the labels' place: leave out --labels " + temporary / "l.npy" +
            ", or --clusters\n");
}
