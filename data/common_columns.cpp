#include "data/common_columns.h"

#include <algorithm>
#include <iterator>

#include "data/cells.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::require;

std::string name_of(const Column& column, std::size_t c) {
  return column_in_words(column.name, static_cast<std::int64_t>(c));
}

void require_alike(const Dataset& set, const std::string& other, std::span<const Column> columns) {
  const auto kind = [](const Column& column) { return column.categories.empty() ? "numbers" : "texts"; };
  require(set.columns.size() == columns.size(), set.name, " has ", set.columns.size(), " columns, ", other, " has ",
          columns.size(), ": they must be the same");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column &own = set.columns[c], &column = columns[c];
    require(own.name.empty() || column.name.empty() || own.name == column.name, set.name, ": column ", c + 1, " is '",
            own.name, "', that of ", other, " is '", column.name, "': give both the same columns in the same order");
    require(own.categories.empty() == column.categories.empty(), set.name, ": ", name_of(own, c), " holds ", kind(own),
            ", that of ", other, " ", kind(column), ": they must be of one kind");
  }
}

// The coordinate of each of the categories among others.
std::vector<std::size_t> places_of(const Dataset& set, std::size_t c, const std::string& other, const Column& column) {
  std::vector<std::size_t> places;
  for (const std::string& category : set.columns[c].categories) {
    const auto found = std::ranges::find(column.categories, category);
    require(found != column.categories.end(), set.name, ": ", name_of(set.columns[c], c), " has '", category,
            "', which ", other, " does not have");
    places.push_back(static_cast<std::size_t>(found - column.categories.begin()));
  }
  if (places.empty()) places.push_back(0);
  return places;
}

template <class Number>
std::vector<Number> moved(std::span<const Number> values, std::span<const std::size_t> to, std::size_t width) {
  std::vector<Number> result(values.size() / to.size() * width, 0);
  for (std::size_t i = 0; i < values.size(); ++i) result[i / to.size() * width + to[i % to.size()]] = values[i];
  return result;
}

}  // namespace

std::vector<Column> common_columns(const Dataset& a, const Dataset& b) {
  require_alike(b, a.name, a.columns);
  std::vector<Column> columns = a.columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c].categories.clear();
    std::ranges::set_union(a.columns[c].categories, b.columns[c].categories, std::back_inserter(columns[c].categories));
  }
  return columns;
}

void recode(Dataset& set, const std::string& other, std::span<const Column> columns) {
  require_alike(set, other, columns);
  std::vector<std::size_t> to;  // the coordinate that each of the set's becomes
  std::size_t width = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (const std::size_t place : places_of(set, c, other, columns[c])) to.push_back(width + place);
    width += static_cast<std::size_t>(columns[c].width());
  }
  set.columns.assign(columns.begin(), columns.end());
  if (to.size() == width && std::ranges::is_sorted(to)) return;
  set.values = moved<engine::real>(set.values, to, width);
  set.doubles = moved<double>(set.doubles, to, width);
  set.dimension = static_cast<std::int64_t>(width);
}

void unite_columns(Dataset& a, Dataset& b) {
  if (a.columns.empty() || b.columns.empty()) return;
  const std::vector<Column> columns = common_columns(a, b);
  recode(a, b.name, columns);
  recode(b, a.name, columns);
}

}  // namespace data
