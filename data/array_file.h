#pragma once

#include <cstdint>
#include <string>

#include "data/array.h"

namespace data {

/// Reads an array from whatever file holds numbers: as read_table() a .csv or .tsv file, of numbers alone, as [rows,
/// columns] in double, otherwise as read_npy() or read_idx(). With `first` > 0 at most the first `first` items of the
/// first axis, or rows. Throws Error as they do, and for a table with texts.
Array read_array(const std::string& path, std::int64_t first = 0);

}  // namespace data
