#include "data/images.h"

#include <algorithm>

#include "data/image_file.h"
#include "data/image_folder.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace data {

namespace {

using engine::require;

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

bool has_transparent_parts(const Images& images) {
  for (std::size_t alpha = 3; alpha < images.bytes.size(); alpha += 4)
    if (images.bytes[alpha] != 255) return true;
  return false;
}

}  // namespace

Images read_images(const std::string& folder, std::int64_t first, const Framing& framing) {
  ImageFolder list = list_images(folder);
  std::vector<std::string>& files = list.images;
  if (first > 0) files.resize(std::min(files.size(), static_cast<std::size_t>(first)));
  std::vector<ImageSize> sizes(files.size());
  for_each_file(files.size(), [&](std::size_t i) { sizes[i] = image_size(files[i]); });

  const bool resized = framing.height > 0;
  Images images{std::int64_t(files.size()),
                resized ? framing.height : sizes[0].height,
                resized ? framing.width : sizes[0].width,
                1,
                {},
                std::move(list.left_out)};
  for (std::size_t i = 0; i < files.size(); ++i) {
    require(resized || (sizes[i].height == images.height && sizes[i].width == images.width), files[i], ": is ",
            sizes[i].width, "x", sizes[i].height, " pixels, ", files[0], " is ", images.width, "x", images.height,
            ": give images of one size, or let train bring them to one: --resize 32x32 --crop center");
    if (!framing.grey) images.channels = std::max(images.channels, sizes[i].channels);
  }
  if (framing.alpha) images.channels = 4;
  // If the size is a lie, before there is memory for J of it.
  decode_image(files[0], images.channels, framing);
  const std::size_t size = std::size_t(images.height) * std::size_t(images.width) * std::size_t(images.channels);
  images.bytes.resize(size * files.size());
  for_each_file(files.size(), [&](std::size_t i) {
    const std::vector<std::uint8_t> pixels = decode_image(files[i], images.channels, framing);
    require(pixels.size() == size, files[i], ": has changed while it was read");
    std::ranges::copy(pixels, images.bytes.begin() + static_cast<std::ptrdiff_t>(i * size));
  });
  require(!framing.alpha || has_transparent_parts(images), folder,
          ": no image of it has transparent parts: leave out --alpha");
  return images;
}

Images read_image(const std::string& path) {
  const ImageSize size = image_size(path);
  return {1, size.height, size.width, size.channels, decode_image(path, size.channels)};
}

const char* colours_of(int channels) {
  return channels == 1 ? "grey" : channels == 3 ? "colour" : "RGBA";
}

}  // namespace data
