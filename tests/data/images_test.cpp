#include "data/images.h"

#include <cstdlib>

#include "engine/parallel.h"
#include "tests/data/encode.h"
#include "tests/data/exif_segment.h"
#include "tests/data/files.h"

using doctest::Contains;

namespace {

// 3 wide, 2 high.
const std::vector<std::uint8_t> grey{0, 50, 100, 150, 200, 255};

std::vector<std::uint8_t> in_channels(const std::vector<std::uint8_t>& pixels, int channels, int step = 0) {
  std::vector<std::uint8_t> result;
  for (const int pixel : pixels)
    for (int c = 0; c < channels; ++c) result.push_back(static_cast<std::uint8_t>((pixel + c * step) % 256));
  return result;
}

}  // namespace

TEST_CASE("a folder of grey images is read in the order of their names") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> dark(6, 7);
  put(folder / "b.PNG", png_of(grey, 3, 2, 1));
  put(folder / "a.png", png_of(dark, 3, 2, 1));
  put(folder / "notes.txt", "not an image");
  std::filesystem::create_directory(folder / "more");
  const data::Images images = data::read_images(folder.path());
  CHECK(images.count == 2);
  CHECK(images.height == 2);
  CHECK(images.width == 3);
  CHECK(images.channels == 1);
  std::vector<std::uint8_t> both = dark;
  both.insert(both.end(), grey.begin(), grey.end());
  CHECK(images.bytes == both);
  CHECK(data::read_images(folder.path(), 1).bytes == dark);
  CHECK(data::read_images(folder.path(), 5).count == 2);
}

TEST_CASE("colour images keep their channels, grey ones among them become colour, transparent parts are black") {
  TemporaryFolder folder;
  const auto colour = in_channels(grey, 3, 40);
  put(folder / "1.png", png_of(colour, 3, 2, 3));
  CHECK(data::read_images(folder.path()).bytes == colour);
  put(folder / "2.png", png_of(grey, 3, 2, 1));
  const data::Images images = data::read_images(folder.path());
  CHECK(images.channels == 3);
  CHECK(std::vector(images.bytes.begin() + 18, images.bytes.end()) == in_channels(grey, 3));

  TemporaryFolder transparent;
  // Each pixel as opaque as it is light: v v / 255.
  const std::vector<std::uint8_t> faded{0, 10, 39, 88, 157, 255};
  put(transparent / "1.png", png_of(in_channels(grey, 2), 3, 2, 2));
  CHECK(data::read_images(transparent.path()).bytes == faded);
  put(transparent / "1.png", png_of(in_channels(grey, 4), 3, 2, 4));
  CHECK(data::read_images(transparent.path()).bytes == in_channels(faded, 3));
}

TEST_CASE("JPEG images are read") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> flat(16 * 16 * 3, 100);
  put(folder / "a.jpg", jpeg_of(flat, 16, 16, 3));
  put(folder / "b.jpeg", jpeg_of(flat, 16, 16, 3));
  const data::Images images = data::read_images(folder.path());
  CHECK(images.count == 2);
  CHECK(images.height == 16);
  for (const int pixel : images.bytes) CHECK(std::abs(pixel - 100) <= 2);
}

TEST_CASE("a photograph is turned as its Exif data say, and its size with it") {
  TemporaryFolder folder;
  std::vector<std::uint8_t> halves(8 * 16, 20);  // 16 wide, 8 high, the right half light
  for (std::size_t k = 0; k < halves.size(); ++k)
    if (k % 16 >= 8) halves[k] = 220;
  std::string jpeg = jpeg_of(halves, 16, 8, 1);
  jpeg.insert(2, exif_segment('I', 6));  // a quarter turn clockwise
  put(folder / "a.jpg", jpeg);
  const data::Images images = data::read_images(folder.path());
  REQUIRE(images.height == 16);
  REQUIRE(images.width == 8);
  for (std::size_t k = 0; k < images.bytes.size(); ++k)
    CHECK(std::abs(images.bytes[k] - (k < images.bytes.size() / 2 ? 20 : 220)) <= 12);  // what was left is above
}

TEST_CASE("what of a folder is not read is told") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of(grey, 3, 2, 1));
  CHECK(data::read_images(folder.path()).left_out == "");
  put(folder / "._a.png", "what macOS keeps beside a.png");
  put(folder / "b.WEBP", "");
  put(folder / "c.gif", "");
  std::filesystem::create_directory(folder / "more");
  const data::Images images = data::read_images(folder.path());
  CHECK(images.count == 1);
  CHECK(images.left_out == "2 files that are no PNG or JPEG (.gif .webp), 1 hidden file, 1 subfolder");
}

TEST_CASE("images do not depend on the number of threads") {
  TemporaryFolder folder;
  for (int i = 0; i < 50; ++i)
    put(folder / engine::text("image-", i, ".png"), png_of(std::vector<std::uint8_t>(6, std::uint8_t(i)), 3, 2, 1));
  const int before = engine::threads();
  engine::set_threads(1);
  const auto one = data::read_images(folder.path()).bytes;
  engine::set_threads(2);
  CHECK(data::read_images(folder.path()).bytes == one);
  engine::set_threads(before);
}

TEST_CASE("truncated and damaged images are refused") {
  TemporaryFolder folder;
  auto read = [&] { data::read_images(folder.path()); };
  const std::string png = png_of(grey, 3, 2, 1);
  check_prefixes_refused(folder / "a.png", png, read);
  for (std::size_t i = 0; i < png.size(); ++i) {
    std::string damaged = png;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    put(folder / "a.png", damaged);
    INFO("byte ", i);
    CHECK(error_of(read) != "(no error)");  // every byte is under a checksum
  }
  std::filesystem::remove(folder / "a.png");
  const std::string jpeg = jpeg_of(grey, 3, 2, 1);
  check_prefixes_refused(folder / "a.jpg", jpeg, read);
  check_damage_survived(folder / "a.jpg", jpeg, read);
}

TEST_CASE("a JPEG whose Huffman table has more than 256 symbols is refused") {
  TemporaryFolder folder;
  std::string jpeg = jpeg_of(grey, 3, 2, 1);
  const std::size_t table = jpeg.find("\xff\xc4") + 4;
  jpeg[table + 16] = jpeg[table + 15] = '\xff';  // the numbers of its codes of 15 and 16 bits
  put(folder / "a.jpg", jpeg);
  CHECK(error_of([&] { data::read_images(folder.path()); }) == Contains("a.jpg: truncated or damaged JPEG"));
}

TEST_CASE("folders that are no data set are refused, each with its reason") {
  TemporaryFolder folder;
  auto refusal = [&] { return error_of([&] { data::read_images(folder.path()); }); };
  CHECK(refusal() == (folder.path() + ": holds no .png, .jpg or .jpeg file").c_str());
  put(folder / "a.webp", "");
  CHECK(refusal() == Contains("1 file that is no PNG or JPEG (.webp): convert images of other kinds to PNG"));
  std::filesystem::create_directory(folder / "cats");
  CHECK(refusal() == Contains("1 subfolder: give one of its subfolders"));
  put(folder / "b.png", png_of(grey, 3, 2, 1));
  put(folder / "a.png", png_of(grey, 2, 3, 1));
  CHECK(refusal() == Contains(((folder / "b.png") + ": is 3x2 pixels, " + (folder / "a.png") + " is 2x3").c_str()));
  put(folder / "a.png", "GIF89a");
  CHECK(refusal() == Contains("not a PNG or JPEG image"));
  CHECK(error_of([&] { data::read_images(folder / "none"); }) == Contains("can't be read: No such file"));
  CHECK(error_of([&] { data::read_images(folder / "b.png"); }) == Contains("Not a directory"));
}
