#include "data/array_file.h"

#include <span>
#include <utility>

#include "data/byte_stream.h"
#include "data/cells.h"
#include "data/idx.h"
#include "data/lower_case.h"
#include "data/npy.h"
#include "data/table.h"
#include "engine/error.h"

namespace data {

namespace {

bool is_npy(const std::string& path) {
  const std::string name = lower_case(path);
  return name.ends_with(".npy") || name.ends_with(".npz") || begins_with(path, npy_magic);
}

Array read_numbers(const std::string& path, std::int64_t first) {
  Table table = read_table(path, first);
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    engine::require(table.columns[c].categories.empty(), path, ": ",
                    column_in_words(table.columns[c].name, static_cast<std::int64_t>(c)),
                    " holds texts: give columns of numbers alone");
  const engine::SharedSpan<double> values(std::move(table.values));
  return {"<f8", {table.rows, std::ssize(table.columns)}, values.as<std::uint8_t>()};
}

}  // namespace

Array read_array(const std::string& path, std::int64_t first) {
  if (is_table(path)) return read_numbers(path, first);
  return is_npy(path) ? read_npy(path, first) : read_idx(path, first);
}

}  // namespace data
