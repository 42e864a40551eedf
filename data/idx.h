#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace data {

/// An array of unsigned bytes in C order.
struct IdxArray {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;
};

/// Reads an IDX file (two zero bytes, the type, the number of axes, big-endian u32 sizes, the elements), gzipped or
/// not, of type unsigned byte. With `first` > 0 at most the first `first` items along the first axis are read and
/// checked. Throws Error for a file that is missing, of another type, shorter or longer than its header says, or
/// damaged.
IdxArray read_idx(const std::string& path, std::int64_t first = 0);

}  // namespace data
