#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace data {

/// A text in rows of as many cells each, as CSV files (RFC 4180) and their kin hold it.
struct Cells {
  std::vector<char> text;                ///< what the cells lie in
  std::vector<std::string_view> cells;   ///< [rows, columns], row-major
  std::vector<std::int64_t> row_number;  ///< of each row in the file, from 1
  std::int64_t columns = 0;              ///< at least 1, unless there are no rows

  std::int64_t rows() const { return static_cast<std::int64_t>(row_number.size()); }
  std::string_view operator()(std::int64_t row, std::int64_t column) const {
    return cells[static_cast<std::size_t>(row * columns + column)];
  }
};

/// Reads a text file, gzipped or not, the first `first` rows of it only if `first` > 0. Cells are separated by what the
/// first row has of tabs, semicolons and commas, in this order, or by spaces where that row is all numbers. Blanks
/// around a cell are not of it, nor are the quotes around "one ""cell""", which may hold separators and line ends;
/// empty lines are no rows; a byte-order mark is passed over. Throws Error, with the file and the row, for rows of
/// different lengths, a quote that is not closed or that a cell goes on after, and what is no UTF-8 text.
Cells read_cells(const std::string& path, std::int64_t first = 0);

/// The number that a cell holds, in C's notation with a point, which may be infinite; none where it holds anything
/// else.
std::optional<double> number_in(std::string_view cell);

/// Whether a cell holds nothing, or what stands for nothing: NA, N/A, #N/A, NaN, null or ?, in upper or lower case.
bool is_missing(std::string_view cell);

/// What a complaint calls column number `column`, from 0: by its name, or from 1 where that is empty.
std::string column_in_words(const std::string& name, std::int64_t column);

}  // namespace data
