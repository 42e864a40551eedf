#include "apps/evaluation/inputs.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "apps/evaluation/evaluation.h"
#include "apps/hold_out.h"
#include "apps/run_folder.h"
#include "data/common_columns.h"
#include "data/image_set.h"
#include "data/images.h"
#include "data/labels.h"
#include "data/sha256.h"
#include "engine/error.h"

namespace apps::evaluation {

using engine::fail;
using engine::require;
using engine::text;

namespace {

constexpr std::int64_t default_count = 2000;

data::Dataset load_for(const char* option, const std::string& source, const TrainOptions& options) {
  try {
    return data::load(source, 0, digits_seed, data::Numbers::real, framing_of(options));
  } catch (const engine::Error& error) {
    fail(option, " ", error.what());
  }
}

void load_training(Inputs& inputs) {
  RunData data;
  try {
    data = load_run_data(inputs.options);
  } catch (const engine::Error& error) {
    if (inputs.config) fail(error.what(), " (--data says where the run's data lie now)");
    throw;
  }
  inputs.facts = facts_of(data.training);
  inputs.training = std::move(data.training);
  inputs.reference = std::move(data.held_out);
  RunLabels labels = load_run_labels(inputs.options, inputs.facts.count + inputs.reference.count);
  inputs.labels = std::move(labels.training);
  inputs.classes = std::move(labels.classes);
  inputs.reference_labels = std::move(labels.held_out);
  if (!inputs.config) return;
  const DataFacts& learned = inputs.config->data;
  require(inputs.facts.sha256 == learned.sha256, inputs.options.data, " (", inputs.facts.count, " points, SHA-256 ",
          inputs.facts.sha256, ") is not what the run learned (", learned.count, " points, SHA-256 ", learned.sha256,
          "): say with --data where that lies");
  require(
      learned.labels_sha256.empty() || data::sha256(std::as_bytes(std::span(inputs.labels))) == learned.labels_sha256,
      "--labels ", inputs.options.labels, " no longer holds the run's labels: its SHA-256 is another");
}

/// Held-out points by --reference, else by the run's --hold-out, else those that ready-made sets and digits have.
void choose_reference(Inputs& inputs, const EvaluateRequest& request) {
  const std::string& data = inputs.options.data;
  std::uint64_t seed = digits_seed;
  std::int64_t points = 0;
  if (!request.reference.empty()) {
    inputs.reference_source = request.reference;
  } else if (inputs.reference.count > 0) {
    inputs.reference_source = text(data, ", held out");
    return;
  } else if (const std::string half = data::test_half(data); !half.empty()) {
    inputs.reference_source = half;
  } else {
    require(data == "digits", "there are no held-out points: give some with --reference",
            inputs.config ? ", or train with --hold-out 0.1" : "");
    inputs.reference_source = "digits", seed = digits_seed + 1, points = std::max(default_count, request.count);
  }
  inputs.reference = request.reference.empty() ? data::load(inputs.reference_source, points, seed)
                                               : load_for("--reference", request.reference, inputs.options);
  // Of other points than those that a file of --labels is for.
  inputs.reference_labels.clear();
  if (inputs.options.labels.empty() || inputs.options.labels == "own")
    inputs.reference_labels = data::own_labels(inputs.reference_source, points, seed).of_points;
  if (seed != digits_seed) inputs.reference_source = text("digits, seed ", seed);
}

std::string sizes_in_words(const data::Dataset& data) {
  if (data.channels == 0) return text("points of dimension ", data.dimension);
  return text(data.height, "x", data.width, " ", data::colours_of(data.channels), " images");
}

/// Makes a table's points those of the training data's columns. Throws Error for points that can't be compared with the
/// training data: of other columns or sizes, or another range of values.
void make_comparable(data::Dataset& points, const std::string& name, const data::Dataset& training) {
  if (!points.columns.empty() && !training.columns.empty()) data::recode(points, training.name, training.columns);
  const bool alpha = points.channels == 4 || training.channels == 4;  // which numbers alone don't tell of
  const bool same =
      !alpha && (points.channels == 0 || training.channels == 0)
          ? points.dimension == training.dimension
          : points.height == training.height && points.width == training.width && points.channels == training.channels;
  require(same, name, " holds ", sizes_in_words(points), ", the data are ", sizes_in_words(training),
          ": they must be of the same sizes");
  constexpr double slack = 1e-3;
  const data::Range data = data::range_of(training), given = data::range_of(points);
  require(data.low < 0 || data.high > 1 || (given.low >= -slack && given.high <= 1 + slack), name,
          " holds values from ", given.low, " to ", given.high, ", the data's lie between 0 and 1: ",
          given.high > 2 ? "divide them by 255, or write bytes" : "scale or clip them to that");
}

void require_enough(std::int64_t available, std::int64_t asked, const std::string& name, const char* what) {
  if (asked > 0)
    require(available >= asked, "--count ", asked, " needs as many ", what, ": ", name, " has ", available);
  else
    require(available >= fewest_points, name, " has ", available, " ", what, ": at least ", fewest_points,
            " are needed");
}

}  // namespace

Inputs load_inputs(const EvaluateRequest& request) {
  const RunFolder folder{request.what};
  Inputs inputs;
  if (std::filesystem::exists(folder.config())) {
    require(request.resize.empty() && request.crop.empty() && !request.grey && !request.alpha,
            "--resize, --crop, --grey and --alpha are for given samples: a run has its own");
    inputs.config = read_config(folder.config());
    inputs.options = inputs.config->options;
  } else {
    require(!request.data.empty(), request.what, " is not a run, it has no config.json: for samples, say with --data ",
            "what they are to be like");
    inputs.options.resize = request.resize, inputs.options.crop = request.crop;
    inputs.options.grey = request.grey, inputs.options.alpha = request.alpha;
    inputs.samples = load_for("samples:", request.what, inputs.options);
  }
  if (!request.data.empty()) inputs.options.data = request.data;
  load_training(inputs);
  choose_reference(inputs, request);

  make_comparable(inputs.reference, inputs.reference_source, inputs.training);
  inputs.reference_sha256 = facts_of(inputs.reference).sha256;
  require(inputs.reference_sha256 != inputs.facts.sha256, inputs.reference_source,
          " is the training data itself, the same SHA-256: give points that were not trained on with --reference");
  inputs.count = request.count > 0 ? request.count : std::min(default_count, inputs.reference.count);
  if (!inputs.config) {
    make_comparable(inputs.samples, request.what, inputs.training);
    require_enough(inputs.samples.count, request.count, request.what, "samples");
    if (request.count == 0) inputs.count = std::min(inputs.count, inputs.samples.count);
  }
  require_enough(inputs.reference.count, request.count, inputs.reference_source, "held-out points");
  if (!inputs.config) return inputs;
  inputs.training = inputs.config->scaling.apply(std::move(inputs.training));
  inputs.reference = inputs.config->scaling.apply(std::move(inputs.reference));
  return inputs;
}

}  // namespace apps::evaluation
