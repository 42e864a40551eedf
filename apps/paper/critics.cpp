#include "apps/paper/critics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "apps/config.h"
#include "apps/costs.h"
#include "apps/latents.h"
#include "apps/learn/make_objective.h"
#include "apps/learn/rows.h"
#include "apps/method_names.h"
#include "apps/methods.h"
#include "engine/tape.h"
#include "ot/target.h"

namespace apps {

using engine::Random;
using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t kinds = 4;  // of Gaussians, and of centres
// Streams of random numbers that no Draw has.
constexpr std::uint64_t means_stream = 1, centres_stream = 2, shift_stream = 3;

/// By which t is told from |x - b|.
constexpr std::int64_t points_for_the_mean_way = 1000;

/// The number of the nearest centre to x [d], and how far it is.
std::pair<std::int64_t, double> nearest(const Tensor& b, const real* x) {
  std::pair<std::int64_t, double> best{0, INFINITY};
  const std::int64_t d = b.dim(1);
  for (std::int64_t k = 0; k < b.dim(0); ++k) {
    double squares = 0;
    for (std::int64_t c = 0; c < d; ++c) squares += std::pow(double(x[c]) - double(b.data()[k * d + c]), 2);
    if (squares < best.second) best = {k, squares};
  }
  return {best.first, std::sqrt(best.second)};
}

/// Rows of x by their numbers.
Tensor some_rows(const Tensor& x, const std::vector<std::int64_t>& numbers) {
  const std::int64_t d = x.dim(1);
  Tensor some({std::ssize(numbers), d});
  for (std::size_t i = 0; i < numbers.size(); ++i)
    std::copy_n(x.data() + numbers[i] * d, d, some.data() + static_cast<std::int64_t>(i) * d);
  return some;
}

ot::Target target_of(const Tensor& y, const ot::Cost& cost) {
  return {std::vector<real>(y.values().begin(), y.values().end()), y.dim(0), y.dim(1), cost};
}

/// That of the transport which the method's loss tells of, in the end.
ot::Cost cost_of(const TrainOptions& options) {
  if (method::among(method::critics, options.method)) return make_cost("euclidean", 0, "one");
  return make_cost(options.cost, options.cost_power, options.cost_scale);
}

/// A method on the points of a known transport.
class Bench {
 public:
  Bench(const TrainOptions& options, const KnownTransport& known, std::int64_t points)
      : options_(options),
        known_(known),
        data_x_(known.points(points, options.seed, random_draws(options.seed, Draw::transport_source, 0, 0))),
        target_(target_of(known.images(data_x_, options.seed), cost_of(options))),
        x_(known.fresh ? known.points(points, options.seed, random_draws(options.seed, Draw::evaluation, 0, 0))
                       : data_x_),
        sent_(target_of(known.images(x_, options.seed), {target_.scale(), target_.ground_cost()})),
        objective_(make_objective(options, facts(points, known.dimension), target_)) {}

  static DataFacts facts(std::int64_t points, std::int64_t dimension) {
    return {points, dimension, 0, 0, 0, "", "", /*low*/ -1, /*high*/ 1};
  }

  Objective& objective() { return *objective_; }

  /// That of an inner step.
  Tensor batch(std::int64_t n, std::int64_t k) const {
    const std::int64_t count = options_.dual_batch > 0 ? options_.dual_batch : options_.batch;
    const Random random = random_draws(options_.seed, Draw::dual_batch, n, k);
    if (known_.fresh) return known_.points(count, options_.seed, random);
    return some_rows(x_, random.subset(x_.dim(0), count));
  }

  double truth() const {
    double sum = 0;
    for (std::int64_t i = 0; i < x_.dim(0); ++i) sum += sent_.cost(x_.data() + i * x_.dim(1), i);
    return sum / static_cast<double>(x_.dim(0));
  }

  /// Over all the points, in batches as the generator's steps have them.
  CriticMark mark(std::int64_t steps, std::int64_t n) {
    const std::int64_t count = x_.dim(0), d = x_.dim(1);
    double loss = 0, products = 0, squares = 0, true_squares = 0;
    std::vector<real> of_pair(static_cast<std::size_t>(d));
    for (std::int64_t first = 0, b = 0; first < count; first += options_.batch, ++b) {
      engine::Tape tape;
      Var x = rows(x_, {first, std::min(first + options_.batch, count)}).clone();
      tape.watch(x);
      const Var value = objective_->loss(x, x.value(), n + b);
      const Tensor gradient = tape.gradient(value, {x}).front().value();
      const double share = static_cast<double>(x.dim(0)) / static_cast<double>(count);
      loss += share * value.value().item();
      for (std::int64_t i = 0; i < x.dim(0); ++i) {
        sent_.cost_gradient(x.value().data() + i * d, first + i, of_pair.data());
        for (std::int64_t c = 0; c < d; ++c) {
          const double found = share * gradient.data()[i * d + c], known = of_pair[static_cast<std::size_t>(c)];
          products += found * known, squares += found * found, true_squares += known * known;
        }
      }
    }
    return {steps, loss, squares > 0 ? products / std::sqrt(squares * true_squares) : 0};
  }

 private:
  TrainOptions options_;
  const KnownTransport& known_;
  Tensor data_x_;
  ot::Target target_;
  Tensor x_;         // where the method is asked
  ot::Target sent_;  // T(x_), at the target's cost
  std::unique_ptr<Objective> objective_;
};

}  // namespace

Tensor KnownTransport::points(std::int64_t count, std::uint64_t seed, const Random& random) const {
  const Tensor means = Random(seed, means_stream).normal({kinds, dimension}, 0, 1);
  Tensor x = random.normal({count, dimension}, 0, 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t kind = random.bits(std::uint64_t{1} << 32 | static_cast<std::uint64_t>(i)) % kinds;
    for (std::int64_t c = 0; c < dimension; ++c) x.data()[i * dimension + c] += means.data()[kind * dimension + c];
  }
  return x;
}

Tensor KnownTransport::images(const Tensor& x, std::uint64_t seed) const {
  Tensor y = x.clone();
  if (map == Map::shift) {
    const Tensor direction = Random(seed, shift_stream).normal({dimension}, 0, 1);
    double squares = 0;
    for (const real value : direction.values()) squares += double(value) * double(value);
    for (std::int64_t i = 0; i < x.size(); ++i)
      y.data()[i] += static_cast<real>(way / std::sqrt(squares) * double(direction.data()[i % dimension]));
    return y;
  }
  const Tensor b = Random(seed, centres_stream).normal({kinds, dimension}, 0, 1);
  const Tensor some = points(points_for_the_mean_way, seed, Random(seed, centres_stream + 2));
  double distance = 0;
  for (std::int64_t i = 0; i < some.dim(0); ++i) distance += nearest(b, some.data() + i * dimension).second;
  const auto share = static_cast<real>(way * static_cast<double>(some.dim(0)) / distance);
  for (std::int64_t i = 0; i < x.dim(0); ++i) {
    const real* centre = b.data() + nearest(b, x.data() + i * dimension).first * dimension;
    real* at = y.data() + i * dimension;
    for (std::int64_t c = 0; c < dimension; ++c) at[c] += share * (centre[c] - at[c]);
  }
  return y;
}

CriticPath critic_path(const TrainOptions& asked, const KnownTransport& known, std::int64_t points, std::int64_t steps,
                       const std::function<bool()>& go_on) {
  TrainOptions options = asked;
  take_generated_source(options);
  resolve_by_data(options, Bench::facts(points, known.dimension));
  Bench bench(options, known, points);
  Objective& objective = bench.objective();
  CriticPath path{bench.truth(), {bench.mark(0, 0)}};
  if (objective.steps(0) == 0) return path;
  const std::int64_t most_loops = 10 * steps;  // some loops of a method may have no steps
  std::int64_t made = 0, next = 1;
  for (std::int64_t n = 0; made < steps && n < most_loops && go_on(); ++n) {
    objective.begin(0);
    bool settled = false;
    for (std::int64_t k = 0; k < objective.steps(n) && made < steps && !settled; ++k, ++made) {
      objective.step(bench.batch(n, k), Draw::dual_points, n, k);
      settled = objective.settled();
    }
    objective.finish();
    if (made < next && made < steps) continue;
    path.marks.push_back(bench.mark(made, n));
    next = made + std::max<std::int64_t>(made / 4, 1);
  }
  return path;
}

}  // namespace apps
