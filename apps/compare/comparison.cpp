#include "apps/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <nlohmann/json.hpp>

#include "apps/compare/validation.h"
#include "apps/evaluation/evaluation.h"
#include "apps/feature_network.h"
#include "apps/hold_out.h"
#include "apps/methods.h"
#include "apps/out_folder.h"
#include "apps/read_json.h"
#include "apps/start_from.h"
#include "apps/version.h"
#include "apps/word_list.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps::comparing {

namespace fs = std::filesystem;
using engine::fail;
using engine::require;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* damaged = " is damaged: give another --out";

std::vector<double> factors_of(const std::string& grid) {
  const std::vector<double> factors = reals_of("grid", grid);
  require(std::ranges::all_of(factors, [](double factor) { return std::isfinite(factor) && factor > 0; }),
          "--grid must be positive numbers with commas between, such as 0.3,1,3: '", grid, "'");
  return factors;
}

/// What was asked, with what was not left out.
Json asked(const CompareRequest& request) {
  Json json;
  if (!request.methods.empty()) json["methods"] = request.methods;
  if (!request.presets.empty()) json["presets"] = request.presets;
  if (!request.grid.empty()) json["grid"] = request.grid;
  if (request.seconds != 0) json["seconds"] = request.seconds;
  if (request.seeds != 0) json["seeds"] = request.seeds;
  if (!request.features.empty()) json["features"] = request.features;
  if (request.count != 0) json["count"] = request.count;
  json["options"] = Json::object();
  const Json options = to_json(request.options);
  for (const std::string& name : request.given) json["options"][name] = options[name];
  return json;
}

/// Whether what is called so may be another on --resume.
bool may_change(const std::string& name) {
  bool any = name == "methods" || name == "presets" || name == "seeds";
  const TrainOptions options;
  for_each_option(options, [&](const char* option, const auto&, OnResume on_resume, const char*) {
    any |= name == option && on_resume == OnResume::any;
  });
  return any;
}

/// Puts what is asked into what there is. Throws Error for what can't change.
void update(Json& before, const Json& now) {
  for (const auto& [name, value] : now.items()) {
    if (name == "options") {
      update(before[name], value);
      continue;
    }
    const bool same = before.contains(name) && before[name] == value;
    require(same || may_change(name), "--", name, " can't change on --resume: the comparison has ",
            before.contains(name) ? before[name].dump() : "its default", ", asked is ", value.dump(),
            "; leave it out, or give another --out");
    before[name] = value;
  }
}

Json read(const fs::path& file) {
  const Json json = read_json(file);
  require(json.is_object() && json.contains("options") && json["options"].is_object(), file.string(), damaged);
  return json;
}

Json completed(const CompareRequest& request, const fs::path& file) {
  if (request.resume) {
    require(fs::exists(file), "--out ", request.out, " holds no comparison to resume: leave out --resume to start one");
    Json before = read(file);
    update(before, asked(request));
    return before;
  }
  require(!fs::exists(file) && !fs::exists(fs::path(request.out) / "runs"), "--out ", request.out,
          " holds a comparison already: --resume goes on with it");
  require(!RunFolder{request.out}.occupied(), "--out ", request.out, " holds a run: give another folder");
  require(!request.methods.empty(), "--methods is missing: such as semidual,wgan-gp,genevay");
  Json json{{"version", version}, {"methods", ""},    {"presets", "paper,best"},
            {"grid", "0.3,1,3"},  {"seconds", 300.0}, {"seeds", 3},
            {"features", ""},     {"count", 0},       {"options", Json::object()}};
  json.update(asked(request));
  return json;
}

/// The preset's, with those that are given in place.
TrainOptions options_of(const std::string& method, const std::string& preset, const Json& given) {
  TrainOptions of_preset = preset_options(preset, "", "", method);
  if (given.contains("optimizer"))
    set_optimizer(of_preset, json_value<std::string>(given["optimizer"], "--options: option 'optimizer'"));
  Json options = to_json(of_preset);
  options["checkpoint-every"] = options["samples-every"] = 1000;  // a report each time, which the clock leaves out
  options["scale"] = "auto";                                      // all rows are then in one unit
  options.update(given);
  TrainOptions chosen = options_from_json(options, "--options");
  if (method == "semidual") chosen.clusters = 0;  // coordinates of classes beside z would be another theta
  try {
    validate(chosen);
  } catch (const engine::Error& error) {
    fail(method, " by ", preset, ": ", error.what());
  }
  return chosen;
}

}  // namespace

TrainOptions Comparison::options(const Entry& entry, double factor, std::uint64_t seed, double seconds_of_run) const {
  TrainOptions options = entry.options;
  options.seed = seed;
  options.minutes = seconds_of_run / 60;
  options.lr *= factor;
  options.dual_lr *= factor;
  return options;
}

RunFolder Comparison::run(const Entry& entry, std::uint64_t seed) const {
  return {folder / "runs" / engine::text(entry.method, '-', entry.preset, '-', seed)};
}

RunFolder Comparison::trial(const Entry& entry, double factor) const {
  return {folder / "tries" / engine::text(entry.method, '-', factor)};
}

Comparison comparison_of(const CompareRequest& request) {
  const fs::path file = fs::path(request.out) / "compare.json";
  Json json = completed(request, file);

  Comparison comparison;
  comparison.folder = request.out;
  std::vector<std::string> methods, presets;
  Json given;
  try {
    methods = words_of("methods", json.at("methods")), presets = words_of("presets", json.at("presets"));
    comparison.factors = factors_of(json.at("grid"));
    comparison.seconds = json.at("seconds");
    comparison.seeds = json_value<std::int64_t>(json.at("seeds"), file.string() + ": seeds");
    comparison.features = json.at("features");
    comparison.count = json_value<std::int64_t>(json.at("count"), file.string() + ": count");
    given = json.at("options");
    if (given.contains("seed"))
      comparison.first_seed = json_value<std::uint64_t>(given.at("seed"), file.string() + ": option 'seed'");
  } catch (const nlohmann::json::exception&) {
    fail(file.string(), damaged);
  }
  require(std::isfinite(comparison.seconds) && comparison.seconds > 0,
          "--seconds must be a positive number: ", comparison.seconds);
  require(comparison.seeds >= 1 && comparison.seeds <= 1000, "--seeds must be 1 to 1000: ", comparison.seeds);
  require(comparison.count == 0 || comparison.count >= evaluation::fewest_points, "--count must be at least ",
          evaluation::fewest_points, ": ", comparison.count);
  for (const std::string& method : methods) require_method(method, "methods");
  for (const std::string& preset : presets) require_one_of("presets", preset, {"paper", "best"});
  for (const std::string& method : methods)
    for (const std::string& preset : presets)
      comparison.entries.push_back({method, preset, options_of(method, preset, given)});

  const TrainOptions& any = comparison.entries.front().options;
  const RunData data = load_run_data(any);
  comparison.data = facts_of(data.training);
  require_held_out(any, data.held_out.count, std::max(comparison.count, evaluation::fewest_points), "to compare with");
  FeatureNetwork::of(comparison.features, comparison.data);  // which are refused here
  if (std::ranges::any_of(comparison.entries, [&](const Entry& entry) { return comparison.tries(entry); }))
    require_validation(any);
  for (Entry& entry : comparison.entries) {
    TrainOptions theta = options_of("semidual", entry.preset, given);
    resolve_by_data(theta, comparison.data);
    take_generator_options(entry.options, {version, precision(), theta, comparison.data});
    entry.options.start = theta.start;
    entry.options.init_deviation = theta.init_deviation;
    take_generated_source(entry.options);
    resolve_by_data(entry.options, comparison.data);
  }
  const std::string sha256 = json.contains("data_sha256")
                                 ? json_value<std::string>(json.at("data_sha256"), file.string() + ": data_sha256")
                                 : comparison.data.sha256;
  require(sha256 == comparison.data.sha256, "--data ", any.data, " (SHA-256 ", comparison.data.sha256,
          ") is not what the comparison learns (SHA-256 ", sha256, ")");
  json["data_sha256"] = sha256;
  make_out_folder(comparison.folder);
  data::write_file_atomically(file, json.dump(2) + "\n");
  return comparison;
}

}  // namespace apps::comparing
