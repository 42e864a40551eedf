#include "apps/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/costs.h"
#include "apps/evaluation/quick_evaluation.h"
#include "apps/generators.h"
#include "apps/hold_out.h"
#include "apps/interrupt.h"
#include "apps/latents.h"
#include "apps/learn/alternate.h"
#include "apps/learn/classes.h"
#include "apps/learn/cost_space.h"
#include "apps/measure.h"
#include "apps/point_picture.h"
#include "apps/progress.h"
#include "apps/report/report.h"
#include "apps/resources.h"
#include "apps/run_folder.h"
#include "apps/run_lock.h"
#include "apps/start_from.h"
#include "apps/version.h"
#include "apps/ways.h"
#include "data/dataset.h"
#include "data/png.h"
#include "data/sha256.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/pool.h"

namespace apps {

namespace fs = std::filesystem;
using engine::fail;
using engine::require;

namespace {

constexpr int grid_side = 8;

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

/// A line about values of the data that the generator's last layer can't make; empty where it can.
std::string note_on_range(const data::Dataset& dataset, const std::string& last_layer) {
  const auto [low, high] = data::range_of(dataset);
  const int least = last_layer == "tanh" ? -1 : 0, most = 1;
  if (last_layer == "linear" || (low >= least && high <= most)) return "";
  return engine::text("the data's values run from ", low, " to ", high, ", --last-layer ", last_layer,
                      " makes them between ", least, " and ", most, ": take --last-layer linear, or scale the data");
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
  require(before.data.labels_sha256 == now.data.labels_sha256, "--labels '", now.options.labels,
          "' are not those of the run, '", before.options.labels, "'");
}

void require_resources(const TrainRequest& request, const Config& config, std::int64_t state_bytes) {
  const TrainOptions& options = config.options;
  const double reals = sizeof(engine::real);
  const std::int64_t largest_batch = std::max(options.batch, options.dual_batch);
  const double batch =
      static_cast<double>(largest_batch) * static_cast<double>(values_per_draw(options, config.data)) * reals;
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

/// With --labels a row of images for each of the first classes, otherwise grid_side rows.
engine::Tensor latents_to_draw(const Config& config) {
  const LatentLaw law = latent_law(config);
  const std::uint64_t seed = config.options.seed;
  if (!config.data.images()) return latents(law, seed, Draw::grid, 0, 0, PointPicture::draws);
  if (config.options.labels.empty()) return latents(law, seed, Draw::grid, 0, 0, grid_side * grid_side);
  constexpr std::size_t most_rows = 16;
  std::vector<std::int64_t> classes;
  for (const std::int64_t c : law.present())
    if (classes.size() < most_rows * grid_side) classes.insert(classes.end(), grid_side, c);
  return latents(law, seed, Draw::grid, 0, 0, classes);
}

/// The data as points, scaled as --scale has it, and as the measure that is learned in the space of the cost, which may
/// be the same.
struct Data {
  const ot::Target &points, &target;
  const CostSpace& space;
  const PointsOfClasses& classes;  ///< none without --labels and --clusters
};

/// A run that has all its inputs right.
class Training {
 public:
  Training(RunFolder folder, Config config, bool verbose, const Data& data, models::Generator& generator,
           std::unique_ptr<models::Generator> mean)
      : folder_(std::move(folder)),
        config_(std::move(config)),
        verbose_(verbose),
        points_(data.points),
        algorithm_(config_.options, data.target, generator, std::move(mean), &data.space, data.classes),
        drawn_latents_(latents_to_draw(config_)) {
    if (!config_.data.images()) picture_.emplace(points_, config_.scaling, config_.data.columns);
  }

  Alternate& algorithm() { return algorithm_; }

  /// Makes the folder, or what it lacks. A new run gets a checkpoint at once, so that it can always be resumed.
  void open() {
    folder_.create();
    write_config(folder_.config(), config_);
    if (algorithm_.iterations() == 0) save_checkpoint();
  }

  /// Iterates to the end, or until interrupted. Returns the exit code.
  int run(const Interrupt& interrupt, const std::string& title, const Console& console) {
    if (!warm_up(interrupt, console)) return 130;
    const bool evaluated = config_.options.evaluate_every > 0;
    Metrics metrics(folder_.metrics(), algorithm_.iterations(), evaluated);
    if (evaluated) evaluation_.emplace(folder_);
    seconds_ = metrics.seconds();
    Progress progress(console.out, console.terminal, algorithm_.iterations(),
                      by_clock() ? 0 : config_.options.iterations, title, loss_symbol(config_.options));
    while (!done() && !interrupt.requested()) iterate(metrics, progress, console);
    if (saved_at_ != algorithm_.iterations()) save_checkpoint(progress);
    if (drawn_at_ != algorithm_.iterations()) draw_samples();
    if (reported_at_ != algorithm_.iterations()) report(console);
    progress.end();
    const int code = done() ? 0 : 130;
    if (!title.empty()) return code;
    if (code == 130)
      console.out << "interrupted after " << algorithm_.iterations()
                  << (by_clock() ? "" : engine::text(" of ", config_.options.iterations))
                  << " iterations; to go on: semidual train --out " << folder_.root.string() << " --resume\n";
    console.out << "samples: " << folder_.grid(drawn_at_) << '\n';
    console.out << "checkpoint: " << folder_.checkpoint() << '\n';
    if (!report_complained_) console.out << "report: " << folder_.report() << '\n';
    return code;
  }

 private:
  bool by_clock() const { return config_.options.minutes > 0; }
  bool done() const {
    return by_clock() ? seconds_ >= 60 * config_.options.minutes
                      : algorithm_.iterations() >= config_.options.iterations;
  }
  /// How far the schedule is, from 0 to 1.
  double schedule() const {
    const double share = by_clock()
                             ? seconds_ / (60 * config_.options.minutes)
                             : static_cast<double>(algorithm_.iterations()) /
                                   static_cast<double>(std::max<std::int64_t>(1, config_.options.schedule_iterations));
    return std::min(share, 1.0);
  }

  /// Makes the steps that are left of the warm-up and keeps what they came to. False when interrupted.
  bool warm_up(const Interrupt& interrupt, const Console& console) {
    if (!algorithm_.warming_up()) return true;
    console.out << "warming up: " << config_.options.dual_warmup << " steps of psi" << std::endl;
    while (algorithm_.warming_up() && !interrupt.requested()) algorithm_.warm_up();
    if (algorithm_.warming_up()) {
      console.out << "interrupted in the warm-up, which begins anew with: semidual train --out "
                  << folder_.root.string() << " --resume\n";
      return false;
    }
    save_checkpoint();
    return true;
  }

  void iterate(Metrics& metrics, Progress& progress, const Console& console) {
    const auto start = std::chrono::steady_clock::now();
    const double h = algorithm_.iterate(schedule());
    if (!std::isfinite(h)) stop_for_nan("the loss");
    watch(h, console);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    seconds_ += seconds;
    metrics.add(algorithm_.iterations() - 1, h, seconds, evaluate_now());
    progress.update(algorithm_.iterations(), h, 60 * config_.options.minutes - seconds_);
    if (algorithm_.iterations() % config_.options.checkpoint_every == 0) save_checkpoint(progress);
    if (algorithm_.iterations() % config_.options.samples_every == 0) draw_samples();
    if (saved_at_ == algorithm_.iterations()) report(console);
  }

  /// Says once where H, which bounds W_lambda from below, tells nothing of it: psi = 0 comes to more than 0.
  void watch(double h, const Console& console) {
    constexpr int beyond_chance = 20;
    below_zero_ = h < 0 && config_.options.loss == "transport" ? below_zero_ + 1 : 0;
    if (below_zero_ != beyond_chance || told_below_zero_) return;
    told_below_zero_ = true;
    console.remark(engine::text("H has been below 0 for ", beyond_chance, " iterations, up to ",
                                algorithm_.iterations() - 1,
                                ", and W_lambda is not: psi does not follow the generator; a smaller --dual-lr or a "
                                "larger --inner may help"));
  }

  /// What metrics.csv has of the generator after this iteration, where it is due.
  std::optional<Metrics::Evaluated> evaluate_now() {
    if (!evaluation_ || algorithm_.iterations() % config_.options.evaluate_every != 0) return {};
    const evaluation::Evaluation::Quick quick = (*evaluation_)(algorithm_.sampled());
    engine::trim_pool();  // its tensors are none that the iterations ask for
    return Metrics::Evaluated{quick.coverage, quick.recall, quick.class_tv};
  }

  void save_checkpoint() {
    Checkpoint checkpoint{algorithm_.iterations(), algorithm_.state()};
    for (auto& named : config_.scaling.tensors()) checkpoint.tensors.push_back(std::move(named));
    if (!all_finite(checkpoint.tensors)) stop_for_nan("a parameter");
    write_checkpoint(folder_.checkpoint(), checkpoint);
    saved_at_ = algorithm_.iterations();
  }

  void save_checkpoint(Progress& progress) {
    save_checkpoint();
    if (const std::string line = ways_.line(algorithm_.ways()); verbose_ && !line.empty()) progress.add(line);
  }

  void draw_samples() {
    const std::string path = folder_.grid(algorithm_.iterations());
    const engine::Tensor made = evaluate(algorithm_.sampled(), drawn_latents_);
    if (picture_)
      picture_->write(path, made, algorithm_.psi(), config_.options.lambda);
    else
      data::write_png_grid(path, made.values(), config_.data.height, config_.data.width, config_.data.channels,
                           static_cast<int>(made.dim(0) / grid_side), grid_side);
    drawn_at_ = algorithm_.iterations();
  }

  /// Rewrites report.html. A run goes on where that can't be; why is said once.
  void report(const Console& console) {
    reported_at_ = algorithm_.iterations();
    try {
      write_report(folder_, points_);
    } catch (const std::exception& error) {
      if (report_complained_) return;
      report_complained_ = true;
      console.err << "semidual: the run goes on without its report: " << error.what() << std::endl;
    }
  }

  [[noreturn]] void stop_for_nan(const char* what) const {
    const std::int64_t done = algorithm_.iterations();
    fail(what, " is no longer a finite number ",
         done == 0 ? "in the warm-up" : engine::text("at iteration ", done - 1, " (the first is 0)"),
         ": try a smaller --lr or --dual-lr; the last good checkpoint is ", folder_.checkpoint());
  }

  RunFolder folder_;
  Config config_;
  bool verbose_;
  const ot::Target& points_;
  Alternate algorithm_;
  engine::Tensor drawn_latents_;
  std::optional<PointPicture> picture_;  // of points that are no images
  std::optional<evaluation::QuickEvaluation> evaluation_;
  Ways ways_;
  double seconds_ = 0;  // of all iterations
  std::int64_t saved_at_ = -1, drawn_at_ = -1, reported_at_ = -1;
  int below_zero_ = 0;  // iterations in a row
  bool report_complained_ = false, told_below_zero_ = false;
};

/// The generator at the start of a new run, or of a resumed run before its checkpoint is read.
std::unique_ptr<models::Generator> first_generator(const TrainRequest& request, const Config& config,
                                                   const ot::Target& points) {
  const TrainOptions& options = config.options;
  if (!options.from.empty() && !request.resume) {
    const Config from = read_run_to_start_from(options.from);
    require(from.data.classes.size() == config.data.classes.size(), "--from ", options.from, ": its generator makes ",
            from.data.classes.size(), " classes, the data have ", config.data.classes.size(),
            ": give --labels or --clusters with as many");
    return generator_of_run(RunFolder{options.from}, from);
  }
  std::unique_ptr<models::Generator> generator = make_generator(options, config.data);
  if (options.start == "mean") generator->start_at(engine::Tensor({points.dimension()}, points.mean()));
  return generator;
}

/// From where all inputs have been read to the end of the run.
int train_on(const Data& data, const TrainRequest& request, const Config& config, const std::vector<std::string>& notes,
             const Console& console) {
  const TrainOptions& options = config.options;
  const RunFolder folder{request.out};
  const std::unique_ptr<models::Generator> generator = first_generator(request, config, data.points);
  std::unique_ptr<models::Generator> mean = options.average > 0 ? make_generator(options, config.data) : nullptr;
  if (mean && !options.from.empty()) copy_tensors(tensors_of(*generator), tensors_of(*mean));
  Training training(folder, config, request.verbose, data, *generator, std::move(mean));
  std::optional<RunLock> lock;
  if (request.resume) {
    lock.emplace(folder.root);
    const Checkpoint checkpoint = read_checkpoint(folder.checkpoint());
    try {
      training.algorithm().restore(checkpoint.tensors, checkpoint.iterations);
    } catch (const engine::Error& error) {
      fail(folder.checkpoint(), " does not fit the run: ", error.what());
    }
    require(options.minutes > 0 || checkpoint.iterations <= options.iterations, "--iterations ", options.iterations,
            ": the run has done ", checkpoint.iterations, " already, give the new total");
  }
  require_resources(request, config, training.algorithm().most_state_bytes());

  const Interrupt interrupt;  // from here on there is something to keep
  if (!lock) lock.emplace(folder.root);
  if (request.force) folder.remove_run();
  try {
    training.open();
  } catch (...) {
    if (!request.resume) folder.remove_run();
    throw;
  }
  console.remark(engine::blas_warning());
  for (const std::string& note : notes) console.remark(note);
  if (request.title.empty())
    console.out << "learning " << options.data << ": " << config.data.count << " points of dimension "
                << config.data.dimension << std::endl;
  try {
    return training.run(interrupt, request.title, console);
  } catch (const std::bad_alloc&) {
    throw Failure("memory ran out; the last checkpoint is " + folder.checkpoint());
  } catch (const std::exception& error) {
    throw Failure(error.what());
  }
}

}  // namespace

int train(const TrainRequest& request, const Console& console) {
  TrainOptions options = request.options;
  const RunFolder folder{request.out};
  require_folder_fits(request, folder);
  validate(options);
  if ((options.lr_schedule != "constant" || options.dual_schedule != "constant") && options.schedule_iterations == 0)
    options.schedule_iterations = options.iterations;
  engine::set_threads(options.threads);

  RunData data = load_run_data(options);
  data::Dataset dataset = std::move(data.training);
  const DataFacts facts = facts_of(dataset);
  resolve_by_data(options, facts);
  if (!options.from.empty() && !request.resume)
    require_generator_of(read_run_to_start_from(options.from), options, facts);
  Config config{version, precision(), options, facts};
  std::vector<double> weights = read_weights("--weights", options.weights, config.data.count);
  if (!weights.empty()) config.data.weights_sha256 = data::sha256(std::as_bytes(std::span(weights)));
  RunLabels labels;
  if (!options.labels.empty()) {
    labels = load_run_labels(options, dataset.count + data.held_out.count);
    config.data.labels_sha256 = data::sha256(std::as_bytes(std::span(labels.training)));
  }
  if (request.resume) {
    const Config before = read_config(folder.config());
    require_same_run(before, config);
    config.scaling = before.scaling;
  } else {
    config.scaling = Scaling::fit(options.scale, dataset);
  }
  dataset = config.scaling.apply(std::move(dataset));
  const std::vector<std::string> notes{note_on_left_out(dataset), config.scaling.unscaled(),
                                       note_on_range(dataset, options.last_layer)};
  const auto learn = [&](const ot::Target& points, const ot::Target& target, const CostSpace& space) {
    const Classes classes = classes_of_run(options, points, labels.training, labels.classes);
    const std::vector<double> shares = shares_of(points.weights(), classes.points);
    for (std::size_t c = 0; c < shares.size(); ++c) config.data.classes.push_back({classes.names[c], shares[c]});
    return train_on({points, target, space, classes.points}, request, config, notes, console);
  };
  const ot::Cost cost = make_cost(options.cost, options.cost_power, options.cost_scale);
  CostSpace space(options, config.data);
  if (!space.mapped()) {
    const ot::Target target = make_target(std::move(dataset), cost, std::move(weights));
    return learn(target, target, space);
  }
  const ot::Target target = make_target(space.map(dataset), cost, weights);
  const ot::Target points = make_target(std::move(dataset), cost, std::move(weights));
  return learn(points, target, space);
}

}  // namespace apps
