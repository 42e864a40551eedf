#include "data/labels.h"

#include <algorithm>
#include <filesystem>

#include "data/digits.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_set.h"
#include "data/mnist.h"
#include "engine/error.h"

namespace data {

using engine::require;

namespace {

std::vector<std::uint8_t> idx_labels(const std::string& path, std::int64_t points) {
  const Array labels = read_idx(path, points);
  require(labels.shape.size() == 1, path, ": has ", labels.shape.size(), " axes; labels need one");
  require(points == 0 || labels.shape[0] == points, path, ": holds only ", labels.shape[0], " labels, not ", points);
  return labels.as<std::uint8_t>();
}

std::vector<std::uint8_t> set_labels(const ImageSet& set, std::int64_t points) {
  if (set.format == ImageSet::Format::cifar10) return read_cifar10(set, points).labels;
  return set.labels.empty() ? std::vector<std::uint8_t>() : idx_labels(set.labels, points);
}

std::vector<std::uint8_t> class_labels(const std::string& folder, std::int64_t points) {
  std::vector<std::uint8_t> labels = list_images(folder).labels;
  if (points > 0 && !labels.empty()) labels.resize(std::min(labels.size(), static_cast<std::size_t>(points)));
  return labels;
}

}  // namespace

std::vector<std::uint8_t> load_labels(const std::string& source, std::int64_t points, std::uint64_t seed) {
  require(points >= 0, source, ": the number of labels must be positive, or 0 for all: ", points);
  if (source == "digits") return draw_digits(points > 0 ? points : default_digits, seed).labels;
  if (is_mnist(source)) return idx_labels(find_mnist_labels(source), points);
  if (const auto set = find_image_set(source)) return set_labels(*set, points);
  std::error_code error;
  return std::filesystem::is_directory(source, error) ? class_labels(source, points) : std::vector<std::uint8_t>();
}

}  // namespace data
