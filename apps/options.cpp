#include "apps/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <iterator>
#include <string_view>

#include <nlohmann/json.hpp>

#include "apps/config.h"
#include "apps/costs.h"
#include "apps/methods.h"
#include "apps/read_json.h"
#include "apps/resources.h"
#include "data/utf8.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/product.h"
#include "models/dcgan.h"

namespace apps {

namespace {

using engine::fail;
using engine::require;

/// Steps are counted in the stream numbers of random draws, which have room for these (alternate.h).
constexpr std::int64_t max_iterations = 1'000'000'000;
constexpr std::int64_t max_inner = 65535;
constexpr std::int64_t max_warmup = 10'000'000;  // a checkpoint counts in float
constexpr std::int64_t max_megabytes = 1'000'000'000;

/// What every config.json has; those of older runs may lack the other options.
constexpr std::string_view first_options[] = {
    "data",         "points",     "weights",        "generator",        "dual",
    "lambda",       "cost-scale", "preset",         "iterations",       "inner",
    "batch",        "lr",         "dual-optimizer", "dual-lr",          "dual-decay",
    "dual-average", "seed",       "threads",        "checkpoint-every", "samples-every"};

struct DualStep {
  const char* dual;
  const char* optimizer;
  double lr, decay;
  const char* average;
};

/// Stands for what suits the data, until resolve_by_data.
constexpr int by_data = 0;

/// Up to so many coordinates points are few, as those of a table are.
constexpr std::int64_t most_of_few_coordinates = 64;

/// The step of psi: asgd as in the paper's section 6, adam as measured since. The help texts in options.h say the same.
constexpr DualStep dual_steps[] = {
    {"vector", "asgd", 5, 0.5, "on"},    {"layers", "asgd", 5, 0.5, "on"},      {"network", "asgd", 0.1, 0.8, "on"},
    {"vector", "adam", 0.003, 0, "off"}, {"layers", "adam", by_data, 0, "off"}, {"network", "adam", 0.001, 0, "off"},
};

void require_at_least(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  require(value >= least, "--", name, " must be at least ", least, ": ", value);
  require(value <= most, "--", name, " must be at most ", most, ": ", value);
}

void require_step_length(const char* name, double value) {
  require(std::isfinite(value) && value > 0, "--", name, " must be a positive number: ", value);
}

/// What tells the dual potential of --method semidual, and what moves it.
void validate_dual(const TrainOptions& options) {
  require_one_of("dual", options.dual, {"layers", "vector", "network"});
  require(options.dual_layers.empty() || options.dual == "layers", "--dual-layers is for --dual layers, not for ",
          options.dual);
  require_one_of("dual-optimizer", options.dual_optimizer, {"asgd", "adam"});
  require(options.dual_decay >= 0 && options.dual_decay <= 1,
          "--dual-decay must lie between 0 and 1: ", options.dual_decay);
  require_one_of("dual-average", options.dual_average, {"on", "off"});
  if (options.dual_optimizer == "adam") {
    require(options.dual_decay == 0,
            "--dual-decay is for --dual-optimizer asgd, adam's step length does not decay: ", options.dual_decay);
    require(options.dual_average == "off", "--dual-average on is for --dual-optimizer asgd, adam keeps the last psi");
  }
  require_at_least("dual-memory", options.dual_memory, 0, max_megabytes);
  require_one_of("dual-precision", options.dual_precision, {"full", "bf16"});
  if (options.dual_precision == "bf16") {
    require(options.dual == "network", "--dual-precision bf16 is for --dual network, a vector multiplies nothing");
    require(engine::has_bf16_products(),
            "--dual-precision bf16 needs a CPU with AVX-512 BF16 and the float build: leave it out here");
  }
}

/// What stands beside --shards, where there are several.
void validate_shards(const TrainOptions& options) {
  const std::string shards = "--shards " + std::to_string(options.shards);
  require(options.lambda > 0 || options.dual == "network", shards,
          " are for --lambda above 0 and --dual network: what else there is needs no shards, leave them out");
  require(
      options.labels.empty() && options.clusters <= 0, shards,
      " are of points without classes, which are shared as they are: leave out --shards, or --labels and --clusters");
  require(options.loss == "transport", shards, " are for --loss transport, not for ", options.loss);
  require(options.target_batch == 0, shards, " are of all points, not for --target-batch ", options.target_batch);
}

}  // namespace

bool dcgan_makes(const DataFacts& data) {
  return data.images() && std::min(data.height, data.width) >= models::Dcgan::smallest_side &&
         std::max(data.height, data.width) <= models::Dcgan::largest_side;
}

std::string text_of(const std::vector<std::int64_t>& numbers) {
  std::string list;
  for (const std::int64_t number : numbers) list += (list.empty() ? "" : ",") + std::to_string(number);
  return list;
}

void require_utf8(const nlohmann::ordered_json& options) {
  for (const auto& [name, value] : options.items())
    if (value.is_string()) data::require_utf8(engine::text("--", name, ' ', value.get<std::string>()));
}

void require_one_of(const char* name, const std::string& value, std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  std::string list;
  for (const std::string_view choice : choices) list += (list.empty() ? "" : " or ") + std::string(choice);
  fail("--", name, " '", value, "' is unknown: it must be ", list);
}

std::vector<std::int64_t> numbers_of(const char* name, const std::string& value) {
  std::vector<std::int64_t> numbers;
  const char* const end = value.data() + value.size();
  for (const char* text = value.data();; ++text) {
    std::int64_t number = 0;
    const auto [after, error] = std::from_chars(text, end, number);
    require(error == std::errc() && number >= 1 && (after == end || *after == ','), "--", name, " '", value,
            "' must be numbers from 1 on, such as 256,512");
    numbers.push_back(number);
    if (after == end) return numbers;
    text = after;
  }
}

TrainOptions preset_options(const std::string& preset, const std::string& dual, const std::string& dual_optimizer,
                            const std::string& method) {
  require_one_of("preset", preset, {"best", "paper"});
  require_method(method);
  if (method != "semidual") return method_options(method, preset);
  const bool best = preset == "best";
  TrainOptions options;
  options.preset = preset;
  options.dual = !dual.empty() ? dual : best ? "layers" : "vector";
  require_one_of("dual", options.dual, {"layers", "vector", "network"});
  options.iterations = 3000;
  options.inner = 10;
  options.batch = 200;
  options.lr = 0.001;
  options.threads = usable_cores();
  options.last_layer = "auto";
  if (best) {  // apps/README.md has what each of these was measured to do
    options.start = "mean";
    options.scale = "auto";
    options.edges = -1;
    options.latent = "normal";
    options.latent_dim = by_data;
    options.latent_scale = options.lr = by_data;
    options.mlp_sizes.clear();
    options.iterations = 10000;
    options.lr_schedule = options.dual_schedule = "cosine";
    options.average = 0.999;
    if (options.dual == "layers") {
      options.inner = by_data;
      options.clusters = -1;
      options.dual_layers = "auto";
    }
  }
  options.dual_optimizer = !dual_optimizer.empty() ? dual_optimizer : best ? "adam" : "asgd";
  require_one_of("dual-optimizer", options.dual_optimizer, {"asgd", "adam"});
  for (const DualStep& step : dual_steps) {
    if (step.dual != options.dual || step.optimizer != options.dual_optimizer) continue;
    options.dual_lr = step.lr;
    options.dual_decay = step.decay;
    options.dual_average = step.average;
  }
  return options;
}

/// So many clusters that each has points and rows of a batch enough; 0 where that would be one.
std::int64_t clusters_of(std::int64_t points, std::int64_t batch) {
  constexpr std::int64_t most = 20, points_each = 500, rows_each = 8;
  const std::int64_t clusters = std::min({most, points / points_each, batch / rows_each});
  return clusters > 1 ? clusters : 0;
}

void resolve_by_data(TrainOptions& options, const DataFacts& data) {
  const bool images = data.images();
  resolve_method(options, data);
  if (options.generator == "auto") options.generator = dcgan_makes(data) ? "dcgan" : "mlp";
  if (options.generator == "dcgan" && options.dcgan_channels.empty() && dcgan_makes(data))
    options.dcgan_channels = text_of(models::dcgan_channels(data.height, data.width));
  const bool within_unit = data.low >= 0 && data.high <= 1;
  if (options.scale == "auto") options.scale = images || within_unit ? "none" : "standard";
  if (options.last_layer == "auto")
    options.last_layer =
        images || options.scale == "minmax" || (options.scale == "none" && within_unit) ? "sigmoid" : "linear";
  if (options.edges < 0) options.edges = images && options.cost_features.empty() ? 3 : 0;
  if (options.clusters < 0)
    options.clusters = options.labels.empty() && options.shards == 1 ? clusters_of(data.count, options.batch) : 0;
  const bool few_coordinates = !images && data.dimension <= most_of_few_coordinates;
  if (options.mlp_sizes.empty())
    options.mlp_sizes = !few_coordinates ? "256,512,1024" : data.dimension <= 3 ? "32,32,32" : "128,128,128";
  if (options.latent_dim == by_data) options.latent_dim = images ? 10 : std::min<std::int64_t>(10, data.dimension);
  if (options.latent_scale == by_data) options.latent_scale = images ? 7 : 1;
  if (options.method != "semidual") return;
  // Layers follow a small generator at ten times the rates that suit a large one.
  const bool fast = few_coordinates && options.dual == "layers" && options.dual_optimizer == "adam";
  if (options.lr == by_data) options.lr = images ? 0.001 : fast ? 0.003 : 0.0003;
  if (options.inner == by_data) options.inner = images || fast ? 3 : 10;
  const std::int64_t points_of_a_psi =
      options.labels.empty() ? data.count / std::max<std::int64_t>(options.clusters, 1) : 0;
  // Fewer layers tremble less and step faster; images keep the usual ones, which an empty word means.
  if (options.dual_layers == "auto")
    options.dual_layers = few_coordinates && points_of_a_psi >= 2 * 1024 ? "1,64,1024" : "";
  // With deviation 1 costs in units of their mean from 0 vary about four times as much as within the unit cube.
  const bool to_deviation_1 = options.scale == "standard" || options.scale == "whiten";
  if (options.dual_lr == by_data) options.dual_lr = images ? 0.012 : (fast ? 10 : 1) * (to_deviation_1 ? 0.01 : 0.003);
}

data::Framing framing_of(const TrainOptions& options) {
  data::Framing framing{0, 0, !options.crop.empty(), options.grey, options.alpha};
  require(!framing.grey || !framing.alpha, "--grey takes transparent parts before black: leave it or --alpha out");
  if (framing.crop) require_one_of("crop", options.crop, {"center"});
  require(!framing.crop || !options.resize.empty(), "--crop ", options.crop,
          " is for --resize, the shape to crop to: add --resize 32x32");
  if (options.resize.empty()) return framing;
  char end;
  require(std::sscanf(options.resize.c_str(), "%5dx%5d%c", &framing.height, &framing.width, &end) == 2 &&
              framing.height >= 1 && framing.width >= 1,
          "--resize must be HEIGHTxWIDTH, such as 32x32: '", options.resize, "'");
  return framing;
}

void validate(const TrainOptions& options) {
  require(!options.data.empty(), "--data is missing: digits, mnist, or the path of a file or folder");
  require_utf8(to_json(options));
  require_method(options.method);
  require_use(options);
  require_at_least("points", options.points, 0, INT64_MAX);
  framing_of(options);
  require(options.hold_out >= 0 && options.hold_out < 1,
          "--hold-out must be a share of the points, at least 0 and below 1: ", options.hold_out);
  require(options.hold_out == 0 || options.weights.empty(),
          "--hold-out leaves points out whatever they weigh: leave out --weights");
  require_one_of("generator", options.generator, {"mlp", "dcgan", "auto"});
  require_one_of("latent", options.latent, {"uniform", "normal"});
  require_at_least("latent-dim", options.latent_dim, 0, INT32_MAX);
  if (options.latent_scale != by_data) require_step_length("latent-scale", options.latent_scale);
  if (!options.mlp_sizes.empty()) numbers_of("mlp-sizes", options.mlp_sizes);
  if (!options.dcgan_channels.empty()) numbers_of("dcgan-channels", options.dcgan_channels);
  require_one_of("last-layer", options.last_layer, {"sigmoid", "tanh", "linear", "auto"});
  require_one_of("scale", options.scale, {"none", "standard", "minmax", "whiten", "auto"});
  require_one_of("start", options.start, {"mean", "random"});
  if (options.method == "semidual") validate_dual(options);
  require(std::isfinite(options.lambda) && options.lambda >= 0,
          "--lambda must be 0 or a positive number: ", options.lambda);
  require_one_of("loss", options.loss, {"transport", "sinkhorn-divergence", "batch-divergence"});
  require(options.loss != "sinkhorn-divergence" || options.lambda > 0,
          "--loss sinkhorn-divergence needs a --lambda above 0, such as 0.1; at 0 there is --loss transport");
  make_cost(options.cost, options.cost_power, options.cost_scale);
  require(options.clusters >= -1 && options.clusters <= 256, "--clusters must be 1 to 256, 0 for none, or -1 for what ",
          "suits the data: ", options.clusters);
  require(options.clusters <= 0 || options.labels.empty(), "--clusters ", options.clusters,
          " takes the labels' place: leave out --labels ", options.labels, ", or --clusters");
  require(std::isfinite(options.edges) && (options.edges >= 0 || options.edges == -1),
          "--edges must be a positive weight, 0, or -1 for what suits the data: ", options.edges);
  require(options.edges <= 0 || options.cost_features.empty(),
          "--edges are of pixels, --cost-features takes their place: leave one of them out");
  require_one_of("preset", options.preset, {"best", "paper"});
  require_at_least("iterations", options.iterations, 1, max_iterations);
  require(std::isfinite(options.minutes) && options.minutes >= 0,
          "--minutes must be a positive number, or 0 where --iterations tells: ", options.minutes);
  require_at_least("inner", options.inner, 0, max_inner);
  require_at_least("batch", options.batch, 1, INT32_MAX);
  require_at_least("target-batch", options.target_batch, 0, INT64_MAX);
  require_at_least("shards", options.shards, 1, INT32_MAX);
  if (options.shards > 1) validate_shards(options);
  if (options.lr != by_data) require_step_length("lr", options.lr);
  require_one_of("lr-schedule", options.lr_schedule, {"constant", "cosine"});
  require_one_of("dual-schedule", options.dual_schedule, {"constant", "cosine"});
  require_at_least("schedule-iterations", options.schedule_iterations, 0, max_iterations);
  require(options.average >= 0 && options.average < 1, "--average must be at least 0 and below 1: ", options.average);
  if (options.dual_lr != by_data) require_step_length("dual-lr", options.dual_lr);
  require_at_least("dual-batch", options.dual_batch, 0, INT32_MAX);
  require_at_least("dual-warmup", options.dual_warmup, 0, max_warmup);
  require_at_least("threads", options.threads, 1, engine::max_threads);
  require_at_least("checkpoint-every", options.checkpoint_every, 1, INT64_MAX);
  require_at_least("samples-every", options.samples_every, 1, INT64_MAX);
  require_at_least("evaluate-every", options.evaluate_every, 0, INT64_MAX);
}

nlohmann::ordered_json to_json(const TrainOptions& options) {
  nlohmann::ordered_json json;
  for_each_option(options, [&](const char* name, const auto& value, OnResume, const char*) { json[name] = value; });
  return json;
}

TrainOptions options_from_json(const nlohmann::ordered_json& json, const std::string& source) {
  TrainOptions options;
  for_each_option(options, [&]<class Value>(const char* name, Value& value, OnResume, const char*) {
    const bool given = json.is_object() && json.contains(name);
    if (!given && std::ranges::find(first_options, name) == std::end(first_options)) return;
    require(given, source, ": option '", name, "' is missing");
    value = json_value<Value>(json.at(name), engine::text(source, ": option '", name, "'"));
  });
  return options;
}

void require_resumable(const TrainOptions& run, const TrainOptions& asked) {
  const nlohmann::ordered_json before = to_json(run), after = to_json(asked);
  for_each_option(run, [&](const char* name, const auto&, OnResume on_resume, const char*) {
    require(on_resume == OnResume::any || before[name] == after[name], "--", name,
            " can't change on --resume: the run has ", before[name].dump(), ", asked is ", after[name].dump(),
            "; leave it out, or start another run");
  });
}

}  // namespace apps
