#include "data/dataset.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "data/digits.h"
#include "data/npy.h"
#include "tests/data/encode.h"
#include "tests/data/environment.h"
#include "tests/data/files.h"

using data::Dataset;
using doctest::Contains;
using engine::real;

namespace {

void check_image_sizes(const Dataset& set, int height, int width, int channels) {
  CHECK(set.height == height);
  CHECK(set.width == width);
  CHECK(set.channels == channels);
}

doctest::String refusal(const std::string& source, std::int64_t points = 0) {
  return error_of([&] { data::load(source, points, 0); });
}

const std::string idx = std::string("\0\0\x08\3\0\0\0\3\0\0\0\2\0\0\0\2", 16) + "abcdefghijkl";

}  // namespace

TEST_CASE("the built-in digits are loaded by name") {
  const Dataset set = data::load("digits", 50, 3);
  CHECK(set.name == "digits");
  CHECK(set.count == 50);
  CHECK(set.dimension == 784);
  check_image_sizes(set, 28, 28, 1);
  CHECK(set.bytes == data::draw_digits(50, 3).images);
  CHECK(set.values.empty());
}

TEST_CASE("an IDX file of images is loaded as bytes") {
  TemporaryFolder folder;
  put(folder / "a.gz", gzipped(idx));
  const Dataset set = data::load(folder / "a.gz", 2, 0);
  CHECK(set.count == 2);
  CHECK(set.dimension == 4);
  check_image_sizes(set, 2, 2, 1);
  CHECK(std::string(set.bytes.begin(), set.bytes.end()) == "abcdefgh");
}

TEST_CASE("NPY arrays are loaded: bytes as bytes, other numbers as real") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  data::write_npy<double>(path, {3, 2}, std::vector<double>{1, 2.5, -3, 4, 5, 6e10});
  Dataset set = data::load(path, 0, 0);
  CHECK(set.count == 3);
  CHECK(set.dimension == 2);
  check_image_sizes(set, 0, 0, 0);
  CHECK(set.values == std::vector<real>{1, real(2.5), -3, 4, 5, real(6e10)});
  CHECK(data::range_of(set).low == -3);
  CHECK(data::range_of(set).high == real(6e10));
  CHECK(set.bytes.empty());

  std::vector<std::uint8_t> bytes(24);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(10 * i);
  data::write_npy<std::uint8_t>(path, {2, 3, 4}, bytes);
  set = data::load(path, 0, 0);
  CHECK(set.bytes == bytes);
  CHECK(set.values.empty());
  check_image_sizes(set, 3, 4, 1);
  data::write_npy<std::uint8_t>(path, {2, 2, 2, 3}, bytes);
  check_image_sizes(data::load(path, 0, 0), 2, 2, 3);
  data::write_npy<std::int64_t>(path, {2, 1}, std::vector<std::int64_t>{-1, 300});
  CHECK(data::load(path, 0, 0).values == std::vector<real>{-1, 300});
}

TEST_CASE("of arrays with 4 channels colours are multiplied by the fourth, bytes as other numbers") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> bytes{255, 100, 0, 51, 10, 20, 30, 255};
  data::write_npy<std::uint8_t>(folder / "bytes.npy", {1, 1, 2, 4}, bytes);
  const data::Dataset set = data::load(folder / "bytes.npy", 0, 0);
  CHECK(set.channels == 4);
  CHECK(set.dimension == 8);
  CHECK(set.bytes == std::vector<std::uint8_t>{51, 20, 0, 51, 10, 20, 30, 255});
  data::write_npy<float>(folder / "floats.npy", {1, 1, 1, 4}, std::vector<float>{1, 0.5f, 0, 0.25f});
  CHECK(data::load(folder / "floats.npy", 0, 0).values == std::vector<engine::real>{0.25, 0.125, 0, 0.25});
  CHECK(data::load(folder / "floats.npy", 0, 0, data::Numbers::in_double).doubles ==
        std::vector<double>{0.25, 0.125, 0, 0.25});
}

TEST_CASE("arrays are told by their content or their name, in upper case too, and may be gzipped or in an archive") {
  TemporaryFolder folder;
  data::write_npy<float>(folder / "a.npy", {2, 1}, std::vector<float>{7, -8});
  const std::string npy = get(folder / "a.npy");
  const std::vector<real> values{7, -8};
  for (const char* const name : {"A.NPY", "a.npy.gz", "a"}) {
    put(folder / name, std::string(name).ends_with("gz") ? gzipped(npy) : npy);
    CHECK(data::load(folder / name, 0, 0).values == values);
  }
  const std::string archive = folder / "all.npz";
  put(archive, zipped({{"x.npy", npy}}));
  CHECK(data::load(archive, 0, 0).values == values);
  put(archive, zipped({{"x.npy", npy}, {"y.npy", "no array"}}));
  CHECK(data::load(archive + ":x", 0, 0).values == values);
  CHECK(refusal(archive) == Contains("all.npz: the archive holds x, y: name one of them, as in"));
  CHECK(refusal(archive + ":y") == Contains("all.npz:y: not an IDX file"));
  CHECK(refusal(archive + ":z") == Contains("all.npz: the archive holds no z, but x, y"));
}

TEST_CASE("parts of digits and of plain .npy files are those of the whole") {
  TemporaryFolder folder;
  const std::string bytes = folder / "bytes.npy", reals = folder / "reals.npy", alpha = folder / "alpha.npy";
  std::vector<std::uint8_t> pixels(10 * 12);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  data::write_npy<std::uint8_t>(bytes, {10, 3, 4}, pixels);
  data::write_npy<std::uint8_t>(alpha, {10, 1, 3, 4}, pixels);
  data::write_npy<double>(reals, {10, 12}, std::vector<double>(pixels.begin(), pixels.end()));
  for (const std::string& source : {std::string("digits"), bytes, reals, alpha}) {
    CAPTURE(source);
    CHECK(data::count_for_parts(source, 7) == 7);
    const Dataset all = data::load(source, 7, 5);
    for (const auto& [begin, end] : {std::pair(0, 7), std::pair(0, 1), std::pair(3, 7)}) {
      const Dataset part = data::load_part(source, begin, end, 5);
      CHECK(part.name == source);
      CHECK(part.count == end - begin);
      CHECK(part.dimension == all.dimension);
      check_image_sizes(part, all.height, all.width, all.channels);
      REQUIRE(part.bytes.size() + part.values.size() == static_cast<std::size_t>(part.count * part.dimension));
      for (std::size_t i = 0; i < part.bytes.size() + part.values.size(); ++i)
        REQUIRE(part.coordinate(i) == all.coordinate(i + static_cast<std::size_t>(begin * all.dimension)));
    }
  }
  CHECK(data::count_for_parts("digits", 0) == data::default_digits);
  CHECK(data::count_for_parts(bytes, 0) == 10);
}

TEST_CASE("what has no parts that can be loaded alone is told, and errors in a part name the point of the whole") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  data::write_npy<float>(path, {3, 2}, std::vector<float>{1, 2, 3, 4, INFINITY, 6});
  put(folder / "a.npy.gz", gzipped(get(path)));
  put(folder / "a.idx", idx);
  put(folder / "a.csv", "1,2\n3,4\n");
  for (const std::string& source :
       {folder / "a.npy.gz", folder / "a.idx", folder / "a.csv", folder / "none", folder / ""})
    CHECK_FALSE(data::count_for_parts(source, 0));
  CHECK(error_of([&] { data::count_for_parts(path, 4); }) == Contains("a.npy: holds only 3 points, not 4"));
  CHECK(error_of([&] { data::count_for_parts("digits", -1); }) == Contains("must be positive, or 0 for all: -1"));
  CHECK(data::load_part(path, 0, 2, 0).values == std::vector<real>{1, 2, 3, 4});
  CHECK(error_of([&] { data::load_part(path, 1, 3, 0); }) == Contains("coordinate 0 of point 2 is inf"));
  CHECK(error_of([&] { data::load_part(path, 0, 4, 0); }) == Contains("a.npy: is no longer the array that it was"));
}

TEST_CASE("a folder of images is loaded as bytes") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of({1, 2, 3, 4, 5, 6}, 3, 2, 1));
  put(folder / "b.png", png_of({7, 8, 9, 10, 11, 12}, 3, 2, 1));
  const Dataset set = data::load(folder.path(), 0, 0);
  CHECK(set.count == 2);
  CHECK(set.dimension == 6);
  check_image_sizes(set, 2, 3, 1);
  CHECK(set.bytes == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("mnist is looked for in $SEMIDUAL_DATA, then under the current folder") {
  TemporaryFolder shared, here;
  const CurrentFolder current(here.path());
  for (const char* const variable : {static_cast<const char*>(nullptr), ""}) {
    const Environment unset("SEMIDUAL_DATA", variable);
    CHECK(refusal("mnist") == Contains("not found in data/mnist; run `sh data/fetch_mnist.sh`"));
  }
  const Environment set("SEMIDUAL_DATA", shared.path().c_str());
  CHECK(refusal("mnist") == Contains((shared.path() + "/mnist nor in data/mnist; run").c_str()));
  std::filesystem::create_directories(here / "data/mnist");
  put(here / "data/mnist/train-images-idx3-ubyte", idx);
  CHECK(data::load("mnist", 0, 0).bytes[0] == 'a');
  std::filesystem::create_directories(shared / "mnist");
  put(shared / "mnist/train-images-idx3-ubyte.gz", gzipped(idx.substr(0, 16) + "ABCDEFGHIJKL"));
  CHECK(data::load("mnist", 0, 0).bytes[0] == 'A');
  CHECK(refusal("mnist-test") == Contains("mnist-test: not found in"));
  put(here / "data/mnist/t10k-images-idx3-ubyte", idx);
  CHECK(data::load("mnist-test", 0, 0).bytes[0] == 'a');
}

TEST_CASE("what is no data set is refused, each with its reason") {
  TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  CHECK(refusal(folder / "none") == Contains("none: no such file or folder; give digits, mnist, mnist-test, an IDX"));
  CHECK(refusal("") == Contains("no such file or folder"));
  CHECK(refusal(folder.path()) == Contains("holds no PNG, JPEG"));
  CHECK(refusal("digits", -1) == Contains("must be positive, or 0 for all: -1"));
  put(folder / "text", "hello");
  CHECK(refusal(folder / "text") == Contains("not an IDX file"));
  put(folder / "idx", idx);
  CHECK(refusal(folder / "idx", 4) == Contains("holds only 3 points, not 4"));
  put(folder / "labels", std::string("\0\0\x08\1\0\0\0\2ab", 10));
  CHECK(refusal(folder / "labels") == Contains("has shape [2]; points need [J, d]"));
  data::write_npy<float>(path, {0, 3}, {});
  CHECK(refusal(path) == Contains("has shape [0, 3], which holds no points"));
  data::write_npy<float>(path, {1, 1, 1, 1, 1}, std::vector<float>{1});
  CHECK(refusal(path) == Contains("has shape [1, 1, 1, 1, 1]; points need"));
  data::write_npy<float>(path, {1, 1, 1, 2}, std::vector<float>{1, 2});
  CHECK(refusal(path) == Contains("has shape [1, 1, 1, 2]; channels go last: save numpy.moveaxis(x, 1, -1)"));
  data::write_npy<float>(path, {1, 2, 1, 2}, std::vector<float>{1, 2, 3, 4});
  CHECK(refusal(path) == Contains("the last axis of images is 1, 3 or 4 channels"));
  data::write_npy<float>(path, {1, 4, 5, 6}, std::vector<float>(120));
  CHECK(refusal(path) == Contains("has shape [1, 4, 5, 6]; channels go last"));
  data::write_npy<float>(path, {2, 1, 1, 4}, std::vector<float>{0, 0, 0, 1, 0, 0, 0, 255});
  CHECK(refusal(path) == Contains("the fourth channel, must lie between 0 and 1: 255 in point 1; divide all by 255"));
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    data::write_npy<double>(path, {2, 3}, std::vector<double>{0, 0, 0, 0, wrong, 0});
    CHECK(refusal(path) == Contains(engine::text(path, ": coordinate 1 of point 1 is ", wrong, "; all must").c_str()));
  }
}

TEST_CASE("MNIST itself is loaded" * doctest::skip(std::getenv("SEMIDUAL_DATA") == nullptr)) {
  const Dataset set = data::load("mnist", 0, 0);
  CHECK(set.count == 60000);
  CHECK(set.dimension == 784);
  check_image_sizes(set, 28, 28, 1);
  double alpha = 0;
  for (const double byte : set.bytes) alpha += byte * byte;
  CHECK(alpha / 255 / 255 / 60000 == doctest::Approx(87.810).epsilon(1e-5));
  const Dataset few = data::load("mnist", 100, 0);
  CHECK(few.count == 100);
  CHECK(std::equal(few.bytes.begin(), few.bytes.end(), set.bytes.begin()));
  const Dataset test = data::load("mnist-test", 0, 0);
  CHECK(test.name == "mnist-test");
  CHECK(test.count == 10000);
  check_image_sizes(test, 28, 28, 1);
}
