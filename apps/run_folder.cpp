#include "apps/run_folder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "apps/out_folder.h"
#include "data/file.h"
#include "engine/error.h"
#include "engine/real.h"

namespace apps {

namespace fs = std::filesystem;
using engine::fail;
using engine::require;

namespace {

constexpr std::string_view header = "iteration,loss,iteration_seconds,estimates";
constexpr std::string_view of_evaluations = ",coverage,recall,class_tv";

/// The names of grids: at least six digits and .png.
bool is_grid(const fs::path& file) {
  const std::string stem = file.stem();
  return file.extension() == ".png" && stem.size() >= 6 &&
         std::all_of(stem.begin(), stem.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The grids in a folder of samples, and what killed processes left of some.
std::vector<fs::path> files_of_grids(const fs::path& samples) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(samples, none))
    if (is_grid(data::target_of(entry.path()))) files.push_back(entry.path());
  return files;
}

std::string read_text(const std::string& path) {
  const std::vector<std::byte> bytes = data::read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The numbers at the start of a row; iteration -1 if the first two are not there.
Metrics::Row parse_row(std::string_view row) {
  Metrics::Row parsed;
  const char* end = row.data() + row.size();
  const auto iteration = std::from_chars(row.data(), end, parsed.iteration);
  if (iteration.ec != std::errc() || iteration.ptr == end || *iteration.ptr != ',') return {};
  const auto loss = std::from_chars(iteration.ptr + 1, end, parsed.loss);
  if (loss.ec != std::errc()) return {};
  if (loss.ptr != end && *loss.ptr == ',') std::from_chars(loss.ptr + 1, end, parsed.seconds);
  return parsed;
}

/// The row of a version before there was the column `estimates`, with it.
std::string with_estimates(std::string_view row, const std::string& estimates) {
  std::size_t end = row.find_first_of(",\n");
  for (int comma = 0; comma < 2 && row[end] == ','; ++comma) end = row.find_first_of(",\n", end + 1);
  return std::string(row.substr(0, end)).append(1, ',').append(estimates).append(row.substr(end));
}

/// Calls use(text of the row with its line end, the row) for each whole row, while it returns true.
template <class Use>
void for_each_row(std::string_view text, const Use& use) {
  std::size_t begin = text.find('\n');
  while (begin != text.npos) {
    ++begin;
    const std::size_t end = text.find('\n', begin);
    if (end == text.npos) return;
    const std::string_view row = text.substr(begin, end + 1 - begin);
    if (!use(row, parse_row(row))) return;
    begin = end;
  }
}

}  // namespace

std::string RunFolder::grid(std::int64_t iterations) const {
  char name[32];
  std::snprintf(name, sizeof name, "%06lld.png", static_cast<long long>(iterations));
  return samples() / name;
}

std::vector<std::int64_t> RunFolder::grids() const {
  std::vector<std::int64_t> iterations;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(samples(), none)) {
    const std::string stem = entry.path().stem();
    std::int64_t number = 0;
    if (is_grid(entry.path()) && std::from_chars(stem.data(), stem.data() + stem.size(), number).ec == std::errc() &&
        entry.path() == grid(number))
      iterations.push_back(number);
  }
  std::sort(iterations.begin(), iterations.end());
  return iterations;
}

bool RunFolder::occupied() const {
  std::error_code none;
  return fs::exists(config(), none) || fs::exists(metrics(), none) || fs::exists(checkpoint(), none) ||
         fs::exists(samples(), none);
}

void RunFolder::create() const {
  make_out_folder(root);  // which an error should name
  make_out_folder(samples());
  for (const std::string& file : {config(), metrics(), checkpoint()}) data::remove_unfinished(file);
  std::error_code none;
  for (const fs::path& file : files_of_grids(samples()))
    if (!is_grid(file)) fs::remove(file, none);
}

void RunFolder::remove_run() const {
  std::error_code error;
  std::vector<fs::path> files{config(), metrics(), checkpoint(), report(), evaluation()};
  for (const fs::path& file : files) data::remove_unfinished(file);
  for (const fs::path& file : files_of_grids(samples())) files.push_back(file);
  for (const fs::path& file : files) {
    fs::remove(file, error);
    require(!error, "can't remove ", file.string(), ": ", error.message());
  }
  // These fail where something else is left, which is then to stay.
  fs::remove(samples(), error);
  fs::remove(root, error);
}

Metrics::Metrics(const std::string& path, std::int64_t iterations, const std::string& estimates, bool evaluated)
    : estimates_(estimates) {
  const std::string before = iterations > 0 && fs::exists(path) ? read_text(path) : "";
  const std::string names = before.substr(0, before.find('\n'));
  std::string kept(header);
  // Rows of the iterations before may have these cells though later ones won't.
  kept += evaluated || names.ends_with(of_evaluations) ? std::string(of_evaluations) + '\n' : "\n";
  if (!before.empty()) {
    const bool named = before.starts_with(header);
    for_each_row(before, [&](std::string_view text, const Row& row) {
      if (row.iteration < 0 || row.iteration >= iterations) return false;
      if (named)
        kept += text;
      else
        kept += with_estimates(text, estimates);
      seconds_ += row.seconds;
      return true;
    });
  }
  data::write_file_atomically(path, kept);
  file_ = std::make_unique<data::AppendedFile>(path);
}

void Metrics::add(std::int64_t iteration, double loss, double iteration_seconds,
                  const std::optional<Evaluated>& evaluated) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, "%lld,%.*g,%.6f,", static_cast<long long>(iteration),
                std::numeric_limits<engine::real>::max_digits10, loss, iteration_seconds);
  std::string row = numbers + estimates_;
  if (evaluated) {
    row += engine::text(',', evaluated->coverage, ',', evaluated->recall, ',');
    if (evaluated->class_tv) row += engine::text(*evaluated->class_tv);
  }
  file_->append(row + '\n');
}

void Metrics::sync() {
  file_->sync();
}

std::vector<Metrics::Row> Metrics::read(const std::string& path) {
  std::vector<Row> rows;
  for_each_row(read_text(path), [&](std::string_view, const Row& row) {
    if (row.iteration >= 0) rows.push_back(row);
    return row.iteration >= 0;
  });
  return rows;
}

std::vector<Metrics::Column> Metrics::columns(const std::string& path) {
  const std::string text = read_text(path);
  std::vector<Column> columns;
  std::istringstream names(text.substr(0, text.find('\n')));
  for (std::string name; std::getline(names, name, ',');) columns.push_back({name, {}, {}});
  if (!columns.empty()) columns.erase(columns.begin());
  for_each_row(text, [&](std::string_view cells, const Row& row) {
    if (row.iteration < 0) return false;
    std::size_t comma = cells.find(',');
    for (Column& column : columns) {
      if (comma == cells.npos) break;
      double value = 0;
      if (std::from_chars(cells.data() + comma + 1, cells.data() + cells.size(), value).ec == std::errc() &&
          std::isfinite(value)) {
        column.iterations.push_back(row.iteration);
        column.values.push_back(value);
      }
      comma = cells.find(',', comma + 1);
    }
    return true;
  });
  return columns;
}

Metrics::Row Metrics::last(const std::string& path) {
  const std::vector<Row> rows = read(path);
  return rows.empty() ? Row{} : rows.back();
}

}  // namespace apps
