// Runs on folders of images: of several sizes, of classes, and of ready-made sets.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/run_folder.h"
#include "data/alpha.h"
#include "data/encoded_image.h"
#include "data/file.h"
#include "data/npy.h"
#include "engine/error.h"
#include "engine/random.h"
#include "tests/apps/program.h"

namespace {

using Arguments = std::vector<std::string>;

void write_png(const std::string& path, int height, int width, int channels, std::uint64_t stream) {
  const engine::Random random(3, stream);
  data::Images image{1, height, width, channels, {}};
  for (int k = 0; k < height * width * channels; ++k)
    image.bytes.push_back(static_cast<std::uint8_t>(random.bits(static_cast<std::uint64_t>(k)) >> 24));
  const std::vector<std::byte> bytes = data::encode_png(image);
  const std::span<const std::byte> chunk(bytes);
  data::write_file_atomically(path, std::span(&chunk, 1));
}

/// An IDX file of `count` images of 8x8 random bytes, or of as many labels 0, 1, 0, ...
std::string idx(int count, bool labels, std::uint64_t stream) {
  std::string text("\0\0\x08", 3);
  text += labels ? '\1' : '\3';
  for (const int size : labels ? std::vector{count} : std::vector{count, 8, 8})
    text += std::string{'\0', '\0', '\0', static_cast<char>(size)};
  const engine::Random random(4, stream);
  for (int k = 0; k < (labels ? count : 64 * count); ++k)
    text += labels ? static_cast<char>(k % 2) : static_cast<char>(random.bits(static_cast<std::uint64_t>(k)) >> 24);
  return text;
}

Outcome train(const std::string& data, const std::string& out, const Arguments& more = {}) {
  return semidual(small_run(out) + Arguments{"--data", data, "--points", "0", "--mlp-sizes", "8", "--iterations", "1"} +
                  more);
}

apps::Config config_of(const std::string& run) {
  return apps::read_config(apps::RunFolder{run}.config());
}

void refused(const Outcome& outcome, const std::string& why) {
  CHECK(outcome.code == 2);
  CHECK_MESSAGE(contains(outcome.err, why), outcome.err);
  CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
}

}  // namespace

TEST_CASE("images of several sizes are learned, evaluated and gone on with in the size that is asked for") {
  const TemporaryFolder temporary;
  const std::string images = temporary / "images", other = temporary / "other", run = temporary / "run";
  for (const std::string& folder : {images, other}) std::filesystem::create_directory(folder);
  for (int i = 0; i < 60; ++i) {
    write_png(images + engine::text("/", i, ".png"), 8 + i % 3, 9 + i % 5, i % 2 == 0 ? 1 : 3, std::uint64_t(i));
    write_png(other + engine::text("/", i, ".png"), 12, 8 + i % 2, 3, std::uint64_t(100 + i));
  }
  refused(train(images, run), ": give images of one size, or let train bring them to one: --resize 32x32 --crop");
  const Arguments framing{"--resize", "8x6", "--crop", "center", "--grey"};
  Outcome outcome = train(images, run, framing);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const apps::Config config = config_of(run);
  CHECK(config.options.resize == "8x6");
  CHECK(config.options.crop == "center");
  CHECK(config.options.grey);
  CHECK(config.data.height == 8);
  CHECK(config.data.width == 6);
  CHECK(config.data.channels == 1);

  outcome = semidual({"train", "--out", run, "--resume", "--iterations", "2"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  outcome = semidual({"evaluate", run, "--reference", other, "--threads", "1"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  outcome = semidual({"sample", run, "--grid", "1x2", "--neighbours", "--out", temporary / "n.png"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  refused(semidual({"evaluate", run, "--reference", other, "--grey"}), "are for given samples: a run has its own");
  refused(semidual({"train", "--out", run, "--resume", "--resize", "6x6"}), "--resize can't change on --resume");

  // Other images against the first, as samples from anywhere.
  outcome = semidual(Arguments{"evaluate", other, "--data", images, "--reference", images, "--threads", "1"} + framing);
  refused(outcome, "is the training data itself");
  outcome = semidual(Arguments{"evaluate", images, "--data", images, "--reference", other, "--threads", "1"} + framing);
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
}

TEST_CASE("images with alpha are learned, sampled with it and compared with what is read back of them") {
  const TemporaryFolder temporary;
  const std::string images = temporary / "images", other = temporary / "other", run = temporary / "run";
  for (const std::string& folder : {images, other}) std::filesystem::create_directory(folder);
  for (int i = 0; i < 60; ++i) {
    write_png(images + engine::text("/", i, ".png"), 8, 9, 4, std::uint64_t(i));
    write_png(other + engine::text("/", i, ".png"), 8, 9, 4, std::uint64_t(100 + i));
  }
  for (const Arguments& kind : {Arguments{"--generator", "dcgan"}, Arguments{"--generator", "mlp"}}) {
    const Outcome outcome = train(images, run, kind + Arguments{"--alpha", "--force"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(config_of(run).data.channels == 4);
  }
  CHECK(data::read_image(apps::RunFolder{run}.grid(1)).channels == 3);

  const std::string npy = temporary / "x.npy";
  REQUIRE(semidual({"sample", run, "--count", "60", "--out", npy}).code == 0);
  const data::Array array = data::read_npy(npy);
  CHECK(array.shape == std::vector<std::int64_t>{60, 8, 9, 4});
  REQUIRE(semidual({"sample", run, "--grid", "1x1", "--out", temporary / "one.png"}).code == 0);
  const std::vector<float> made = array.as<float>();
  std::vector<float> first(made.begin(), made.begin() + 288);
  data::multiply_by_alpha(first);
  const std::vector<std::uint8_t> before_black = data::read_image(temporary / "one.png").bytes;
  for (std::size_t pixel = 0; pixel < 72; ++pixel)
    for (std::size_t c = 0; c < 3; ++c)
      CHECK(std::abs(255 * first[4 * pixel + c] - before_black[3 * pixel + c]) <= 1.01);

  for (const Arguments& what : {Arguments{run}, Arguments{npy, "--data", images, "--alpha"}}) {
    const Outcome outcome = semidual(Arguments{"evaluate"} + what + Arguments{"--reference", other, "--threads", "1"});
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
  }
  refused(semidual({"evaluate", npy, "--data", images, "--reference", other}),
          "x.npy holds 8x9 RGBA images, the data are 8x9 colour images");
  data::write_npy<float>(npy, {60, 288}, made);
  refused(semidual({"evaluate", npy, "--data", images, "--reference", other, "--alpha"}),
          "x.npy holds points of dimension 288, the data are 8x9 RGBA images");
}

TEST_CASE("what no framing can be is refused") {
  const TemporaryFolder temporary;
  const std::string run = temporary / "run";
  for (const char* const size : {"32", "32x", "0x3", "3x-1", "3x3x3", "x"})
    refused(train("digits", run, {"--resize", size}), "--resize must be HEIGHTxWIDTH, such as 32x32: '");
  refused(train("digits", run, {"--crop", "center"}), "--crop center is for --resize, the shape to crop to");
  refused(train("digits", run, {"--crop", "left", "--resize", "3x3"}), "--crop 'left' is unknown: it must be center");
  refused(train("digits", run, {"--points", "9", "--resize", "3x3"}),
          "--resize 3x3 is for a folder of images, which digits is not: leave it out");
  refused(train("digits", run, {"--points", "9", "--alpha"}),
          "--alpha is for a folder of images, which digits is not: leave it out");
  refused(train("digits", run, {"--alpha", "--grey"}),
          "--grey takes transparent parts before black: leave it or --alpha out");
}

TEST_CASE("subfolders of images are classes, whose shares evaluate compares") {
  const TemporaryFolder temporary;
  const std::string images = temporary / "images", run = temporary / "run";
  for (const char* const name : {"cat", "dog"}) {
    std::filesystem::create_directories(images + "/" + name);
    for (int i = 0; i < 60; ++i)
      write_png(images + engine::text("/", name, "/", i, ".png"), 8, 8, 1, std::uint64_t(i + 100 * *name));
  }
  Outcome outcome = train(images, run, {"--hold-out", "0.5"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  outcome = semidual({"evaluate", run, "--threads", "1"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "A class is that of the nearest training point"));
  CHECK(contains(content(run + "/evaluation.json"), "\"classes.total_variation\""));
}

TEST_CASE("the test half of a set that lies in a folder is what its runs are compared with, and a classifier too") {
  const TemporaryFolder temporary;
  const std::string set = temporary / "set", run = temporary / "run";
  std::filesystem::create_directory(set);
  write(set + "/train-images-idx3-ubyte", idx(100, false, 0));
  write(set + "/train-labels-idx1-ubyte", idx(100, true, 0));
  REQUIRE(train(set, run).code == 0);
  refused(semidual({"evaluate", run}), "there are no held-out points: give some with --reference");
  refused(semidual({"features", "--data", set, "--out", temporary / "f.safetensors"}),
          "has no test images, to measure the accuracy on, beside it");
  write(set + "/t10k-images-idx3-ubyte", idx(60, false, 1));
  write(set + "/t10k-labels-idx1-ubyte", idx(60, true, 1));
  const Outcome outcome = semidual({"evaluate", run, "--threads", "1"});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(contains(outcome.out, "of the 60 points of " + set + ":test;"));
  CHECK(contains(outcome.out, "A class is that of the nearest training point, right for "));
}
