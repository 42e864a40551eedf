#include "data/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "data/cells.h"
#include "data/file.h"
#include "data/lower_case.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

// Whether no cell of the first row comes again below.
bool is_unlike_the_rest(const Cells& cells) {
  for (std::int64_t c = 0; c < cells.columns; ++c)
    for (std::int64_t r = 1; r < cells.rows(); ++r)
      if (cells(r, c) == cells(0, c)) return false;
  return true;
}

bool has_header(const Cells& cells) {
  bool numbers_anywhere = false;
  for (std::int64_t c = 0; c < cells.columns; ++c) {
    std::int64_t numbers = 0, texts = 0;
    for (std::int64_t r = 1; r < cells.rows(); ++r)
      if (!is_missing(cells(r, c))) ++(number_in(cells(r, c)) ? numbers : texts);
    numbers_anywhere = numbers_anywhere || numbers > 0;
    if (numbers > texts && !is_missing(cells(0, c)) && !number_in(cells(0, c))) return true;
  }
  return !numbers_anywhere && cells.rows() > 1 && is_unlike_the_rest(cells);
}

bool is_whole(std::string_view number) {
  return number.find_first_not_of("+-0123456789") == number.npos;
}

// The cells below the header, and what a complaint says of them.
class Body {
 public:
  Body(const std::string& path, const Cells& cells, bool header) : path_(path), cells_(cells), header_(header) {}

  std::int64_t rows() const { return cells_.rows() - first(); }
  std::string_view operator()(std::int64_t row, std::int64_t column) const { return cells_(first() + row, column); }
  std::string name(std::int64_t column) const { return header_ ? std::string(cells_(0, column)) : ""; }

  std::string column(std::int64_t c) const { return column_in_words(name(c), c); }
  std::string row(std::int64_t r) const {
    return engine::text("row ", cells_.row_number[static_cast<std::size_t>(first() + r)]);
  }
  template <class... Parts>
  [[noreturn]] void refuse(std::int64_t r, std::int64_t c, const Parts&... parts) const {
    fail(path_, ": ", row(r), ", ", column(c), ' ', parts...);
  }
  const std::string& path() const { return path_; }

 private:
  std::int64_t first() const { return header_ ? 1 : 0; }
  const std::string& path_;
  const Cells& cells_;
  bool header_;
};

// Whether a text, such as 1,5, would be a number with points in its commas' place.
bool has_decimal_comma(std::string_view cell) {
  std::string text(cell);
  std::ranges::replace(text, ',', '.');
  return number_in(text).has_value();
}

Column column_of(const Body& body, std::int64_t c) {
  Column column{body.name(c), true};
  const bool numbers = number_in(body(0, c)).has_value();
  std::set<std::string_view> texts;
  for (std::int64_t r = 0; r < body.rows(); ++r) {
    const std::string_view cell = body(r, c);
    if (is_missing(cell))
      body.refuse(r, c, "is missing", cell.empty() ? "" : engine::text(" ('", cell, "')"),
                  ": fill it in, or leave out the row");
    const std::optional<double> number = number_in(cell);
    if (!number && has_decimal_comma(cell)) body.refuse(r, c, "is '", cell, "': write numbers with a decimal point");
    if (number.has_value() != numbers)
      body.refuse(r, c, "is '", cell, number ? "', a number" : "', no number", ", but that of ", body.row(0), " is '",
                  body(0, c), "': a column must hold numbers alone, or texts alone");
    if (number && !std::isfinite(*number)) body.refuse(r, c, "is ", cell, "; all must be finite");
    if (number)
      column.whole = column.whole && is_whole(cell);
    else
      texts.insert(cell);
    require(texts.size() <= most_categories, body.path(), ": ", body.column(c), " has more than ", most_categories,
            " different texts, such as '", cell, "' in ", body.row(r), ": leave out the column, or write numbers");
  }
  column.whole = column.whole && numbers;
  column.categories.assign(texts.begin(), texts.end());
  return column;
}

// Whether they count the rows from the first on.
bool are_row_numbers(const Body& body, const Column& column, std::int64_t c) {
  if (!column.whole) return false;
  for (std::int64_t r = 0; r < body.rows(); ++r)
    if (*number_in(body(r, c)) != *number_in(body(0, c)) + static_cast<double>(r)) return false;
  return true;
}

void append(std::vector<double>& values, const Column& column, std::string_view cell) {
  if (column.categories.empty()) return values.push_back(*number_in(cell));
  for (const std::string& category : column.categories) values.push_back(category == cell ? 1 : 0);
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of("\",;\t\r\n") == cell.npos && !cell.starts_with(' ') && !cell.ends_with(' ')) return cell;
  std::string result = "\"";
  for (const char c : cell) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + '"';
}

std::string cell_of(const Column& column, std::span<const float> coordinates) {
  if (!column.categories.empty())
    return quoted(
        column.categories[static_cast<std::size_t>(std::ranges::max_element(coordinates) - coordinates.begin())]);
  // -0.4 rounds to minus zero, which 0 takes the sign of.
  const float number = column.whole ? std::round(coordinates.front()) + 0.0F : coordinates.front();
  std::array<char, 64> text{};
  const auto written = column.whole
                           ? std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed)
                           : std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), written.ptr};
}

}  // namespace

std::int64_t width_of(std::span<const Column> columns) {
  std::int64_t width = 0;
  for (const Column& column : columns) width += column.width();
  return width;
}

bool is_table(const std::string& path) {
  const std::string name = lower_case(path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path);
  return name.ends_with(".csv") || name.ends_with(".tsv");
}

Table read_table(const std::string& path, std::int64_t first) {
  Cells cells = read_cells(path, first > 0 ? first + 1 : 0);
  const bool header = has_header(cells);
  if (!header && first > 0 && cells.rows() > first) cells.row_number.pop_back();
  const Body body(path, cells, header);
  Table table;
  table.rows = body.rows();
  require(table.rows > 0, path, header ? ": holds a header and no rows" : ": holds no rows");
  std::int64_t left_out = 0;
  for (std::int64_t c = 0; c < cells.columns; ++c) {
    Column column = column_of(body, c);
    if (c == 0 && header && cells.columns > 1 && column.name.empty() && are_row_numbers(body, column, c))
      left_out = 1, table.left_out = "its first column, which counts the rows";
    else
      table.columns.push_back(std::move(column));
  }
  table.values.reserve(static_cast<std::size_t>(table.rows * width_of(table.columns)));
  for (std::int64_t r = 0; r < table.rows; ++r)
    for (std::int64_t c = left_out; c < cells.columns; ++c)
      append(table.values, table.columns[static_cast<std::size_t>(c - left_out)], body(r, c));
  return table;
}

std::vector<std::string> read_column(const std::string& column_of_file) {
  const std::size_t colon = column_of_file.rfind(':');
  const bool named = colon != column_of_file.npos && !is_table(column_of_file);
  const std::string path = named ? column_of_file.substr(0, colon) : column_of_file;
  const std::string asked = named ? column_of_file.substr(colon + 1) : "1";
  const Cells cells = read_cells(path);
  const Body body(path, cells, has_header(cells));
  require(named || cells.columns == 1, path, ": has ", cells.columns, " columns: name one of them, ", path, ":COLUMN");
  std::int64_t found = 0;
  std::string names;
  while (found < cells.columns && body.name(found) != asked && std::to_string(found + 1) != asked)
    names += (found == 0 ? "" : ", ") + (body.name(found).empty() ? std::to_string(found + 1) : body.name(found)),
        ++found;
  require(found < cells.columns, path, ": has no column '", asked, "', but ", names);
  std::vector<std::string> column;
  for (std::int64_t r = 0; r < body.rows(); ++r) {
    if (is_missing(body(r, found))) body.refuse(r, found, "is missing: fill it in, or leave out the row");
    column.emplace_back(body(r, found));
  }
  return column;
}

void write_table(const std::string& path, std::span<const Column> columns, std::span<const float> values) {
  const char separator = path.ends_with(".tsv") ? '\t' : ',';
  std::string text;
  const auto end_cell = [&](const Column& column) { text += &column == &columns.back() ? '\n' : separator; };
  if (std::ranges::any_of(columns, [](const Column& column) { return !column.name.empty(); }))
    for (const Column& column : columns) text += quoted(column.name), end_cell(column);
  while (!values.empty())
    for (const Column& column : columns) {
      const auto width = static_cast<std::size_t>(column.width());
      text += cell_of(column, values.first(width)), end_cell(column);
      values = values.subspan(width);
    }
  write_file_atomically(path, text);
}

}  // namespace data
