#include "apps/hold_out.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/digits.h"
#include "data/npy.h"
#include "engine/error.h"
#include "tests/apps/program.h"

using Numbers = std::vector<std::int64_t>;

namespace {

apps::TrainOptions options_for(const std::string& data, double share) {
  apps::TrainOptions options;
  options.data = data;
  options.hold_out = share;
  return options;
}

}  // namespace

TEST_CASE("the points held out depend on the count alone, and a larger share holds out more of them") {
  const Numbers few = apps::held_out_points(100, 0.1), many = apps::held_out_points(100, 0.35);
  CHECK(few.size() == 10);
  CHECK(many.size() == 35);
  CHECK(few == apps::held_out_points(100, 0.1));
  CHECK(std::is_sorted(many.begin(), many.end()));
  CHECK(std::adjacent_find(many.begin(), many.end()) == many.end());
  CHECK(std::includes(many.begin(), many.end(), few.begin(), few.end()));
  CHECK(few != Numbers{90, 91, 92, 93, 94, 95, 96, 97, 98, 99});
  CHECK(apps::held_out_points(100, 0).empty());
  CHECK(apps::held_out_points(3, 0.999).size() == 2);
}

TEST_CASE("training and held-out points with their labels are the data, each in its order") {
  const data::Digits digits = data::draw_digits(50, apps::digits_seed);
  apps::TrainOptions options = options_for("digits", 0.3);
  options.points = 50;
  const apps::RunData data = apps::load_run_data(options);
  const apps::RunLabels labels = apps::load_run_labels(options, 50);
  CHECK(data.training.count == 35);
  CHECK(data.held_out.count == 15);
  CHECK(data.held_out.height == 28);
  const Numbers held_out = apps::held_out_points(50, 0.3);
  std::ptrdiff_t seen_held_out = 0, seen_training = 0;
  for (std::int64_t j = 0; j < 50; ++j) {
    const bool held = std::binary_search(held_out.begin(), held_out.end(), j);
    const data::Dataset& side = held ? data.held_out : data.training;
    const std::ptrdiff_t row = held ? seen_held_out++ : seen_training++;
    CHECK(std::equal(side.bytes.begin() + row * 784, side.bytes.begin() + (row + 1) * 784,
                     digits.images.begin() + j * 784));
    CHECK((held ? labels.held_out : labels.training)[static_cast<std::size_t>(row)] ==
          digits.labels[static_cast<std::size_t>(j)]);
  }
}

TEST_CASE("without a share nothing is held out, and real points are split as bytes are") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "points.npy", {4, 2}, std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
  const apps::RunData all = apps::load_run_data(options_for(temporary / "points.npy", 0));
  CHECK(all.training.count == 4);
  CHECK(all.held_out.count == 0);
  CHECK(apps::load_run_labels(options_for(temporary / "points.npy", 0.5), 4).training.empty());
  const apps::RunData half = apps::load_run_data(options_for(temporary / "points.npy", 0.5));
  CHECK(half.training.values.size() == 4);
  CHECK(half.held_out.values.size() == 4);
  CHECK_THROWS_WITH_AS(apps::load_run_data(options_for(temporary / "points.npy", 0.2)),
                       "--hold-out 0.2 of 4 points is less than one: give a larger share", engine::Error);
}

TEST_CASE("a run keeps its --hold-out, which can't change on --resume") {
  const TemporaryFolder temporary;
  const std::vector<std::string> run = small_run(temporary / "run");
  const Outcome first = semidual(run + std::vector<std::string>{"--iterations", "1", "--hold-out", "0.25"});
  REQUIRE_MESSAGE(first.code == 0, first.err);
  CHECK(first.out.find("learning digits: 30 points") != std::string::npos);
  const apps::Config config = apps::read_config(apps::RunFolder{temporary / "run"}.config());
  CHECK(config.options.hold_out == 0.25);
  CHECK(config.data.count == 30);
  CHECK(semidual({"train", "--out", temporary / "run", "--resume", "--iterations", "2"}).code == 0);
  const Outcome other = semidual({"train", "--out", temporary / "run", "--resume", "--hold-out", "0.5"});
  CHECK(other.code == 2);
  CHECK_MESSAGE(other.err.find("--hold-out can't change on --resume") != std::string::npos, other.err);
}

TEST_CASE("a share that is none, and one beside weights, are refused") {
  const TemporaryFolder temporary;
  for (const char* share : {"1", "-0.1", "nan"}) {
    const Outcome outcome = semidual(small_run(temporary / "run") + std::vector<std::string>{"--hold-out", share});
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(
        outcome.err.find("--hold-out must be a share of the points, at least 0 and below 1: ") != std::string::npos,
        outcome.err);
  }
  const Outcome weighted =
      semidual(small_run(temporary / "run") + std::vector<std::string>{"--hold-out", "0.5", "--weights", "w.npy"});
  CHECK(weighted.code == 2);
  CHECK(weighted.err == "semidual: --hold-out leaves points out whatever they weigh: leave out --weights\n");
}
