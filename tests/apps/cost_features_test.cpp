#include "apps/learn/cost_space.h"

#include <cmath>
#include <filesystem>

#include <doctest/doctest.h>

#include "apps/feature_network.h"
#include "apps/run_folder.h"
#include "data/dataset.h"
#include "engine/error.h"
#include "engine/random.h"
#include "tests/apps/program.h"
#include "tests/engine/gradient_check.h"

using apps::CostSpace;
using apps::DataFacts;
using apps::FeatureNetwork;
using apps::TrainOptions;
using engine::Tensor;
using engine::Var;
using Arguments = std::vector<std::string>;

namespace {

const DataFacts images{6, 64, 8, 8, 1, "", ""};

/// A network of features that has seen nothing, for grey images of `side` x `side`.
void write_features(const std::string& path, int side, std::uint64_t seed = 1) {
  FeatureNetwork(std::make_unique<models::Classifier>(
                     models::ClassifierOptions{.height = side, .width = side, .channels = 1, .classes = 2}, seed),
                 {"1", side, side, 1, 2, 0.5, "digits", 100, "", "digits", 7, 2})
      .write(path);
}

TrainOptions options_of(const std::string& file) {
  TrainOptions options;
  options.cost_features = file;
  return options;
}

data::Dataset some_images(bool bytes) {
  data::Dataset dataset;
  dataset.count = 6, dataset.dimension = 64, dataset.height = dataset.width = 8, dataset.channels = 1;
  const Tensor x = engine::Random(1, 0).uniform({6, 64}, 0, 1);
  if (bytes) {
    std::vector<std::uint8_t> values;
    for (const engine::real value : x.values()) values.push_back(static_cast<std::uint8_t>(255 * value));
    dataset.bytes = std::move(values);
  } else {
    dataset.values = std::vector<engine::real>(x.values().begin(), x.values().end());
  }
  return dataset;
}

}  // namespace

TEST_CASE("images are mapped to what the network of a file sees, those of the data as those that are generated") {
  const TemporaryFolder temporary;
  const std::string file = temporary / "features.safetensors";
  write_features(file, 8);
  CostSpace space(options_of(file), images);
  CHECK(space.mapped());
  for (const bool bytes : {false, true}) {
    const data::Dataset dataset = some_images(bytes), mapped = space.map(dataset);
    CHECK(mapped.bytes.empty());
    CHECK(mapped.dimension == models::Classifier::feature_count);
    Tensor x({6, 64});
    for (std::size_t i = 0; i < x.values().size(); ++i) x.data()[i] = dataset.coordinate(i);
    const Tensor seen = FeatureNetwork::read(file, images)(x).features, generated = space(x).value();
    REQUIRE(mapped.values.size() == seen.values().size());
    for (std::size_t i = 0; i < mapped.values.size(); ++i) {
      CHECK(mapped.values[i] == doctest::Approx(seen.data()[i]).epsilon(1e-5));
      CHECK(generated.data()[i] == doctest::Approx(seen.data()[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("what the network sees is differentiated in the images, which come nearer to one along the gradient") {
  const TemporaryFolder temporary;
  write_features(temporary / "f", 8);
  const CostSpace space(options_of(temporary / "f"), images);
  const Tensor start = engine::Random(1, 0).uniform({6, 64}, 0, 1);
  const Var goal = space(engine::Random(1, 1).uniform({6, 64}, 0, 1));
  const auto distance = [&](const Var& x) {
    const Var between = space(x) - goal;
    return sum(between * between);
  };
  engine::Tape tape;
  Var x = start;
  tape.watch(x);
  const Var before = distance(x);
  const Var slope = tape.gradient(before, {x}).front();
  const double fall = sum(slope * slope).value().item(), step = 0.01 * before.value().item() / fall;
  const double after = distance(Var(start) - Var(slope.value()) * step).value().item();
  CHECK(after == doctest::Approx(0.99 * before.value().item()).epsilon(1e-3));
  if (!engine::testing::precise) return;
  const auto errors =
      engine::testing::gradient_errors([&](const std::vector<Var>& at) { return space(at[0]); }, {start}, false, 1e-7);
  CHECK(errors.first < 1e-5);
}

TEST_CASE("features are refused for points, for images of other sizes, and where there is no file") {
  const TemporaryFolder temporary;
  const std::string file = temporary / "features.safetensors";
  write_features(file, 9);
  const TrainOptions options = options_of(file);
  CHECK_THROWS_WITH_AS(CostSpace(options, images),
                       doctest::Contains("its features are of 9x9 grey images, these are 8x8 grey images"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(CostSpace(options, {6, 64, 0, 0, 0, "", ""}),
                       "--cost-features is for images, the data are points of dimension 64: leave it out",
                       engine::Error);
  CHECK_THROWS_AS(CostSpace(options_of(temporary / "none"), images), engine::Error);
}

TEST_CASE("runs in features are resumed to the same bytes and evaluated, but not in another file's features") {
  for (const Arguments& kind :
       {Arguments{"--dual-layers", "1,8"}, Arguments{"--method", "genevay"},
        Arguments{"--method", "fatras", "--cost", "euclidean"}, Arguments{"--generator", "dcgan"}}) {
    CAPTURE(kind[1]);
    const TemporaryFolder temporary;
    const std::string file = temporary / "features.safetensors";
    write_features(file, 28);
    const apps::RunFolder straight{temporary / "straight"}, resumed{temporary / "resumed"};
    const Arguments run = Arguments{"train",  "--data",
                                    "digits", "--points",
                                    "60",     "--batch",
                                    "5",      "--mlp-sizes",
                                    "7",      "--schedule-iterations",
                                    "4",      "--inner",
                                    "2",      "--cost-features",
                                    file} +
                          kind;
    Arguments asked = run;
    if (kind[0] == "--method")
      asked.erase(std::ranges::find(asked, "--inner"), std::ranges::find(asked, "--inner") + 2);
    const Outcome whole = semidual(asked + Arguments{"--iterations", "3", "--threads", "1", "--out", straight.root});
    REQUIRE_MESSAGE(whole.code == 0, whole.err);
    REQUIRE(semidual(asked + Arguments{"--iterations", "2", "--threads", "2", "--out", resumed.root}).code == 0);
    const Arguments resume{"train", "--resume", "--iterations", "3", "--threads", "1", "--out", resumed.root};
    write_features(file, 28, 2);
    const Outcome other = semidual(resume);
    CHECK(other.code == 2);
    CHECK(other.err == "semidual: --cost-features '" + file +
                           "' is no longer the file that the run takes its cost in: its SHA-256 is another\n");
    const Outcome evaluated = semidual({"evaluate", straight.root, "--threads", "1", "--count", "50"});
    if (kind[0] != "--method") CHECK(evaluated.err.find("no longer holds the features") != std::string::npos);
    write_features(file, 28);
    CHECK(semidual(resume).code == 0);
    if (kind[0] != "--method")
      CHECK(semidual({"evaluate", straight.root, "--threads", "1", "--count", "50"}).code == 0);
    CHECK(content(straight.checkpoint()) == content(resumed.checkpoint()));
  }
}
