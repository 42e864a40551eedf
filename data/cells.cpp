#include "data/cells.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <span>

#include "data/byte_stream.h"
#include "data/lower_case.h"
#include "data/utf8.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

std::vector<char> read_text(const std::string& path) {
  const std::unique_ptr<ByteStream> stream = ByteStream::open(path);
  const std::size_t step = std::min<std::uint64_t>(stream->most(), (1 << 20) - 1) + 1;
  std::vector<char> text;
  for (std::size_t count = step; count == step;) {
    const std::size_t before = text.size();
    text.resize(before + step);
    count = stream->read(std::as_writable_bytes(std::span(text)).subspan(before));
    text.resize(before + count);
    const std::string_view all(text.data(), text.size());
    require(!all.starts_with("\xff\xfe") && !all.starts_with("\xfe\xff"), path, ": is UTF-16; save it as UTF-8");
    require(all.find('\0', before) == all.npos, path, ": is no text, it holds zero bytes");
  }
  return text;
}

char separator_of(std::string_view first_row) {
  constexpr std::array preferred{'\t', ';', ','};
  std::array<bool, preferred.size()> seen{};
  bool quoted = false;
  for (const char c : first_row) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) break;
    for (std::size_t i = 0; i < preferred.size(); ++i) seen[i] = seen[i] || (!quoted && c == preferred[i]);
  }
  for (std::size_t i = 0; i < preferred.size(); ++i)
    if (seen[i]) return preferred[i];
  const std::string_view line = first_row.substr(0, first_row.find_first_of("\r\n"));
  return line.find_first_not_of("0123456789+-.eE ") == line.npos ? ' ' : ',';
}

class Reader {
 public:
  Reader(const std::string& path, std::vector<char>& text)
      : path_(path), at_(text.data()), end_(text.data() + text.size()) {
    if (rest().starts_with("\xef\xbb\xbf")) at_ += 3;
    const std::size_t begin = rest().find_first_not_of("\r\n ");
    separator_ = separator_of(begin == rest().npos ? "" : rest().substr(begin));
  }

  /// Appends the cells of the next row that is not empty; false where there is none.
  bool read_row(std::vector<std::string_view>& cells) {
    while (at_ != end_) {
      ++row_;
      skip_blanks();
      if (ends_row()) continue;
      read_cells(cells);
      return true;
    }
    return false;
  }

  std::int64_t row() const { return row_; }

 private:
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  bool is_blank(char c) const { return c == ' ' || (c == '\t' && separator_ != '\t'); }
  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  /// Passes over a line end, or the text's.
  bool ends_row() {
    if (at_ == end_) return true;
    if (*at_ != '\n' && *at_ != '\r') return false;
    if (*at_++ == '\r' && at_ != end_ && *at_ == '\n') ++at_;
    return true;
  }

  void read_cells(std::vector<std::string_view>& cells) {
    for (;;) {
      skip_blanks();
      cells.push_back(at_ != end_ && *at_ == '"' ? quoted() : plain());
      skip_blanks();
      if (ends_row()) return;
      if (separator_ == ' ') continue;
      require(*at_ == separator_, path_, ": row ", row_, ": a cell goes on after its closing quote: \"", cells.back(),
              "\"", *at_);
      ++at_;
    }
  }

  std::string_view plain() {
    const char* const begin = at_;
    while (at_ != end_ && *at_ != separator_ && *at_ != '\n' && *at_ != '\r') ++at_;
    const char* last = at_;
    while (last != begin && is_blank(last[-1])) --last;
    return {begin, static_cast<std::size_t>(last - begin)};
  }

  /// Moves what follows a doubled quote up to the first of the two.
  std::string_view quoted() {
    char *const begin = ++at_, *written = at_;
    while (at_ != end_) {
      if (*at_ == '"' && (++at_ == end_ || *at_ != '"')) return {begin, static_cast<std::size_t>(written - begin)};
      *written++ = *at_++;
    }
    fail(path_, ": row ", row_, ": a quote is opened and not closed");
  }

  const std::string& path_;
  char* at_;
  char* const end_;
  char separator_ = ',';
  std::int64_t row_ = 0;
};

}  // namespace

Cells read_cells(const std::string& path, std::int64_t first) {
  Cells table{read_text(path), {}, {}, 0};
  Reader reader(path, table.text);
  while ((first <= 0 || table.rows() < first) && reader.read_row(table.cells)) {
    const std::int64_t cells = std::ssize(table.cells) - table.rows() * table.columns;
    if (table.rows() == 0) table.columns = cells;
    require(cells == table.columns, path, ": row ", reader.row(), " has ", cells, " cells, row ",
            table.row_number.empty() ? reader.row() : table.row_number.front(), " has ", table.columns);
    table.row_number.push_back(reader.row());
  }
  for (std::size_t i = 0; i < table.cells.size(); ++i)
    require(is_utf8(table.cells[i]), path, ": row ", table.row_number[i / static_cast<std::size_t>(table.columns)],
            ", column ", static_cast<std::int64_t>(i) % table.columns + 1,
            ": is no UTF-8 text; save the file as UTF-8");
  return table;
}

std::optional<double> number_in(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (cell.empty() || end != cell.data() + cell.size() || error == std::errc::invalid_argument) return {};
  return error == std::errc() ? number : std::numeric_limits<double>::infinity();
}

bool is_missing(std::string_view cell) {
  constexpr std::array<std::string_view, 7> words{"", "na", "n/a", "#n/a", "nan", "null", "?"};
  if (cell.size() > 4) return false;
  return std::ranges::find(words, lower_case(std::string(cell))) != words.end();
}

std::string column_in_words(const std::string& name, std::int64_t column) {
  return name.empty() ? engine::text("column ", column + 1) : engine::text("column '", name, "'");
}

}  // namespace data
