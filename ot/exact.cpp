#include "ot/exact.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include <lemon/network_simplex.h>
#include <lemon/static_graph.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/integer_masses.h"
#include "ot/sinkhorn.h"

namespace ot {

namespace {
/// Where the list of arcs starts from: Sinkhorn at this lambda in units of the largest cost, for so many iterations. A
/// simplex on 32000 arcs takes as long as 10 iterations on 2000 x 2000 points.
constexpr double start_lambda = 0.002;
constexpr std::int64_t start_iterations = 20;

/// How many arcs of each point a round adds.
constexpr std::size_t arcs_in_a_round = 16;

/// The k elements of least value among those offered, values below a limit alone.
class Least {
 public:
  Least(std::size_t k, double limit) : k_(k), limit_(limit) {}
  void offer(std::int64_t index, double value) {
    if (value >= limit_) return;
    if (found_.size() == k_) std::pop_heap(found_.begin(), found_.end()), found_.pop_back();
    found_.emplace_back(value, index);
    std::push_heap(found_.begin(), found_.end());
    if (found_.size() == k_) limit_ = found_.front().first;
  }
  const std::vector<std::pair<double, std::int64_t>>& found() const { return found_; }

 private:
  std::size_t k_;
  double limit_;
  std::vector<std::pair<double, std::int64_t>> found_;
};

using Arc = std::pair<std::int32_t, std::int32_t>;  // source and target point
using Graph = lemon::StaticDigraph;

/// The transport problem on a growing list of arcs.
class Simplex {
 public:
  Simplex(CostMatrix costs, std::span<const double> mu, std::span<const double> nu)
      : costs_(std::move(costs)),
        n_(costs_.rows()),
        m_(costs_.columns()),
        // A unit more for each source point, and all of these to one target, leave no proper subset of the points with
        // as much to give as to take: then no pivot is degenerate, and the basis connects all points. Flows are
        // restored by rounding to multiples of `step_`.
        step_(static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * (n_ + m_))))),
        masses_(mu, nu, (std::int64_t{1} << 60) / step_),
        phi_(mu.size(), 0),
        psi_(nu.size(), 0) {
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < m_; ++j) largest_ = std::max(largest_, std::abs(costs_.row(i, nullptr)[j]));
    if (largest_ == 0) largest_ = 1;
    unit_ = std::ldexp(1, 40) / largest_;
  }

  /// Adds for each point the arcs with the least c - phi - psi below `limit` to the list. Whether there are any.
  bool add_arcs(double limit) {
    const std::size_t before = arcs_.size();
    const Least none(arcs_in_a_round, limit);
    std::vector<Least> of_source(phi_.size(), none), of_target(psi_.size(), none);
    engine::parallel_for(n_, 32, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double* row = costs_.row(i, nullptr);
        for (std::int64_t j = 0; j < m_; ++j) of_source[at(i)].offer(j, row[j] - phi_[at(i)] - psi_[at(j)]);
      }
    });
    engine::parallel_for(m_, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < n_; ++i) {
        const double* row = costs_.row(i, nullptr);
        for (std::int64_t j = begin; j < end; ++j) of_target[at(j)].offer(i, row[j] - phi_[at(i)] - psi_[at(j)]);
      }
    });
    for (std::int64_t i = 0; i < n_; ++i)
      for (const auto& [value, j] : of_source[at(i)].found()) add(i, j);
    for (std::int64_t j = 0; j < m_; ++j)
      for (const auto& [value, i] : of_target[at(j)].found()) add(i, j);
    return arcs_.size() > before;
  }

  /// A list of arcs to start from, around the potentials that a few Sinkhorn iterations give. Those of the plan that
  /// fills the targets one after another are among them, so that there is always a solution.
  void start(std::span<const double> mu, std::span<const double> nu) {
    const SinkhornResult entropic = sinkhorn(
        costs_, mu, nu, {.lambda = start_lambda * largest_, .iterations = start_iterations, .tolerance = 0.01});
    phi_ = entropic.duality.phi;
    psi_ = entropic.psi;
    add_arcs(std::numeric_limits<double>::infinity());
    std::int64_t given = 0, taken = 0;
    for (std::int64_t i = 0, j = 0; i < n_ && j < m_;) {
      add(i, j);
      if (given + masses_.mu[at(i)] < taken + masses_.nu[at(j)])
        given += masses_.mu[at(i++)];
      else
        taken += masses_.nu[at(j++)];
    }
  }

  /// Solves the problem on the list: the flows, and phi and psi.
  void solve() {
    std::sort(arcs_.begin(), arcs_.end());
    arcs_.erase(std::unique(arcs_.begin(), arcs_.end()), arcs_.end());
    std::vector<Arc> ends(arcs_);
    for (Arc& arc : ends) arc.second += static_cast<std::int32_t>(n_);
    Graph graph;
    graph.build(static_cast<int>(n_ + m_), ends.begin(), ends.end());
    Graph::NodeMap<std::int64_t> supply(graph);
    for (std::int64_t i = 0; i < n_; ++i) supply[source(i)] = masses_.mu[at(i)] * step_ + 1;
    for (std::int64_t j = 0; j < m_; ++j) supply[target(j)] = -masses_.nu[at(j)] * step_;
    supply[target(m_ - 1)] -= n_;
    Graph::ArcMap<std::int64_t> cost(graph);
    for (std::size_t k = 0; k < arcs_.size(); ++k)
      cost[arc(k)] = std::llround(unit_ * costs_.row(arcs_[k].first, nullptr)[arcs_[k].second]);

    lemon::NetworkSimplex<Graph, std::int64_t, std::int64_t> simplex(graph);
    [[maybe_unused]] const auto outcome = simplex.supplyMap(supply).costMap(cost).run();
    assert(outcome == simplex.OPTIMAL);

    const std::int64_t origin = simplex.potential(source(0));
    for (std::int64_t i = 0; i < n_; ++i)
      phi_[at(i)] = static_cast<double>(origin - simplex.potential(source(i))) / unit_;
    for (std::int64_t j = 0; j < m_; ++j)
      psi_[at(j)] = static_cast<double>(simplex.potential(target(j)) - origin) / unit_;
    flows_.clear();
    for (std::size_t k = 0; k < arcs_.size(); ++k) flows_.push_back((simplex.flow(arc(k)) + step_ / 2) / step_);
  }

  /// The largest reduced cost, below zero, that rounding may leave.
  double tolerance() const { return -1 / unit_; }

  /// The plan of the last solution, and its potentials made feasible by c-transforms.
  ExactTransport result() const {
    ExactTransport exact;
    for (std::size_t k = 0; k < arcs_.size(); ++k) {
      if (flows_[k] < masses_.least) continue;
      const auto [i, j] = arcs_[k];
      exact.plan.push_back({i, j, masses_.mass(flows_[k])});
      exact.value += exact.plan.back().mass * costs_.row(i, nullptr)[j];
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    exact.phi.assign(phi_.size(), infinity);
    exact.psi.assign(psi_.size(), infinity);
    for (std::int64_t i = 0; i < n_; ++i) {
      const double* row = costs_.row(i, nullptr);
      for (std::int64_t j = 0; j < m_; ++j) exact.phi[at(i)] = std::min(exact.phi[at(i)], row[j] - psi_[at(j)]);
      for (std::int64_t j = 0; j < m_; ++j) exact.psi[at(j)] = std::min(exact.psi[at(j)], row[j] - exact.phi[at(i)]);
    }
    return exact;
  }

 private:
  static std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }
  static Graph::Arc arc(std::size_t k) { return Graph::arcFromId(static_cast<int>(k)); }
  Graph::Node source(std::int64_t i) const { return Graph::nodeFromId(static_cast<int>(i)); }
  Graph::Node target(std::int64_t j) const { return Graph::nodeFromId(static_cast<int>(n_ + j)); }
  void add(std::int64_t i, std::int64_t j) {
    arcs_.emplace_back(static_cast<std::int32_t>(i), static_cast<std::int32_t>(j));
  }

  CostMatrix costs_;
  std::int64_t n_, m_, step_;
  IntegerMasses masses_;
  double largest_ = 0;  // absolute cost
  double unit_ = 1;     // integer costs are costs times this
  std::vector<double> phi_, psi_;
  std::vector<Arc> arcs_;
  std::vector<std::int64_t> flows_;
};

}  // namespace

ExactTransport exact_transport(CostMatrix costs, std::span<const double> mu, std::span<const double> nu,
                               const std::function<bool()>& go_on) {
  require_weights("source", mu, costs.rows());
  require_weights("target", nu, costs.columns());
  engine::require(costs.rows() <= most_exact_entries / costs.columns(), "[exact] ", costs.rows(), " x ",
                  costs.columns(), " points are too many: their product must be at most ", most_exact_entries);
  costs.hold();
  Simplex simplex(std::move(costs), mu, nu);
  simplex.start(mu, nu);
  int rounds = 0;
  do {
    if (go_on && !go_on()) return {};
    simplex.solve();
    ++rounds;
  } while (simplex.add_arcs(simplex.tolerance()));
  ExactTransport result = simplex.result();
  result.rounds = rounds;
  return result;
}

}  // namespace ot
