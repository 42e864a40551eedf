#pragma once

#include <cstdint>
#include <string>

#include "data/array.h"

namespace data {

/// Reads an IDX file (two zero bytes, the type, the number of axes, big-endian u32 sizes, the big-endian elements),
/// gzipped or not, of any of its types: bytes with and without sign, integers of 16 and 32 bits, floats of 32 and 64.
/// With `first` > 0 at most the first `first` items along the first axis are read and checked. Throws Error for a file
/// that is missing, of another type, shorter or longer than its header says, or damaged.
Array read_idx(const std::string& path, std::int64_t first = 0);

}  // namespace data
