#include "apps/report/facts.h"

#include <cmath>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "apps/methods.h"
#include "apps/report/page.h"
#include "data/images.h"
#include "engine/error.h"

namespace apps::report {

using engine::text;

namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return text(number(seconds, 2), " s");
  if (whole < 3600) return text(whole / 60, " min ", whole % 60, " s");
  return text(whole / 3600, " h ", whole % 3600 / 60, " min");
}

std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::string points(const DataFacts& data) {
  if (!data.images()) return text(data.count, " points of dimension ", data.dimension);
  return text(data.count, " ", data::colours_of(data.channels), " images of ", data.height, "×", data.width, " pixels");
}

std::string value_text(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string fact(const std::string& name, const std::string& value) {
  return text("<div><dt>", escaped(name), "</dt><dd>", escaped(value), "</dd></div>\n");
}

std::string row(const std::string& name, const std::string& value) {
  return text("<tr><th scope=\"row\"><code>", escaped(name), "</code></th><td><code>", escaped(value),
              "</code></td></tr>\n");
}

const Metrics::Column* find(const Run& run, const std::string& name) {
  for (const Metrics::Column& column : run.metrics)
    if (column.name == name && !column.values.empty()) return &column;
  return nullptr;
}

std::string time_facts(const Run& run) {
  const Metrics::Column* seconds = find(run, "iteration_seconds");
  if (seconds == nullptr) return "";
  const double sum = std::accumulate(seconds->values.begin(), seconds->values.end(), 0.0);
  return fact("Time", text(duration(sum), ", ", number(sum / static_cast<double>(seconds->values.size()), 2),
                           " s an iteration"));
}

/// The options whose values are not what the preset sets for such a dual potential, as on the command line.
std::string given_options(const Config& config) {
  const TrainOptions& options = config.options;
  TrainOptions preset = preset_options(options.preset, options.dual, "", options.method);
  resolve_by_data(preset, config.data);
  preset.dual = TrainOptions{}.dual;
  const nlohmann::ordered_json ours = to_json(options), theirs = to_json(preset);
  std::string list;
  for (const auto& [name, value] : ours.items())
    if (value != theirs.at(name) && name != "preset")
      list += text("<li><code>--", escaped(name), ' ', escaped(value_text(value)), "</code></li>\n");
  return list;
}

std::string all_options(const Run& run) {
  std::string rows;
  const nlohmann::ordered_json options = to_json(run.config.options);
  for (const auto& [name, value] : options.items()) rows += row("--" + name, value_text(value));
  rows += row("precision", run.config.precision) + row("SHA-256 of the data", run.config.data.sha256);
  return "<details>\n<summary>All options</summary>\n<div class=\"scroll\" role=\"region\" aria-label=\"All options\" "
         "tabindex=\"0\">\n<table>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</div>\n</details>\n";
}

}  // namespace

std::string Run::name() const {
  std::filesystem::path path = std::filesystem::absolute(folder.root).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename();
}

std::int64_t Run::iterations() const {
  return metrics.empty() || metrics.front().iterations.empty() ? 0 : metrics.front().iterations.back() + 1;
}

std::string header(const Run& run) {
  const TrainOptions& options = run.config.options;
  const std::string article = options.generator == "mlp" ? "An " : "A ";
  return text("<header>\n<p class=\"eyebrow\">semidual</p>\n<h1>", escaped(run.name()), "</h1>\n<p class=\"lead\">",
              article,
              options.generator == "mlp"     ? "MLP"
              : options.generator == "dcgan" ? "DCGAN"
                                             : options.generator,
              " that learns ", escaped(options.data), " by ",
              options.method == "semidual" ? text("optimal transport, λ = ", options.lambda) : options.method,
              ", after ", run.iterations(), " of ", options.iterations, " iterations.</p>\n</header>\n");
}

std::string facts_section(const Run& run) {
  const TrainOptions& options = run.config.options;
  std::string facts = fact("Data", text(points(run.config.data), ", ", options.data)) + time_facts(run);
  if (const Metrics::Column* loss = find(run, "loss"))
    facts += fact(text("Last ", loss_symbol(options)), number(loss->values.back()));
  if (!run.machine.empty()) facts += fact("Machine", run.machine);
  facts += fact("Program", text("semidual ", run.config.version)) + fact("Page written", now());
  const std::string given = given_options(run.config);
  return section("run", "What was run",
                 "The data, the machine, and what was asked of the preset <code>" + escaped(options.preset) +
                     "</code> beyond what it sets itself.",
                 "<dl>\n" + facts + "</dl>\n<ul class=\"given\" aria-label=\"Options that differ from the preset\">\n" +
                     given + "</ul>\n" + all_options(run));
}

}  // namespace apps::report
