#include "data/labels.h"

#include <array>
#include <cstdlib>

#include "data/digits.h"
#include "tests/data/environment.h"
#include "tests/data/files.h"

using data::load_labels;
using doctest::Contains;
using Labels = std::vector<std::uint8_t>;

namespace {

const std::string images = std::string("\0\0\x08\3\0\0\0\3\0\0\0\1\0\0\0\1", 16) + "abc";
const std::string labels("\0\0\x08\1\0\0\0\3\7\0\5", 11);

doctest::String refusal(const std::string& source, std::int64_t points = 0) {
  return error_of([&] { load_labels(source, points, 0); });
}

}  // namespace

TEST_CASE("the built-in digits have their own labels") {
  CHECK(load_labels("digits", 8, 0) == Labels{0, 5, 7, 4, 5, 6, 2, 8});
  CHECK(load_labels("digits", 300, 3) == data::draw_digits(300, 3).labels);
}

TEST_CASE("MNIST's labels are those beside the images") {
  TemporaryFolder shared, here;
  const CurrentFolder current(here.path());
  const Environment set("SEMIDUAL_DATA", shared.path().c_str());
  CHECK(refusal("mnist-test") == Contains("mnist-test: not found in"));
  std::filesystem::create_directories(shared / "mnist");
  std::filesystem::create_directories(here / "data/mnist");
  put(shared / "mnist/train-images-idx3-ubyte", images);
  put(here / "data/mnist/train-labels-idx1-ubyte", labels);
  const std::string folder = shared.path() + "/mnist";
  CHECK(refusal("mnist") == Contains(("mnist: its labels, train-labels-idx1-ubyte.gz, are not in " + folder +
                                      " beside the images; run `sh data/fetch_mnist.sh`")
                                         .c_str()));
  put(folder + "/train-labels-idx1-ubyte", labels);
  CHECK(load_labels("mnist", 0, 0) == Labels{7, 0, 5});
  CHECK(load_labels("mnist", 2, 0) == Labels{7, 0});
  put(folder + "/t10k-images-idx3-ubyte", images);
  put(folder + "/t10k-labels-idx1-ubyte.gz", gzipped(labels));
  CHECK(load_labels("mnist-test", 3, 0) == Labels{7, 0, 5});
}

TEST_CASE("sources without labels have none") {
  TemporaryFolder folder;
  put(folder / "idx", images);
  CHECK(load_labels(folder / "idx", 0, 0).empty());
  CHECK(load_labels("no such file", 0, 0).empty());
}

TEST_CASE("labels that won't do are refused, each with its reason") {
  TemporaryFolder shared;
  const Environment set("SEMIDUAL_DATA", shared.path().c_str());
  std::filesystem::create_directories(shared / "mnist");
  put(shared / "mnist/train-images-idx3-ubyte", images);
  put(shared / "mnist/train-labels-idx1-ubyte", labels);
  CHECK(refusal("mnist", 4) == Contains("train-labels-idx1-ubyte: holds only 3 labels, not 4"));
  CHECK(refusal("mnist", -1) == "mnist: the number of labels must be positive, or 0 for all: -1");
  put(shared / "mnist/train-labels-idx1-ubyte", images);
  CHECK(refusal("mnist") == Contains("train-labels-idx1-ubyte: has 3 axes; labels need one"));
}

TEST_CASE("MNIST itself has its labels" * doctest::skip(std::getenv("SEMIDUAL_DATA") == nullptr)) {
  const auto counts = [](const Labels& all) {
    std::array<int, 10> of_digit{};
    for (const std::uint8_t label : all) ++of_digit.at(label);
    return of_digit;
  };
  const Labels train = load_labels("mnist", 0, 0), test = load_labels("mnist-test", 0, 0);
  CHECK(Labels(train.begin(), train.begin() + 5) == Labels{5, 0, 4, 1, 9});
  CHECK(Labels(test.begin(), test.begin() + 5) == Labels{7, 2, 1, 0, 4});
  CHECK(counts(train) == std::array{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(counts(test) == std::array{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}
