#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace data {

/// What a column of a table holds: numbers, each a coordinate, or texts, each of them as many coordinates as there are
/// categories: 1 for its own, 0 for the others.
struct Column {
  std::string name;                       ///< empty where the table has no header
  bool whole = false;                     ///< all its numbers are written without a point or an exponent
  std::vector<std::string> categories{};  ///< of texts, in increasing order; empty for numbers

  std::int64_t width() const { return categories.empty() ? 1 : std::ssize(categories); }
  bool operator==(const Column&) const = default;
};

/// The number of coordinates of a row.
std::int64_t width_of(std::span<const Column> columns);

/// A table as points, [rows, width_of(columns)].
struct Table {
  std::vector<Column> columns;
  std::vector<double> values;
  std::int64_t rows = 0;
  std::string left_out{};  ///< in words: a nameless first column of row numbers
};

/// A column with more different texts than this is no kind that points come in.
inline constexpr std::size_t most_categories = 50;

/// Whether a file's name is that of a table: .csv or .tsv, also .gz.
bool is_table(const std::string& path);

/// Reads a table of numbers and texts (read_cells() has the format), the first `first` rows of it only if `first` > 0.
/// The first row is a header if it has text where most others have numbers, or, in a table of texts alone, if none of
/// its cells comes again. Throws Error with the file, the row, the column and the remedy for a missing cell, an
/// infinite number, numbers and texts in one column, and more than most_categories texts.
Table read_table(const std::string& path, std::int64_t first = 0);

/// The cells of a column of FILE.csv:COLUMN, row by row, as they are written: of the column of that name or, from 1,
/// that number; COLUMN may be left out of a table that has a single one. Throws Error as read_table() does for what is
/// no table, naming the columns where there is no such one, and for a missing cell.
std::vector<std::string> read_column(const std::string& column_of_file);

/// Writes points, rows of width_of(columns) coordinates, as the table that they come from, separated by tabs where the
/// file's name ends in .tsv, otherwise by commas, with a header where the columns have names: numbers as short as they
/// are exact, rounded where a column is whole; of texts the one whose coordinate is the largest, the first of equals.
/// Throws Error where the file can't be written.
void write_table(const std::string& path, std::span<const Column> columns, std::span<const float> values);

}  // namespace data
