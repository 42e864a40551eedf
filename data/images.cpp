#include "data/images.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string_view>

#include <zlib.h>

#include "data/big_endian.h"
#include "data/exif.h"
#include "data/file.h"
#include "engine/error.h"
#include "engine/parallel.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace data {

namespace {

using engine::fail;
using engine::require;

constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Whether all chunks (length, type, content, CRC) up to IEND are there and sound: stb_image does not look.
bool is_whole_png(std::string_view content) {
  content.remove_prefix(png_signature.size());
  while (content.size() >= 12) {
    const std::size_t length = big_endian(content, 4);
    if (length > content.size() - 12) return false;
    const std::string_view checked = content.substr(4, length + 4);
    const auto crc = crc32_z(0, reinterpret_cast<const unsigned char*>(checked.data()), checked.size());
    if (crc != big_endian(content.substr(8 + length), 4)) return false;
    if (checked == "IEND") return true;
    content.remove_prefix(12 + length);
  }
  return false;
}

// Whether every Huffman table of a DHT segment (class, 16 counts, that many symbols) has at most 256 symbols: stb_image
// writes beyond its own table otherwise.
bool are_huffman_tables(std::string_view segment) {
  while (segment.size() >= 17) {
    std::size_t symbols = 0;
    for (const unsigned char count : segment.substr(1, 16)) symbols += count;
    if (symbols > 256 || symbols > segment.size() - 17) return false;
    segment.remove_prefix(17 + symbols);
  }
  return segment.empty();
}

// Where the coded pixels of a scan end: at a marker, which ff 00 (a byte of theirs), ff ff and ff d0 to ff d7 (restarts
// among them) are not. npos if they do not end.
std::size_t scan_end(std::string_view coded) {
  std::size_t at = coded.find('\xff');
  for (; at != std::string_view::npos; at = coded.find('\xff', at + 1)) {
    if (at + 1 == coded.size()) return std::string_view::npos;
    const auto next = static_cast<unsigned char>(coded[at + 1]);
    if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) break;
  }
  return at;
}

// Whether all segments up to the end-of-image marker are there: stb_image fills up a truncated JPEG in silence.
bool is_whole_jpeg(std::string_view content) {
  constexpr unsigned char huffman_tables = 0xc4, end_of_image = 0xd9, start_of_scan = 0xda;
  content.remove_prefix(2);
  while (true) {
    const std::size_t fill = content.find_first_not_of('\xff');
    if (fill == 0 || fill == std::string_view::npos) return false;
    const auto marker = static_cast<unsigned char>(content[fill]);
    if (marker == end_of_image) return true;
    content.remove_prefix(fill + 1);
    const std::size_t length = content.size() < 2 ? 0 : big_endian(content, 2);
    if (length < 2 || length > content.size()) return false;
    if (marker == huffman_tables && !are_huffman_tables(content.substr(2, length - 2))) return false;
    content.remove_prefix(length);
    if (marker != start_of_scan) continue;
    const std::size_t end = scan_end(content);
    if (end == std::string_view::npos) return false;
    content.remove_prefix(end);
  }
}

struct Encoded {
  std::vector<std::byte> content;
  int height = 0, width = 0;  // as they are stored
  int channels = 0;           // 1 or 3
  int orientation = 1;

  Upright upright() const { return {orientation, height, width}; }
  const stbi_uc* bytes() const { return reinterpret_cast<const stbi_uc*>(content.data()); }
  int length() const { return static_cast<int>(content.size()); }
};

Encoded open_image(const std::string& path) {
  Encoded image{read_file(path)};
  const std::string_view content = characters(image.content);
  const bool png = content.starts_with(png_signature);
  require(png || content.starts_with("\xff\xd8"), path, ": not a PNG or JPEG image");
  require(content.size() <= std::numeric_limits<int>::max(), path, ": larger than 2 GB");
  require(png ? is_whole_png(content) : is_whole_jpeg(content), path, ": truncated or damaged ", png ? "PNG" : "JPEG");
  int channels = 0;
  if (!stbi_info_from_memory(image.bytes(), image.length(), &image.width, &image.height, &channels))
    fail(path, ": can't be decoded: ", stbi_failure_reason());
  image.channels = channels <= 2 ? 1 : 3;  // a second or fourth channel is transparency
  if (!png) image.orientation = exif_orientation(content);
  return image;
}

// The pixels of an image that stands upright, its transparent parts before black, in this many channels.
std::vector<std::uint8_t> decode(const std::string& path, int channels) {
  const Encoded image = open_image(path);
  int width = 0, height = 0, ignored = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(image.bytes(), image.length(), &width, &height, &ignored, channels + 1), stbi_image_free);
  if (!pixels) fail(path, ": can't be decoded: ", stbi_failure_reason());
  const Upright upright{image.orientation, height, width};
  std::vector<std::uint8_t> result(std::size_t(upright.rows()) * std::size_t(upright.columns()) *
                                   std::size_t(channels));
  std::uint8_t* written = result.data();
  for (int row = 0; row < upright.rows(); ++row) {
    // A row of the upright image goes through the stored one in equal steps.
    const int first = upright.stored(row, 0), step = upright.stored(row, 1) - first;
    for (int column = 0; column < upright.columns(); ++column) {
      const stbi_uc* pixel = pixels.get() + std::ptrdiff_t{first + column * step} * (channels + 1);
      const int opacity = pixel[channels];
      for (int c = 0; c < channels; ++c) *written++ = static_cast<std::uint8_t>((pixel[c] * opacity + 127) / 255);
    }
  }
  return result;
}

// What lies in a folder.
struct FolderFiles {
  std::vector<std::string> images;  // in the order of their names
  std::set<std::string> other_kinds;
  std::int64_t others = 0, hidden = 0, folders = 0;

  // In words, empty where all are images.
  std::string left_out() const {
    std::string list;
    const auto say = [&](std::int64_t count, const char* one, const char* many, const std::string& more = "") {
      if (count > 0) list += engine::text(list.empty() ? "" : ", ", count, ' ', count == 1 ? one : many, more);
    };
    std::string kinds;
    for (const std::string& kind : other_kinds) kinds += (kinds.empty() ? "" : " ") + kind;
    say(others, "file that is no PNG or JPEG", "files that are no PNG or JPEG",
        kinds.empty() ? "" : engine::text(" (", kinds, ")"));
    say(hidden, "hidden file", "hidden files");
    say(folders, "subfolder", "subfolders");
    return list;
  }
};

FolderFiles files_of(const std::string& folder) {
  constexpr std::array<std::string_view, 3> image_kinds{".png", ".jpg", ".jpeg"};
  std::error_code error;
  FolderFiles files;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string kind = entry->path().extension().string();
    std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (entry->path().filename().string().starts_with('.')) {  // ._a.png of macOS is no image
      ++files.hidden;
    } else if (entry->is_directory()) {
      ++files.folders;
    } else if (std::ranges::find(image_kinds, kind) != image_kinds.end()) {
      files.images.push_back(entry->path().string());
    } else {
      ++files.others;
      if (!kind.empty()) files.other_kinds.insert(kind);
    }
  }
  require(!error, folder, ": can't be read: ", error.message());
  const std::string left_out = files.left_out();
  require(!files.images.empty(), folder, ": holds no .png, .jpg or .jpeg file",
          left_out.empty() ? "" : ", but " + left_out,
          files.folders > 0  ? ": give one of its subfolders"
          : files.others > 0 ? ": convert images of other kinds to PNG"
                             : "");
  std::ranges::sort(files.images);
  return files;
}

// Calls body(i) for 0..n-1 on all threads, then throws what the lowest i threw.
template <class Body>
void for_each_file(std::size_t n, const Body& body) {
  std::vector<std::string> errors(n);
  engine::parallel_for(static_cast<std::int64_t>(n), 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      try {
        body(i);
      } catch (const std::exception& error) {
        errors[i] = error.what();
      }
    }
  });
  for (const std::string& error : errors) require(error.empty(), error);
}

}  // namespace

Images read_images(const std::string& folder, std::int64_t first) {
  const FolderFiles folder_files = files_of(folder);
  std::vector<std::string> files = folder_files.images;
  if (first > 0) files.resize(std::min(files.size(), static_cast<std::size_t>(first)));
  std::vector<Encoded> headers(files.size());
  for_each_file(files.size(), [&](std::size_t i) {
    headers[i] = open_image(files[i]);
    headers[i].content = {};
  });

  Images images{std::int64_t(files.size()), headers[0].upright().rows(), headers[0].upright().columns(), 1, {},
                folder_files.left_out()};
  for (std::size_t i = 0; i < files.size(); ++i) {
    require(headers[i].upright().rows() == images.height && headers[i].upright().columns() == images.width, files[i],
            ": is ", headers[i].upright().columns(), "x", headers[i].upright().rows(), " pixels, ", files[0], " is ",
            images.width, "x", images.height, ": give images of one size");
    images.channels = std::max(images.channels, headers[i].channels);
  }
  decode(files[0], images.channels);  // if the size is a lie, before there is memory for J of it
  const std::size_t size = std::size_t(images.height) * std::size_t(images.width) * std::size_t(images.channels);
  images.bytes.resize(size * files.size());
  for_each_file(files.size(), [&](std::size_t i) {
    const std::vector<std::uint8_t> pixels = decode(files[i], images.channels);
    require(pixels.size() == size, files[i], ": has changed while it was read");
    std::ranges::copy(pixels, images.bytes.begin() + static_cast<std::ptrdiff_t>(i * size));
  });
  return images;
}

Images read_image(const std::string& path) {
  const Encoded header = open_image(path);
  return {1, header.upright().rows(), header.upright().columns(), header.channels, decode(path, header.channels)};
}

}  // namespace data
