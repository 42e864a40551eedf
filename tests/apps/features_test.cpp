#include <cstdint>
#include <filesystem>

#include <doctest/doctest.h>

#include "apps/feature_network.h"
#include "apps/measure.h"
#include "data/digits.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/safetensors.h"
#include "engine/parallel.h"
#include "tests/apps/program.h"
#include "tests/data/environment.h"

namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

/// An IDX file of bytes.
std::string idx(const std::vector<std::uint32_t>& shape, const std::vector<std::uint8_t>& bytes) {
  std::string file{0, 0, 8, static_cast<char>(shape.size())};
  for (const std::uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(size >> shift & 255);
  return file + std::string(bytes.begin(), bytes.end());
}

/// A folder in place of MNIST's, with other digits.
class SmallMnist {
 public:
  SmallMnist() : variable_("SEMIDUAL_DATA", (root_ / "").c_str()) {
    fs::create_directory(root_ / "mnist");
    const data::Digits train = data::draw_digits(200, 5), test = data::draw_digits(120, 6);
    put("train-images-idx3-ubyte", {200, 28, 28}, train.images);
    put("train-labels-idx1-ubyte", {200}, train.labels);
    put("t10k-images-idx3-ubyte", {120, 28, 28}, test.images);
    put("t10k-labels-idx1-ubyte", {120}, test.labels);
  }
  void put(const std::string& name, const std::vector<std::uint32_t>& shape, const std::vector<std::uint8_t>& bytes) {
    fs::remove(root_ / ("mnist/" + name));
    write(root_ / ("mnist/" + name), idx(shape, bytes));
  }

 private:
  TemporaryFolder root_;
  Environment variable_;
};

Arguments training(const std::string& data, const std::string& out) {
  return {"features", "--data", data, "--threads", "1", "--out", out};
}

}  // namespace

TEST_CASE("features writes a classifier with its accuracy on images it has not seen") {
  const TemporaryFolder temporary;
  SmallMnist mnist;
  const std::string path = temporary / "f.safetensors";
  const Outcome outcome = semidual(training("mnist", path) + Arguments{"--epochs", "20"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.out.find("learning the classes of mnist: 200 images of 28x28, 10 classes\n") == 0);
  CHECK(outcome.out.find("iteration 20/20  loss ") != std::string::npos);
  CHECK(outcome.out.find(", measured on 120 images of mnist-test\n" + path + '\n') != std::string::npos);

  const apps::DataFacts facts = apps::facts_of(data::load("mnist", 0, 0));
  const apps::FeatureNetwork network = apps::FeatureNetwork::read(path, facts);
  CHECK(outcome.out.find('\n' + network.description() + ',') != std::string::npos);
  CHECK(network.description().ends_with(" trained on mnist (SHA-256 " + facts.sha256 + ")"));
  CHECK(network.accuracy() > 0.4);
  const auto classes = network(apps::points_of(data::load("mnist-test", 0, 0))).classes;
  const auto labels = data::own_labels("mnist-test", 0, 0).of_points;
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += classes[i] == labels[i];
  CHECK(network.accuracy() == doctest::Approx(right / 120.0).epsilon(1e-5));
}

TEST_CASE("each source is measured on another") {
  const TemporaryFolder temporary;
  const SmallMnist mnist;
  const std::string path = temporary / "f.safetensors";
  const auto accuracy_data = [&](const std::string& source) {
    const Outcome outcome = semidual(training(source, path) + Arguments{"--epochs", "1", "--points", "100"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    const data::Safetensors file = data::read_safetensors(path);
    CHECK(file.metadata.at("points") == "100");
    return file.metadata.at("accuracy_data");
  };
  CHECK(accuracy_data("digits") == "digits, seed 1");
  CHECK(accuracy_data("mnist") == "mnist-test");
  CHECK(accuracy_data("mnist-test") == "mnist");
}

TEST_CASE("the same seed writes the same bytes on any number of threads") {
  const TemporaryFolder temporary;
  const SmallMnist mnist;
  const int before = engine::threads();
  const auto bytes = [&](const Arguments& arguments) {
    const std::string path = temporary / "f.safetensors";
    const Outcome outcome = semidual(training("mnist", path) + Arguments{"--epochs", "2"} + arguments);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return content(path);
  };
  const std::string one = bytes({});
  CHECK(bytes({"--threads", "2"}) == one);
  CHECK(bytes({"--threads", "3", "--seed", "0"}) == one);
  CHECK(bytes({"--seed", "1"}) != one);
  engine::set_threads(before);
}

TEST_CASE("Ctrl-C ends features without a file") {
  const TemporaryFolder temporary;
  const SmallMnist mnist;
  const Outcome outcome =
      interrupted_at("  loss ", training("mnist", temporary / "f.safetensors") + Arguments{"--epochs", "1000"});
  CHECK(outcome.code == 130);
  CHECK(outcome.out.find("interrupted after 1 of 1000 iterations, nothing is written\n") != std::string::npos);
  CHECK(outcome.err == "");
  CHECK(temporary.empty());
}

TEST_CASE("features that can't be learned are one line, exit code 2, and nothing written") {
  const TemporaryFolder temporary, outputs;
  SmallMnist mnist;
  const auto refused = [&](const Arguments& arguments, const std::string& why) {
    const Outcome outcome = semidual(Arguments{"features"} + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err.find(why) != std::string::npos, outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outputs.empty());
  };
  const std::string out = outputs / "f.safetensors";
  const auto refused_data = [&](const std::string& source, const std::string& why) {
    refused({"--data", source, "--out", out}, why);
  };
  refused({"--out", out}, "--data is missing: digits, mnist or mnist-test");
  refused({"--data", "mnist"}, "--out is missing: the file to write");
  refused({"--data", "mnist", "--out", outputs / ""}, " is a folder: give the path of a file");
  refused({"--data", "mnist", "--out", outputs / "a/f"}, "there is no folder " + (outputs / "a"));
  refused({"--data", "mnist", "--out", out, "--epochs", "0"}, "--epochs must be at least 1: 0");
  refused({"--data", "mnist", "--out", out, "--threads", "65"}, "--threads must be 1 to 64: 65");
  refused({"--data", "mnist", "--out", out, "--points", "201"}, "mnist: holds only 200 points, not 201");
  refused({"--data", "mnist", "--out", out, "--points", "1"},
          "--data mnist: its 1 images are all of one class: take more --points");
  refused_data(temporary / "none", "none: no such file or folder");
  data::write_npy<std::uint8_t>(temporary / "x.npy", {2, 8, 8}, std::vector<std::uint8_t>(128));
  refused_data(temporary / "x.npy", "x.npy has no labels to learn features from: take digits, mnist or a set like it");

  mnist.put("t10k-images-idx3-ubyte", {2, 8, 9}, std::vector<std::uint8_t>(144));
  mnist.put("t10k-labels-idx1-ubyte", {2}, {0, 1});
  refused_data("mnist", "its images have 784 values, those of mnist-test, to measure the accuracy on, 72");
  mnist.put("train-labels-idx1-ubyte", {3}, {0, 1, 2});
  refused_data("mnist", "--data mnist has 3 labels for 200 images: get both again");
  mnist.put("t10k-images-idx3-ubyte", {2, 7, 9}, std::vector<std::uint8_t>(126));
  refused_data("mnist-test", "features are of images of at least 8x8 pixels: those of --data mnist-test are 7x9");
  mnist.put("t10k-images-idx3-ubyte", {2, 100}, std::vector<std::uint8_t>(200));
  refused_data("mnist-test", "features are of images: those of --data mnist-test are points of dimension 100");
}
