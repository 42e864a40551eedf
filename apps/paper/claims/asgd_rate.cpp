#include "apps/paper/claims/asgd_rate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/paper/claims/learning_problem.h"
#include "apps/paper/claims/setting.h"
#include "engine/error.h"
#include "engine/random.h"
#include "ot/ascent/dual_solver.h"
#include "ot/exact/exact.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

using engine::text;

namespace {

constexpr std::int64_t runs = 8, batch = 10;
/// Streams of random numbers from here on are those of the batches.
constexpr std::uint64_t batch_streams = 1 << 24;

/// The least-squares slope of log f(k) in log k.
double exponent(const std::vector<std::pair<std::int64_t, double>>& f) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [k, value] : f) {
    const double log_k = std::log(static_cast<double>(k)), log_f = std::log(value);
    n += 1, x += log_k, y += log_f, xx += log_k * log_k, xy += log_k * log_f;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

/// A batch of points of mu, drawn with replacement.
Tensor draw(const Tensor& x, const engine::Random& random) {
  Tensor drawn({batch, x.dim(1)});
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto i =
        static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(b)) * static_cast<double>(x.dim(0)));
    std::copy_n(x.data() + i * x.dim(1), x.dim(1), drawn.data() + b * x.dim(1));
  }
  return drawn;
}

/// H(psi_k, theta) for psi_k after k steps of ASGD with gamma = 1.
double H_after(std::int64_t k, const ot::Target& nu, const Tensor& x, double lambda, std::uint64_t seed) {
  ot::VectorPotential psi(nu);
  ot::Transformer transform(nu);
  const auto solver = ot::make_dual_solver(transform, psi, lambda, {.rate = 1, .decay = 0.5, .average = true});
  solver->begin();
  for (std::int64_t step = 0; step < k; ++step)
    solver->step(draw(x, engine::Random(seed, batch_streams + static_cast<std::uint64_t>(step))));
  solver->finish();
  return ot::semidual(nu, x, psi.values(), lambda).value().item();
}

}  // namespace

std::vector<Row> asgd_rate(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, 12, 3);
  LearningProblem problem(nu, seed, 50, 3, {8});
  const Tensor x = problem.points();
  std::vector<Row> rows;
  for (const double lambda : {0.0, 0.1}) {
    const ot::CostMatrix costs = ot::cost_matrix(nu, x);
    const double h = lambda == 0 ? ot::exact_transport(costs, problem.mu(), nu.weights()).value
                                 : ot::sinkhorn(costs, problem.mu(), nu.weights(), {.lambda = lambda}).duality.dual;
    std::vector<std::pair<std::int64_t, double>> gaps, rate;
    for (std::int64_t k = 64; k <= 4096; k *= 2) {
      double gap = 0;
      for (std::uint64_t run = 0; run < runs; ++run) gap += (h - H_after(k, nu, x, lambda, seed + run)) / runs;
      gaps.emplace_back(k, gap);
      rate.emplace_back(k, std::log(static_cast<double>(k)) / std::sqrt(static_cast<double>(k)));
    }
    rows.push_back({text("Section 6.1, lambda = ", lambda, ": rate of ASGD"),
                    text("exponent of h - H(psi_k), k = 64..4096"), exponent(gaps), exponent(rate)});
  }
  return rows;
}

}  // namespace apps::claims
