#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What a row has under a column that does not apply to it.
inline constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Tables of figures, printed row by row while they are measured and kept for a JSON file.
class Report {
 public:
  using Facts = std::vector<std::pair<std::string, std::string>>;

  /// Prints the facts about the machine.
  explicit Report(Facts machine);

  /// Begins a table. Columns are named with their units.
  void begin(const std::string& title, const std::vector<std::string>& columns);
  /// Adds a row to it, with a value (or none) for each column. Throws engine::Error for another number of values.
  void add(const std::string& name, const std::vector<double>& values);

  /// Writes facts and tables to a JSON file, atomically. Throws engine::Error if it can't be written.
  void write(const std::string& path) const;

 private:
  struct Row {
    std::string name;
    std::vector<double> values;
  };
  struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<Row> rows;
  };

  Facts machine_;
  std::vector<Table> tables_;
};

}  // namespace bench
