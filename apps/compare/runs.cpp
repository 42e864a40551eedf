#include "apps/compare/runs.h"

#include <exception>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/compare/peak_memory.h"
#include "apps/out_folder.h"
#include "apps/read_json.h"
#include "apps/train.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps::comparing {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// What is taken from the JSON of a file.
template <class Take>
auto read(const std::string& path, const Take& take) {
  try {
    return take(read_json(path));
  } catch (const nlohmann::json::exception&) {
    engine::fail(path, " is damaged: remove it, and --resume makes it anew");
  }
}

std::optional<double> number(const Json& json, const char* key) {
  if (!json.contains(key) || !json[key].is_number()) return {};
  return json[key].get<double>();
}

fs::path kept_in(const RunFolder& run) {
  return run.root / "outcome.json";
}

void write(const fs::path& path, const Outcome& outcome) {
  Json json{{"iterations", outcome.iterations}, {"seconds", outcome.seconds}, {"peak_bytes", nullptr}};
  if (outcome.peak_bytes) json["peak_bytes"] = *outcome.peak_bytes;
  json["failure"] = outcome.failure;
  make_out_folder(path.parent_path());
  data::write_file_atomically(path, json.dump(2) + "\n");
}

Outcome read_outcome(const std::string& path) {
  return read(path, [&](const Json& json) {
    return Outcome{json_value<std::int64_t>(json.at("iterations"), path + ": iterations"), json.at("seconds"),
                   number(json, "peak_bytes"), json.at("failure")};
  });
}

/// Of a run that has just ended.
Outcome outcome_of(const RunFolder& run, std::optional<double> peak) {
  Outcome outcome{0, 0, peak, ""};
  if (!fs::exists(run.metrics())) return outcome;
  for (const Metrics::Row& row : Metrics::read(run.metrics())) {
    outcome.iterations = row.iteration + 1;
    outcome.seconds += row.seconds;
  }
  return outcome;
}

}  // namespace

std::optional<Outcome> make_run(const RunFolder& run, const TrainOptions& options, const Console& console) {
  const fs::path kept = kept_in(run);
  TrainRequest request;
  request.options = options;
  request.out = run.root;
  request.title = run.root.filename();
  if (fs::exists(kept)) {
    const Outcome outcome = read_outcome(kept);
    console.out << request.title << ": kept, " << outcome.iterations << " iterations" << std::endl;
    return outcome;
  }
  request.resume = fs::exists(run.config()) && fs::exists(run.checkpoint());
  request.force = !request.resume && run.occupied();  // it ended before its first checkpoint
  const PeakMemory peak;
  std::string failure;
  bool began = true;
  try {
    if (train(request, console) == 130) return {};
  } catch (const engine::Error& error) {  // before the first iteration: another time it may go
    if (request.resume) engine::fail(request.out, ": ", error.what());
    failure = error.what();
    began = false;
  } catch (const std::exception& error) {
    failure = error.what();
  }
  Outcome outcome = outcome_of(run, peak.bytes());
  if (!failure.empty()) fail_run(run, outcome, failure, console);
  if (began) write(kept, outcome);
  return outcome;
}

void fail_run(const RunFolder& run, Outcome& outcome, const std::string& failure, const Console& console) {
  outcome.failure = failure;
  console.remark(run.root.filename().string() + " failed: " + failure);
}

std::map<std::string, Measured> measures_of(const RunFolder& run) {
  if (!fs::exists(run.evaluation())) return {};
  return read(run.evaluation(), [](const Json& json) {
    std::map<std::string, Measured> measures;
    for (const Json& measure : json.at("measures"))
      measures[measure.at("key")] = {number(measure, "value"), number(measure, "floor")};
    return measures;
  });
}

}  // namespace apps::comparing
