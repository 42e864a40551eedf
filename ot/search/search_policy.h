#pragma once

#include <limits>

namespace ot {

/// Whether the batches of a loop are searched, and when the sketch is fitted anew: decided by what searches are
/// expected to take, as counted by SearchWork, and never by a clock.
///
/// As with skis to rent or to buy, a fit is due once what searches took above the least since the last one has come to
/// what a fit takes, or where a search would take as much as the brute force; but within a loop none is made before the
/// last one has gained, over the brute force, what it took. Where even a sketch that was fitted to the batch itself
/// leaves as much work as the brute force takes, that does all until the next restart().
class SearchPolicy {
 public:
  enum class Step { fit, search, give_up };

  /// Begins a loop. What was decided is forgotten, and the fit too where it is not to be kept.
  void restart(bool keep_fit);

  bool given_up() const { return given_up_; }
  /// Whether the sketch must be fitted before anything can be told of a batch.
  bool needs_fit() const { return !fitted_; }
  /// The sketch was fitted to the batch at hand.
  void fitted();
  /// What to do with the batch at hand, whose search is expected to take so much for a query. After a fit it is asked
  /// again.
  Step next(double expected, double work_of_all, double work_of_fit);

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  bool fitted_ = false, given_up_ = false;
  bool fresh_ = false;                    // fitted to the batch at hand
  double least_ = infinity, excess_ = 0;  // of searches since the last fit, and the sum of what they took above it
  double gained_ = infinity;              // over the brute force, since the last fit of the loop
};

}  // namespace ot
