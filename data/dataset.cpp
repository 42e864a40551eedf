#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "data/alpha.h"
#include "data/array_file.h"
#include "data/byte_stream.h"
#include "data/digits.h"
#include "data/image_set.h"
#include "data/images.h"
#include "data/mnist.h"
#include "data/npy.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

// Sets count, dimension and the image sizes from [J, d], [J, h, w] or [J, h, w, c].
void set_sizes(Dataset& set, const std::vector<std::int64_t>& shape) {
  std::string sizes;
  for (const std::int64_t size : shape) sizes += engine::text(sizes.empty() ? "" : ", ", size);
  require(shape.size() >= 2 && shape.size() <= 4, set.name, ": has shape [", sizes,
          "]; points need [J, d], [J, h, w] or [J, h, w, c]");
  require(std::find(shape.begin(), shape.end(), 0) == shape.end(), set.name, ": has shape [", sizes,
          "], which holds no points");
  set.count = shape[0];
  set.dimension = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) set.dimension *= shape[axis];
  if (shape.size() == 2) return;
  const auto are_channels = [](std::int64_t size) { return size == 1 || size == 3 || size == 4; };
  const std::int64_t channels = shape.size() == 4 ? shape[3] : 1;
  require(are_channels(channels) || !are_channels(shape[1]), set.name, ": has shape [", sizes,
          "]; channels go last: save numpy.moveaxis(x, 1, -1)");
  require(are_channels(channels), set.name, ": has shape [", sizes,
          "]; the last axis of images is 1, 3 or 4 channels, other arrays need [J, d]");
  require(shape[1] <= std::numeric_limits<int>::max() && shape[2] <= std::numeric_limits<int>::max(), set.name,
          ": has shape [", sizes, "], too large for images");
  set.channels = static_cast<int>(channels);
  set.height = static_cast<int>(shape[1]);
  set.width = static_cast<int>(shape[2]);
}

template <class Number>
void require_finite(const Dataset& set, std::span<const Number> values, std::int64_t first = 0) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const auto point = static_cast<std::int64_t>(i) / set.dimension, k = static_cast<std::int64_t>(i) % set.dimension;
    fail(set.name, ": coordinate ", k, " of point ", first + point, " is ", values[i],
         "; all must be finite, and at most ", std::numeric_limits<Number>::max());
  }
}

// Pixels times their alpha, which must be one, of the points from the first on.
template <class Number>
std::vector<Number> faded(const Dataset& set, std::vector<Number> pixels, std::int64_t first) {
  for (std::size_t alpha = 3; alpha < pixels.size(); alpha += 4)
    require(pixels[alpha] >= 0 && pixels[alpha] <= 1, set.name,
            ": alpha, the fourth channel, must lie between 0 and 1: ", pixels[alpha], " in point ",
            first + static_cast<std::int64_t>(alpha) / set.dimension, "; divide all by 255, or save bytes");
  multiply_by_alpha(pixels);
  return pixels;
}

// Points from the first on.
void take_array(Dataset& set, const Array& array, Numbers numbers, std::int64_t first = 0) {
  set_sizes(set, array.shape);
  const bool alpha = set.channels == 4;
  if (array.dtype == "|u1") {
    set.bytes = array.bytes;
    if (!alpha) return;
    std::vector<std::uint8_t> pixels(set.bytes.begin(), set.bytes.end());
    multiply_by_alpha(pixels);
    set.bytes = std::move(pixels);
  } else if (numbers == Numbers::in_double) {
    set.doubles = array.as<double>();
    if (alpha) set.doubles = faded(set, std::move(set.doubles), first);
    require_finite<double>(set, set.doubles, first);
  } else {
    set.values = alpha ? faded(set, array.as<engine::real>(), first) : array.shared<engine::real>();
    require_finite<engine::real>(set, set.values, first);
  }
}

void load_array(Dataset& set, const std::string& path, std::int64_t points, Numbers numbers) {
  take_array(set, read_array(path, points), numbers);
}

void load_table(Dataset& set, std::int64_t points, Numbers numbers) {
  Table table = read_table(set.name, points);
  set.columns = std::move(table.columns);
  set.left_out = std::move(table.left_out);
  set_sizes(set, {table.rows, width_of(set.columns)});
  if (numbers == Numbers::in_double)
    set.doubles = std::move(table.values);
  else
    set.values = std::vector<engine::real>(table.values.begin(), table.values.end());
  require_finite<engine::real>(set, set.values);
}

// From columns of pixels, one after another, to rows.
void transpose_images(Dataset& set) {
  const std::size_t height = static_cast<std::size_t>(set.height), width = static_cast<std::size_t>(set.width);
  std::vector<std::uint8_t> rows(set.bytes.size());
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::size_t image = k / (height * width), pixel = k % (height * width);
    rows[image * height * width + pixel % height * width + pixel / height] = set.bytes[k];
  }
  set.bytes = std::move(rows);
}

void load_image_set(Dataset& set, const ImageSet& files, std::int64_t points, Numbers numbers) {
  if (files.format == ImageSet::Format::cifar10) {
    CifarImages images = read_cifar10(files, points);
    set_sizes(set, {images.count, 32, 32, 3});
    set.bytes = std::move(images.pixels);
    return;
  }
  load_array(set, files.images.front(), points, numbers);
  if (!files.transposed) return;
  require(set.channels == 1 && !set.bytes.empty(), files.images.front(), ": EMNIST's images are grey bytes");
  std::swap(set.height, set.width);
  transpose_images(set);
  set.remark = "EMNIST's files hold images by columns; they are turned upright";
}

void load_images(Dataset& set, const std::string& folder, std::int64_t points, const Framing& framing) {
  Images images = read_images(folder, points, framing);
  set_sizes(set, {images.count, images.height, images.width, images.channels});
  set.bytes = std::move(images.bytes);
  set.left_out = std::move(images.left_out);
}

std::int64_t count_of_digits(std::int64_t points) {
  return points > 0 ? points : default_digits;
}

void load_digits(Dataset& set, std::int64_t begin, std::int64_t end, std::uint64_t seed) {
  set.bytes = draw_digits(end - begin, seed, begin).images;
  set_sizes(set, {end - begin, 28, 28});
}

void load_into(Dataset& set, std::int64_t points, std::uint64_t seed, Numbers numbers, const Framing& framing) {
  const std::string& source = set.name;
  if (source == "digits") return load_digits(set, 0, count_of_digits(points), seed);
  if (is_mnist(source)) return load_array(set, find_mnist_images(source), points, numbers);
  if (const auto files = find_image_set(source)) return load_image_set(set, *files, points, numbers);
  std::error_code error;
  require(std::filesystem::exists(file_of(source), error), source,
          ": no such file or folder; give digits, mnist, mnist-test, an IDX (.gz), .npy, .npz, .csv or .tsv file, or a "
          "folder of images");
  if (std::filesystem::is_directory(source)) return load_images(set, source, points, framing);
  if (is_table(source)) return load_table(set, points, numbers);
  load_array(set, source, points, numbers);
}

// A source's array, where it can stay in its file.
std::optional<Array> array_in_file(const std::string& source, std::int64_t points) {
  std::error_code error;
  const bool file = std::filesystem::is_regular_file(source, error) && !is_mnist(source) && !is_table(source) &&
                    !find_image_set(source);
  return file ? map_npy(source, points) : std::nullopt;
}

void require_count(const std::string& source, std::int64_t points) {
  require(points >= 0, source, ": the number of points must be positive, or 0 for all: ", points);
}

void require_all_there(const std::string& source, std::int64_t points, std::int64_t there) {
  require(points == 0 || there == points, source, ": holds only ", there, " points, not ", points);
}

template <class Numbers>
Range range_of(const Numbers& numbers, double unit) {
  const auto [low, high] = std::ranges::minmax(numbers);
  return {unit * static_cast<double>(low), unit * static_cast<double>(high)};
}

}  // namespace

Range range_of(const Dataset& set) {
  return !set.bytes.empty()    ? range_of(set.bytes, 1.0 / 255)
         : !set.values.empty() ? range_of(set.values, 1)
                               : range_of(set.doubles, 1);
}

Dataset load(const std::string& source, std::int64_t points, std::uint64_t seed, Numbers numbers,
             const Framing& framing) {
  require_count(source, points);
  Dataset set;
  set.name = source;
  try {
    load_into(set, points, seed, numbers, framing);
  } catch (const std::bad_alloc&) {
    fail(source, ": not enough memory for it; take fewer points");
  }
  require_all_there(source, points, set.count);
  return set;
}

std::optional<std::int64_t> count_for_parts(const std::string& source, std::int64_t points) {
  require_count(source, points);
  if (source == "digits") return count_of_digits(points);
  const std::optional<Array> array = array_in_file(source, points);
  if (!array) return {};
  Dataset set;
  set.name = source;
  set_sizes(set, array->shape);
  require_all_there(source, points, set.count);
  return set.count;
}

Dataset load_part(const std::string& source, std::int64_t begin, std::int64_t end, std::uint64_t seed) {
  Dataset set;
  set.name = source;
  if (source == "digits") {
    load_digits(set, begin, end, seed);
    return set;
  }
  std::optional<Array> array = array_in_file(source, end);
  require(array && array->shape.front() == end, source, ": is no longer the array that it was");
  const std::size_t row = array->bytes.size() / static_cast<std::size_t>(end);
  array->bytes =
      array->bytes.subspan(static_cast<std::size_t>(begin) * row, static_cast<std::size_t>(end - begin) * row);
  array->shape.front() = end - begin;
  take_array(set, *array, Numbers::real, begin);
  return set;
}

}  // namespace data
