#include "data/gif.h"

#include <array>
#include <memory>
#include <span>
#include <vector>

#include <gif_lib.h>

#include "data/file.h"
#include "engine/error.h"

namespace data {

using engine::fail;
using engine::require;

namespace {

/// How many reds, greens and blues the palette of colours has, 252 in all.
constexpr std::array<int, 3> levels{6, 7, 6};

using Palette = std::unique_ptr<ColorMapObject, void (*)(ColorMapObject*)>;

Palette make_palette(bool colour) {
  std::vector<GifColorType> colours(256);
  for (int i = 0; i < 256; ++i) {
    const auto part = [&](int value, int of) { return static_cast<GifByteType>(value % of * 255 / (of - 1)); };
    colours[static_cast<std::size_t>(i)] = colour ? GifColorType{part(i / levels[2] / levels[1], levels[0]),
                                                                 part(i / levels[2], levels[1]), part(i, levels[2])}
                                                  : GifColorType{part(i, 256), part(i, 256), part(i, 256)};
  }
  return {GifMakeMapObject(256, colours.data()), GifFreeMapObject};
}

/// The palette's number for a pixel at (row, column). Between two levels the pixels of each 4x4 square take the upper
/// one in the order of Bayer's matrix, as many of them as the value is nearer to it.
GifByteType palette_index(const std::uint8_t* pixel, int channels, int row, int column) {
  if (channels == 1) return *pixel;
  static constexpr int bayer[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
  const int threshold = 255 * (2 * bayer[row % 4][column % 4] + 1) / 32;
  int index = 0;
  for (std::size_t c = 0; c < 3; ++c) index = index * levels[c] + (pixel[c] * (levels[c] - 1) + threshold) / 255;
  return static_cast<GifByteType>(index);
}

/// giflib's side of the file: its calls, checked, writing into memory.
class GifWriter {
 public:
  GifWriter(const std::string& path, const Images& first)
      : path_(path), height_(first.height), width_(first.width), channels_(first.channels) {
    require(channels_ == 1 || channels_ == 3, path_, ": a GIF needs 1 or 3 channels, not ", channels_);
    constexpr int widest = 65535;
    require(height_ <= widest && width_ <= widest, path_, ": a GIF has at most ", widest, " pixels a side, not ",
            width_, "x", height_);
    const Palette palette = make_palette(channels_ == 3);
    require(gif_ != nullptr && palette != nullptr, path_, ": there is not enough memory to write it");
    EGifSetGifVersion(gif_.get(), true);
    check(EGifPutScreenDesc(gif_.get(), width_, height_, 8, 0, palette.get()));
    check(EGifPutExtensionLeader(gif_.get(), APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(gif_.get(), 11, "NETSCAPE2.0"));
    check(EGifPutExtensionBlock(gif_.get(), 3, "\1\0\0"));  // repeat without end
    check(EGifPutExtensionTrailer(gif_.get()));
  }

  void add(const Images& image, int hundredths) {
    require(image.count == 1 && image.height == height_ && image.width == width_ && image.channels == channels_, path_,
            ": its images must be of one size and kind: one is ", image.width, "x", image.height, "x", image.channels,
            ", the first ", width_, "x", height_, "x", channels_);
    const GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, NO_TRANSPARENT_COLOR};
    std::array<GifByteType, 4> extension{};
    EGifGCBToExtension(&control, extension.data());
    check(EGifPutExtension(gif_.get(), GRAPHICS_EXT_FUNC_CODE, extension.size(), extension.data()));
    check(EGifPutImageDesc(gif_.get(), 0, 0, width_, height_, false, nullptr));
    std::vector<GifByteType> line(static_cast<std::size_t>(width_));
    const std::uint8_t* pixel = image.bytes.data();
    for (int row = 0; row < height_; ++row) {
      for (int column = 0; column < width_; ++column, pixel += channels_)
        line[static_cast<std::size_t>(column)] = palette_index(pixel, channels_, row, column);
      check(EGifPutLine(gif_.get(), line.data(), width_));
    }
  }

  /// The whole file.
  const std::vector<std::byte>& finish() {
    int error = 0;
    if (EGifCloseFile(gif_.release(), &error) != GIF_OK) fail(path_, ": ", GifErrorString(error));
    return bytes_;
  }

 private:
  struct Close {
    void operator()(GifFileType* gif) const { EGifCloseFile(gif, nullptr); }
  };

  static int append(GifFileType* gif, const GifByteType* bytes, int size) {
    auto& destination = *static_cast<std::vector<std::byte>*>(gif->UserData);
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    destination.insert(destination.end(), begin, begin + size);
    return size;
  }

  void check(int status) const {
    if (status != GIF_OK) fail(path_, ": can't be encoded as GIF: ", GifErrorString(gif_->Error));
  }

  std::string path_;
  int height_, width_, channels_;
  std::vector<std::byte> bytes_;
  std::unique_ptr<GifFileType, Close> gif_{EGifOpen(&bytes_, append, nullptr)};
};

}  // namespace

void write_gif(const std::string& path, std::int64_t count, const std::function<Images(std::int64_t)>& frame,
               int hundredths, int last_hundredths) {
  require(count >= 1, path, ": there are no images to show one after the other");
  Images image = frame(0);
  GifWriter gif(path, image);
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) image = frame(i);
    gif.add(image, i + 1 < count ? hundredths : last_hundredths);
  }
  const std::span<const std::byte> chunk = gif.finish();
  write_file_atomically(path, std::span(&chunk, 1));
}

}  // namespace data
