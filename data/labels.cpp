#include "data/labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "data/array_file.h"
#include "data/cells.h"
#include "data/digits.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_set.h"
#include "data/mnist.h"
#include "data/table.h"
#include "data/utf8.h"
#include "engine/error.h"

namespace data {

using engine::require;

namespace {

constexpr std::size_t most_classes = 256;

// Classes that are numbered in the files, from 0.
Labels numbered(std::vector<std::uint8_t> of_points) {
  Labels labels{std::move(of_points), {}};
  const int largest = labels.empty() ? -1 : std::ranges::max(labels.of_points);
  for (int c = 0; c <= largest; ++c) labels.classes.push_back(std::to_string(c));
  return labels;
}

std::vector<std::uint8_t> idx_labels(const std::string& path, std::int64_t points) {
  const Array labels = read_idx(path, points);
  require(labels.shape.size() == 1, path, ": has ", labels.shape.size(), " axes; labels need one");
  require(points == 0 || labels.shape[0] == points, path, ": holds only ", labels.shape[0], " labels, not ", points);
  return labels.as<std::uint8_t>();
}

Labels set_labels(const ImageSet& set, std::int64_t points) {
  if (set.format == ImageSet::Format::cifar10)
    return {
        read_cifar10(set, points).labels,
        {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
    };
  return set.labels.empty() ? Labels() : numbered(idx_labels(set.labels, points));
}

Labels class_labels(const std::string& folder, std::int64_t points) {
  ImageFolder images = list_images(folder);
  for (const std::string& name : images.classes) require(is_utf8(name), folder, "/", name, ": is no UTF-8; rename it");
  Labels labels{std::move(images.labels), std::move(images.classes)};
  if (points > 0 && !labels.empty())
    labels.of_points.resize(std::min(labels.of_points.size(), static_cast<std::size_t>(points)));
  return labels;
}

// Of values in which each point's is compared with the others' as `less` has it.
template <class Value, class Less, class Name>
Labels labels_of(const std::string& file, const std::vector<Value>& values, const Less& less, const Name& name) {
  std::vector<Value> classes = values;
  std::ranges::sort(classes, less);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  require(classes.size() <= most_classes, file, ": has ", classes.size(), " different labels; there can be ",
          most_classes, " classes");
  Labels labels;
  for (const Value& value : values)
    labels.of_points.push_back(
        static_cast<std::uint8_t>(std::ranges::lower_bound(classes, value, less) - classes.begin()));
  for (const Value& value : classes) labels.classes.push_back(name(value));
  return labels;
}

// As short as tells it from all other numbers of its type.
template <class Number>
std::string text_of(Number label) {
  char text[32];
  const bool whole = label == std::trunc(label) && std::abs(label) < Number{1e15};
  const auto end =
      std::to_chars(text, std::end(text), label, whole ? std::chars_format::fixed : std::chars_format::general);
  return {text, end.ptr};
}

Labels array_labels(const std::string& file) {
  const Array array = read_array(file);
  require(array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[1] == 1), file, ": has ",
          array.shape.size(), " axes; labels need one");
  const std::vector<double> values = array.as<double>();
  const auto odd = std::ranges::find_if(values, [](double value) { return !std::isfinite(value); });
  require(odd == values.end(), file, ": label ", odd - values.begin(), " is no finite number: give numbers of classes");
  const bool floats = array.dtype == "<f4";
  return labels_of(file, values, std::less<>(),
                   [&](double label) { return floats ? text_of(static_cast<float>(label)) : text_of(label); });
}

// Numbers come by their size, texts by their letters.
Labels column_labels(const std::string& file) {
  return labels_of(
      file, read_column(file),
      [](const std::string& a, const std::string& b) {
        const auto x = number_in(a), y = number_in(b);
        return x && y && *x != *y ? *x < *y : x.has_value() != y.has_value() ? x.has_value() : a < b;
      },
      [](const std::string& text) { return text; });
}

}  // namespace

Labels own_labels(const std::string& source, std::int64_t points, std::uint64_t seed) {
  require(points >= 0, source, ": the number of labels must be positive, or 0 for all: ", points);
  if (source == "digits") return numbered(draw_digits(points > 0 ? points : default_digits, seed).labels);
  if (is_mnist(source)) return numbered(idx_labels(find_mnist_labels(source), points));
  if (const auto set = find_image_set(source)) return set_labels(*set, points);
  std::error_code error;
  return std::filesystem::is_directory(source, error) ? class_labels(source, points) : Labels();
}

Labels read_labels(const std::string& file, std::int64_t points) {
  Labels labels = is_table(file.substr(0, file.rfind(':'))) ? column_labels(file) : array_labels(file);
  const auto count = std::ssize(labels.of_points);
  require(points <= count, file, ": holds only ", count, " labels, not ", points);
  if (points > 0) labels.of_points.resize(static_cast<std::size_t>(points));
  return labels;
}

}  // namespace data
