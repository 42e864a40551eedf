#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "apps/config.h"
#include "apps/console.h"
#include "apps/evaluation/quick_evaluation.h"
#include "apps/interrupt.h"
#include "apps/learn/alternate.h"
#include "apps/learn/classes.h"
#include "apps/learn/cost_space.h"
#include "apps/point_picture.h"
#include "apps/progress.h"
#include "apps/run_folder.h"
#include "apps/ways.h"
#include "engine/tensor.h"
#include "models/generator.h"
#include "ot/target.h"

namespace apps {

/// The images in a row of a run's pictures of samples.
inline constexpr int grid_side = 8;

/// The data as points, scaled as --scale has it, and as the measure that is learned in the space of the cost, which may
/// be the same.
struct LearnedData {
  const ot::Target &points, &target;
  const CostSpace& space;
  const PointsOfClasses& classes;  ///< none without --labels and --clusters
  engine::Cluster ranks;           ///< who learns them: the first knows all points, and writes
};

/// A run that has all its inputs right: Algorithm 1, and the files that it leaves in its folder.
class Training {
 public:
  /// At the generator's present theta; with --average `mean` is another of the same kind. The data and the generator
  /// must outlive it. Writes nothing yet. `verbose` tells at each checkpoint which ways c-transforms took. Throws Error
  /// as Alternate does.
  Training(RunFolder folder, Config config, bool verbose, const LearnedData& data, models::Generator& generator,
           std::unique_ptr<models::Generator> mean);

  /// What is iterated, to restore its state before open().
  Alternate& algorithm() { return algorithm_; }

  /// Makes the folder, or what it lacks. A new run gets a checkpoint at once, so that it can always be resumed.
  void open();

  /// Iterates to the end, or until interrupted or told to end, and tells of it; under a `title` no more than its
  /// progress. Returns the exit code, 0 or 130. Throws Error where the loss or the state is no longer finite, or a file
  /// can't be written, with the last checkpoint kept.
  int run(const Interrupt& interrupt, const std::string& title, const Console& console);

 private:
  bool by_clock() const { return config_.options.minutes > 0; }
  bool done() const;
  /// Whether a signal has come to any rank, or who watches has had enough.
  bool ended(const Interrupt& interrupt) const;
  /// How far the schedule is, from 0 to 1.
  double schedule() const;
  /// Makes the steps that are left of the warm-up and keeps what they came to. False when interrupted.
  bool warm_up(const Interrupt& interrupt, const Console& console);
  /// An iteration, and what is due after it. Where its inner loop pauses, as the run ends, the steps so far are kept.
  void iterate(const Interrupt& interrupt, Metrics* metrics, Progress& progress, const Console& console);
  double seconds_left() const;
  /// Says once where H, which bounds W_lambda from below, tells nothing of it: psi = 0 comes to more than 0.
  void watch(double h, const Console& console);
  /// What metrics.csv has of the generator after this iteration, where it is due.
  std::optional<Metrics::Evaluated> evaluate_now();
  void save_checkpoint();
  /// The rows of the iterations that led to it last as surely as it does.
  void save_checkpoint(Metrics* metrics, Progress& progress);
  void draw_samples();
  /// Rewrites report.html. A run goes on where that can't be; why is said once.
  void report(const Console& console);
  /// `tensor` names the one that overflowed; empty where only the loss did.
  [[noreturn]] void stop_for_nan(const std::string& tensor) const;

  RunFolder folder_;
  Config config_;
  bool verbose_;
  const ot::Target& points_;
  engine::Cluster ranks_;
  Alternate algorithm_;
  engine::Tensor drawn_latents_;
  std::optional<PointPicture> picture_;  // of points that are no images
  std::optional<evaluation::QuickEvaluation> evaluation_;
  Ways ways_;
  double seconds_ = 0;  // of all iterations
  std::int64_t saved_at_ = -1, drawn_at_ = -1, reported_at_ = -1;
  int below_zero_ = 0;  // iterations in a row
  bool report_complained_ = false, told_below_zero_ = false, told_to_end_ = false;
};

}  // namespace apps
