#include "apps/training/requirements.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "apps/generators.h"
#include "apps/learn/make_objective.h"
#include "apps/method_names.h"
#include "apps/resources.h"
#include "apps/training/training.h"
#include "engine/error.h"
#include "engine/real.h"
#include "ot/shards.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

void require_folder_fits(const TrainRequest& request, const RunFolder& folder) {
  require(!request.out.empty(), "--out is missing: the folder to keep the run in");
  require(!request.resume || !request.force, "--resume goes on with a run and --force replaces it: give one of them");
  require(!fs::exists(folder.root) || fs::is_directory(folder.root), "--out ", request.out,
          " is a file: give the path of a folder");
  require(request.resume || request.force || !folder.occupied(), "--out ", request.out,
          " holds a run already: --resume goes on with it, --force replaces it");
  require(!request.resume || fs::exists(folder.config()), "--out ", request.out,
          " holds no run to resume: leave out --resume to start one");
  require(!request.resume || fs::exists(folder.checkpoint()), "--out ", request.out,
          " has no checkpoint to resume from: --force starts anew");
}

void require_same_run(Config before, const Config& now) {
  resolve_by_data(before.options, before.data);  // what a run of an older version left open
  require_resumable(before.options, now.options);
  require(before.precision == now.precision, "the run was computed in ", before.precision,
          ", this program computes in ", now.precision, ": resume it with the other build");
  require(before.data.sha256 == now.data.sha256, "--data ", now.options.data, " (", now.data.count, " points, SHA-256 ",
          now.data.sha256, ") is not what the run learns: ", before.options.data, " (", before.data.count,
          " points, SHA-256 ", before.data.sha256, ")");
  require(before.data.weights_sha256 == now.data.weights_sha256, "--weights '", now.options.weights,
          "' are not those of the run, '", before.options.weights, "'");
  require(before.data.features_sha256 == now.data.features_sha256, "--cost-features '", now.options.cost_features,
          "' is no longer the file that the run takes its cost in: its SHA-256 is another");
  require(before.data.labels_sha256 == now.data.labels_sha256, "--labels '", now.options.labels,
          "' are not those of the run, '", before.options.labels, "'");
}

void require_shareable(const Config& config, const engine::Cluster& ranks) {
  const TrainOptions& options = config.options;
  constexpr std::int64_t together = ot::Target::together;
  require(options.shards <= 1 || options.shards <= ot::most_shards(config.data.count), "--shards ", options.shards,
          " are too many for ", config.data.count, " points: take one for each ", together, " of them at most");
  if (ranks.size() == 1) return;
  require(options.method == method::semidual, "--method ", options.method,
          " is not shared by ranks: take semidual, or start it without mpirun");
  if (by_class(options)) return;
  const char* remedy = ": take --clusters, whose clusters ranks share whatever the rest";
  require(options.target_batch == 0, "without classes ranks share all points, not --target-batch ",
          options.target_batch, remedy);
  require(options.loss == "transport", "without classes ranks share --loss transport, not ", options.loss, remedy);
  if (options.lambda == 0 && options.dual != "network") return;
  require(options.shards > 1, "without classes ranks share the points of ",
          options.lambda > 0 ? engine::text("--lambda ", options.lambda) : "--dual network",
          " in shards: give --shards, ", ranks.size(), " or more, or take --clusters");
  require(options.shards >= ranks.size(), "of --shards ", options.shards, " there are too few for ", ranks.size(),
          " ranks: start at most as many as there are shards");
}

void require_shareable(const Classes& classes, const engine::Cluster& ranks) {
  require(ranks.size() == 1 || classes.points.empty() || std::ssize(classes.points) >= ranks.size(),
          "ranks share classes, of which there are ", classes.points.size(), ": start at most as many ranks, not ",
          ranks.size());
}

void require_resources(const TrainRequest& request, const Config& config, std::int64_t state_bytes) {
  const TrainOptions& options = config.options;
  const double reals = sizeof(engine::real);
  const std::int64_t largest_batch = std::max(options.batch, options.dual_batch);
  const std::int64_t values = values_per_draw(options, config.data) + values_per_point(options, config.data);
  const double batch = static_cast<double>(largest_batch) * static_cast<double>(values) * reals;
  const double points = 10 * static_cast<double>(config.data.count) * reals;
  // The costs of a batch to itself, in double and in real.
  const double self_transport = options.loss == "sinkhorn-divergence"
                                    ? 16.0 * static_cast<double>(options.batch) * static_cast<double>(options.batch)
                                    : 0;
  const double network = options.dual == "network" ? static_cast<double>(options.dual_memory << 20) : 0;
  require_memory(
      batch + self_transport + points + network + 3 * static_cast<double>(state_bytes),
      "training with --batch " + std::to_string(options.batch) +
          (options.dual_batch > options.batch ? " and --dual-batch " + std::to_string(options.dual_batch) : ""),
      "take a smaller batch or fewer --points");

  const double pictures = static_cast<double>(options.iterations / options.samples_every + 1);
  const double picture =
      config.data.images() ? 1.1 * grid_side * grid_side * static_cast<double>(config.data.dimension) + 1000 : 40000;
  const double metrics = 64 * static_cast<double>(options.iterations);
  require_writable(request.out, 2.1 * static_cast<double>(state_bytes) + pictures * picture + metrics + 2e6);
}

}  // namespace apps
