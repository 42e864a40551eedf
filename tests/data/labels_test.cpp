#include "data/labels.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "data/digits.h"
#include "data/npy.h"
#include "tests/data/environment.h"
#include "tests/data/files.h"

using data::own_labels;
using data::read_labels;
using doctest::Contains;
using Labels = std::vector<std::uint8_t>;
using Names = std::vector<std::string>;

namespace {

const std::string images = std::string("\0\0\x08\3\0\0\0\3\0\0\0\1\0\0\0\1", 16) + "abc";
const std::string labels("\0\0\x08\1\0\0\0\3\7\0\5", 11);

doctest::String refusal(const std::string& source, std::int64_t points = 0) {
  return error_of([&] { own_labels(source, points, 0); });
}

}  // namespace

TEST_CASE("the built-in digits have their own labels") {
  CHECK(own_labels("digits", 8, 0).of_points == Labels{0, 5, 7, 4, 5, 6, 2, 8});
  CHECK(own_labels("digits", 300, 3).of_points == data::draw_digits(300, 3).labels);
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
  CHECK(own_labels("mnist", 0, 0).of_points == Labels{7, 0, 5});
  CHECK(own_labels("mnist", 2, 0).of_points == Labels{7, 0});
  put(folder + "/t10k-images-idx3-ubyte", images);
  put(folder + "/t10k-labels-idx1-ubyte.gz", gzipped(labels));
  CHECK(own_labels("mnist-test", 3, 0).of_points == Labels{7, 0, 5});
}

TEST_CASE("sources without labels have none") {
  TemporaryFolder folder;
  put(folder / "idx", images);
  CHECK(own_labels(folder / "idx", 0, 0).empty());
  CHECK(own_labels("no such file", 0, 0).empty());
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
  const Labels train = own_labels("mnist", 0, 0).of_points, test = own_labels("mnist-test", 0, 0).of_points;
  CHECK(Labels(train.begin(), train.begin() + 5) == Labels{5, 0, 4, 1, 9});
  CHECK(Labels(test.begin(), test.begin() + 5) == Labels{7, 2, 1, 0, 4});
  CHECK(counts(train) == std::array{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(counts(test) == std::array{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}

TEST_CASE("labels in files are classes in increasing order, numbers or texts") {
  TemporaryFolder folder;
  data::write_npy<float>(folder / "l.npy", {4}, std::vector<float>{7, -1, 7, 2.5F});
  const data::Labels numbers = read_labels(folder / "l.npy", 0);
  CHECK(numbers.of_points == Labels{2, 0, 2, 1});
  CHECK(numbers.classes == Names{"-1", "2.5", "7"});
  CHECK(read_labels(folder / "l.npy", 2).of_points == Labels{2, 0});
  CHECK(read_labels(folder / "l.npy", 2).classes.size() == 3);
  put(folder / "l.idx", labels);
  CHECK(read_labels(folder / "l.idx", 0).classes == Names{"0", "5", "7"});
  put(folder / "t.csv", "size,kind\n1,pear\n2,apple\n10,pear\n");
  const data::Labels texts = read_labels(folder / "t.csv:kind", 0);
  CHECK(texts.of_points == Labels{1, 0, 1});
  CHECK(texts.classes == Names{"apple", "pear"});
  CHECK(read_labels(folder / "t.csv:1", 0).classes == Names{"1", "2", "10"});
  put(folder / "one.tsv", "b\na\nb\n");
  CHECK(read_labels(folder / "one.tsv", 0).of_points == Labels{1, 0, 1});
}

TEST_CASE("labels that are large or near numbers have names of their own") {
  TemporaryFolder folder;
  data::write_npy<double>(folder / "l.npy", {5}, std::vector<double>{1000001, 1000000, 1e20, 0.1000001, 0.1});
  CHECK(read_labels(folder / "l.npy", 0).classes == Names{"0.1", "0.1000001", "1000000", "1000001", "1e+20"});
  data::write_npy<float>(folder / "f.npy", {5}, std::vector<float>{16777216, -3, 1e20F, 0.1000001F, 0.1F});
  CHECK(read_labels(folder / "f.npy", 0).classes == Names{"-3", "0.1", "0.1000001", "16777216", "1e+20"});
}

TEST_CASE("the subfolders of images are the classes' names") {
  TemporaryFolder folder;
  for (const char* name : {"cats", "dogs"}) {
    std::filesystem::create_directories(folder / name);
    put(folder / (std::string(name) + "/1.pgm"), "P5 1 1 255 x");
  }
  const data::Labels own = own_labels(folder.path(), 0, 0);
  CHECK(own.of_points == Labels{0, 1});
  CHECK(own.classes == Names{"cats", "dogs"});
}

TEST_CASE("a class must be called in UTF-8, and the folder of the classes need not") {
  TemporaryFolder folder;
  const std::string classes = folder / "caf\xe9";
  std::filesystem::create_directories(classes + "/cats");
  put(classes + "/cats/1.pgm", "P5 1 1 255 x");
  CHECK(own_labels(classes, 0, 0).classes == Names{"cats"});
  std::filesystem::create_directories(classes + "/d\xf6gs");
  put(classes + "/d\xf6gs/1.pgm", "P5 1 1 255 x");
  CHECK(refusal(classes) == Contains("d\xf6gs: is no UTF-8; rename it"));
}

TEST_CASE("files of labels that won't do are refused, each with its reason") {
  TemporaryFolder folder;
  const auto refused = [&](const std::string& file, std::int64_t points = 0) {
    return error_of([&] { read_labels(folder / file, points); });
  };
  data::write_npy<float>(folder / "l.npy", {2}, std::vector<float>{1, 2});
  CHECK(refused("l.npy", 3) == Contains("l.npy: holds only 2 labels, not 3"));
  data::write_npy<float>(folder / "nan.npy", {2}, std::vector<float>{1, NAN});
  CHECK(refused("nan.npy") == Contains("nan.npy: label 1 is no finite number: give numbers of classes"));
  data::write_npy<float>(folder / "two.npy", {2, 2}, std::vector<float>{1, 2, 3, 4});
  CHECK(refused("two.npy") == Contains("two.npy: has 2 axes; labels need one"));
  std::vector<std::int32_t> many(300);
  std::iota(many.begin(), many.end(), 0);
  data::write_npy<std::int32_t>(folder / "many.npy", {300}, many);
  CHECK(refused("many.npy") == Contains("many.npy: has 300 different labels; there can be 256 classes"));
  put(folder / "t.csv", "size,kind\n1,pear\n2,\n");
  CHECK(refused("t.csv") == Contains("t.csv: has 2 columns: name one of them, "));
  CHECK(refused("t.csv:colour") == Contains("t.csv: has no column 'colour', but size, kind"));
  CHECK(refused("t.csv:kind") == Contains("t.csv: row 3, column 'kind' is missing: fill it in, or leave out the row"));
}
