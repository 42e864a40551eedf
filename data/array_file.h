#pragma once

#include <cstdint>
#include <string>

#include "data/array.h"

namespace data {

/// Reads an array from a .npy or .npz file, told by its name or its first bytes, otherwise from an IDX file: at most the
/// first `first` items along the first axis, if `first` > 0. Throws Error as read_npy() and read_idx() do.
Array read_array(const std::string& path, std::int64_t first = 0);

}  // namespace data
