#include "apps/paper/figure_runs.h"

#include <algorithm>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/train.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

std::string Figure::name() const {
  return "figure" + std::to_string(number);
}

std::vector<Combination> Figure::combinations() const {
  std::vector<Combination> all;
  for (const std::string& dual : duals)
    for (const std::string& generator : generators)
      for (const double lambda : lambdas) all.push_back({generator, dual, lambda});
  std::stable_partition(all.begin(), all.end(), [](const Combination& c) { return c.dual == "vector"; });
  return all;
}

TrainOptions Figure::options(const Combination& combination) const {
  TrainOptions options = preset_options(preset, combination.dual, "");
  options.data = data;
  options.points = points;
  options.generator = combination.generator;
  options.lambda = combination.lambda;
  options.iterations = combination.dual == "network" ? network_iterations : iterations;
  if (inner > 0) options.inner = inner;
  if (batch > 0) options.batch = batch;
  if (combination.dual == "network") options.dual_precision = dual_precision;
  options.seed = seed;
  if (threads > 0) options.threads = threads;
  return options;
}

RunFolder Figure::run(const Combination& c) const {
  return {folder / "runs" / (c.generator + "-" + c.dual + "-" + lambda_text(c.lambda))};
}

std::string lambda_text(double lambda) {
  return engine::text(lambda);
}

namespace {

/// How far the run has come, -1 if there is none to go on with. Throws Error if it was made with other options.
std::int64_t iterations_done(const RunFolder& run, TrainOptions asked) {
  if (!fs::exists(run.config()) || !fs::exists(run.checkpoint())) return -1;
  Config made = read_config(run.config());
  for (TrainOptions* options : {&made.options, &asked}) resolve_by_data(*options, made.data);
  require_resumable(made.options, asked);
  require(made.options.data == asked.data, "--data was ", made.options.data, " for this run, asked is ", asked.data);
  return read_checkpoint(run.checkpoint()).iterations;
}

}  // namespace

int make_runs(const Figure& figure, const Console& console) {
  for (const Combination& combination : figure.combinations()) {
    const RunFolder run = figure.run(combination);
    TrainRequest request;
    request.options = figure.options(combination);
    request.out = run.root.string();
    request.title = run.root.filename().string();
    try {
      const std::int64_t done = iterations_done(run, request.options);
      if (done >= request.options.iterations) {
        console.out << request.title << ": kept, " << done << " iterations" << std::endl;
        continue;
      }
      request.resume = done >= 0;
      request.force = done < 0 && fs::exists(run.config());  // it ended before its first checkpoint
      if (train(request, console) == 130) return 130;
    } catch (const engine::Error& error) {
      engine::fail(run.root.string(), ": ", error.what());
    } catch (const Failure& failure) {
      throw Failure(run.root.string() + ": " + failure.what());
    }
  }
  return 0;
}

}  // namespace apps
