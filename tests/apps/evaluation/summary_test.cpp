#include "apps/evaluation/summary.h"

#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace apps::evaluation;

namespace {

Summary example() {
  Summary summary;
  summary.generated = {"run", 100, ""};
  summary.reference = {"mnist-test", 100, "abc"};
  summary.training = {"mnist", 60000, "def"};
  summary.iterations = 7;
  summary.seed = 3;
  summary.features = {"a classifier", "fed", 0.99};
  summary.measures.resize(2);
  summary.measures[0] = {"pixels.coverage", "coverage in pixels", 0.5, 0.25, 0.75, 0.125, 1};
  summary.measures[1].key = "w2", summary.measures[1].name = "W2²/α";
  summary.generated_shares = {0.25, 0.75}, summary.reference_shares = {0.5, 0.5};
  summary.note = "A note.";
  return summary;
}

}  // namespace

TEST_CASE("evaluation.json tells what was compared and every number, null where there is none") {
  const nlohmann::ordered_json json = to_json(example());
  CHECK(json == nlohmann::ordered_json::parse(R"({
    "generated": {"source": "run", "count": 100, "iterations": 7, "seed": 3},
    "reference": {"source": "mnist-test", "count": 100, "sha256": "abc"},
    "training": {"source": "mnist", "count": 60000, "sha256": "def"},
    "features": {"description": "a classifier", "sha256": "fed", "accuracy": 0.99},
    "measures": [
      {"key": "pixels.coverage", "name": "coverage in pixels", "value": 0.5, "error": 0.25, "floor": 0.75,
       "floor_spread": 0.125, "ideal": 1.0},
      {"key": "w2", "name": "W2²/α", "value": null, "error": null, "floor": null, "floor_spread": null, "ideal": null}
    ],
    "classes": {"names": ["0", "1"], "generated": [0.25, 0.75], "reference": [0.5, 0.5]},
    "note": "A note."
  })"));
  Summary bare = example();
  bare.iterations.reset(), bare.features.reset(), bare.generated_shares.clear();
  const nlohmann::ordered_json less = to_json(bare);
  CHECK_FALSE(less["generated"].contains("iterations"));
  CHECK_FALSE(less.contains("features"));
  CHECK_FALSE(less.contains("classes"));
}

TEST_CASE("the table has a row for each measure, aligned by characters") {
  std::ostringstream out;
  print(example(), out);
  std::vector<std::string> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].find("generated") == lines[1].find("0.5 ± 0.25"));
  CHECK(lines[1].find("0.75 ± 0.125") != std::string::npos);
  CHECK(lines[1].back() == '1');
  CHECK(lines[2] == "W2²/α");
  CHECK(lines[3] == "classes: 0: 25.0% (50.0%), 1: 75.0% (50.0%), in brackets those of the reference");
}
