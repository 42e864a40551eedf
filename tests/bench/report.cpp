#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "data/file.h"
#include "engine/error.h"

namespace bench {

namespace {

constexpr int name_width = 30;

int width(const std::string& column) {
  return 2 + std::max(5, static_cast<int>(column.size()));
}

std::string number(double value) {
  if (std::isnan(value)) return "-";
  const int decimals = value == std::floor(value) || value >= 100 ? 0 : value >= 10 ? 1 : 3;
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << value;
  return text.str();
}

}  // namespace

Report::Report(Facts machine) : machine_(std::move(machine)) {
  for (const auto& [name, fact] : machine_) std::cout << name << ": " << fact << '\n';
}

void Report::begin(const std::string& title, const std::vector<std::string>& columns) {
  tables_.push_back({title, columns, {}});
  std::cout << '\n' << title << '\n' << std::string(name_width, ' ');
  for (const std::string& column : columns) std::cout << std::setw(width(column)) << column;
  std::cout << std::endl;
}

void Report::add(const std::string& name, const std::vector<double>& values) {
  Table& table = tables_.back();
  engine::require(values.size() == table.columns.size(), "[bench] ", name, ": ", values.size(), " values for ",
                  table.columns.size(), " columns");
  table.rows.push_back({name, values});
  std::cout << "  " << std::left << std::setw(name_width - 2) << name << std::right;
  for (std::size_t c = 0; c < values.size(); ++c) std::cout << std::setw(width(table.columns[c])) << number(values[c]);
  std::cout << std::endl;
}

void Report::write(const std::string& path) const {
  nlohmann::ordered_json json;
  for (const auto& [name, fact] : machine_) json["machine"][name] = fact;
  for (const Table& table : tables_)
    for (const Row& row : table.rows)
      for (std::size_t c = 0; c < row.values.size(); ++c)
        if (!std::isnan(row.values[c])) json["figures"][table.title][row.name][table.columns[c]] = row.values[c];
  data::write_file_atomically(path, json.dump(2) + "\n");
}

}  // namespace bench
