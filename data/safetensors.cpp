#include "data/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>

#include <zlib.h>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "engine/error.h"

namespace data {

static_assert(std::endian::native == std::endian::little, "the format's little-endian numbers are copied as they are");

namespace {

using engine::fail;
using engine::require;
using Json = nlohmann::json;

constexpr std::uint64_t longest_header = 100'000'000;
constexpr const char* metadata_key = "__metadata__";
constexpr const char* checksum_key = "crc32";
constexpr std::string_view no_checksum = "00000000";

/// The CRC-32 of the header, with no_checksum in the place of its checksum, and of the tensors, in hexadecimal digits.
std::string checksum_of(std::string_view header, std::span<const std::span<const std::byte>> tensors) {
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(header.data()), header.size());
  for (const auto& bytes : tensors)
    if (!bytes.empty())  // no address would begin anew
      crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", static_cast<unsigned long>(crc));
  return digits;
}

/// Puts the digits in the place of a header's checksum. False where it has none of that length, as it is written here.
bool put_checksum(std::string_view digits, std::string& header) {
  const std::string before = engine::text('"', checksum_key, "\":\"");
  const std::size_t found = header.find(before), place = found + before.size();
  if (found == std::string::npos || header.find('"', place) != place + digits.size()) return false;
  header.replace(place, digits.size(), digits);
  return true;
}

struct DtypeName {
  Dtype dtype;
  const char* name;
  std::uint64_t size;
};
constexpr std::array<DtypeName, 4> dtype_names{
    {{Dtype::u8, "U8", 1}, {Dtype::i64, "I64", 8}, {Dtype::f32, "F32", 4}, {Dtype::f64, "F64", 8}}};

const DtypeName& named(Dtype dtype) {
  return *std::find_if(dtype_names.begin(), dtype_names.end(), [&](const auto& d) { return d.dtype == dtype; });
}

template <class T>
constexpr Dtype dtype_of = Dtype::u8;
template <>
constexpr Dtype dtype_of<std::int64_t> = Dtype::i64;
template <>
constexpr Dtype dtype_of<float> = Dtype::f32;
template <>
constexpr Dtype dtype_of<double> = Dtype::f64;

// The bytes that a tensor of the shape occupies. Throws Error, beginning with `where`, for a size that overflows.
std::uint64_t byte_size(const std::string& where, Dtype dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t size = named(dtype).size;
  for (const std::int64_t axis : shape)
    require(axis >= 0 && !__builtin_mul_overflow(size, static_cast<std::uint64_t>(axis), &size), where,
            "its shape overflows");
  return size;
}

Json parse_header(const std::string& path, const std::string& text) {
  // JSON allows a key twice and the parser keeps the last: two readers could see two different tensors.
  std::vector<std::set<std::string>> keys;
  auto check = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    require(!opens || depth < 3, path, ": the header is nested deeper than a tensor's shape");
    keys.resize(std::max(keys.size(), static_cast<std::size_t>(depth) + 1));
    if (event == Json::parse_event_t::object_start) keys.resize(static_cast<std::size_t>(depth) + 1);
    if (event == Json::parse_event_t::key)
      require(keys[static_cast<std::size_t>(depth)].insert(parsed.get<std::string>()).second, path,
              ": the header names ", parsed.dump(), " twice");
    return true;
  };
  require(text.starts_with('{'), path, ": not a safetensors file (the header must begin with '{')");
  try {
    return Json::parse(text, check);
  } catch (const Json::parse_error& error) {
    fail(path, ": the header is not JSON, at byte ", error.byte);
  } catch (const Json::exception&) {
    fail(path, ": the header has a number that is too large");
  }
}

std::map<std::string, std::string> parse_metadata(const std::string& path, const Json& json) {
  std::map<std::string, std::string> metadata;
  require(json.is_object(), path, ": __metadata__ must map strings to strings");
  for (const auto& [key, value] : json.items()) {
    require(value.is_string(), path, ": __metadata__ must map strings to strings, \"", key, "\" does not");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

struct Entry {
  NamedTensor tensor;
  std::uint64_t begin = 0, end = 0;
};

Entry parse_entry(const std::string& path, const std::string& name, const Json& json) {
  const std::string where = engine::text(path, ": tensor \"", name, "\": ");
  auto are_sizes = [](const Json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& size) {
             return size.is_number_unsigned() && size.get<std::uint64_t>() <= INT64_MAX;
           });
  };
  require(json.is_object() && json.size() == 3 && json.contains("dtype") && json.contains("shape") &&
              json.contains("data_offsets"),
          where, "must have exactly dtype, shape and data_offsets");
  require(json["dtype"].is_string(), where, "dtype must be a string");
  require(are_sizes(json["shape"]), where, "shape must be a list of sizes");
  require(are_sizes(json["data_offsets"]) && json["data_offsets"].size() == 2, where,
          "data_offsets must be a begin and an end");

  Entry entry{{name, {}, json["shape"].get<std::vector<std::int64_t>>(), {}},
              json["data_offsets"][0].get<std::uint64_t>(),
              json["data_offsets"][1].get<std::uint64_t>()};
  const auto dtype = json["dtype"].get<std::string>();
  const auto* known = std::find_if(dtype_names.begin(), dtype_names.end(),
                                   [&](const auto& candidate) { return candidate.name == dtype; });
  require(known != dtype_names.end(), where, "dtype ", dtype, " is not supported, only U8, I64, F32 and F64");
  entry.tensor.dtype = known->dtype;
  const std::uint64_t size = byte_size(where, entry.tensor.dtype, entry.tensor.shape);
  require(entry.begin <= entry.end && entry.end - entry.begin == size, where, "data_offsets [", entry.begin, ", ",
          entry.end, "] do not hold the ", size, " bytes of its shape");
  return entry;
}

}  // namespace

const NamedTensor* Safetensors::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

template <class T>
NamedTensor NamedTensor::of(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
  NamedTensor tensor{std::move(name), dtype_of<T>, std::move(shape), {}};
  const std::string where = engine::text("tensor \"", tensor.name, "\": ");
  const auto bytes = std::as_bytes(values);
  require(byte_size(where, tensor.dtype, tensor.shape) == bytes.size(), where, "its shape does not hold ",
          values.size(), " values");
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

template <class T>
std::vector<T> NamedTensor::as() const {
  auto converted = [&]<class Source>(Source value) {
    std::vector<T> values(bytes.size() / sizeof(Source));
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
      values[i] = static_cast<T>(value);
    }
    return values;
  };
  if (dtype == dtype_of<T>) return converted(T{});
  const bool floats = dtype == Dtype::f32 || dtype == Dtype::f64;
  require(floats && std::is_floating_point_v<T>, "tensor \"", name, "\": holds ", named(dtype).name, ", not ",
          named(dtype_of<T>).name);
  return dtype == Dtype::f32 ? converted(float{}) : converted(double{});
}

Safetensors read_safetensors(const std::string& path) {
  InputFile file(path);
  std::uint64_t length = 0;
  require(file.size() >= sizeof length, path, ": not a safetensors file (shorter than 8 bytes)");
  file.read(std::as_writable_bytes(std::span(&length, 1)));
  require(length <= longest_header, path, ": not a safetensors file (a header of ", length, " bytes, at most ",
          longest_header, " are allowed)");
  require(length <= file.left(), path, ": truncated: the header of ", length, " bytes is not all there");
  std::string text(length, ' ');
  file.read(std::as_writable_bytes(std::span(text)));

  Safetensors content;
  std::vector<Entry> entries;
  const Json header = parse_header(path, text);
  for (const auto& [name, json] : header.items()) {
    if (name == metadata_key)
      content.metadata = parse_metadata(path, json);
    else
      entries.push_back(parse_entry(path, name, json));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    require(entry.begin == end, path, ": tensor \"", entry.tensor.name, "\" begins at ", entry.begin,
            entry.begin > end ? ", a hole after " : ", inside the tensor that ends at ", end);
    end = entry.end;
  }
  require(end == file.left(), path, end > file.left() ? ": truncated" : ": bytes follow the tensors",
          ": the header announces ", end, " bytes, ", file.left(), " are there");
  for (Entry& entry : entries) {
    entry.tensor.bytes.resize(entry.end - entry.begin);
    file.read(entry.tensor.bytes);
    content.tensors.push_back(std::move(entry.tensor));
  }
  if (const auto checksum = content.metadata.extract(checksum_key)) {
    std::vector<std::span<const std::byte>> tensors;
    for (const NamedTensor& tensor : content.tensors) tensors.emplace_back(tensor.bytes);
    require(put_checksum(no_checksum, text) && checksum_of(text, tensors) == checksum.mapped(), path,
            ": damaged: its content does not have the crc32 ", checksum.mapped(),
            " of its metadata; take another copy, or leave that out of what you wrote yourself");
  }
  return content;
}

void write_safetensors(const std::string& path, const Safetensors& content) {
  // Largest elements first keeps every tensor aligned, which other readers need.
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : content.tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return named(a->dtype).size > named(b->dtype).size;
  });

  Json header = Json::object();
  header[metadata_key] = content.metadata;
  header[metadata_key][checksum_key] = no_checksum;
  std::uint64_t end = 0;
  std::vector<std::span<const std::byte>> chunks(2);
  for (const NamedTensor* tensor : order) {
    const std::string where = engine::text(path, ": tensor \"", tensor->name, "\": ");
    require(tensor->name != metadata_key && !header.contains(tensor->name), where, "the name is taken");
    const std::uint64_t size = byte_size(where, tensor->dtype, tensor->shape);
    require(size == tensor->bytes.size(), where, "its shape needs ", size, " bytes, not ", tensor->bytes.size());
    header[tensor->name] = {
        {"dtype", named(tensor->dtype).name}, {"shape", tensor->shape}, {"data_offsets", {end, end + size}}};
    end += size;
    chunks.push_back(tensor->bytes);
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
    fail(path, ": names and metadata must be UTF-8: ", error.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  put_checksum(checksum_of(text, std::span(chunks).subspan(2)), text);
  chunks[0] = std::as_bytes(std::span(&length, 1));
  chunks[1] = std::as_bytes(std::span(text));
  write_file_atomically(path, chunks);
}

template NamedTensor NamedTensor::of(std::string, std::vector<std::int64_t>, std::span<const std::uint8_t>);
template NamedTensor NamedTensor::of(std::string, std::vector<std::int64_t>, std::span<const std::int64_t>);
template NamedTensor NamedTensor::of(std::string, std::vector<std::int64_t>, std::span<const float>);
template NamedTensor NamedTensor::of(std::string, std::vector<std::int64_t>, std::span<const double>);
template std::vector<std::uint8_t> NamedTensor::as() const;
template std::vector<std::int64_t> NamedTensor::as() const;
template std::vector<float> NamedTensor::as() const;
template std::vector<double> NamedTensor::as() const;

}  // namespace data
