#include "apps/evaluate.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/fresh_samples.h"
#include "apps/evaluation/inputs.h"
#include "apps/evaluation/semidual_measures.h"
#include "apps/evaluation/summary.h"
#include "apps/feature_network.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "apps/latents.h"
#include "apps/measure.h"
#include "apps/options.h"
#include "apps/report/report.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "data/dataset.h"
#include "data/file.h"
#include "data/sha256.h"
#include "data/utf8.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::real;
using engine::require;
using engine::Tensor;
using engine::text;
using evaluation::fewest_points;
using evaluation::fresh_samples;
using evaluation::Inputs;
using evaluation::Measure;
using evaluation::random_choice;

namespace {

/// Up to so many samples, unless it is asked for.
constexpr std::int64_t most_assigned = 3000;
/// More of the reference than this among the training points is worth a word.
constexpr double much_trained_on = 0.01;

Tensor samples_of(const Inputs& inputs, const RunFolder& folder, std::uint64_t seed) {
  if (inputs.config) {
    const Tensor samples =
        fresh_samples(*generator_of_run(folder, *inputs.config), latent_law(*inputs.config), seed, inputs.count);
    require(all_finite({{"samples", samples}}), folder.checkpoint(), ": its generator makes NaN or infinity");
    return samples;
  }
  return points_of(points_at(
      inputs.samples, random_choice(inputs.samples.count, inputs.count, random_draws(seed, Draw::evaluation, 0, 0))));
}

/// How often a conditional generator makes the class that it is asked for, beside how often points of the reference
/// are told to be of theirs.
std::optional<Measure> measure_agreement(const Inputs& inputs, const evaluation::Evaluation& evaluation,
                                         const Tensor& samples, std::span<const std::int64_t> asked,
                                         std::optional<double> reference_accuracy) {
  const std::vector<std::uint8_t> told = evaluation.classes_of(samples);
  if (inputs.options.labels.empty()) return {};
  const bool same_classes = !evaluation.classifies() || inputs.options.labels == "own";
  if (asked.empty() || told.empty() || !same_classes) return {};
  std::int64_t right = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) right += told[i] == asked[i];
  Measure measure;
  measure.key = "asked_class", measure.name = "of the class that was asked for";
  measure.value = static_cast<double>(right) / static_cast<double>(asked.size());
  measure.floor = reference_accuracy, measure.ideal = 1;
  return measure;
}

/// The share of points whose class is told right.
double accuracy(const std::vector<std::uint8_t>& told, const std::vector<std::uint8_t>& labels,
                std::span<const std::int64_t> which) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < which.size(); ++i) right += told[i] == labels[static_cast<std::size_t>(which[i])];
  return static_cast<double>(right) / static_cast<double>(which.size());
}

std::string percent(double share) {
  char number[32];
  std::snprintf(number, sizeof number, "%.1f%%", 100 * share);
  return number;
}

/// The share of the reference whose class is told right; none where that isn't known.
std::optional<double> reference_accuracy(const Inputs& inputs, const evaluation::Evaluation& evaluation,
                                         std::span<const std::int64_t> reference) {
  const std::vector<std::uint8_t>& told = evaluation.reference_classes();
  if (told.empty() || inputs.reference_labels.empty()) return {};
  return accuracy(told, inputs.reference_labels, reference);
}

/// What a reader must know to read the numbers, a sentence each.
std::string note_on(const Inputs& inputs, const evaluation::Evaluation& evaluation, std::optional<double> right,
                    bool assignment) {
  std::string note;
  const auto say = [&](const auto&... parts) { note += text(note.empty() ? "" : " ", parts...); };
  if (evaluation.reference_classes().empty())
    say("Classes are unknown: the data have no labels.");
  else
    say("A class is ", evaluation.classifies() ? "what the classifier says" : "that of the nearest training point",
        right ? text(", right for ", percent(*right), " of the reference.") : ".");
  const std::int64_t draws = evaluation.floor_draws();
  if (draws == 0)
    say("There are no floors: they take twice as many training points as samples.");
  else
    say("Floors are of ", draws, " times as many training points.");
  if (inputs.config && !inputs.config->scaling.none())
    say("All points are compared as --scale ", inputs.options.scale, " has them.");
  if (!assignment) say("W2² by assignment is left out (--assignment on computes it).");
  if (!inputs.options.weights.empty()) say("All training points count the same, whatever --weights says, but for H.");
  if (const double share = evaluation.trained_on(); share > much_trained_on)
    say(percent(share), " of the reference are training points.");
  return note;
}

evaluation::Summary describe(const Inputs& inputs, const EvaluateRequest& request, const RunFolder& folder,
                             const std::optional<FeatureNetwork>& features) {
  evaluation::Summary summary;
  summary.generated = {request.what, inputs.count, ""};
  summary.reference = {inputs.reference_source, inputs.count, inputs.reference_sha256};
  summary.training = {inputs.options.data, inputs.facts.count, inputs.facts.sha256};
  if (inputs.config) summary.iterations = read_checkpoint(folder.checkpoint()).iterations;
  summary.seed = request.seed;
  if (!features) return summary;
  summary.features = {features->description(), "", {}};
  if (!request.features.empty()) summary.features->sha256 = data::sha256(data::read_file(request.features));
  if (features->classifies()) summary.features->accuracy = features->accuracy();
  return summary;
}

void require_resources(const EvaluateRequest& request, const Inputs& inputs, bool assignment, const std::string& out) {
  const auto n = static_cast<double>(inputs.count), d = static_cast<double>(inputs.facts.dimension);
  const double training =
      3 * static_cast<double>(inputs.facts.count) * d * (inputs.training.bytes.empty() ? sizeof(real) : 1);
  require_memory(training + 10 * n * d * sizeof(real) + (assignment ? 12 * n * n : 0),
                 text("comparing ", inputs.count, " samples"),
                 request.count > 0 ? "take a smaller --count" : "give a smaller --count");
  if (out.empty()) return;
  const fs::path parent = fs::path(out).parent_path();
  require(parent.empty() || fs::is_directory(parent), "--out ", out, " can't be written: there is no folder ",
          parent.string());
  require_writable(out, 1e5);
  for (const std::string& source : {request.what, inputs.options.data, inputs.reference_source})
    data::require_utf8(source);
}

}  // namespace

void evaluate(const EvaluateRequest& request, const Console& console) {
  if (!request.assignment.empty()) require_one_of("assignment", request.assignment, {"on", "off"});
  require(request.count == 0 || request.count >= fewest_points, "--count must be at least ", fewest_points, ": ",
          request.count);
  if (request.threads != 0) engine::set_threads(request.threads);

  Inputs inputs = evaluation::load_inputs(request);
  const RunFolder folder{request.what};
  const bool assignment = request.assignment.empty() ? inputs.count <= most_assigned : request.assignment == "on";
  const std::string out = request.out.empty() && inputs.config ? folder.evaluation() : request.out;
  require_resources(request, inputs, assignment, out);
  std::optional<FeatureNetwork> features = FeatureNetwork::of(request.features, inputs.facts);

  const std::vector<std::int64_t> chosen =
      random_choice(inputs.reference.count, inputs.count, random_draws(request.seed, Draw::evaluation_reference, 0, 0));
  const Tensor samples = samples_of(inputs, folder, request.seed);

  console.remark(engine::blas_warning());
  console.remark(note_on_left_out(inputs.training));
  console.remark(note_on_left_out(inputs.reference));
  evaluation::Summary summary = describe(inputs, request, folder, features);
  console.out << inputs.count << " samples of " << request.what
              << (summary.iterations ? text(" (", *summary.iterations, " iterations)") : "") << " against "
              << inputs.count << " of the " << inputs.reference.count << " points of " << inputs.reference_source
              << "; trained on: " << inputs.facts.count << " points of " << inputs.options.data << '\n'
              << "features: " << (features ? features->description() : "none, the points are no images") << std::endl;
  std::vector<std::int64_t> asked;
  std::vector<Measure> semidual;
  if (inputs.config) {
    asked = evaluation::classes_asked(latent_law(*inputs.config), request.seed, inputs.count);
    if (inputs.options.method == "semidual")  // others have no psi
      semidual = evaluation::semidual_measures(folder, inputs, samples, asked);
  }

  const evaluation::Evaluation evaluation(std::move(inputs.training), std::move(inputs.labels),
                                          points_of(points_at(inputs.reference, chosen)), std::move(features),
                                          request.seed);
  const std::optional<double> right = reference_accuracy(inputs, evaluation, chosen);
  summary.note = note_on(inputs, evaluation, right, assignment);
  console.out << summary.note << "\n\n" << std::flush;
  evaluation::Result result = evaluation.evaluate(samples, assignment);
  summary.measures = std::move(result.measures);
  summary.measures.insert(summary.measures.end(), semidual.begin(), semidual.end());
  if (const auto agreement = measure_agreement(inputs, evaluation, samples, asked, right))
    summary.measures.push_back(*agreement);
  if (!evaluation.classifies() || inputs.options.labels.empty() || inputs.options.labels == "own")
    summary.classes = inputs.classes;
  summary.generated_shares = std::move(result.class_shares);
  summary.reference_shares = evaluation.reference_class_shares();
  print(summary, console.out);
  if (out.empty()) return;
  data::write_file_atomically(out, to_json(summary).dump(2) + "\n");
  console.out << out << '\n';
  if (out != folder.evaluation()) return;
  write_report(folder, request.data);
  console.out << folder.report() << '\n';
}

}  // namespace apps
