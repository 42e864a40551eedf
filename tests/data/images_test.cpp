#include "data/images.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include "data/image_folder.h"
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

TEST_CASE(
    "alpha is a fourth channel where it is asked for, colours are multiplied by it, also before they are shrunk") {
  TemporaryFolder folder;
  put(folder / "1.png", png_of({100, 50, 255, 128, 9, 8, 7, 0}, 2, 1, 4));
  put(folder / "2.png", png_of({200, 51, 40, 255}, 2, 1, 2));
  put(folder / "3.png", png_of({1, 2, 3, 4, 5, 6}, 2, 1, 3));
  data::Images images = data::read_images(folder.path(), 0, {.alpha = true});
  CHECK(images.channels == 4);
  CHECK(images.bytes == std::vector<std::uint8_t>{50, 25, 128, 128, 0,  0,  0,  0,    //
                                                  40, 40, 40,  51,  40, 40, 40, 255,  //
                                                  1,  2,  3,   255, 4,  5,  6,  255});
  images = data::read_images(folder.path(), 1, {.height = 1, .width = 1, .alpha = true});
  CHECK(images.bytes == std::vector<std::uint8_t>{25, 13, 64, 64});
  CHECK(data::read_images(folder.path()).channels == 3);
  std::filesystem::remove(folder / "1.png");
  std::filesystem::remove(folder / "2.png");
  CHECK(error_of([&] { data::read_images(folder.path(), 0, {.alpha = true}); }) ==
        Contains(": no image of it has transparent parts: leave out --alpha"));
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

TEST_CASE("BMP, PGM and PPM images are read, whole ones alone") {
  const std::vector<std::uint8_t> colour = in_channels(grey, 3, 40);
  const std::string pixels(grey.begin(), grey.end()), colours(colour.begin(), colour.end());
  const std::vector<std::pair<std::string, std::string>> files{{"a.bmp", bmp_of(colour, 3, 2, 3)},
                                                               {"a.ppm", "P6\n3 2\n255\n" + colours},
                                                               {"a.pgm", "P5 3 # wide\n2\n255 " + pixels}};
  for (const auto& [name, content] : files) {
    TemporaryFolder folder;
    put(folder / name, content);
    const data::Images images = data::read_images(folder.path());
    CHECK(images.height == 2);
    CHECK(images.width == 3);
    CHECK(images.channels == (name == "a.pgm" ? 1 : 3));
    CHECK(images.bytes == (name == "a.pgm" ? grey : colour));
    check_prefixes_refused(folder / name, content, [&] { data::read_images(folder.path()); });
  }
}

TEST_CASE("a BMP from its top down is read as it stands") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> colour = in_channels(grey, 3, 40);
  std::string bmp = bmp_of(colour, 3, 2, 3);
  bmp.replace(22, 4, "\xfe\xff\xff\xff");  // a height of -2
  put(folder / "a.bmp", bmp);
  const data::Images image = data::read_image(folder / "a.bmp");
  CHECK(image.height == 2);
  CHECK(std::equal(image.bytes.begin(), image.bytes.begin() + 9, colour.begin() + 9));
  CHECK(std::equal(image.bytes.begin() + 9, image.bytes.end(), colour.begin()));
  bmp.replace(22, 4, std::string(4, '\0'));
  put(folder / "a.bmp", bmp);
  CHECK(error_of([&] { data::read_image(folder / "a.bmp"); }) == Contains("a.bmp: has no pixels"));
}

TEST_CASE("a PGM whose white is not 255 is refused") {
  TemporaryFolder folder;
  for (const char* const content : {"P5 1 1 15\n\7", "P5 1 1 65535\n\7\7"}) {
    put(folder / "a.pgm", content);
    CHECK(error_of([&] { data::read_images(folder.path()); }) == Contains("not 255; convert it to PNG"));
  }
}

TEST_CASE("images of several sizes are brought to one") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of(std::vector<std::uint8_t>(20 * 10, 80), 20, 10, 1));
  put(folder / "b.png", png_of(std::vector<std::uint8_t>(6 * 8, 120), 6, 8, 1));
  const data::Images images = data::read_images(folder.path(), 0, {.height = 4, .width = 5});
  CHECK(images.height == 4);
  CHECK(images.width == 5);
  for (std::size_t k = 0; k < images.bytes.size(); ++k) CHECK(images.bytes[k] == (k < 20 ? 80 : 120));
}

TEST_CASE("a crop keeps the middle of the longer side, without it an image is distorted") {
  TemporaryFolder folder;
  std::vector<std::uint8_t> wide(16 * 4, 10), tall(4 * 16, 10);  // light in the middle square
  for (std::size_t k = 0; k < wide.size(); ++k) {
    if (k % 16 >= 6 && k % 16 < 10) wide[k] = 200;
    if (k / 4 >= 6 && k / 4 < 10) tall[k] = 200;
  }
  put(folder / "a.png", png_of(wide, 16, 4, 1));
  put(folder / "b.png", png_of(tall, 4, 16, 1));
  const data::Images cropped = data::read_images(folder.path(), 0, {.height = 2, .width = 2, .crop = true});
  CHECK(cropped.bytes == std::vector<std::uint8_t>(8, 200));
  const data::Images distorted = data::read_images(folder.path(), 0, {.height = 4, .width = 4});
  for (const std::size_t edge : {0, 3, 12, 15}) CHECK(distorted.bytes[edge] < 60);
  for (const std::size_t edge : {16, 19, 28, 31}) CHECK(distorted.bytes[edge] < 60);
  CHECK(distorted.bytes[5] > 100);
}

TEST_CASE("colours beside alpha are brought to a size as they are before black") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of({200, 0, 0, 255, 0, 250, 0, 10, 9, 9, 9, 100, 7, 7, 7, 0}, 4, 1, 4));
  const data::Images beside = data::read_images(folder.path(), 0, {.height = 1, .width = 1, .alpha = true}),
                     before = data::read_images(folder.path(), 0, {.height = 1, .width = 1});
  REQUIRE(beside.channels == 4);
  REQUIRE(before.channels == 3);
  for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(beside.bytes[c] - before.bytes[c]) <= 1);
}

TEST_CASE("an image of the size that is asked for stays as it is") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of(grey, 3, 2, 1));
  CHECK(data::read_images(folder.path(), 0, {.height = 2, .width = 3, .crop = true}).bytes == grey);
}

TEST_CASE("colours become how light they are where grey is asked for") {
  TemporaryFolder folder;
  put(folder / "a.png", png_of({255, 0, 0, 0, 255, 0, 0, 0, 255}, 3, 1, 3));
  const data::Images images = data::read_images(folder.path(), 0, {.grey = true});
  CHECK(images.channels == 1);
  REQUIRE(images.bytes.size() == 3);  // 0.299, 0.587 and 0.114 of 255
  CHECK(std::abs(images.bytes[0] - 76) <= 1);
  CHECK(std::abs(images.bytes[1] - 150) <= 1);
  CHECK(std::abs(images.bytes[2] - 29) <= 1);
}

TEST_CASE("subfolders of images are classes, in the order of their names") {
  TemporaryFolder folder;
  for (const char* const name : {"dog", "cat", "none"}) std::filesystem::create_directory(folder / name);
  put(folder / "dog/1.png", png_of(std::vector<std::uint8_t>(6, 3), 3, 2, 1));
  put(folder / "cat/2.png", png_of(std::vector<std::uint8_t>(6, 2), 3, 2, 1));
  put(folder / "cat/1.png", png_of(std::vector<std::uint8_t>(6, 1), 3, 2, 1));
  put(folder / "cat/.DS_Store", "");
  put(folder / "labels.txt", "");
  const data::Images images = data::read_images(folder.path());
  CHECK(images.count == 3);
  CHECK(images.bytes[0] == 1);
  CHECK(images.bytes[6] == 3);
  CHECK(images.bytes[12] == 2);
  CHECK(images.left_out == "1 file of another kind (.txt), 1 hidden file, 1 subfolder");
  const data::ImageFolder list = data::list_images(folder.path());
  CHECK(list.labels == std::vector<std::uint8_t>{0, 1, 0});
  put(folder / "1.png", png_of(grey, 3, 2, 1));
  CHECK(data::list_images(folder.path()).labels.empty());
  CHECK(data::read_images(folder.path()).count == 1);
}

TEST_CASE("more than 256 classes are refused") {
  TemporaryFolder folder;
  for (int i = 0; i < 257; ++i) {
    std::filesystem::create_directory(folder / std::to_string(i));
    put(folder / engine::text(i, "/a.png"), "");
  }
  CHECK(error_of([&] { data::list_images(folder.path()); }) ==
        (folder.path() + ": has 257 subfolders of images, each a class; there can be 256").c_str());
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
  CHECK(images.left_out == "2 files of other kinds (.gif .webp), 1 hidden file, 1 subfolder");
  for (const char* const litter : {".DS_Store", "Thumbs.db", "desktop.ini"}) put(folder / litter, "");
  put(folder / "README", "");
  CHECK(data::read_images(folder.path()).left_out ==
        "3 files of other kinds (.gif .webp README), 4 hidden files, 1 subfolder");
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

TEST_CASE("a PNG that is cut off, or in which a bit flips, is refused: every byte is under a checksum") {
  TemporaryFolder folder;
  const std::string path = folder / "a.png", png = png_of(grey, 3, 2, 1);
  const auto read = [&] { return engine::text(data::read_image(path).count); };
  check_prefixes_refused(path, png, read);
  CHECK(check_flips(path, png, read, [](const auto&) { return "none"; }) == 0);
}

TEST_CASE("images without checksums in which a bit flips are refused or of the size that they tell") {
  const std::vector<std::uint8_t> colour = in_channels(grey, 3, 40);
  const std::string jpeg = jpeg_of(grey, 3, 2, 1), pixels(colour.begin(), colour.end());
  const auto byte = [](const std::string& content, std::size_t at) {
    return int{static_cast<unsigned char>(content[at])};
  };
  const auto told_by_jpeg = [&](const std::string& content) {
    const std::size_t frame = jpeg.find("\xff\xc0");
    return engine::text(256 * byte(content, frame + 7) + byte(content, frame + 8), 'x',
                        256 * byte(content, frame + 5) + byte(content, frame + 6));
  };
  const auto told_by_bmp = [&](const std::string& content) {
    std::array<std::int32_t, 2> sizes{};
    std::memcpy(sizes.data(), content.data() + 18, sizeof sizes);
    return engine::text(sizes[0], 'x', std::abs(sizes[1]));
  };
  const auto told_by_ppm = [](const std::string& content) {
    std::istringstream text(content.substr(2));
    int width = 0, height = 0;
    text >> width >> height;
    return engine::text(width, 'x', height);
  };
  TemporaryFolder folder;
  const auto check = [&](const std::string& path, const std::string& content, const auto& told) {
    const auto read = [&] {
      const data::Images image = data::read_image(path);
      CHECK(image.bytes.size() == static_cast<std::size_t>(image.height * image.width * image.channels));
      return engine::text(image.width, 'x', image.height);
    };
    CHECK(check_flips(path, content, read, told) > 0);
  };
  check(folder / "a.jpg", jpeg, told_by_jpeg);
  check_prefixes_refused(folder / "b.jpg", jpeg, [&] { data::read_image(folder / "b.jpg"); });
  check(folder / "a.bmp", bmp_of(colour, 3, 2, 3), told_by_bmp);
  check(folder / "a.ppm", "P6 3 2 255 " + pixels, told_by_ppm);
}

TEST_CASE("a JPEG whose Huffman table has more than 256 symbols is refused") {
  TemporaryFolder folder;
  std::string jpeg = jpeg_of(grey, 3, 2, 1);
  const std::size_t table = jpeg.find("\xff\xc4") + 4;
  jpeg[table + 16] = jpeg[table + 15] = '\xff';  // the numbers of its codes of 15 and 16 bits
  put(folder / "a.jpg", jpeg);
  CHECK(error_of([&] { data::read_images(folder.path()); }) == Contains("a.jpg: truncated or damaged JPEG"));
}

TEST_CASE("a JPEG that lacks its Huffman tables does not read what was in memory before") {
  TemporaryFolder folder;
  std::string jpeg = jpeg_of(std::vector<std::uint8_t>(16 * 16, 100), 16, 16, 1);
  for (std::size_t table; (table = jpeg.find("\xff\xc4")) != jpeg.npos;)
    jpeg.erase(table, 2 + static_cast<std::size_t>(256 * static_cast<unsigned char>(jpeg[table + 2]) +
                                                   static_cast<unsigned char>(jpeg[table + 3])));
  put(folder / "a.jpg", jpeg);
  std::vector<std::vector<std::uint8_t>> read;
  for (const char before : {'\x00', '\x55', '\xff'}) {
    for (std::size_t size = 1 << 10; size < 1 << 16; size += 1 << 10) std::string(size, before);
    read.push_back(data::read_image(folder / "a.jpg").bytes);
  }
  CHECK(read[0] == read[1]);
  CHECK(read[0] == read[2]);
}

TEST_CASE("folders that are no data set are refused, each with its reason") {
  TemporaryFolder folder;
  auto refusal = [&] { return error_of([&] { data::read_images(folder.path()); }); };
  CHECK(refusal() == (folder.path() + ": holds no PNG, JPEG, BMP, PGM or PPM file, nor do its subfolders").c_str());
  put(folder / "a.webp", "");
  CHECK(refusal() == Contains(", but 1 file of another kind (.webp): convert other images to PNG, or"));
  std::filesystem::create_directory(folder / "cats");
  CHECK(refusal() == Contains("1 subfolder: convert other images to PNG, or give the folder they lie in"));
  put(folder / "b.png", png_of(grey, 3, 2, 1));
  put(folder / "a.png", png_of(grey, 2, 3, 1));
  CHECK(refusal() == Contains(((folder / "b.png") + ": is 3x2 pixels, " + (folder / "a.png") + " is 2x3").c_str()));
  put(folder / "a.png", "GIF89a");
  CHECK(refusal() == Contains("a.png: not a PNG, JPEG, BMP, PGM (P5) or PPM (P6) image"));
  CHECK(error_of([&] { data::read_images(folder / "none"); }) == Contains("can't be read: No such file"));
  CHECK(error_of([&] { data::read_images(folder / "b.png"); }) == Contains("Not a directory"));
}
