#include "tests/bench/c_transforms.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "apps/config.h"
#include "data/dataset.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/c_transform.h"
#include "ot/restricted/restricted_potential.h"
#include "ot/search/point_index.h"
#include "ot/semidual.h"
#include "ot/subset.h"
#include "ot/transformer.h"
#include "tests/bench/child.h"
#include "tests/bench/timing.h"
#include "tests/bench/trajectory.h"

namespace bench {

using engine::Random;
using engine::real;
using engine::require;
using engine::Tensor;

namespace {

constexpr std::int64_t batch = 200;
// An error that a float can't help: values are of the order of 1.
constexpr double tolerance = 1e-5;

ot::Target load_target(const std::string& data, std::int64_t points) {
  data::Dataset dataset = data::load(data, points, apps::digits_seed);
  return {std::move(dataset.bytes), dataset.count, dataset.dimension, ot::CostScale::inverse_alpha};
}

ot::Wanted wanted(double lambda) {
  return {.mass = lambda > 0};
}

/// c(x, y_j) - psi_j for all j.
std::vector<long double> exact_costs(const ot::Target& target, const real* x, const Tensor& psi) {
  const std::int64_t d = target.dimension();
  std::vector<long double> costs(static_cast<std::size_t>(target.size()));
  engine::parallel_for(target.size(), 1000, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const std::uint8_t* y = target.bytes().data() + j * d;
      long double squares = 0;
      for (std::int64_t k = 0; k < d; ++k) {
        const long double difference = x[k] - y[k] / 255.0L;
        squares += difference * difference;
      }
      costs[static_cast<std::size_t>(j)] = target.scale() * squares - psi.data()[j];
    }
  });
  return costs;
}

/// The c-transform (11), (12) by its definition.
long double oracle(const std::vector<long double>& costs, double lambda) {
  const long double least = *std::min_element(costs.begin(), costs.end());
  if (lambda == 0) return least;
  long double sum = 0;
  for (const long double cost : costs) sum += std::exp((least - cost) / lambda);
  return least - lambda * std::log(sum / static_cast<long double>(costs.size()));
}

double sum_of_differences(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a.data()[i]) - b.data()[i]);
  return sum;
}

/// Whether all winners are the brute force's, or nearer: where two points are as near up to its rounding it may take
/// the other.
bool as_near(const ot::CTransform& found, const ot::CTransform& brute) {
  for (std::size_t i = 0; i < found.winners.size(); ++i)
    if (found.winners[i] != brute.winners[i] && found.value.values()[i] > brute.value.values()[i]) return false;
  return found.winners.size() == brute.winners.size();
}

/// The largest error against the oracle, on a query of each batch. Throws where it, or anything that the brute force
/// computes otherwise, is not mere rounding.
double checked_error(ot::Transformer& transform, const Snapshot& at, double lambda) {
  const ot::Target& target = transform.target();
  double worst = 0;
  for (std::size_t b = 0; b < at.batches.size(); ++b) {
    const Tensor& x = at.batches[b];
    const ot::CTransform found = transform(x, at.psi, lambda, wanted(lambda));
    const ot::CTransform brute = ot::c_transform(target, x, at.psi, lambda, wanted(lambda));
    const auto i = static_cast<std::int64_t>(b) * (batch / static_cast<std::int64_t>(at.batches.size()));
    const long double exact = oracle(exact_costs(target, x.data() + i * x.dim(1), at.psi), lambda);
    worst = std::max(worst, static_cast<double>(std::abs(found.value.data()[i] - exact)));
    require(worst < tolerance, "[bench] the c-transform is wrong by ", worst, " at lambda ", lambda);
    require(sum_of_differences(found.value, brute.value) < batch * tolerance,
            "[bench] the c-transform is not the brute force's at lambda ", lambda);
    require(as_near(found, brute), "[bench] the winners are not the brute force's");
    if (lambda > 0)
      require(sum_of_differences(found.mass, brute.mass) < 10 * tolerance,
              "[bench] the mass is not the brute force's at lambda ", lambda);
  }
  return worst;
}

/// The median ms of each of some ways to transform a batch. They take turns, so that what disturbs one disturbs all.
std::vector<double> median_ms(const std::vector<Tensor>& batches,
                              const std::vector<std::function<void(const Tensor& x)>>& ways) {
  constexpr int rounds = 3;
  std::vector<std::vector<double>> times(ways.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t way = 0; way < ways.size(); ++way)
      for (const Tensor& x : batches) times[way].push_back(1e3 * seconds_of([&] { ways[way](x); }));
  std::vector<double> medians;
  for (const auto& t : times) medians.push_back(median(t));
  return medians;
}

/// Averages of two points each: blurred, as generated images are.
Tensor blurred_points(const ot::Target& target, std::uint64_t stream) {
  const std::int64_t d = target.dimension();
  Tensor x({batch, d});
  const std::vector<std::int64_t> order = Random(1, stream).permutation(target.size());
  for (std::int64_t i = 0; i < batch; ++i) {
    const std::uint8_t* a = target.bytes().data() + order[static_cast<std::size_t>(2 * i)] * d;
    const std::uint8_t* b = target.bytes().data() + order[static_cast<std::size_t>(2 * i + 1)] * d;
    for (std::int64_t k = 0; k < d; ++k) x.data()[i * d + k] = static_cast<real>((a[k] + b[k]) / 510.0);
  }
  return x;
}

/// The median ms of a c-transform at lambda 0, and the largest error.
std::pair<double, double> checked_ms(ot::Transformer& transform, const Snapshot& at) {
  const double error = checked_error(transform, at, 0);
  return {median_ms(at.batches, {[&](const Tensor& x) { transform(x, at.psi, 0); }})[0], error};
}

/// Throws where x [d] comes to one of some nodes though another is nearer by more than a float can't help.
void require_nearest(const ot::Target& nodes, std::span<const std::int64_t> among, const real* x, std::int64_t found) {
  for (const std::int64_t node : among)
    require(nodes.cost(x, found) < nodes.cost(x, node) + tolerance, "[bench] a query comes to node ", found,
            ", which is farther than ", node);
}

/// A row, followed by the calls by search, in digits and dense.
std::vector<double> with_ways(std::vector<double> row, const ot::Transformer& transform) {
  const ot::Transformer::Counts& ways = transform.ways();
  for (const std::int64_t calls : {ways.search, ways.digits, ways.dense}) row.push_back(static_cast<double>(calls));
  return row;
}

/// The row of many_points_c_transform().
std::vector<double> against_few(double few_ms, ot::Transformer& transform, const Snapshot& at) {
  const auto [ms, error] = checked_ms(transform, at);
  const ot::SearchWork& work = transform.work_per_query();
  return with_ways({few_ms, ms, ms / few_ms, 1e6 * error, work.groups, work.values}, transform);
}

}  // namespace

std::vector<double> plain_product() {
  constexpr std::int64_t points = 60000, dimension = 784;
  const Tensor x = Random(1, 1).uniform({batch, dimension}, -1, 1);
  const Tensor y = Random(1, 2).uniform({points, dimension}, -1, 1);
  Tensor product({batch, points});
  const auto multiply = [&] {
    engine::gemm(engine::Transpose::no, engine::Transpose::yes, batch, points, dimension, 1, x.data(), dimension,
                 y.data(), dimension, 0, product.data(), points);
  };
  multiply();
  std::vector<double> times;
  for (int repetition = 0; repetition < 15; ++repetition) times.push_back(seconds_of(multiply));
  const double seconds = median(times);
  return {1e3 * seconds, 2e-9 * batch * points * dimension / seconds};
}

std::vector<double> run_c_transform(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                    double lambda, double product_ms) {
  const ot::Target target = load_target(data, 0);
  const Snapshot at = read_snapshot(trajectory, iteration);
  ot::Transformer transform(target);
  const double error = checked_error(transform, at, lambda);
  const auto ms =
      median_ms(at.batches, {[&](const Tensor& x) { transform(x, at.psi, lambda, wanted(lambda)); },
                             [&](const Tensor& x) { ot::c_transform(target, x, at.psi, lambda, wanted(lambda)); }});
  const ot::SearchWork& work = transform.work_per_query();
  return with_ways({ms[0], ms[0] / product_ms, ms[0] / ms[1], 1e6 * error, work.groups, work.values}, transform);
}

std::vector<double> threaded_c_transform(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                         double lambda) {
  const ot::Target target = load_target(data, 0);
  const Snapshot at = read_snapshot(trajectory, iteration);
  ot::Transformer transform(target);
  const auto on = [&](int threads) {
    return [&, threads](const Tensor& x) {
      engine::set_threads(threads);
      transform(x, at.psi, lambda, wanted(lambda));
    };
  };
  checked_error(transform, at, lambda);
  const auto ms = median_ms(at.batches, {on(1), on(2)});
  return {ms[0], ms[1], ms[0] / ms[1]};
}

std::vector<double> target_batch_values(const std::string& data, const std::string& trajectory, std::int64_t iteration,
                                        double lambda, std::int64_t points) {
  constexpr std::uint64_t draws = 20;
  const ot::Target target = load_target(data, 0);
  const Snapshot at = read_snapshot(trajectory, iteration);
  const auto h = [&](const ot::Target& to, const Tensor& psi) {
    return static_cast<double>(ot::semidual(to, at.batches[0], psi, lambda).value().item());
  };
  const double whole = h(target, at.psi);
  double sum = 0, squares = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    const ot::Subset subset(target, points, Random(1, draw));
    const double difference = h(subset.target, subset.gather(at.psi)) - whole;
    sum += difference;
    squares += difference * difference;
  }
  const double bias = sum / draws;
  return {whole, whole + bias, std::sqrt((squares - draws * bias * bias) / (draws - 1)), bias};
}

// The fewer points have a process of their own, so that the peak memory is that of the more.
std::vector<double> many_points_c_transform(const std::string& few_trajectory, const std::string& many_trajectory,
                                            std::int64_t iteration) {
  const std::vector<double> few = in_child("few points", [&] {
    const ot::Target target = load_target("digits", few_points);
    ot::Transformer transform(target);
    return std::vector{checked_ms(transform, read_snapshot(few_trajectory, iteration)).first};
  });
  const ot::Target target = load_target("digits", many_points);
  ot::Transformer transform(target);
  return against_few(few[0], transform, read_snapshot(many_trajectory, iteration));
}

std::vector<double> many_points_c_transform() {
  const auto blurred_batches = [](const ot::Target& target) {
    std::vector<Tensor> batches;
    for (const std::uint64_t stream : {1, 2, 3, 4}) batches.push_back(blurred_points(target, stream));
    return batches;
  };
  const auto random_psi = [](const ot::Target& target) { return Random(1, 9).normal({target.size()}, 0, real(0.05)); };
  const std::vector<double> few = in_child("few points", [&] {
    const ot::Target target = load_target("digits", few_points);
    ot::Transformer transform(target);
    return std::vector{checked_ms(transform, {blurred_batches(target), random_psi(target)}).first};
  });
  Snapshot at;
  at.batches = blurred_batches(load_target("digits", few_points));
  const ot::Target target = load_target("digits", many_points);
  at.psi = random_psi(target);
  ot::Transformer transform(target);
  return against_few(few[0], transform, at);
}

std::vector<double> restricted_query() {
  constexpr std::int64_t dimension = 50;
  engine::set_threads(1);
  const Tensor y = Random(1, 1).uniform({many_points, dimension}, 0, 1);
  const ot::Target target(std::vector<real>(y.values().begin(), y.values().end()), many_points, dimension,
                          ot::CostScale::inverse_alpha);
  const std::int64_t branches[] = {1000};
  const ot::RestrictedPotential two_layers(target, ot::nested_clusters(ot::PointIndex(target), branches));
  const Tensor psi = Tensor::zeros({many_points});
  std::vector<Tensor> batches;
  for (const std::uint64_t stream : {2, 3, 4}) batches.push_back(Random(1, stream).uniform({batch, dimension}, 0, 1));
  for (const Tensor& x : batches) {
    const auto nodes = two_layers.nodes_of(x);
    require_nearest(two_layers.tree().nodes(0), two_layers.tree().children(0, 0), x.data(), nodes[0][0]);
    require_nearest(target, two_layers.tree().children(1, nodes[0][0]), x.data(), nodes[1][0]);
  }
  const auto ms = median_ms(batches, {[&](const Tensor& x) { ot::c_transform(target, x, psi, 0); },
                                      [&](const Tensor& x) { two_layers.nodes_of(x); }});
  return {ms[0], ms[1], ms[0] / ms[1]};
}

}  // namespace bench
