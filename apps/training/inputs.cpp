#include "apps/training/inputs.h"

#include <optional>
#include <span>
#include <utility>

#include "apps/evaluation/evaluation.h"
#include "apps/generators.h"
#include "apps/measure.h"
#include "apps/start_from.h"
#include "apps/training/requirements.h"
#include "apps/version.h"
#include "data/file.h"
#include "data/sha256.h"
#include "engine/error.h"

namespace apps {

namespace {

/// A line about values of the data that the generator's last layer can't make; empty where it can.
std::string note_on_range(const data::Range& range, const std::string& last_layer) {
  const auto [low, high] = range;
  const int least = last_layer == "tanh" ? -1 : 0, most = 1;
  if (last_layer == "linear" || (low >= least && high <= most)) return "";
  return engine::text("the data's values run from ", low, " to ", high, ", --last-layer ", last_layer,
                      " makes them between ", least, " and ", most, ": take --last-layer linear, or scale the data");
}

/// A line about a run that goes on with other arithmetic than it began with; empty where there is none.
std::string note_on_arithmetic(const Arithmetic& before) {
  const Arithmetic now = arithmetic_of_process();
  if (before == now || before == Arithmetic{}) return "";
  const auto words = [](const Arithmetic& a) {
    return engine::text(a.simd, " and OpenBLAS ", a.blas_version, "'s ", a.blas_core, " kernels");
  };
  return engine::text("the run was computed by ", words(before), ", goes on by ", words(now),
                      ", and so not to the bits that it would have come to there");
}

/// The facts of the data of a run whose ranks need no more of them than a part each, which they can load alone; none
/// for any other run.
std::optional<DataFacts> facts_of_shared(TrainOptions options, const engine::Cluster& ranks) {
  const bool all_needed = options.hold_out > 0 || options.evaluate_every > 0 || !options.cost_features.empty();
  const bool framed = !options.resize.empty() || options.grey || options.alpha;  // which these sources refuse
  if (ranks.size() == 1 || all_needed || framed) return {};
  const std::optional<std::int64_t> count = data::count_for_parts(options.data, options.points);
  if (!count) return {};
  DataFacts of_first = facts_of(data::load_part(options.data, 0, 1, digits_seed));
  of_first.count = *count;
  resolve_by_data(options, of_first);
  if (!of_first.images() || by_class(options) || options.scale != "none") return {};
  return facts_in_parts(options.data, *count);
}

}  // namespace

TrainingInputs load_inputs(TrainOptions options, const RunFolder& folder, bool resume, const engine::Cluster& ranks) {
  const std::optional<DataFacts> shared = facts_of_shared(options, ranks);
  RunData data = shared ? RunData{} : load_run_data(options);
  if (options.evaluate_every > 0) {
    require_held_out(options, data.held_out.count, evaluation::fewest_points,
                     engine::text("for --evaluate-every ", options.evaluate_every));
    load_run_labels(options, data.training.count + data.held_out.count);  // as evaluations do, to fail before they do
  }
  data::Dataset dataset = std::move(data.training);
  const DataFacts facts = shared ? *shared : facts_of(dataset);
  resolve_by_data(options, facts);
  if (!options.from.empty() && !resume) require_generator_of(read_run_to_start_from(options.from), options, facts);
  Config config{version, precision(), options, facts};
  std::vector<double> weights = read_weights("--weights", options.weights, config.data.count);
  if (!weights.empty()) config.data.weights_sha256 = data::sha256(std::as_bytes(std::span(weights)));
  if (!options.cost_features.empty())
    config.data.features_sha256 = data::sha256(data::read_file(options.cost_features));
  std::string of_arithmetic;
  RunLabels labels;
  if (!options.labels.empty()) {
    labels = load_run_labels(options, dataset.count + data.held_out.count);
    config.data.labels_sha256 = data::sha256(std::as_bytes(std::span(labels.training)));
  }
  if (resume) {
    const Config before = read_config(folder.config());
    require_same_run(before, config);
    config.scaling = before.scaling;
    of_arithmetic = note_on_arithmetic(before.arithmetic);
  } else {
    config.scaling = Scaling::fit(options.scale, dataset);
  }
  data::Range range{facts.low, facts.high};
  if (!shared) {
    dataset = config.scaling.apply(std::move(dataset));
    range = data::range_of(dataset);
  }
  std::vector<std::string> notes{note_on_left_out(dataset), config.scaling.unscaled(), config.scaling.coarse(),
                                 note_on_range(range, options.last_layer), of_arithmetic};
  return {std::move(config), std::move(dataset), std::move(weights), std::move(labels), std::move(notes)};
}

std::unique_ptr<models::Generator> first_generator(const Config& config, const ot::Target& points, bool resume) {
  const TrainOptions& options = config.options;
  if (!options.from.empty() && !resume) {
    const Config from = read_run_to_start_from(options.from);
    engine::require(from.data.classes.size() == config.data.classes.size(), "--from ", options.from,
                    ": its generator makes ", from.data.classes.size(), " classes, the data have ",
                    config.data.classes.size(), ": give --labels or --clusters with as many");
    return generator_of_run(RunFolder{options.from}, from);
  }
  std::unique_ptr<models::Generator> generator = make_generator(options, config.data);
  if (options.start == "mean") generator->start_at(engine::Tensor({points.dimension()}, points.mean()));
  return generator;
}

}  // namespace apps
