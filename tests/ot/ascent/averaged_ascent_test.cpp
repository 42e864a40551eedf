#include "ot/ascent/averaged_ascent.h"

#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/layered_potential.h"
#include "ot/search/point_index.h"
#include "tests/engine/threads.h"

using namespace ot;
using doctest::Approx;
using engine::Error;
using engine::real;

namespace {

/// Points of the line with weights, and the uniform law on [0, 1]: at lambda = 0 the k-th point's cell is the k-th
/// interval of the length of its weight, which tells psi and the cost in closed form.
struct Line {
  Threads one{1};  // steps this small would only wait for another
  std::vector<double> points{0.1, 0.3, 0.35, 0.9}, weights{0.4, 0.1, 0.2, 0.3};
  Target target{std::vector<real>(points.begin(), points.end()), 4, 1, CostScale::one, weights};
  Transformer transform{target};
  LawSource law{Law::uniform, 1, 0, 1, 5};

  /// psi_{k + 1} - psi_k, from the border b between their cells: (b - y_k)^2 - psi_k = (b - y_{k + 1})^2 - psi_{k + 1}.
  std::vector<double> steps_of_psi() const {
    std::vector<double> steps;
    double border = 0;
    for (std::size_t k = 0; k + 1 < points.size(); ++k) {
      border += weights[k];
      steps.push_back(std::pow(border - points[k + 1], 2) - std::pow(border - points[k], 2));
    }
    return steps;
  }
  double cost() const {
    double cost = 0, begin = 0;
    for (std::size_t k = 0; k < points.size(); ++k) {
      const double end = begin + weights[k];
      cost += (std::pow(end - points[k], 3) - std::pow(begin - points[k], 3)) / 3;
      begin = end;
    }
    return cost;
  }
};

std::unique_ptr<Potential> vector_of(const Target& target) {
  return std::make_unique<VectorPotential>(target);
}

}  // namespace

TEST_CASE("the mean of the iterates comes to the potential of the cells, whatever makes them") {
  const Line line;
  for (const AveragedMethod method : {AveragedMethod::adam, AveragedMethod::asgd, AveragedMethod::drag}) {
    CAPTURE(static_cast<int>(method));
    Line mine;
    const auto potential = vector_of(mine.target);
    const AveragedResult result =
        ascend_averaged(mine.transform, mine.law, *potential, {.method = method, .steps = 2000, .batch = 50});
    const std::vector<double> steps = line.steps_of_psi();
    for (std::size_t k = 0; k < steps.size(); ++k)
      CHECK(result.psi[k + 1] - result.psi[k] == Approx(steps[k]).epsilon(0.02).scale(0.1));
    CHECK(std::abs(result.estimate.dual - line.cost()) <= 4 * result.estimate.dual_error);
    CHECK(result.steps == 2000);
    CHECK(result.samples > 2000 * 50);
  }
}

TEST_CASE("the ascent ends where chi^2 is below the tolerance by its standard error, and with lambda too") {
  for (const double lambda : {0.0, 0.01}) {
    Line line;
    const auto potential = vector_of(line.target);
    const AveragedResult result =
        ascend_averaged(line.transform, line.law, *potential, {.lambda = lambda, .tolerance = 0.01});
    CHECK(result.converged);
    CHECK(result.steps < 10000);
    CHECK(result.estimate.chi_squared + result.estimate.chi_squared_error <= 0.01);
  }
}

TEST_CASE("layers of psi come to the same marginals as single points") {
  const Threads one(1);
  const engine::Tensor y = engine::Random(3, 0).uniform({300, 2}, -1, 1);
  const Target target(std::vector<real>(y.values().begin(), y.values().end()), 300, 2, CostScale::one);
  const PointIndex index(target);
  Transformer transform(target);
  LayeredPotential potential(index, LayeredPotential::usual_layers(300));
  const AveragedResult result =
      ascend_averaged(transform, LawSource(Law::normal, 2, 0, 1, 1), potential, {.steps = 1000, .tolerance = 0.05});
  CHECK(result.converged);
}

TEST_CASE("what is reached does not depend on how often it is looked at, and an end keeps it") {
  Line line, again, ended;
  const auto first = vector_of(line.target), second = vector_of(again.target), third = vector_of(ended.target);
  const AveragedOptions options{.steps = 300, .batch = 20};
  int seen = 0;
  const AveragedResult whole = ascend_averaged(line.transform, line.law, *first, options);
  const AveragedResult watched = ascend_averaged(again.transform, again.law, *second, options, [&](const auto&) {
    ++seen;
    return true;
  });
  CHECK(whole.psi == watched.psi);
  CHECK(seen > 300);
  const AveragedResult short_one = ascend_averaged(ended.transform, ended.law, *third, options,
                                                   [](const AscentProgress& now) { return now.step < 100; });
  CHECK(short_one.steps == 100);
  CHECK(short_one.psi.size() == 4);
  const AveragedResult none =
      ascend_averaged(ended.transform, ended.law, *third, options, [](const AscentProgress&) { return false; });
  CHECK(none.psi.empty());
}

TEST_CASE("an ascent without steps, of too many points, or to points of another dimension, is refused") {
  Line line;
  const auto potential = vector_of(line.target);
  CHECK_THROWS_WITH_AS(ascend_averaged(line.transform, line.law, *potential, {.steps = 0}),
                       "[ascent] there must be at least one step and one point in it: 0 and 200", Error);
  CHECK_THROWS_WITH_AS(ascend_averaged(line.transform, line.law, *potential, {.batch = INT64_MAX}),
                       "[ascent] there must be at most 2147483647 points in a step: 9223372036854775807", Error);
  CHECK_THROWS_WITH_AS(ascend_averaged(line.transform, LawSource(Law::normal, 2, 0, 1, 0), *potential, {}),
                       "[ascent] the source has dimension 2, the target 1: they must lie in the same space", Error);
}
