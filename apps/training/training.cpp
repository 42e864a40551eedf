#include "apps/training/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <ostream>
#include <utility>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/generators.h"
#include "apps/latents.h"
#include "apps/learn/make_objective.h"
#include "apps/methods.h"
#include "apps/report/report.h"
#include "data/png.h"
#include "engine/error.h"
#include "engine/pool.h"

namespace apps {

namespace {

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

}  // namespace

Training::Training(RunFolder folder, Config config, bool verbose, const LearnedData& data, models::Generator& generator,
                   std::unique_ptr<models::Generator> mean)
    : folder_(std::move(folder)),
      config_(std::move(config)),
      verbose_(verbose),
      points_(data.points),
      ranks_(data.ranks),
      algorithm_(config_.options, latent_law(config_), generator,
                 make_objective(config_.options, config_.data, data.target, data.classes, ranks_), std::move(mean),
                 &data.space),
      drawn_latents_(latents_to_draw(config_)) {
  if (!config_.data.images() && ranks_.first()) picture_.emplace(points_, config_.scaling, config_.data.columns);
}

void Training::open() {
  if (ranks_.first()) {
    folder_.create();
    write_config(folder_.config(), config_);
  }
  if (algorithm_.iterations() == 0) save_checkpoint();
}

int Training::run(const Interrupt& interrupt, const std::string& title, const Console& console) {
  if (!warm_up(interrupt, console)) return 130;
  const bool evaluated = config_.options.evaluate_every > 0;
  const std::int64_t begun = algorithm_.iterations(), moved = ranks_.moved();
  std::unique_ptr<Metrics> metrics;
  if (ranks_.first()) {
    metrics =
        std::make_unique<Metrics>(folder_.metrics(), algorithm_.iterations(), loss_symbol(config_.options), evaluated);
    if (evaluated) evaluation_.emplace(folder_);
    seconds_ = metrics->seconds();
  }
  seconds_ = ranks_.broadcast(seconds_);
  Progress progress(console.out, console.terminal, algorithm_.iterations(), by_clock() ? 0 : config_.options.iterations,
                    title, loss_symbol(config_.options));
  while (!done() && !ended(interrupt)) iterate(interrupt, metrics.get(), progress, console);
  if (saved_at_ != algorithm_.iterations()) save_checkpoint(metrics.get(), progress);
  if (drawn_at_ != algorithm_.iterations()) draw_samples();
  if (reported_at_ != algorithm_.iterations()) report(console);
  progress.end();
  const int code = done() ? 0 : 130;
  console.tell_moved(moved, algorithm_.iterations() - begun);
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

bool Training::done() const {
  return by_clock() ? seconds_ >= 60 * config_.options.minutes : algorithm_.iterations() >= config_.options.iterations;
}

bool Training::ended(const Interrupt& interrupt) const {
  return ranks_.any(interrupt.requested() || told_to_end_);
}

double Training::schedule() const {
  const double share = by_clock()
                           ? seconds_ / (60 * config_.options.minutes)
                           : static_cast<double>(algorithm_.iterations()) /
                                 static_cast<double>(std::max<std::int64_t>(1, config_.options.schedule_iterations));
  return std::min(share, 1.0);
}

bool Training::warm_up(const Interrupt& interrupt, const Console& console) {
  if (!algorithm_.warming_up()) return true;
  console.out << "warming up: " << config_.options.dual_warmup << " steps of psi" << std::endl;
  while (algorithm_.warming_up() && !ended(interrupt)) algorithm_.warm_up();
  if (algorithm_.warming_up()) {
    console.out << "interrupted in the warm-up, which begins anew with: semidual train --out " << folder_.root.string()
                << " --resume\n";
    return false;
  }
  save_checkpoint();
  return true;
}

void Training::iterate(const Interrupt& interrupt, Metrics* metrics, Progress& progress, const Console& console) {
  const auto start = std::chrono::steady_clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const std::optional<double> loss = algorithm_.iterate(schedule(), [&] {
    return !ranks_.any(interrupt.requested() || (by_clock() && seconds_ + passed() >= 60 * config_.options.minutes));
  });
  if (!loss) {
    seconds_ += ranks_.broadcast(passed());
    saved_at_ = -1;
    return;
  }
  const double h = *loss;
  if (!std::isfinite(h)) stop_for_nan(not_finite(algorithm_.state()));
  watch(h, console);
  const double seconds = ranks_.broadcast(passed());
  seconds_ += seconds;
  if (metrics) metrics->add(algorithm_.iterations() - 1, h, seconds, evaluate_now());
  progress.update(algorithm_.iterations(), h, seconds_left());
  if (console.watch)
    told_to_end_ = !console.watch({.iteration = algorithm_.iterations(),
                                   .iterations = by_clock() ? 0 : config_.options.iterations,
                                   .loss = h,
                                   .seconds = seconds_,
                                   .seconds_left = seconds_left()});
  if (algorithm_.iterations() % config_.options.checkpoint_every == 0) save_checkpoint(metrics, progress);
  if (algorithm_.iterations() % config_.options.samples_every == 0) draw_samples();
  if (saved_at_ == algorithm_.iterations()) report(console);
}

double Training::seconds_left() const {
  if (by_clock()) return std::max(0.0, 60 * config_.options.minutes - seconds_);
  const auto done = static_cast<double>(algorithm_.iterations()), all = static_cast<double>(config_.options.iterations);
  return seconds_ * (all - done) / done;
}

void Training::watch(double h, const Console& console) {
  constexpr int beyond_chance = 20;
  below_zero_ =
      h < 0 && config_.options.method == "semidual" && config_.options.loss == "transport" ? below_zero_ + 1 : 0;
  if (below_zero_ != beyond_chance || told_below_zero_) return;
  told_below_zero_ = true;
  console.remark(engine::text("H has been below 0 for ", beyond_chance, " iterations, up to ",
                              algorithm_.iterations() - 1,
                              ", and W_lambda is not: psi does not follow the generator; a smaller --dual-lr or a "
                              "larger --inner may help"));
}

std::optional<Metrics::Evaluated> Training::evaluate_now() {
  if (!evaluation_ || algorithm_.iterations() % config_.options.evaluate_every != 0) return {};
  const evaluation::Evaluation::Quick quick = (*evaluation_)(algorithm_.sampled());
  engine::trim_pool();  // its tensors are none that the iterations ask for
  return Metrics::Evaluated{quick.coverage, quick.recall, quick.class_tv};
}

void Training::save_checkpoint() {
  Checkpoint checkpoint{algorithm_.iterations(), algorithm_.state()};
  for (auto& named : config_.scaling.tensors()) checkpoint.tensors.push_back(std::move(named));
  if (const std::string tensor = not_finite(checkpoint.tensors); !tensor.empty()) stop_for_nan(tensor);
  if (ranks_.first()) write_checkpoint(folder_.checkpoint(), checkpoint);
  saved_at_ = algorithm_.iterations();
}

void Training::save_checkpoint(Metrics* metrics, Progress& progress) {
  if (metrics) metrics->sync();
  save_checkpoint();
  if (const std::string line = ways_.line(algorithm_.objective().ways()); verbose_ && !line.empty()) progress.add(line);
}

void Training::draw_samples() {
  drawn_at_ = algorithm_.iterations();
  const std::optional<engine::Tensor> psi = config_.data.images() ? std::nullopt : algorithm_.objective().psi();
  if (!ranks_.first()) return;
  const std::string path = folder_.grid(algorithm_.iterations());
  const engine::Tensor made = evaluate(algorithm_.sampled(), drawn_latents_);
  if (psi)
    picture_->write(path, made, *psi, config_.options.lambda);
  else if (picture_)
    picture_->write(path, made);
  else
    data::write_png_grid(path, made.values(), config_.data.height, config_.data.width, config_.data.channels,
                         static_cast<int>(made.dim(0) / grid_side), grid_side);
}

void Training::report(const Console& console) {
  reported_at_ = algorithm_.iterations();
  if (!ranks_.first() && points_.ranks().size() == 1) return;
  try {
    std::optional<report::Neighbours> neighbours;
    if (config_.data.images()) neighbours = report::neighbours_of(config_, algorithm_.sampled(), points_);
    if (!ranks_.first()) return;
    if (neighbours)
      write_report(folder_, *neighbours);
    else
      write_report(folder_);
  } catch (const std::exception& error) {
    if (report_complained_) return;
    report_complained_ = true;
    console.err << "semidual: the run goes on without its report: " << error.what() << std::endl;
  }
}

void Training::stop_for_nan(const std::string& tensor) const {
  const std::int64_t done = algorithm_.iterations();
  engine::fail(tensor.empty() ? "the loss" : "an element of " + tensor, " is no longer a finite number ",
               done == 0 ? "in the warm-up" : engine::text("at iteration ", done - 1, " (the first is 0)"),
               ": try a smaller --lr or --dual-lr; the last good checkpoint is ", folder_.checkpoint());
}

}  // namespace apps
