#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "apps/library/calls.h"
#include "apps/resources.h"
#include "engine/error.h"
#include "ot/exact/exact.h"
#include "ot/plan/duality.h"
#include "ot/sinkhorn/sinkhorn.h"

using apps::library::call;
using apps::library::require_given;
using engine::require;

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

struct Measure {
  ot::PrecisePoints points;
  std::vector<double> weights;
};

Measure measure_of(const semidual_measure* given, const char* name) {
  require_given(given, name);
  const auto [points, weights, count, dimension] = *given;
  require(count >= 1 && dimension >= 1, name, ".points must be [count, dimension], both at least 1: [", count, ", ",
          dimension, "]");
  require(points, name, ".points must not be NULL");
  Measure measure{{.values = {points, static_cast<std::size_t>(count * dimension)},
                   .bytes = {},
                   .count = count,
                   .dimension = dimension},
                  std::vector<double>(static_cast<std::size_t>(count), 1 / static_cast<double>(count))};
  for (const double coordinate : measure.points.values)
    require(std::isfinite(coordinate), name, ".points must be finite: ", coordinate);
  if (!weights) return measure;
  measure.weights.assign(weights, weights + count);
  ot::require_weights(name, measure.weights, count);
  return measure;
}

/// The callback, asked on the thread of the call each few milliseconds. Once it has said no, it is not asked again.
class Watch {
 public:
  Watch(semidual_transport_progress progress, void* data) : progress_(progress), data_(data) {}

  /// May be asked by any thread.
  bool go_on(const semidual_transport_result& now) {
    if (!progress_) return true;
    if (std::this_thread::get_id() == caller_ && !stopped_ && Clock::now() >= next_) {
      stopped_ = progress_(data_, &now) != 0;
      next_ = Clock::now() + std::chrono::milliseconds(10);
    }
    return !stopped_;
  }
  /// From here on there is something to keep, which whoever says no still gets.
  void found_something() { found_ = true; }
  bool ends_with_nothing(const semidual_transport_result& now) { return !found_ && !go_on(now); }

 private:
  using Clock = std::chrono::steady_clock;

  semidual_transport_progress progress_;
  void* data_;
  std::thread::id caller_ = std::this_thread::get_id();
  Clock::time_point next_ = Clock::now();
  std::atomic<bool> stopped_ = false, found_ = false;
};

/// What is known before there is a plan.
semidual_transport_result nothing_yet() {
  return {.dual = unknown,
          .primal = unknown,
          .transport_cost = unknown,
          .marginal_error = unknown,
          .iterations = 0,
          .flows = 0,
          .converged = 0};
}

/// scale k(x, y), k null for ||x - y||^2.
struct PointCost {
  double scale;
  std::shared_ptr<const ot::GroundCost> ground;

  double operator()(ot::PrecisePoint x, ot::PrecisePoint y) const {
    return scale * (ground ? ground->precise_value(x, y) : ot::precise_squared_distance(x, y));
  }
};

PointCost cost_to(const Measure& to, const semidual_transport_options& options) {
  const ot::Cost cost = apps::library::cost_of(options.cost, options.power, options.scale);
  PointCost result{cost.scale == ot::CostScale::half ? 0.5 : 1.0, cost.ground};
  if (cost.scale != ot::CostScale::inverse_alpha) return result;
  const std::vector<double> zero(static_cast<std::size_t>(to.points.dimension), 0);
  std::vector<double> buffer;
  double alpha = 0;
  for (std::int64_t j = 0; j < to.points.count; ++j)
    alpha += to.weights[static_cast<std::size_t>(j)] * result(zero, to.points(j, buffer));
  require(alpha > 0, "scale alpha: the costs from 0 must not all be 0, as they are where all points are 0");
  result.scale = 1 / alpha;
  return result;
}

const semidual_transport_options& checked(const semidual_transport_options* given) {
  require_given(given, "options");
  require(given->size == sizeof(*given), "options.size must be ", sizeof(*given),
          ", sizeof(semidual_transport_options): ", given->size);
  require(std::isfinite(given->lambda) && given->lambda >= 0, "lambda must be 0 or a positive number: ", given->lambda);
  return *given;
}

void require_positive(double lambda, const char* why) {
  require(lambda > 0, "lambda must be positive", why, ": ", lambda);
  require(std::isfinite(1 / lambda), "lambda is too small for its inverse: ", lambda);
}

void require_alike(const Measure& from, const Measure& to) {
  require(from.points.dimension == to.points.dimension,
          "points of from and to must be of one dimension: ", from.points.dimension, " against ", to.points.dimension);
}

/// The costs, computed whenever they are asked for.
ot::CostMatrix costs_between(const Measure& from, const Measure& to, const PointCost& cost, Watch& watch) {
  return {from.points.count, to.points.count,
          [costs = ot::cost_matrix(from.points, to.points, cost.scale, cost.ground), &watch](const ot::CostTile& tile,
                                                                                             double* out) {
            if (watch.ends_with_nothing(nothing_yet())) throw apps::library::Stopped();
            costs.tile(tile, out);
          }};
}

/// Asks for the memory in which so many bytes for each pair are held, where they are.
void require_room(const Measure& from, const Measure& to, double of_pair, double most_held) {
  const std::int64_t n = from.points.count, m = to.points.count;
  const double bytes = of_pair * static_cast<double>(n) * static_cast<double>(m);
  constexpr double worth_asking_for = 1e8;
  if (bytes >= worth_asking_for && bytes <= most_held)
    apps::require_memory(bytes, engine::text("transport between ", n, " and ", m, " points"),
                         "take fewer points, or semidual_solve");
}

ot::ExactTransport exact_between(const Measure& from, const Measure& to, const PointCost& cost, Watch& watch) {
  const auto ask = [&](const ot::ExactProgress& progress) {
    semidual_transport_result now = nothing_yet();
    now.iterations = progress.rounds;
    return watch.go_on(now);
  };
  if (from.points.dimension == 1)
    return ot::exact_transport_on_line(
        from.points.values, to.points.values, from.weights, to.weights,
        [&](const double& a, const double& b) { return cost(ot::PrecisePoint(&a, 1), ot::PrecisePoint(&b, 1)); });
  require(from.points.count <= ot::most_exact_entries / to.points.count, from.points.count, " x ", to.points.count,
          " points are too many for lambda = 0: their product must be at most ", ot::most_exact_entries);
  require_room(from, to, sizeof(double), std::numeric_limits<double>::infinity());
  ot::CostMatrix costs = costs_between(from, to, cost, watch);
  costs.hold();
  ot::ExactTransport found = ot::exact_transport(costs, from.weights, to.weights, ask);
  if (found.plan.empty()) throw apps::library::Stopped();
  return found;
}

ot::SinkhornOptions sinkhorn_options(const semidual_transport_options& options) {
  return {.lambda = options.lambda, .iterations = options.iterations, .tolerance = options.tolerance};
}

ot::SinkhornObserver observer(Watch& watch) {
  return [&watch](const ot::SinkhornProgress& progress) {
    semidual_transport_result now = nothing_yet();
    now.dual = progress.dual;
    now.marginal_error = progress.marginal_error;
    now.iterations = progress.iteration;
    watch.found_something();
    return watch.go_on(now);
  };
}

semidual_transport_result result_of(const ot::SinkhornResult& found) {
  return {.dual = found.duality.dual,
          .primal = found.duality.primal,
          .transport_cost = found.duality.transport_cost,
          .marginal_error = found.duality.marginal_error,
          .iterations = found.iterations,
          .flows = 0,
          .converged = found.converged};
}

semidual_transport_result result_of(const ot::ExactTransport& found) {
  return {.dual = found.value - found.gap,
          .primal = found.value,
          .transport_cost = found.value,
          .marginal_error = 0,
          .iterations = found.rounds,
          .flows = std::ssize(found.plan),
          .converged = found.proven()};
}

template <class Value, class Out>
void copy_out(const std::vector<Value>& values, Out* out) {
  if (out) std::ranges::copy(values, out);
}

}  // namespace

semidual_transport_options semidual_default_transport_options(void) {
  return {.size = sizeof(semidual_transport_options),
          .cost = "sqeuclidean",
          .power = 0,
          .scale = "one",
          .lambda = 0,
          .tolerance = 1e-6,
          .iterations = 10000};
}

int semidual_transport(semidual_context* context, const semidual_measure* from, const semidual_measure* to,
                       const semidual_transport_options* options, semidual_transport_progress progress,
                       void* progress_data, double* phi, double* psi, semidual_flow* flows,
                       semidual_transport_result* result) {
  return call(context, [&] {
    const semidual_transport_options& given = checked(options);
    require(!flows || given.lambda == 0, "flows are those of lambda = 0: pass NULL for ", given.lambda);
    const Measure mu = measure_of(from, "from"), nu = measure_of(to, "to");
    require_alike(mu, nu);
    const PointCost cost = cost_to(nu, given);
    Watch watch(progress, progress_data);
    semidual_transport_result came_to;
    if (given.lambda == 0) {
      const ot::ExactTransport found = exact_between(mu, nu, cost, watch);
      copy_out(found.phi, phi);
      copy_out(found.psi, psi);
      if (flows)
        std::ranges::transform(found.plan, flows, [](const ot::Flow& flow) {
          return semidual_flow{flow.source, flow.target, flow.mass};
        });
      came_to = result_of(found);
    } else {
      const ot::SinkhornOptions sinkhorn = sinkhorn_options(given);
      require_room(mu, nu, sizeof(engine::real), sinkhorn.most_held);
      const ot::SinkhornResult found =
          ot::sinkhorn(costs_between(mu, nu, cost, watch), mu.weights, nu.weights, sinkhorn, observer(watch));
      copy_out(found.duality.phi, phi);
      copy_out(found.psi, psi);
      came_to = result_of(found);
    }
    if (result) *result = came_to;
  });
}

int semidual_self_transport(semidual_context* context, const semidual_measure* of,
                            const semidual_transport_options* options, semidual_transport_progress progress,
                            void* progress_data, double* chi, semidual_transport_result* result) {
  return call(context, [&] {
    const semidual_transport_options& given = checked(options);
    require_positive(given.lambda, ", since to itself it costs nothing at 0");
    const Measure mu = measure_of(of, "of");
    Watch watch(progress, progress_data);
    const ot::SinkhornOptions sinkhorn = sinkhorn_options(given);
    require_room(mu, mu, sizeof(engine::real), sinkhorn.most_held);
    const ot::SinkhornResult found =
        ot::symmetric_sinkhorn(costs_between(mu, mu, cost_to(mu, given), watch), mu.weights, sinkhorn, observer(watch));
    copy_out(found.psi, chi);
    if (result) *result = result_of(found);
  });
}

int semidual_transport_plan(semidual_context* context, const semidual_measure* from, const semidual_measure* to,
                            const semidual_transport_options* options, const double* psi, double* plan) {
  return call(context, [&] {
    const semidual_transport_options& given = checked(options);
    require_positive(given.lambda, ", flows tell the plan at 0");
    require_given(psi, "psi");
    require_given(plan, "plan");
    const Measure mu = measure_of(from, "from"), nu = measure_of(to, "to");
    require_alike(mu, nu);
    for (std::int64_t j = 0; j < nu.points.count; ++j)
      require(std::isfinite(psi[j]), "psi must be finite: number ", j, " is ", psi[j]);
    const PointCost cost = cost_to(nu, given);
    ot::duality(ot::cost_matrix(mu.points, nu.points, cost.scale, cost.ground), mu.weights, nu.weights,
                {psi, nu.weights.size()}, given.lambda, {}, [&](std::int64_t i, std::span<const double> row) {
                  std::ranges::copy(row, plan + i * nu.points.count);
                });
  });
}
