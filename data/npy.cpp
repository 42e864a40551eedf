#include "data/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>

#include "data/file.h"
#include "engine/error.h"

namespace data {

static_assert(std::endian::native == std::endian::little, "the formats' little-endian numbers are copied as they are");

namespace {

using engine::fail;
using engine::require;

constexpr std::string_view magic = "\x93NUMPY";

template <class T>
constexpr std::string_view dtype_of = "";
template <>
constexpr std::string_view dtype_of<float> = "<f4";
template <>
constexpr std::string_view dtype_of<double> = "<f8";
template <>
constexpr std::string_view dtype_of<std::int32_t> = "<i4";
template <>
constexpr std::string_view dtype_of<std::int64_t> = "<i8";
template <>
constexpr std::string_view dtype_of<std::uint8_t> = "|u1";

struct Header {
  std::string dtype;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;

  std::size_t item_size() const { return static_cast<std::size_t>(dtype[2] - '0'); }
};

// Reads the Python dict literal {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), } and nothing else.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Header parse() {
    Header header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      bool* const seen = key == "descr" ? &descr : key == "fortran_order" ? &order : key == "shape" ? &shape : nullptr;
      if (seen == nullptr || *seen) malformed();
      *seen = true;
      expect(':');
      if (seen == &descr) header.dtype = dtype();
      if (seen == &order) header.fortran_order = boolean();
      if (seen == &shape) header.shape = tuple();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty() || !descr || !order || !shape) malformed();
    return header;
  }

 private:
  [[noreturn]] void malformed() const {
    fail(path_, ": the NPY header must be a dict of exactly 'descr', 'fortran_order' and 'shape'");
  }
  void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }
  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) malformed();
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote);
    if (end == std::string_view::npos) malformed();
    std::string content(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return content;
  }

  std::string dtype() {
    skip_space();
    require(!text_.starts_with('['), path_, ": structured arrays are not supported, save one plain array");
    std::string name = quoted();
    require(name.find('O') == std::string::npos, path_,
            ": holds Python objects, which are not read; save numbers, as with x.astype('float32')");
    require(!name.starts_with('>'), path_, ": big-endian numbers (", name,
            ") are not supported; save x.astype('<f4') or '<f8'");
    for (const std::string_view known : {"<f4", "<f8", "<i4", "<i8", "|u1"})
      if (name == known) return name;
    fail(path_, ": numbers of type ", name, " are not supported; save <f4, <f8, <i4, <i8 or |u1");
  }

  bool boolean() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) malformed();
    return false;
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        if (sizes.size() == 1) malformed();  // (3) is a number in Python, (3,) a tuple
        break;
      }
    }
    return sizes;
  }

  std::int64_t number() {
    skip_space();
    const std::size_t digits = std::min(text_.find_first_not_of("0123456789"), text_.size());
    if (digits == 0) malformed();
    require(digits <= 18, path_, ": the shape in the NPY header overflows");
    const std::int64_t value = std::stoll(std::string(text_.substr(0, digits)));
    text_.remove_prefix(digits);
    return value;
  }

  const std::string& path_;
  std::string_view text_;
};

Header read_header(InputFile& file) {
  std::array<char, 8> prefix{};
  require(file.size() >= prefix.size(), file.path(), ": not an NPY file (too short)");
  file.read(std::as_writable_bytes(std::span(prefix)));
  require(std::string_view(prefix.data(), magic.size()) == magic, file.path(), ": not an NPY file");
  const int version = prefix[6];
  require(version >= 1 && version <= 3 && prefix[7] == 0, file.path(), ": NPY format ", version, ".", int{prefix[7]},
          " is not supported, only 1.0 to 3.0");
  std::uint32_t length = 0;
  file.read(std::as_writable_bytes(std::span(&length, 1)).first(version == 1 ? 2 : 4));
  require(length <= file.left(), file.path(), ": truncated: the NPY header of ", length, " bytes is not all there");
  std::string text(length, ' ');
  file.read(std::as_writable_bytes(std::span(text)));
  return HeaderParser(file.path(), text).parse();
}

// Turns the first axis from the fastest to the slowest, the last from the slowest to the fastest, keeping the first
// `first` items of the first axis.
std::vector<std::byte> to_c_order(const std::vector<std::byte>& fortran, std::span<const std::int64_t> shape,
                                  std::int64_t first, std::size_t item) {
  std::vector<std::size_t> stride(shape.size()), index(shape.size());
  std::size_t step = item;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    stride[axis] = step;
    step *= static_cast<std::size_t>(shape[axis]);
  }
  std::vector<std::byte> result(fortran.size() / static_cast<std::size_t>(shape[0]) * static_cast<std::size_t>(first));
  std::size_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += item) {
    std::memcpy(result.data() + to, fortran.data() + from, item);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      from -= stride[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return result;
}

std::uint64_t product(std::span<const std::int64_t> shape) {
  std::uint64_t size = 1;
  for (const std::int64_t axis : shape) size *= static_cast<std::uint64_t>(axis);
  return size;
}

template <class T, class Source>
std::vector<T> converted(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(Source));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Source value;
    std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
    values[i] = static_cast<T>(value);
  }
  return values;
}

}  // namespace

std::int64_t NpyArray::size() const {
  return static_cast<std::int64_t>(product(shape));
}

template <class T>
std::vector<T> NpyArray::as() const {
  if (dtype == dtype_of<float>) return converted<T, float>(bytes);
  if (dtype == dtype_of<double>) return converted<T, double>(bytes);
  if (dtype == dtype_of<std::int32_t>) return converted<T, std::int32_t>(bytes);
  if (dtype == dtype_of<std::int64_t>) return converted<T, std::int64_t>(bytes);
  return converted<T, std::uint8_t>(bytes);
}

NpyArray read_npy(const std::string& path, std::int64_t first) {
  InputFile file(path);
  const Header header = read_header(file);
  std::uint64_t total = header.item_size();
  for (const std::int64_t axis : header.shape)
    require(!__builtin_mul_overflow(total, static_cast<std::uint64_t>(axis), &total), path,
            ": the shape in the NPY header overflows");
  require(total == file.left(), path, total > file.left() ? ": truncated" : ": bytes follow the array",
          ": the NPY header announces ", total, " bytes, ", file.left(), " are there");

  NpyArray array{header.dtype, header.shape, {}};
  if (total == 0) return array;
  if (first > 0 && !array.shape.empty()) array.shape[0] = std::min(array.shape[0], first);
  const std::uint64_t kept = product(array.shape) * header.item_size();
  if (!header.fortran_order || array.shape.size() < 2) {
    array.bytes.resize(kept);
    file.read(array.bytes);
  } else {
    std::vector<std::byte> fortran(total);
    file.read(fortran);
    array.bytes = to_c_order(fortran, header.shape, array.shape[0], header.item_size());
  }
  return array;
}

template <class T>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape, std::span<const T> values) {
  std::string tuple;
  for (const std::int64_t axis : shape) tuple += engine::text(tuple.empty() ? "" : ", ", axis);
  if (shape.size() == 1) tuple += ',';
  require(product(shape) == values.size(), path, ": shape (", tuple, ") needs ", product(shape), " values, not ",
          values.size());
  std::string header = engine::text("{'descr': '", dtype_of<T>, "', 'fortran_order': False, 'shape': (", tuple, "), }");
  // Padded with spaces and a newline so that the numbers begin at a multiple of 64.
  const std::size_t prefix = magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ').push_back('\n');
  require(header.size() <= std::numeric_limits<std::uint16_t>::max(), path, ": too many axes: ", shape.size());
  std::string start(magic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  start += header;
  const std::array<std::span<const std::byte>, 2> chunks{std::as_bytes(std::span(start)), std::as_bytes(values)};
  write_file_atomically(path, chunks);
}

template std::vector<float> NpyArray::as() const;
template std::vector<double> NpyArray::as() const;
template std::vector<std::int32_t> NpyArray::as() const;
template std::vector<std::int64_t> NpyArray::as() const;
template std::vector<std::uint8_t> NpyArray::as() const;
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const float>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const double>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::int32_t>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::int64_t>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::uint8_t>);

}  // namespace data
