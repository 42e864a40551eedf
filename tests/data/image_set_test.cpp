#include "data/image_set.h"

#include <algorithm>
#include <cstdlib>

#include "data/dataset.h"
#include "data/labels.h"
#include "tests/data/encode.h"
#include "tests/data/environment.h"
#include "tests/data/files.h"

using data::Dataset;
using doctest::Contains;
using Bytes = std::vector<std::uint8_t>;

namespace {

// Two images of 2 x 3 pixels, and their labels.
const std::string images = std::string("\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3", 16) + "abcdefghijkl";
const std::string labels("\0\0\x08\1\0\0\0\2\7\3", 10);

// A record of CIFAR-10: a red, a green and a blue plane that each count on from a number.
std::string record(int label, int red, int green, int blue) {
  std::string bytes(1, static_cast<char>(label));
  for (const int first : {red, green, blue})
    for (int pixel = 0; pixel < 32 * 32; ++pixel) bytes += static_cast<char>(first + pixel);
  return bytes;
}

Dataset load(const std::string& source, std::int64_t points = 0) {
  return data::load(source, points, 0);
}
Bytes labels_of(const std::string& source, std::int64_t points = 0) {
  return data::own_labels(source, points, 0).of_points;
}

}  // namespace

TEST_CASE("a folder with MNIST's files is its training images, with :test its test images, with their labels") {
  for (const char* const joint : {"-", "."})
    for (const bool zipped : {false, true}) {
      TemporaryFolder folder;
      const auto write = [&](const std::string& name, const std::string& axes, const std::string& content) {
        put(folder / (name + joint + axes + (zipped ? ".gz" : "")), zipped ? gzipped(content) : content);
      };
      write("train-images", "idx3-ubyte", images);
      const std::string source = folder.path();
      CHECK(labels_of(source).empty());
      CHECK(data::test_half(source) == "");
      CHECK(error_of([&] { load(source + ":test"); }) ==
            (source + ": has no test images beside the training images").c_str());
      write("train-labels", "idx1-ubyte", labels);
      std::string others = images;
      std::replace(others.begin(), others.end(), 'a', 'A');
      write("t10k-images", "idx3-ubyte", others);
      CHECK(load(source).bytes[0] == 'a');
      CHECK(load(source).height == 2);
      CHECK(load(source, 1).count == 1);
      CHECK(load(source + ":test").bytes[0] == 'A');
      CHECK(labels_of(source) == Bytes{7, 3});
      CHECK(labels_of(source, 1) == Bytes{7});
      CHECK(labels_of(source + ":test").empty());
      CHECK(data::test_half(source) == source + ":test");
      CHECK(data::test_half(source + ":test") == "");
    }
}

TEST_CASE("EMNIST's images, which lie by columns, are turned upright, and told by their prefix") {
  TemporaryFolder folder;
  for (const char* const half : {"train", "test"}) {
    put(folder / engine::text("emnist-letters-", half, "-images-idx3-ubyte"), images);
    put(folder / engine::text("emnist-letters-", half, "-labels-idx1-ubyte"), labels);
  }
  put(folder / "qmnist-train-images-idx3-ubyte", images);
  const std::string source = folder / "emnist-letters";
  const Dataset set = load(source);
  CHECK(set.height == 3);
  CHECK(set.width == 2);
  CHECK(std::string(set.bytes.begin(), set.bytes.end()) == "adbecfgjhkil");
  CHECK(set.remark == "EMNIST's files hold images by columns; they are turned upright");
  CHECK(labels_of(source) == Bytes{7, 3});
  CHECK(data::test_half(source) == source + ":test");
  CHECK(load(source + ":test").bytes == set.bytes);
  CHECK(load(folder / "qmnist").bytes[1] == 'b');
  CHECK(load(folder / "qmnist").remark.empty());
  put(folder / "emnist-letters-train-images-idx3-ubyte", std::string("\0\0\x0d\3\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0", 20));
  CHECK(error_of([&] { load(source); }) == Contains("-ubyte: EMNIST's images are grey bytes"));
}

TEST_CASE("CIFAR-10's batches are its training images, a pixel's three channels beside each other") {
  TemporaryFolder folder;
  const std::string source = folder.path();
  put(folder / "data_batch_1.bin", record(9, 0, 50, 100) + record(1, 3, 4, 5));
  CHECK(error_of([&] { load(source); }) ==
        (folder / "data_batch_2.bin is missing among CIFAR-10's batches: unpack cifar-10-binary.tar.gz again").c_str());
  for (const int batch : {2, 3, 4, 5})
    put(folder / engine::text("data_batch_", batch, ".bin"), record(batch, batch, batch, batch));
  CHECK(data::test_half(source) == "");
  put(folder / "test_batch.bin", record(0, 77, 0, 0));
  const Dataset set = load(source);
  CHECK(set.count == 6);
  CHECK(set.height == 32);
  CHECK(set.width == 32);
  CHECK(set.channels == 3);
  CHECK(Bytes(set.bytes.begin(), set.bytes.begin() + 6) == Bytes{0, 50, 100, 1, 51, 101});
  CHECK(set.bytes[3072] == 3);
  CHECK(labels_of(source) == Bytes{9, 1, 2, 3, 4, 5});
  CHECK(labels_of(source, 3) == Bytes{9, 1, 2});
  CHECK(load(source, 3).count == 3);
  CHECK(data::test_half(source) == source + ":test");
  CHECK(load(source + ":test").bytes[0] == 77);
  CHECK(labels_of(source + ":test") == Bytes{0});
  put(folder / "data_batch_1.bin", record(9, 0, 0, 0) + record(10, 0, 0, 0));
  CHECK(error_of([&] { load(source); }) ==
        (folder /
         "data_batch_1.bin: record 1, counted from 0, has label 10, not 0 to 9: it is no binary batch of CIFAR-10")
            .c_str());
  put(folder / "data_batch_1.bin", record(9, 0, 0, 0).substr(1));
  CHECK(error_of([&] { load(source); }) ==
        (folder / "data_batch_1.bin: is 3072 bytes, not whole records of 3073: it is no binary batch of CIFAR-10, or "
                  "truncated")
            .c_str());
}

TEST_CASE("the labels of a folder of classes are the numbers of its subfolders") {
  TemporaryFolder folder;
  for (const char* const name : {"b", "a"}) std::filesystem::create_directory(folder / name);
  for (const char* const name : {"b/1.png", "a/1.png", "a/2.png"}) put(folder / name, png_of({1, 2}, 2, 1, 1));
  CHECK(load(folder.path()).count == 3);
  CHECK(labels_of(folder.path()) == Bytes{0, 1, 0});
  CHECK(labels_of(folder.path(), 1) == Bytes{0});
  CHECK(load(folder.path(), 2).count == 2);
  std::filesystem::rename(folder / "a", folder / "\xe9");
  CHECK(error_of([&] { labels_of(folder.path()); }) == (folder / "\xe9: is no UTF-8; rename it").c_str());
  CHECK(load(folder.path()).count == 3);
}

TEST_CASE("MNIST is a folder like another" * doctest::skip(std::getenv("SEMIDUAL_DATA") == nullptr)) {
  const std::string folder = std::string(std::getenv("SEMIDUAL_DATA")) + "/mnist";
  CHECK(load(folder, 100).bytes == load("mnist", 100).bytes);
  CHECK(labels_of(folder) == labels_of("mnist"));
  CHECK(load(folder + ":test", 100).bytes == load("mnist-test", 100).bytes);
  CHECK(data::test_half("mnist") == "mnist-test");
  CHECK(data::test_half("mnist-test") == "");
  CHECK(data::test_half("digits") == "");
}
