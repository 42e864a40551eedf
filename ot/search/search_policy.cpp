#include "ot/search/search_policy.h"

#include <algorithm>
#include <utility>

namespace ot {

void SearchPolicy::restart(bool keep_fit) {
  given_up_ = false;
  fitted_ = fitted_ && keep_fit;
  gained_ = infinity;
}

void SearchPolicy::fitted() {
  fitted_ = fresh_ = true;
  least_ = infinity;
  excess_ = gained_ = 0;
}

SearchPolicy::Step SearchPolicy::next(double expected, double work_of_all, double work_of_fit) {
  const bool fresh = std::exchange(fresh_, false), dear = expected >= work_of_all;
  const double excess = excess_ + std::max(expected - least_, 0.0);
  if (!fresh && (dear || excess > work_of_fit) && gained_ >= work_of_fit) return Step::fit;
  if (dear) {
    given_up_ = true;
    return Step::give_up;
  }
  excess_ = excess;
  least_ = std::min(least_, expected);
  gained_ += work_of_all - expected;
  return Step::search;
}

}  // namespace ot
