#include "data/npy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "data/byte_stream.h"
#include "data/file.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

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
  bool big_endian = false, fortran_order = false;
  std::uint64_t end = 0;  // where the numbers begin
  std::vector<std::int64_t> shape;
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
      if (seen == &descr) read_dtype(header);
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

  void read_dtype(Header& header) {
    skip_space();
    require(!text_.starts_with('['), path_, ": structured arrays are not supported, save one plain array");
    const std::string name = quoted();
    require(name.find('O') == std::string::npos, path_,
            ": holds Python objects, which are not read; save numbers, as with x.astype('float32')");
    header.big_endian = name.starts_with('>');
    header.dtype = name;
    if (header.big_endian) header.dtype[0] = '<';
    require(std::ranges::count(numeric_dtypes(), header.dtype) == 1, path_, ": numbers of type ", name,
            " are not read; save x.astype('float32') or 'float64'");
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
    require(digits <= 18, path_, ": the sizes in its header overflow");
    const std::int64_t value = std::stoll(std::string(text_.substr(0, digits)));
    text_.remove_prefix(digits);
    accept('L');  // a long integer of Python 2
    return value;
  }

  const std::string& path_;
  std::string_view text_;
};

Header read_header(ByteStream& stream) {
  std::array<char, 8> prefix{};
  require(stream.read(std::as_writable_bytes(std::span(prefix))) == prefix.size(), stream.path(),
          ": not an NPY file (too short)");
  require(std::string_view(prefix.data(), npy_magic.size()) == npy_magic, stream.path(), ": not an NPY file");
  const int version = prefix[6];
  require(version >= 1 && version <= 3 && prefix[7] == 0, stream.path(), ": NPY format ", version, ".", int{prefix[7]},
          " is not supported, only 1.0 to 3.0");
  std::uint32_t length = 0;
  stream.fill(std::as_writable_bytes(std::span(&length, 1)).first(version == 1 ? 2 : 4), "the NPY header's length");
  require(length <= stream.most(), stream.path(), ": truncated: the NPY header of ", length, " bytes is not all there");
  const std::vector<std::uint8_t> text = stream.take(length, "the NPY header");
  Header header = HeaderParser(stream.path(), {reinterpret_cast<const char*>(text.data()), text.size()}).parse();
  header.end = prefix.size() + (version == 1 ? 2 : 4) + length;
  return header;
}

// Turns the first axis from the fastest to the slowest, the last from the slowest to the fastest, keeping the first
// `first` items of the first axis.
std::vector<std::uint8_t> to_c_order(const std::vector<std::uint8_t>& fortran, std::span<const std::int64_t> shape,
                                     std::int64_t first, std::size_t item) {
  std::vector<std::size_t> stride(shape.size()), index(shape.size());
  std::size_t step = item;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    stride[axis] = step;
    step *= static_cast<std::size_t>(shape[axis]);
  }
  std::vector<std::uint8_t> result(fortran.size() / static_cast<std::size_t>(shape[0]) *
                                   static_cast<std::size_t>(first));
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

// The first `kept` bytes after the header, where they lie; `all` if nothing may follow them.
engine::SharedSpan<std::uint8_t> map(const std::string& path, const Header& header, std::uint64_t kept, bool all) {
  const engine::SharedSpan<std::uint8_t> file = InputFile(path).map();
  const std::uint64_t there = file.size() - std::min<std::uint64_t>(file.size(), header.end);
  require(there >= kept, path, ": truncated: the array that the NPY header announces takes ", kept, " bytes, ", there,
          " are there");
  require(!all || there == kept, path, ": bytes follow the array: the NPY header announces ", kept);
  return file.subspan(header.end, kept);
}

}  // namespace

namespace {

// An array whose elements have not been read.
struct Announced {
  Header header;
  Array array;              // its shape is that of what is kept
  std::uint64_t total = 0;  // bytes in the file
  std::uint64_t kept = 0;   // and of the array

  bool transposed() const { return header.fortran_order && array.shape.size() > 1 && total > 0; }
  bool all() const { return transposed() || kept == total; }
  // Whether the elements are what they are in the file.
  bool plain(const ByteStream& stream) const { return stream.plain() && !transposed() && !header.big_endian; }
};

Announced announce(ByteStream& stream, std::int64_t first) {
  const std::string& path = stream.path();
  Announced announced{read_header(stream), {}};
  Array& array = announced.array;
  array.dtype = announced.header.dtype;
  array.shape = announced.header.shape;
  const std::size_t item = item_size(array.dtype);
  announced.total = checked_product(path, array.shape, item);
  require(announced.total <= stream.most(), path, ": truncated: the NPY header announces ", announced.total,
          " bytes, more than the file can hold");
  if (first > 0 && !array.shape.empty()) array.shape[0] = std::min(array.shape[0], first);
  announced.kept = checked_product(path, array.shape, item);
  return announced;
}

}  // namespace

Array read_npy(const std::string& path, std::int64_t first, std::uint64_t mapped_from) {
  const std::unique_ptr<ByteStream> stream = ByteStream::open(path);
  Announced announced = announce(*stream, first);
  Array& array = announced.array;
  if (announced.plain(*stream) && announced.kept >= mapped_from) {
    array.bytes = map(path, announced.header, announced.kept, announced.all());
    return array;
  }
  std::vector<std::uint8_t> bytes =
      stream->take(announced.all() ? announced.total : announced.kept, "the array that the NPY header announces");
  require(!announced.all() || stream->at_end(), path, ": bytes follow the array: the NPY header announces ",
          announced.total);
  const std::size_t item = item_size(array.dtype);
  if (announced.transposed()) bytes = to_c_order(bytes, announced.header.shape, array.shape[0], item);
  if (announced.header.big_endian) reverse_numbers(bytes, item);
  array.bytes = std::move(bytes);
  return array;
}

std::optional<Array> map_npy(const std::string& path, std::int64_t first) {
  if (!begins_with(path, npy_magic)) return {};
  const std::unique_ptr<ByteStream> stream = ByteStream::open(path);
  Announced announced = announce(*stream, first);
  if (!announced.plain(*stream)) return {};
  announced.array.bytes = map(path, announced.header, announced.kept, announced.all());
  return std::move(announced.array);
}

template <class T>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape, std::span<const T> values) {
  std::string tuple;
  for (const std::int64_t axis : shape) tuple += engine::text(tuple.empty() ? "" : ", ", axis);
  if (shape.size() == 1) tuple += ',';
  const std::uint64_t size = checked_product(path, shape, 1);
  require(size == values.size(), path, ": shape (", tuple, ") needs ", size, " values, not ", values.size());
  std::string header = engine::text("{'descr': '", dtype_of<T>, "', 'fortran_order': False, 'shape': (", tuple, "), }");
  // Padded with spaces and a newline so that the numbers begin at a multiple of 64.
  const std::size_t prefix = npy_magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ').push_back('\n');
  require(header.size() <= std::numeric_limits<std::uint16_t>::max(), path, ": too many axes: ", shape.size());
  std::string start(npy_magic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  start += header;
  const std::array<std::span<const std::byte>, 2> chunks{std::as_bytes(std::span(start)), std::as_bytes(values)};
  write_file_atomically(path, chunks);
}

template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const float>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const double>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::int32_t>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::int64_t>);
template void write_npy(const std::string&, const std::vector<std::int64_t>&, std::span<const std::uint8_t>);

}  // namespace data
