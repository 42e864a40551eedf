#include "data/idx.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/big_endian.h"
#include "data/byte_stream.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

std::string dtype_of(int type, const std::string& path) {
  switch (type) {
    case 0x08:
      return "|u1";
    case 0x09:
      return "|i1";
    case 0x0b:
      return "<i2";
    case 0x0c:
      return "<i4";
    case 0x0d:
      return "<f4";
    case 0x0e:
      return "<f8";
    default:
      fail(path, ": IDX type ", type, " is none of the format's: 8, 9, 11, 12, 13 and 14");
  }
}

Array read_header(ByteStream& stream) {
  std::array<char, 4> magic{};
  require(stream.read(std::as_writable_bytes(std::span(magic))) == magic.size() && magic[0] == 0 && magic[1] == 0 &&
              magic[3] != 0,
          stream.path(), ": not an IDX file (it must begin with 00 00, a type and the number of axes)");
  Array array{dtype_of(static_cast<unsigned char>(magic[2]), stream.path()), {}, {}};
  for (int axes = static_cast<unsigned char>(magic[3]); axes > 0; --axes) {
    std::array<char, 4> word{};
    stream.fill(std::as_writable_bytes(std::span(word)), engine::text("the size of axis ", array.shape.size()));
    array.shape.push_back(static_cast<std::int64_t>(big_endian({word.data(), word.size()}, word.size())));
  }
  return array;
}

}  // namespace

Array read_idx(const std::string& path, std::int64_t first) {
  const std::unique_ptr<ByteStream> stream = ByteStream::open(path);
  Array array = read_header(*stream);
  const std::size_t item = item_size(array.dtype);
  const std::uint64_t total = checked_product(path, array.shape, item);
  require(total <= stream->most(), path, ": truncated: the IDX header announces ", total,
          " bytes, more than the file can hold");
  const bool all = first <= 0 || first >= array.shape[0];
  if (!all) array.shape[0] = first;
  std::vector<std::uint8_t> bytes =
      stream->take(checked_product(path, array.shape, item), "what the IDX header announces");
  require(!all || stream->at_end(), path, ": bytes follow the ", total, " that the IDX header announces");
  reverse_numbers(bytes, item);
  array.bytes = std::move(bytes);
  return array;
}

}  // namespace data
