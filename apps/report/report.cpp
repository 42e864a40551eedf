#include "apps/report/report.h"

#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/generators.h"
#include "apps/method_names.h"
#include "apps/methods.h"
#include "apps/read_json.h"
#include "apps/report/curve.h"
#include "apps/report/facts.h"
#include "apps/report/generated.h"
#include "apps/report/measures.h"
#include "apps/report/page.h"
#include "apps/report/samples.h"
#include "apps/training_points.h"
#include "data/file.h"
#include "engine/error.h"

namespace apps {

namespace {

using namespace report;

constexpr std::size_t most_curves = 8;

/// What config.json says of the machine beside the options, in words; empty where it says nothing.
std::string machine(const std::string& config_path) {
  const nlohmann::ordered_json json = read_json(config_path);
  try {
    const auto& machine = json.at("machine");
    const auto cpu = machine.at("cpu").get<std::string>();
    return engine::text(cpu.empty() ? "" : cpu + ", ", json_value<int>(machine.at("cores"), "cores"), " cores (",
                        machine.at("simd").get<std::string>(), ")");
  } catch (const std::exception&) {
    return "";
  }
}

/// What is told of a column of metrics.csv.
struct CurveText {
  std::string column, heading, name, unit, line;
};

bool by_critic(const TrainOptions& options) {
  return method::among(method::critics, options.method) || options.method == method::liu_features;
}

const char* line_of_loss(const TrainOptions& options) {
  if (by_critic(options))
    return "How far the critic tells the data from what is generated, which the generator lowers. It counts once the "
           "critic has caught up, and is not to be compared with other critics'.";
  if (method::among(method::of_batches, options.method))
    return "The transport cost between batches of what is generated and of the data, or what is made of it, which the "
           "generator lowers. Between larger batches it is less.";
  return "An estimate of the transport cost between what is generated and the data, which the generator lowers. It "
         "counts once the potential has caught up.";
}

CurveText text_of(const std::string& column, const TrainOptions& options) {
  const std::string symbol = loss_symbol(options);
  const CurveText known[] = {
      {"loss", "Loss", "loss " + symbol, symbol + (by_critic(options) ? "" : ", in units of the scaled cost"),
       line_of_loss(options)},
      {"iteration_seconds", "Time", "seconds of an iteration", "seconds an iteration", "How long each iteration took."},
      {"coverage", "Coverage", "coverage", "share of held-out points",
       "How many held-out points have a generated one next to them: higher is better."},
      {"recall", "Recall", "recall", "share of held-out points",
       "How many held-out points lie where generated ones do: higher is more varied."},
      {"class_tv", "Class balance", "total variation of the class shares", "total variation",
       "How far the classes' shares are from the data's: 0 is ideal."},
  };
  for (const CurveText& text : known)
    if (text.column == column) return text;
  return {column, column, column, column, "As metrics.csv has it."};
}

std::string curve_sections(const Run& run) {
  std::string sections;
  std::size_t curves = 0;
  for (const Metrics::Column& column : run.metrics) {
    if (column.values.empty() || ++curves > most_curves) continue;
    const CurveText text = text_of(column.name, run.config.options);
    sections += section("curve-" + std::to_string(curves), text.heading, text.line,
                        curve(column.iterations, column.values, text.name, text.unit));
  }
  return sections;
}

/// What takes the generator; unless they are known, neighbours are looked for where `learned` has the data.
struct Generated {
  std::string walk, neighbours;
};

Generated generated_sections(const Run& run, const Neighbours* known, const Config& learned) {
  Generated sections;
  if (!run.config.data.images()) return sections;
  try {
    const std::unique_ptr<models::Generator> generator = generator_of_run(run.folder, run.config);
    sections.walk = walk_section(run.config, *generator);
    sections.neighbours = neighbours_section(
        run.config, known ? *known : neighbours_of(run.config, *generator, training_points(learned)));
  } catch (const engine::Error& error) {
    sections.neighbours = neighbours_missing(error.what());
  }
  return sections;
}

void write(const RunFolder& folder, const Neighbours* known, const std::string& source) {
  Run run{folder, read_config(folder.config()), machine(folder.config()), {}};
  if (std::filesystem::exists(folder.metrics())) run.metrics = Metrics::columns(folder.metrics());
  Config learned = run.config;
  if (!source.empty()) learned.options.data = source;
  const Generated generated = generated_sections(run, known, learned);
  const std::string content = header(run) + facts_section(run) + "<div class=\"columns\">\n" +
                              samples_section(folder, run.config.data.images()) + generated.walk + curve_sections(run) +
                              measures_sections(folder) + "</div>\n" + generated.neighbours +
                              "<footer>Written by semidual " + escaped(run.config.version) +
                              ". This file needs nothing beside itself.</footer>\n";
  data::write_file_atomically(folder.report(), page(run.name() + " – semidual", content));
}

}  // namespace

void write_report(const RunFolder& run, const std::string& source) {
  write(run, nullptr, source);
}

void write_report(const RunFolder& run, const Neighbours& neighbours) {
  write(run, &neighbours, "");
}

}  // namespace apps
