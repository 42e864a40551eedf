#include "data/gif.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include <gif_lib.h>

#include "tests/data/files.h"

using doctest::Contains;

namespace {

data::Images noise(int height, int width, int channels, unsigned seed) {
  data::Images image{1, height, width, channels, {}};
  for (int i = 0; i < height * width * channels; ++i)
    image.bytes.push_back(static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24));
  return image;
}

struct Decoded {
  int height = 0, width = 0;
  std::vector<std::vector<std::array<int, 3>>> frames;  // colours
  std::vector<int> hundredths;
};

Decoded decoded(const std::string& path) {
  int error = 0;
  const auto close = [](GifFileType* gif) { DGifCloseFile(gif, nullptr); };
  const std::unique_ptr<GifFileType, decltype(close)> gif(DGifOpenFileName(path.c_str(), &error), close);
  REQUIRE(gif != nullptr);
  REQUIRE(DGifSlurp(gif.get()) == GIF_OK);
  Decoded animation{gif->SHeight, gif->SWidth, {}, {}};
  for (int i = 0; i < gif->ImageCount; ++i) {
    const SavedImage& image = gif->SavedImages[i];
    std::vector<std::array<int, 3>> pixels;
    for (int k = 0; k < image.ImageDesc.Width * image.ImageDesc.Height; ++k) {
      const GifColorType colour = gif->SColorMap->Colors[image.RasterBits[k]];
      pixels.push_back({colour.Red, colour.Green, colour.Blue});
    }
    animation.frames.push_back(std::move(pixels));
    GraphicsControlBlock control;
    REQUIRE(DGifSavedExtensionToGCB(gif.get(), i, &control) == GIF_OK);
    animation.hundredths.push_back(control.DelayTime);
  }
  return animation;
}

}  // namespace

TEST_CASE("a grey GIF decodes to its frames, their times and without end") {
  TemporaryFolder folder;
  data::write_gif(
      folder / "a.gif", 5, [](std::int64_t i) { return noise(9, 13, 1, static_cast<unsigned>(i)); }, 7, 200);
  CHECK(folder.count() == 1);
  const Decoded animation = decoded(folder / "a.gif");
  CHECK(animation.height == 9);
  CHECK(animation.width == 13);
  CHECK(animation.hundredths == std::vector<int>{7, 7, 7, 7, 200});
  REQUIRE(animation.frames.size() == 5);
  for (unsigned i = 0; i < 5; ++i) {
    const data::Images frame = noise(9, 13, 1, i);
    for (std::size_t k = 0; k < frame.bytes.size(); ++k)
      CHECK(animation.frames[i][k] == std::array<int, 3>{frame.bytes[k], frame.bytes[k], frame.bytes[k]});
  }
  CHECK(get(folder / "a.gif").find(std::string("NETSCAPE2.0\3\1\0\0\0", 16)) != std::string::npos);
}

TEST_CASE("colours come out as one of their two nearest levels, and on average as they are") {
  TemporaryFolder folder;
  const data::Images frame = noise(16, 16, 3, 1);
  const data::Images even{1, 16, 16, 3, std::vector<std::uint8_t>(768, 100)};
  data::write_gif(
      folder / "a.gif", 2, [&](std::int64_t i) { return i == 0 ? frame : even; }, 10, 10);
  const Decoded animation = decoded(folder / "a.gif");
  const std::array<int, 3> step{51, 43, 51};
  for (std::size_t k = 0; k < 256; ++k)
    for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(animation.frames[0][k][c] - frame.bytes[3 * k + c]) <= step[c]);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::size_t k = 0; k < 256; ++k) sum += animation.frames[1][k][c];
    CHECK(std::abs(sum / 256 - 100) < 3);
  }
}

TEST_CASE("a GIF without frames, of two sizes or in no folder is refused, and none is left") {
  TemporaryFolder folder;
  const auto refusal = [&](const std::string& path, std::int64_t count, int height) {
    return error_of([&] {
      data::write_gif(
          path, count, [&](std::int64_t i) { return noise(i == 0 ? 4 : height, 4, 1, 0); }, 10, 10);
    });
  };
  CHECK(refusal(folder / "a.gif", 0, 4) == Contains("a.gif: there are no images to show"));
  CHECK(refusal(folder / "a.gif", 2, 5) == Contains("must be of one size and kind: one is 4x5x1, the first 4x4x1"));
  CHECK(refusal(folder / "none/a.gif", 1, 4) == Contains("can't be written"));
  CHECK(error_of([&] {
          data::write_gif(
              folder / "a.gif", 1, [](std::int64_t) { return noise(1, 65536, 1, 0); }, 10, 10);
        }) == Contains("a GIF has at most 65535 pixels a side, not 65536x1"));
  CHECK(error_of([&] {
          data::write_gif(
              folder / "a.gif", 1, [](std::int64_t) { return noise(1, 1, 4, 0); }, 10, 10);
        }) == Contains("a GIF needs 1 or 3 channels, not 4"));
  CHECK(folder.count() == 0);
}
