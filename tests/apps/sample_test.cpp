#include "apps/sample.h"

#include <cmath>
#include <filesystem>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/latents.h"
#include "apps/point_picture.h"
#include "apps/run_folder.h"
#include "apps/training_points.h"
#include "data/digits.h"
#include "data/images.h"
#include "data/npy.h"
#include "data/table.h"
#include "tests/apps/program.h"

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

namespace {

/// A run of one iteration in `folder`.
void make_run(const std::string& folder, const Arguments& more = {}) {
  REQUIRE(semidual(small_run(folder) + Arguments{"--iterations", "1"} + more).code == 0);
}

}  // namespace

TEST_CASE("a grid is rows x columns images") {
  const TemporaryFolder temporary;
  make_run(temporary / "run");
  fs::create_directory(temporary / "pictures");
  const std::string png = temporary / "pictures/grid.png";
  const Outcome outcome = semidual({"sample", temporary / "run", "--grid", "2x3", "--out", png});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.out == png + "\n");
  const data::Images image = data::read_images(temporary / "pictures");
  CHECK(image.height == 56);
  CHECK(image.width == 84);
  CHECK(
      semidual({"sample", temporary / "run", "--grid", "2x3", "--seed", "1", "--out", temporary / "other.png"}).code ==
      0);
  CHECK(content(temporary / "other.png") != content(png));
}

TEST_CASE("points are the same whatever the count, also past a batch, and whether drawn here or given as latents") {
  const TemporaryFolder temporary;
  for (const Arguments& kind : {Arguments{"--force"}, Arguments{"--force", "--generator", "dcgan"}}) {
    make_run(temporary / "run", kind + Arguments{"--latent-dim", "20", "--latent-scale", "5"});
    const auto made = [&](const Arguments& arguments) {
      const Outcome outcome =
          semidual(Arguments{"sample", temporary / "run", "--out", temporary / "points.npy"} + arguments);
      REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
      const data::Array array = data::read_npy(temporary / "points.npy");
      CHECK(array.dtype == "<f4");
      REQUIRE(array.shape.size() == 3);
      CHECK(array.shape[1] == 28);
      CHECK(array.shape[2] == 28);
      return array.as<float>();
    };
    const std::vector<float> many = made({"--count", "300"}), few = made({"--count", "2"});
    CHECK(many.size() == 300 * 784);
    CHECK(few.size() == 2 * 784);
    CHECK(std::equal(few.begin(), few.end(), many.begin()));

    const engine::Tensor z =
        apps::latents({.normal = true, .dimension = 20, .scale = 5}, 0, apps::Draw::sample, 0, 0, 3);
    data::write_npy<engine::real>(temporary / "z.npy", {3, 20}, z.values());
    const std::vector<float> given = made({"--latents", temporary / "z.npy"});
    CHECK(given.size() == 3 * 784);
    CHECK(std::equal(given.begin(), given.end(), many.begin()));
    const std::vector<float> rounded(z.values().begin(), z.values().end());
    data::write_npy<float>(temporary / "rounded.npy", {3, 20}, rounded);
    data::write_table(temporary / "rounded.csv", std::vector<data::Column>(20), rounded);
    const std::vector<float> of_table = made({"--latents", temporary / "rounded.csv"}),
                             of_array = made({"--latents", temporary / "rounded.npy"});
    REQUIRE(of_table.size() == of_array.size());
    // A table has the shortest decimals that tell a float, which in double are other numbers.
    for (std::size_t k = 0; k < of_table.size(); ++k) CHECK(std::abs(of_table[k] - of_array[k]) < 1e-4F);
  }
}

TEST_CASE("each row of an interpolated grid walks from one draw to the next") {
  const TemporaryFolder temporary;
  make_run(temporary / "run", {"--latent", "uniform", "--latent-dim", "100", "--latent-scale", "1"});
  fs::create_directory(temporary / "pictures");
  const std::string png = temporary / "pictures/grid.png";
  REQUIRE(semidual({"sample", temporary / "run", "--grid", "2x3", "--interpolate", "--out", png}).code == 0);
  const data::Images grid = data::read_image(png);

  const engine::Tensor z = apps::latents({}, 0, apps::Draw::sample, 0, 0, 4);
  std::vector<engine::real> walk;
  for (int row = 0; row < 2; ++row)
    for (int step = 0; step < 3; ++step)
      for (int k = 0; k < 100; ++k) {
        const engine::real from = z.data()[200 * row + k], to = z.data()[200 * row + 100 + k];
        walk.push_back(from + (to - from) * step / 2);
      }
  data::write_npy<engine::real>(temporary / "z.npy", {6, 100}, walk);
  REQUIRE(
      semidual({"sample", temporary / "run", "--latents", temporary / "z.npy", "--out", temporary / "x.npy"}).code ==
      0);
  const std::vector<float> points = data::read_npy(temporary / "x.npy").as<float>();
  REQUIRE(grid.height == 56);
  REQUIRE(grid.width == 84);
  for (int image = 0; image < 6; ++image)
    for (int pixel = 0; pixel < 784; pixel += 29) {
      const int row = image / 3 * 28 + pixel / 28, column = image % 3 * 28 + pixel % 28;
      CHECK(std::abs(grid.bytes[static_cast<std::size_t>(row * 84 + column)] -
                     255 * points[static_cast<std::size_t>(784 * image + pixel)]) <= 0.6);
    }
}

TEST_CASE("a grid of neighbours shows each image and then the training image next to it") {
  const TemporaryFolder temporary;
  make_run(temporary / "run");
  const std::string png = temporary / "grid.png";
  REQUIRE(semidual({"sample", temporary / "run", "--grid", "2x1", "--neighbours", "--out", png}).code == 0);
  REQUIRE(semidual({"sample", temporary / "run", "--grid", "2x1", "--out", temporary / "alone.png"}).code == 0);
  const data::Images grid = data::read_image(png), alone = data::read_image(temporary / "alone.png");
  const std::vector<std::uint8_t> digits = data::draw_digits(40, apps::digits_seed).images;
  REQUIRE(grid.height == 56);
  REQUIRE(grid.width == 56);
  for (int image = 0; image < 2; ++image) {
    std::vector<std::uint8_t> left, right;
    for (int y = 28 * image; y < 28 * (image + 1); ++y) {
      left.insert(left.end(), grid.bytes.begin() + 56 * y, grid.bytes.begin() + 56 * y + 28);
      right.insert(right.end(), grid.bytes.begin() + 56 * y + 28, grid.bytes.begin() + 56 * y + 56);
    }
    CHECK(std::equal(left.begin(), left.end(), alone.bytes.begin() + 784 * image));
    const auto squared_distance = [&](auto digit) {
      int sum = 0;
      for (int k = 0; k < 784; ++k) sum += (left[std::size_t(k)] - digit[k]) * (left[std::size_t(k)] - digit[k]);
      return sum;
    };
    int least = squared_distance(digits.begin());
    for (int j = 1; j < 40; ++j) least = std::min(least, squared_distance(digits.begin() + 784 * j));
    // What is shown of a generated image is rounded to bytes.
    CHECK(squared_distance(right.begin()) <= 1.001 * least);
  }
}

TEST_CASE("a GIF shows the grids of a run in their order") {
  const TemporaryFolder temporary;
  make_run(temporary / "run", {"--iterations", "3", "--samples-every", "1"});
  const std::string gif = temporary / "training.gif";
  const Outcome outcome = semidual({"sample", temporary / "run", "--gif", gif});
  CHECK_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.out == gif + "\n");
  // A frame's image begins with ',' at (0, 0), 224x224.
  const std::string bytes = content(gif), frame("\x2c\0\0\0\0\xe0\0\xe0\0", 9);
  int frames = 0;
  for (std::size_t at = bytes.find(frame); at != bytes.npos; at = bytes.find(frame, at + 1)) ++frames;
  CHECK(frames == 3);

  fs::remove_all(temporary / "run/samples");
  CHECK(semidual({"sample", temporary / "run", "--gif", gif}).err.find("holds no pictures to show") !=
        std::string::npos);
}

TEST_CASE("requests that won't do are one line, exit code 2, and nothing written") {
  const TemporaryFolder temporary, outputs;
  make_run(temporary / "run", {"--latent-dim", "20"});
  data::write_npy<float>(temporary / "narrow.npy", {2, 3}, std::vector<float>(6));
  std::vector<float> bad(20);
  bad[7] = NAN;
  data::write_npy<float>(temporary / "nan.npy", {1, 20}, bad);
  const auto refused = [&](const std::string& run, const std::string& out, const Arguments& arguments,
                           const std::string& why) {
    const Outcome outcome = semidual(Arguments{"sample", temporary / run, "--out", out} + arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.err.find(why) != std::string::npos, outcome.err);
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outputs.empty());
  };
  const std::string png = outputs / "x.png", npy = outputs / "x.npy";
  refused("run", npy, {}, "give one of --grid ROWSxCOLUMNS, --scatter, --count N, --latents Z.npy and --gif FILE.gif");
  refused("run", npy, {"--count", "3", "--grid", "2x2"}, "give one of");
  refused("run", npy, {"--count", "-3"}, "--count must be at least 1: -3");
  refused("run", npy, {"--grid", "2x2"}, "--out must end in .png");
  refused("run", png, {"--count", "2"}, "--out must end in .npy");
  for (const char* grid : {"2", "2x", "0x2", "-1x2", "2x2x2", "axb", "99999x1"})
    refused("run", png, {"--grid", grid}, "--grid must be ROWSxCOLUMNS, such as 8x8: '" + std::string(grid) + "'");
  refused("run", "", {"--count", "2"}, "--out is missing");
  refused("run", png, {"--gif", outputs / "x.gif"}, "--gif names the file to write: leave out --out");
  refused("run", "", {"--gif", png}, "--gif must end in .gif for that: '" + png + "'");
  refused("run", "", {"--gif", outputs / "x.gif", "--grid", "2x2"}, "give one of");
  refused("run", npy, {"--count", "2", "--interpolate"}, "--interpolate makes a grid: give --grid ROWSxCOLUMNS");
  refused("run", npy, {"--count", "2", "--neighbours"}, "--neighbours makes a grid: give --grid ROWSxCOLUMNS");
  refused("run", png, {"--grid", "2x2", "--neighbours", "--interpolate"}, "give one of --interpolate and --neighbours");
  refused("run", npy, {"--scatter"}, "--out must end in .png");
  refused("run", png, {"--scatter", "--grid", "2x2"}, "--scatter draws points: leave out --grid and --gif");
  refused("run", png, {"--scatter"}, "--scatter is for points, the run makes images: take --grid 8x8");
  refused("run", png, {"--grid", "2x1", "--interpolate"}, "--interpolate takes at least 2 columns");
  refused("run", npy, {"--count", "900000000000"}, "of memory");
  refused("run", npy, {"--latents", temporary / "narrow.npy"}, "must hold an array of shape [N, 20]");
  refused("run", npy, {"--latents", temporary / "nan.npy"}, "holds NaN or infinity");
  refused("run", npy, {"--latents", temporary / "missing.npy"}, "missing.npy");
  refused("missing", npy, {"--count", "2"}, "missing/config.json");
  refused("run", outputs / "missing/x.npy", {"--count", "2"}, "missing");
}

TEST_CASE("a checkpoint of another architecture is refused with the tensor and both shapes") {
  const TemporaryFolder temporary;
  make_run(temporary / "run", {"--latent-dim", "20"});
  make_run(temporary / "dcgan", {"--generator", "dcgan", "--latent-dim", "20"});
  fs::copy_file(apps::RunFolder{temporary / "dcgan"}.checkpoint(), apps::RunFolder{temporary / "run"}.checkpoint(),
                fs::copy_options::overwrite_existing);
  const Outcome outcome = semidual({"sample", temporary / "run", "--count", "1", "--out", temporary / "x.npy"});
  CHECK(outcome.code == 2);
  CHECK_MESSAGE(outcome.err.find("does not fit the run's mlp generator: tensor generator.0.weight is [20, 256, 3, 3], "
                                 "it should be [256, 20]") != std::string::npos,
                outcome.err);
}

TEST_CASE("points that are not images are sampled as arrays, and drawn over the data") {
  const TemporaryFolder temporary;
  data::write_npy<float>(temporary / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 1, 1, 1});
  make_run(temporary / "run", {"--points", "0", "--data", temporary / "points.npy"});
  CHECK(semidual({"sample", temporary / "run", "--count", "5", "--out", temporary / "x.npy"}).code == 0);
  CHECK(data::read_npy(temporary / "x.npy").shape == std::vector<std::int64_t>{5, 2});
  const Outcome grid = semidual({"sample", temporary / "run", "--grid", "2x2", "--out", temporary / "x.png"});
  CHECK(grid.code == 2);
  CHECK(grid.err == "semidual: --grid is for images, the run makes points of dimension 2: take --scatter or --count\n");

  // A generator's 2000 draws of seed 1, by default, or those of some latents, are what --count would write.
  REQUIRE(semidual({"sample", temporary / "run", "--scatter", "--seed", "1", "--out", temporary / "a.png"}).code == 0);
  REQUIRE(
      semidual({"sample", temporary / "run", "--count", "2000", "--seed", "1", "--out", temporary / "x.npy"}).code ==
      0);
  const std::vector<engine::real> drawn = data::read_npy(temporary / "x.npy").as<engine::real>();
  const apps::Config config = apps::read_config(apps::RunFolder{temporary / "run"}.config());
  apps::PointPicture(apps::training_points(config), {}).write(temporary / "b.png", engine::Tensor({2000, 2}, drawn));
  CHECK(content(temporary / "a.png") == content(temporary / "b.png"));
  REQUIRE(semidual({"sample", temporary / "run", "--scatter", "--count", "7", "--out", temporary / "c.png"}).code == 0);
  CHECK(content(temporary / "a.png") != content(temporary / "c.png"));

  const std::string gif = temporary / "x.gif";
  CHECK(semidual({"sample", temporary / "run", "--gif", gif}).code == 0);
  CHECK(content(gif).substr(6, 4) == std::string("\xfb\x01\xfb\x01", 4));  // 507x507
}
