#include "data/image_set.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>

#include "data/file.h"
#include "data/mnist.h"
#include "engine/error.h"

namespace data {

namespace {

namespace fs = std::filesystem;
using engine::require;

constexpr std::string_view test_suffix = ":test";

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// The IDX file of this name, gzipped or not; some unpackers write a point before idx. Empty where there is none.
std::string idx_file(const std::string& start, const std::string& content, const std::string& axes) {
  for (const char* const joint : {"-", "."})
    for (const char* const end : {".gz", ""})
      if (const std::string path = start + content + joint + axes + end; is_file(path)) return path;
  return "";
}

std::optional<ImageSet> idx_half(const std::string& source, bool test) {
  for (const std::string& start : {source + (test ? "/t10k-" : "/train-"), source + (test ? "-test-" : "-train-"),
                                   source + (test ? "-t10k-" : "")}) {
    const std::string images = idx_file(start, "images", "idx3-ubyte");
    if (images.empty()) continue;
    return ImageSet{ImageSet::Format::idx,
                    {images},
                    idx_file(start, "labels", "idx1-ubyte"),
                    fs::path(images).filename().string().starts_with("emnist-")};
  }
  return {};
}

std::optional<ImageSet> cifar_half(const std::string& folder, bool test) {
  if (!is_file(folder + (test ? "/test_batch.bin" : "/data_batch_1.bin"))) return {};
  ImageSet set{ImageSet::Format::cifar10, {}, "", false};
  if (test)
    set.images = {folder + "/test_batch.bin"};
  else
    for (const char batch : {'1', '2', '3', '4', '5'}) set.images.push_back(folder + "/data_batch_" + batch + ".bin");
  for (const std::string& file : set.images)
    require(is_file(file), file, " is missing among CIFAR-10's batches: unpack cifar-10-binary.tar.gz again");
  return set;
}

std::optional<ImageSet> half(const std::string& source, bool test) {
  std::optional<ImageSet> set = idx_half(source, test);
  return set ? set : cifar_half(source, test);
}

}  // namespace

std::optional<ImageSet> find_image_set(const std::string& source) {
  if (!source.ends_with(test_suffix)) return half(source, false);
  const std::string base = source.substr(0, source.size() - test_suffix.size());
  std::optional<ImageSet> set = half(base, true);
  require(set || !half(base, false), base, ": has no test images beside the training images");
  return set;
}

std::string test_half(const std::string& source) {
  if (source == "mnist") return "mnist-test";
  if (source.ends_with(test_suffix) || !find_image_set(source)) return "";
  return half(source, true) ? source + std::string(test_suffix) : "";
}

CifarImages read_cifar10(const ImageSet& set, std::int64_t first) {
  constexpr std::size_t pixels = 32 * 32, record = 1 + 3 * pixels;
  CifarImages images;
  for (const std::string& file : set.images) {
    const std::vector<std::byte> bytes = read_file(file);
    require(!bytes.empty() && bytes.size() % record == 0, file, ": is ", bytes.size(), " bytes, not whole records of ",
            record, ": it is no binary batch of CIFAR-10, or truncated");
    for (std::size_t at = 0; at < bytes.size() && (first <= 0 || images.count < first); at += record, ++images.count) {
      const auto label = static_cast<std::uint8_t>(bytes[at]);
      require(label < 10, file, ": record ", at / record, ", counted from 0, has label ", int{label},
              ", not 0 to 9: it is no binary batch of CIFAR-10");
      images.labels.push_back(label);
      for (std::size_t pixel = 1; pixel <= pixels; ++pixel)
        for (std::size_t channel = 0; channel < 3; ++channel)
          images.pixels.push_back(static_cast<std::uint8_t>(bytes[at + channel * pixels + pixel]));
    }
  }
  return images;
}

}  // namespace data
