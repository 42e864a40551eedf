#include "data/array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/error.h"

namespace data {

static_assert(std::endian::native == std::endian::little, "the formats' little-endian numbers are copied as they are");

namespace {

constexpr std::array<std::string_view, 12> dtypes = {"<f2", "<f4", "<f8", "|b1", "|i1", "<i2",
                                                     "<i4", "<i8", "|u1", "<u2", "<u4", "<u8"};

// A float of IEEE 754's 16 bits: sign, 5 bits of exponent, 10 of fraction.
struct Half {
  std::uint16_t bits;

  operator double() const {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double size = exponent == 31  ? fraction == 0 ? INFINITY : NAN
                        : exponent == 0 ? std::ldexp(fraction, -24)
                                        : std::ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 != 0 ? -size : size;
  }
};

template <class T, class Source>
std::vector<T> converted(std::span<const std::uint8_t> bytes) {
  std::vector<T> values(bytes.size() / sizeof(Source));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Source value;
    std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
    values[i] = static_cast<T>(value);
  }
  return values;
}

}  // namespace

std::int64_t Array::size() const {
  return static_cast<std::int64_t>(bytes.size() / item_size(dtype));
}

template <class T>
std::vector<T> Array::as() const {
  if (dtype == "<f2") return converted<T, Half>(bytes);
  if (dtype == "<f4") return converted<T, float>(bytes);
  if (dtype == "<f8") return converted<T, double>(bytes);
  if (dtype == "|i1") return converted<T, std::int8_t>(bytes);
  if (dtype == "<i2") return converted<T, std::int16_t>(bytes);
  if (dtype == "<i4") return converted<T, std::int32_t>(bytes);
  if (dtype == "<i8") return converted<T, std::int64_t>(bytes);
  if (dtype == "<u2") return converted<T, std::uint16_t>(bytes);
  if (dtype == "<u4") return converted<T, std::uint32_t>(bytes);
  if (dtype == "<u8") return converted<T, std::uint64_t>(bytes);
  return converted<T, std::uint8_t>(bytes);
}

template <class T>
engine::SharedSpan<T> Array::shared() const {
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0;
  if (aligned && dtype == (sizeof(T) == 4 ? "<f4" : "<f8")) return bytes.as<T>();
  return as<T>();
}

std::span<const std::string_view> numeric_dtypes() {
  return dtypes;
}

std::size_t item_size(std::string_view dtype) {
  return static_cast<std::size_t>(dtype[2] - '0');
}

std::uint64_t checked_product(const std::string& path, std::span<const std::int64_t> shape, std::uint64_t item) {
  std::uint64_t product = item;
  for (const std::int64_t axis : shape)
    engine::require(!__builtin_mul_overflow(product, static_cast<std::uint64_t>(axis), &product) &&
                        product <= std::numeric_limits<std::int64_t>::max(),
                    path, ": the sizes in its header overflow");
  return product;
}

void reverse_numbers(std::span<std::uint8_t> bytes, std::size_t item) {
  if (item == 1) return;
  for (; !bytes.empty(); bytes = bytes.subspan(item)) std::ranges::reverse(bytes.first(item));
}

template std::vector<float> Array::as() const;
template std::vector<double> Array::as() const;
template std::vector<std::int32_t> Array::as() const;
template std::vector<std::int64_t> Array::as() const;
template std::vector<std::uint8_t> Array::as() const;
template engine::SharedSpan<float> Array::shared() const;
template engine::SharedSpan<double> Array::shared() const;

}  // namespace data
