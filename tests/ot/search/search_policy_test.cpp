#include "ot/search/search_policy.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using ot::SearchPolicy;

namespace {

/// A loop of batches, as counted: what searches for batch k are expected to take with the sketch fitted to batch f, and
/// what the brute force and a fit take, all for a query.
struct Loop {
  int batches;
  std::function<double(int k, int f)> search;
  double of_all, of_fit;
};

/// The work of a whole loop with all its fits, as the policy decides.
struct Outcome {
  double work = 0;
  int fits = 0, searches = 0;
};

Outcome by_policy(const Loop& loop, SearchPolicy& policy) {
  Outcome outcome;
  int fit = -1;
  for (int k = 0; k < loop.batches; ++k) {
    if (policy.given_up()) {
      outcome.work += loop.of_all;
      continue;
    }
    SearchPolicy::Step step = policy.needs_fit() ? SearchPolicy::Step::fit : SearchPolicy::Step::search;
    do {
      if (step == SearchPolicy::Step::fit) {
        policy.fitted();
        fit = k;
        outcome.work += loop.of_fit;
        ++outcome.fits;
      }
      step = policy.next(loop.search(k, fit), loop.of_all, loop.of_fit);
    } while (step == SearchPolicy::Step::fit);
    const bool searched = step == SearchPolicy::Step::search;
    outcome.work += searched ? loop.search(k, fit) : loop.of_all;
    outcome.searches += searched;
  }
  return outcome;
}

Outcome by_policy(const Loop& loop) {
  SearchPolicy policy;
  return by_policy(loop, policy);
}

/// The least that any choice of fits, searches and brute force comes to: by the best way to batch k with each fit.
double least_work(const Loop& loop) {
  std::vector<double> with(static_cast<std::size_t>(loop.batches), std::numeric_limits<double>::infinity());
  double least = 0;  // to the batches before k, however
  for (int k = 0; k < loop.batches; ++k) {
    double next = least + loop.of_all;
    with[static_cast<std::size_t>(k)] = least + loop.of_fit;
    for (int f = 0; f <= k; ++f) {
      double& work = with[static_cast<std::size_t>(f)];
      work += std::min(loop.search(k, f), loop.of_all);
      next = std::min(next, work);
    }
    least = next;
  }
  return least;
}

}  // namespace

TEST_CASE("a sketch that serves all batches is fitted once") {
  const Outcome outcome = by_policy({100, [](int k, int) { return k % 2 ? 90.0 : 100.0; }, 1000, 600});
  CHECK(outcome.fits == 1);
  CHECK(outcome.searches == 100);
}

TEST_CASE("where a fit to the batch itself leaves too much work all is left to the brute force until the next loop") {
  SearchPolicy policy;
  const Loop hopeless{10, [](int, int) { return 1000.0; }, 1000, 300},
      good{10, [](int, int) { return 10.0; }, 1000, 300};
  const Outcome outcome = by_policy(hopeless, policy);
  CHECK(outcome.fits == 1);
  CHECK(outcome.searches == 0);
  CHECK(by_policy(good, policy).searches == 0);
  policy.restart(true);
  CHECK(by_policy(good, policy).searches == 10);
}

TEST_CASE("a fit that grew old is renewed before a batch is left to the brute force, and forgotten where asked") {
  const Loop ages{20, [](int k, int f) { return k - f < 5 ? 10.0 : 5000.0; }, 1000, 300};
  const Outcome outcome = by_policy(ages);
  CHECK(outcome.fits == 4);
  CHECK(outcome.searches == 20);

  SearchPolicy policy;
  const Loop steady{3, [](int, int) { return 10.0; }, 1000, 300};
  for (const bool keep : {true, true, false}) {
    const int before = by_policy(steady, policy).fits;
    CHECK(before >= 0);
    policy.restart(keep);
  }
  CHECK(by_policy(steady, policy).fits == 1);
  policy.restart(true);
  CHECK(by_policy(steady, policy).fits == 0);
}

TEST_CASE("a fit that gained less than it took is not repeated until the next loop") {
  SearchPolicy policy;
  const Loop ages{20, [](int k, int f) { return k == f ? 900.0 : 1100.0; }, 1000, 300};
  CHECK(by_policy(ages, policy).fits == 1);
  CHECK(policy.given_up());
  policy.restart(true);
  CHECK(by_policy(ages, policy).fits == 1);
}

TEST_CASE("all in all a loop takes hardly more than the least work that any choice could, beside two fits") {
  for (const double growth : {0.0, 1.0, 10.0, 50.0, 200.0})
    for (const double base : {5.0, 100.0, 900.0, 1100.0})
      for (const double of_fit : {30.0, 300.0, 3000.0}) {
        CAPTURE(growth);
        CAPTURE(base);
        CAPTURE(of_fit);
        const Loop loop{200, [&](int k, int f) { return base + growth * (k - f); }, 1000, of_fit};
        CHECK(by_policy(loop).work <= 1.1 * least_work(loop) + 2 * of_fit);
      }
}
