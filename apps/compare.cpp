#include "apps/compare.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <ostream>
#include <sstream>

#include "apps/compare/comparison.h"
#include "apps/compare/page.h"
#include "apps/compare/rates.h"
#include "apps/compare/runs.h"
#include "apps/compare/sheet.h"
#include "apps/compare/table.h"
#include "apps/compare/validation.h"
#include "apps/evaluate.h"
#include "apps/interrupt.h"
#include "apps/methods.h"
#include "apps/run_lock.h"
#include "data/file.h"
#include "data/png.h"
#include "data/utf8.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using comparing::Comparison;
using comparing::Entry;
using comparing::Outcome;
using comparing::Row;
using comparing::Validation;

namespace {

/// Writes evaluation.json where there is none. A run whose samples can't be compared, as they are no numbers, has
/// failed; another time it is tried again.
void evaluate_run(const RunFolder& run, Outcome& outcome, const Comparison& comparison, int threads,
                  const Console& console) {
  if (!outcome.failure.empty() || fs::exists(run.evaluation())) return;
  EvaluateRequest request;
  request.what = run.root;
  request.features = comparison.features;
  request.count = comparison.count;
  request.assignment = "on";
  request.threads = threads;
  std::ostringstream unread;
  try {
    evaluate(request, {unread, unread});
  } catch (const std::exception& error) {
    comparing::fail_run(run, outcome, error.what(), console);
  }
}

/// The runs of an entry, each evaluated; none when interrupted.
std::optional<Row> row_of(const Comparison& comparison, const Entry& entry, double factor, const Interrupt& interrupt,
                          const Console& console) {
  Row row{entry.method, entry.preset, factor, {}, {}};
  for (std::int64_t s = 0; s < comparison.seeds; ++s) {
    const std::uint64_t seed = comparison.first_seed + static_cast<std::uint64_t>(s);
    const RunFolder run = comparison.run(entry, seed);
    const TrainOptions options = comparison.options(entry, factor, seed, comparison.seconds);
    std::optional<Outcome> outcome = comparing::make_run(run, options, console);
    if (!outcome || interrupt.requested()) return {};
    evaluate_run(run, *outcome, comparison, options.threads, console);
    if (interrupt.requested()) return {};
    row.runs.push_back(run);
    row.outcomes.push_back(*outcome);
  }
  return row;
}

/// All rows; none when interrupted.
std::optional<std::vector<Row>> rows_of(const Comparison& comparison, const Console& console) {
  const Interrupt interrupt;  // those of train() come and go within
  std::optional<Validation> validation;
  std::vector<Row> rows;
  for (const Entry& entry : comparison.entries) {
    std::optional<double> factor = entry.preset == "best" ? comparison.factors.front() : 1;
    if (comparison.tries(entry)) {
      if (!validation) validation.emplace(entry.options, comparison.features);
      factor = comparing::best_factor(comparison, entry, *validation, console);
    }
    std::optional<Row> row = factor ? row_of(comparison, entry, *factor, interrupt, console) : std::nullopt;
    if (!row) return {};
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace

bool compare_takes(const std::string& option) {
  constexpr const char* of_each_run[] = {"method", "preset", "from", "iterations", "minutes", "schedule-iterations"};
  return used_by_all(option) && std::ranges::find(of_each_run, option) == std::end(of_each_run);
}

int compare(const CompareRequest& request, const Console& console) {
  engine::require(!request.out.empty(), "--out is missing: the folder for the runs and the table");
  engine::require(!fs::exists(request.out) || fs::is_directory(request.out), "--out ", request.out,
                  " is a file: give the path of a folder");
  data::require_utf8("--out " + request.out);
  data::require_utf8("--features " + request.features);
  const RunLock lock(request.out);
  const Comparison comparison = comparing::comparison_of(request);
  const std::optional<std::vector<Row>> rows = rows_of(comparison, console);
  if (!rows) {
    console.out << "interrupted; all that was finished is kept, to go on: semidual compare --out " << request.out
                << " --resume\n";
    return 130;
  }
  const comparing::Table table(*rows);
  const data::Images sheet = comparing::sheet(comparing::strips_of(*rows, comparison.data));
  const auto file = [&](const char* name) { return (comparison.folder / name).string(); };
  data::write_file_atomically(file("compare.csv"), table.csv());
  data::write_file_atomically(file("compare.md"), table.markdown());
  data::write_png(file("compare.png"), sheet);
  comparing::write_page(comparison, table, sheet);
  console.out << '\n'
              << table.text() << "\ntable: " << file("compare.csv") << ", " << file("compare.md")
              << "\npictures: " << file("compare.png") << "\nreport: " << file("report.html") << '\n';
  return 0;
}

}  // namespace apps
