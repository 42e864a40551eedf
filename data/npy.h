#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/array.h"

namespace data {

/// What the files of NumPy arrays begin with.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads a .npy file, format 1.0 to 3.0, gzipped or not, or an array of an .npz archive (ByteStream says how it is
/// named); Fortran order is turned into C order, big-endian numbers into little-endian ones. With `first` > 0 at most
/// the first `first` items along the first axis are read. Of a plain file whose array takes `mapped_from` bytes or
/// more, in C order and little-endian, the elements stay where they are (InputFile::map). Throws Error for a missing,
/// truncated or malformed file, trailing bytes, objects, and any dtype not in numeric_dtypes.
Array read_npy(const std::string& path, std::int64_t first = 0, std::uint64_t mapped_from = std::uint64_t{1} << 28);

/// The same where the elements can stay in their file, however few they are; none where they can't, and of a file that
/// is no .npy.
std::optional<Array> map_npy(const std::string& path, std::int64_t first = 0);

/// Writes a .npy file, format 1.0, atomically. T is float, double, std::int32_t, std::int64_t or std::uint8_t. Throws
/// Error unless there is a value for each element of the shape, and when the file can't be written.
template <class T>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape, std::span<const T> values);

}  // namespace data
