#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/compare/comparison.h"
#include "apps/compare/runs.h"

namespace apps::comparing {

/// The runs of an entry.
struct Row {
  std::string method, preset;
  double factor = 1;  ///< that its rates are taken times
  std::vector<RunFolder> runs;
  std::vector<Outcome> outcomes;
};

/// What the runs of each row come to: a median and a range over those that did not fail. The last row has what training
/// points come to in the samples' place, where that is known.
class Table {
 public:
  /// Reads the runs' evaluations.
  explicit Table(const std::vector<Row>& rows);

  std::string text() const;
  std::string markdown() const;
  std::string html() const;
  /// A line a row, with KEY_median, KEY_low and KEY_high for each number.
  std::string csv() const;

 private:
  struct Range {
    double median, low, high;
  };
  struct Line {
    std::string method, preset, factor, failed;
    std::vector<std::optional<Range>> ranges;  ///< a column each
  };
  static std::optional<Range> range_of(std::vector<double> values);
  std::vector<std::string> heads() const;
  std::vector<std::string> cells(const Line& line) const;
  /// Whether any row has a number there.
  bool filled(std::size_t column) const;

  std::vector<Line> lines_;
};

}  // namespace apps::comparing
