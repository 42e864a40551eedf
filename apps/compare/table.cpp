#include "apps/compare/table.h"

#include <algorithm>
#include <map>

#include "apps/report/page.h"
#include "engine/error.h"

namespace apps::comparing {

namespace {

/// A number of a run: of its outcome, or the first that its evaluation has of `measured`.
struct Column {
  const char *key, *head;
  std::vector<const char*> measured;
  int significant = 3;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> all{
      {"iterations", "iterations", {}, 6},
      {"w2", "W2²/α", {"w2"}},
      {"sinkhorn_divergence", "Sinkhorn/α", {"sinkhorn_divergence"}},
      {"coverage", "coverage", {"features.coverage", "pixels.coverage"}},
      {"recall", "recall", {"features.recall", "pixels.recall"}},
      {"precision", "precision", {"features.precision", "pixels.precision"}},
      {"density", "density", {"features.density", "pixels.density"}},
      {"two_sample", "two-sample", {"features.two_sample", "pixels.two_sample"}},
      {"class_tv", "class TV", {"classes.total_variation"}},
      {"frechet", "Fréchet", {"features.frechet"}},
      {"energy", "energy", {"gradient_energy"}},
      {"total_variance", "variance", {"total_variance"}},
      {"copying", "Z of copying", {"copying"}},
      {"seconds", "seconds", {}},
      {"peak_mb", "peak MB", {}},
  };
  return all;
}

std::optional<double> of_outcome(const Outcome& outcome, const std::string& key) {
  if (key == "iterations") return static_cast<double>(outcome.iterations);
  if (key == "seconds") return outcome.seconds;
  if (key == "peak_mb" && outcome.peak_bytes) return *outcome.peak_bytes / 1e6;
  return {};
}

Measured of_evaluation(const std::map<std::string, Measured>& measures, const Column& column) {
  for (const char* key : column.measured)
    if (const auto found = measures.find(key); found != measures.end()) return found->second;
  return {};
}

std::size_t length_of(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(const std::vector<Row>& rows) {
  Line floor{"training points", "", "", "", std::vector<std::optional<Range>>(columns().size())};
  for (const Row& row : rows) {
    Line line{row.method, row.preset, report::number(row.factor), "", {}};
    std::vector<std::vector<double>> values(columns().size());
    std::size_t failed = 0;
    for (std::size_t r = 0; r < row.runs.size(); ++r) {
      if (!row.outcomes[r].failure.empty()) {
        ++failed;
        continue;
      }
      const std::map<std::string, Measured> measures = measures_of(row.runs[r]);
      for (std::size_t c = 0; c < columns().size(); ++c) {
        const Measured measured = of_evaluation(measures, columns()[c]);
        if (measured.value) values[c].push_back(*measured.value);
        if (measured.floor && !floor.ranges[c]) floor.ranges[c] = {*measured.floor, *measured.floor, *measured.floor};
        if (const auto value = of_outcome(row.outcomes[r], columns()[c].key)) values[c].push_back(*value);
      }
    }
    for (std::vector<double>& all : values) line.ranges.push_back(range_of(std::move(all)));
    line.failed = engine::text(failed, "/", row.runs.size());
    lines_.push_back(std::move(line));
  }
  if (std::ranges::any_of(floor.ranges, [](const auto& range) { return range.has_value(); })) lines_.push_back(floor);
}

std::optional<Table::Range> Table::range_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return Range{(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}

bool Table::filled(std::size_t column) const {
  return std::ranges::any_of(lines_, [&](const Line& line) { return line.ranges[column].has_value(); });
}

std::vector<std::string> Table::heads() const {
  std::vector<std::string> heads{"method", "preset", "rates ×"};
  for (std::size_t c = 0; c < columns().size(); ++c)
    if (filled(c)) heads.emplace_back(columns()[c].head);
  heads.emplace_back("failed");
  return heads;
}

std::vector<std::string> Table::cells(const Line& line) const {
  std::vector<std::string> cells{line.method, line.preset, line.factor};
  for (std::size_t c = 0; c < columns().size(); ++c) {
    if (!filled(c)) continue;
    const auto number = [&](double value) { return report::number(value, columns()[c].significant); };
    const std::optional<Range>& range = line.ranges[c];
    if (!range)
      cells.emplace_back("–");
    else if (number(range->low) == number(range->high))
      cells.push_back(number(range->median));
    else
      cells.push_back(number(range->median) + " (" + number(range->low) + "–" + number(range->high) + ")");
  }
  cells.push_back(line.failed);
  return cells;
}

std::string Table::text() const {
  std::vector<std::vector<std::string>> all{heads()};
  for (const Line& line : lines_) all.push_back(cells(line));
  std::vector<std::size_t> widths(all.front().size());
  for (const std::vector<std::string>& row : all)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], length_of(row[c]));
  std::string table;
  for (const std::vector<std::string>& row : all) {
    for (std::size_t c = 0; c < row.size(); ++c)
      table += row[c] + (c + 1 < row.size() ? std::string(widths[c] - length_of(row[c]) + 2, ' ') : "\n");
  }
  return table;
}

std::string Table::markdown() const {
  const auto line_of = [](const std::vector<std::string>& row) {
    std::string line = "|";
    for (const std::string& cell : row) line += " " + cell + " |";
    return line + "\n";
  };
  std::string table = line_of(heads()) + line_of(std::vector<std::string>(heads().size(), "---"));
  for (const Line& line : lines_) table += line_of(cells(line));
  return table;
}

std::string Table::html() const {
  std::string head, body;
  for (const std::string& name : heads()) head += "<th scope=\"col\">" + report::escaped(name) + "</th>";
  for (const Line& line : lines_) {
    body += "<tr>";
    for (const std::string& cell : cells(line)) body += "<td>" + report::escaped(cell) + "</td>";
    body += "</tr>\n";
  }
  return "<div class=\"scroll\" role=\"region\" aria-label=\"The methods\" tabindex=\"0\">\n<table>\n<thead><tr>" +
         head + "</tr></thead>\n<tbody>\n" + body + "</tbody>\n</table>\n</div>\n";
}

std::string Table::csv() const {
  std::string table = "method,preset,rates,failed";
  for (const Column& column : columns())
    for (const char* which : {"median", "low", "high"}) table += engine::text(',', column.key, '_', which);
  for (const Line& line : lines_) {
    table += engine::text('\n', line.method, ',', line.preset, ',', line.factor, ',', line.failed);
    for (const std::optional<Range>& range : line.ranges)
      table += range ? "," + report::number(range->median, 9) + "," + report::number(range->low, 9) + "," +
                           report::number(range->high, 9)
                     : ",,,";
  }
  return table + "\n";
}

}  // namespace apps::comparing
