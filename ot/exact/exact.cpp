#include "ot/exact/exact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <utility>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/exact/network_simplex.h"

namespace ot {

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

/// How many arcs of each point a round adds.
constexpr std::size_t arcs_in_a_round = 16;

/// Up to so many arcs all are added at once, which takes less time than to choose among them.
constexpr std::int64_t few_arcs = 1 << 12;

/// Entries of the matrix that are gone through between two questions whether to go on.
constexpr std::int64_t entries_between = 1 << 22;
/// Fewer are gone through before another thread is awake.
constexpr std::int64_t entries_worth_a_thread = 1 << 15;

constexpr int cost_bits = 92;

std::size_t at(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// The k elements of least value among those offered, values below a limit alone.
class Least {
 public:
  Least(std::size_t k, double limit) : k_(k), limit_(limit) {}
  bool wants(double value) const { return value < limit_; }
  void offer(std::int32_t index, double value) {
    if (found_.size() == k_) std::pop_heap(found_.begin(), found_.end()), found_.pop_back();
    found_.emplace_back(value, index);
    std::push_heap(found_.begin(), found_.end());
    if (found_.size() == k_) limit_ = found_.front().first;
  }
  const std::vector<std::pair<double, std::int32_t>>& found() const { return found_; }

 private:
  std::size_t k_;
  double limit_;
  std::vector<std::pair<double, std::int32_t>> found_;
};

/// The points of a side that weigh something.
struct Side {
  std::vector<std::int64_t> points;
  std::vector<Integer> masses;

  explicit Side(const std::vector<Integer>& all) {
    for (std::size_t k = 0; k < all.size(); ++k)
      if (all[k] > 0) points.push_back(static_cast<std::int64_t>(k)), masses.push_back(all[k]);
  }
  std::int32_t size() const { return static_cast<std::int32_t>(points.size()); }
};

/// The problem between the points that weigh something, and the simplex on a growing list of its arcs.
class Pricing {
 public:
  Pricing(const CostMatrix& costs, const IntegerMasses& masses, const ExactObserver& observer)
      : costs_(costs),
        observer_(observer),
        sources_(masses.mu),
        targets_(masses.nu),
        phi_(sources_.points.size(), infinity),
        psi_(targets_.points.size(), infinity),
        simplex_(sources_.masses, targets_.masses, Integer{sources_.size() + targets_.size()} << cost_bits) {
    double largest = 0;
    for (std::int32_t i = 0; i < sources_.size(); ++i)
      for (Row c = row(i); const std::int64_t j : targets_.points) largest = std::max(largest, std::abs(c[j]));
    unit_ = largest > 0 ? std::ldexp(1, std::min(cost_bits - 1 - std::ilogb(largest), 1000)) : 1;
  }

  /// Solves the problem over all arcs. The rounds that it took, 0 where it was told to stop.
  int solve() {
    if (!few()) start();
    for (bool more = add_arcs(true); more; more = add_arcs(false)) {
      if (stopped_ || !simplex_.solve([&] { return go_on(); })) return 0;
      ++rounds_;
      for (std::int32_t i = 0; i < sources_.size(); ++i) phi_[at(i)] = static_cast<double>(simplex_.phi(i)) / unit_;
      for (std::int32_t j = 0; j < targets_.size(); ++j) psi_[at(j)] = static_cast<double>(simplex_.psi(j)) / unit_;
    }
    if (stopped_) return 0;
    keep_flows();
    return draw_potentials_to_zero() ? rounds_ : 0;
  }

  /// The plan and its potentials, in double, and over all points.
  ExactTransport result(const IntegerMasses& masses) const {
    ExactTransport exact;
    exact.psi.assign(at(costs_.columns()), infinity);
    for (std::int32_t j = 0; j < targets_.size(); ++j) exact.psi[at(targets_.points[at(j)])] = psi_[at(j)];
    std::vector<std::int64_t> massless;
    for (std::int64_t j = 0; j < costs_.columns(); ++j)
      if (masses.nu[at(j)] == 0) massless.push_back(j);
    for (std::int64_t i = 0; i < costs_.rows(); ++i) {
      const double* row = costs_.row(i, nullptr);
      double least = infinity;
      for (std::int32_t j = 0; j < targets_.size(); ++j)
        least = std::min(least, row[targets_.points[at(j)]] - psi_[at(j)]);
      exact.phi.push_back(least);
      for (const std::int64_t j : massless) exact.psi[at(j)] = std::min(exact.psi[at(j)], row[j] - least);
    }
    for (const NetworkSimplex::Flow& flow : flows_) {
      const std::int64_t i = sources_.points[at(flow.source)], j = targets_.points[at(flow.target)];
      const double mass = masses.mass(flow.mass), c = costs_.row(i, nullptr)[j];
      exact.plan.push_back({i, j, mass});
      exact.value += mass * c;
      exact.gap += mass * (c - exact.phi[at(i)] - exact.psi[at(j)]);
    }
    exact.gap = std::max(exact.gap, 0.0);
    std::sort(exact.plan.begin(), exact.plan.end(), [](const Flow& f, const Flow& g) {
      return f.source != g.source ? f.source < g.source : f.target < g.target;
    });
    return exact;
  }

 private:
  bool go_on() const { return !observer_ || observer_({rounds_, simplex_.unplaced()}); }

  using Row = const double*;
  Row row(std::int32_t i) const { return costs_.row(sources_.points[at(i)], nullptr); }
  double cost(Row row, std::int32_t j) const { return row[targets_.points[at(j)]]; }
  double cost(std::int32_t i, std::int32_t j) const { return cost(row(i), j); }
  Integer integer(double cost) const { return static_cast<Integer>(std::rint(unit_ * cost)); }
  Integer reduced(std::int32_t i, std::int32_t j) const {
    return integer(cost(i, j)) - simplex_.phi(i) - simplex_.psi(j);
  }

  /// Potentials to take the first arcs by: phi the rows' minima, psi the columns' above these.
  void start() {
    for (std::int32_t i = 0; i < sources_.size(); ++i) {
      const Row c = row(i);
      double least = infinity;
      for (std::int32_t j = 0; j < targets_.size(); ++j) least = std::min(least, cost(c, j));
      for (std::int32_t j = 0; j < targets_.size(); ++j) psi_[at(j)] = std::min(psi_[at(j)], cost(c, j) - least);
      phi_[at(i)] = least;
    }
  }

  bool few() const { return std::int64_t{sources_.size()} * targets_.size() <= few_arcs; }

  /// At first all arcs, then none.
  bool add_all_arcs(bool first) {
    if (!go_on()) return stopped_ = true;
    if (!first) return false;
    for (std::int32_t i = 0; i < sources_.size(); ++i)
      for (std::int32_t j = 0; j < targets_.size(); ++j) simplex_.add({i, j, integer(cost(i, j))});
    return true;
  }

  /// Adds for each point the arcs of the least reduced cost to the list, if not `any` only of those below 0. Whether
  /// there were such.
  bool add_arcs(bool any) {
    if (few()) return add_all_arcs(any);
    // Below it a reduced cost in double may be one below 0.
    double most = 0;
    for (const double value : phi_) most = std::max(most, std::abs(value));
    for (const double value : psi_) most = std::max(most, std::abs(value));
    const double limit = any ? infinity : std::ldexp(most + std::ldexp(1, cost_bits) / unit_, -50);
    std::vector<Least> of_source(phi_.size(), {arcs_in_a_round, limit}),
        of_target(psi_.size(), {arcs_in_a_round, limit});
    const auto offer = [&](Least& least, std::int32_t index, std::int32_t i, std::int32_t j, Row c, double phi) {
      const double value = cost(c, j) - phi - psi_[at(j)];
      if (least.wants(value) && (any || reduced(i, j) < 0)) least.offer(index, value);
    };
    const std::int64_t rows = std::max<std::int64_t>(1, entries_between / targets_.size());
    const auto grain = [](std::int64_t least, std::int64_t entries) {
      return std::max(least, entries_worth_a_thread / entries);
    };
    for (std::int64_t first = 0; first < sources_.size(); first += rows) {
      if (!go_on()) return stopped_ = true;
      const auto last = static_cast<std::int32_t>(std::min<std::int64_t>(first + rows, sources_.size()));
      engine::parallel_for(last - first, grain(32, targets_.size()), [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::int32_t>(first + begin); i < first + end; ++i) {
          const Row c = row(i);
          const double phi = phi_[at(i)];
          for (std::int32_t j = 0; j < targets_.size(); ++j) offer(of_source[at(i)], j, i, j, c, phi);
        }
      });
      engine::parallel_for(targets_.size(), grain(256, last - first), [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::int32_t>(first); i < last; ++i) {
          const Row c = row(i);
          const double phi = phi_[at(i)];
          for (auto j = static_cast<std::int32_t>(begin); j < end; ++j) offer(of_target[at(j)], i, i, j, c, phi);
        }
      });
    }
    std::vector<std::pair<std::int32_t, std::int32_t>> found;
    for (std::int32_t i = 0; i < sources_.size(); ++i)
      for (const auto& [value, j] : of_source[at(i)].found()) found.emplace_back(i, j);
    for (std::int32_t j = 0; j < targets_.size(); ++j)
      for (const auto& [value, i] : of_target[at(j)].found()) found.emplace_back(i, j);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (const auto& [i, j] : found) simplex_.add({i, j, integer(cost(i, j))});
    return !found.empty();
  }

  /// Takes the flows but for those that only balance what rounding left of the weights' sums: they are below the last
  /// digit of the whole mass, and next to nothing of what either end weighs. They must not pay for a way that is far.
  void keep_flows() {
    Integer total = 0;
    for (const Integer mass : sources_.masses) total += mass;
    for (const NetworkSimplex::Flow& flow : simplex_.flows()) {
      const Integer least = std::min(sources_.masses[at(flow.source)], targets_.masses[at(flow.target)]);
      if (flow.mass > total >> 52 || flow.mass > least >> 20) flows_.push_back(flow);
    }
  }

  /// Puts phi and psi at their values closest to 0, by Dijkstra's algorithm from all points at once: lengths are the
  /// reduced costs, 0 back along flows. False where it was told to stop.
  bool draw_potentials_to_zero() {
    const std::int32_t n = sources_.size(), m = targets_.size();
    std::vector<std::vector<std::int32_t>> senders(at(m));
    for (const NetworkSimplex::Flow& flow : flows_) senders[at(flow.target)].push_back(flow.source);
    std::vector<Integer> potential, length;  // of sources, then targets: -phi and psi; beyond these, the shortest way
    for (std::int32_t i = 0; i < n; ++i) potential.push_back(-simplex_.phi(i));
    for (std::int32_t j = 0; j < m; ++j) potential.push_back(simplex_.psi(j));
    for (const Integer value : potential) length.push_back(-value);
    using Entry = std::pair<Integer, std::int32_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    for (std::int32_t node = 0; node < n + m; ++node) queue.emplace(length[at(node)], node);
    std::vector<bool> settled(at(n + m), false);
    std::int64_t entries = 0;
    const auto shorten = [&](std::int32_t node, Integer to) {
      if (to < length[at(node)]) queue.emplace(length[at(node)] = to, node);
    };
    while (!queue.empty()) {
      const auto [shortest, node] = queue.top();
      queue.pop();
      if (settled[at(node)]) continue;
      settled[at(node)] = true;
      if (node >= n) {
        for (const std::int32_t i : senders[at(node - n)]) shorten(i, shortest);
        continue;
      }
      const Integer start = shortest - simplex_.phi(node);
      const Row c = row(node);
      for (std::int32_t j = 0; j < m; ++j)
        if (!settled[at(n + j)]) shorten(n + j, start + integer(cost(c, j)) - simplex_.psi(j));
      entries += m;
      if (entries < entries_between) continue;
      entries = 0;
      if (!go_on()) return false;
    }
    for (std::int32_t i = 0; i < n; ++i) phi_[at(i)] = -static_cast<double>(potential[at(i)] + length[at(i)]) / unit_;
    for (std::int32_t j = 0; j < m; ++j)
      psi_[at(j)] = static_cast<double>(potential[at(n + j)] + length[at(n + j)]) / unit_;
    return true;
  }

  const CostMatrix& costs_;
  const ExactObserver& observer_;
  Side sources_, targets_;
  double unit_ = 1;                // integer costs are costs times this, a power of two
  std::vector<double> phi_, psi_;  // of the points that weigh something
  NetworkSimplex simplex_;
  std::vector<NetworkSimplex::Flow> flows_;
  int rounds_ = 0;
  bool stopped_ = false;
};

}  // namespace

ExactTransport exact_transport(CostMatrix costs, std::span<const double> mu, std::span<const double> nu,
                               const ExactObserver& observer) {
  require_weights("source", mu, costs.rows());
  require_weights("target", nu, costs.columns());
  engine::require(costs.rows() <= most_exact_entries / costs.columns(), "[exact] ", costs.rows(), " x ",
                  costs.columns(), " points are too many: their product must be at most ", most_exact_entries);
  costs.hold();
  const IntegerMasses masses(mu, nu);
  Pricing pricing(costs, masses, observer);
  const int rounds = pricing.solve();
  if (rounds == 0) return {};
  ExactTransport result = pricing.result(masses);
  result.rounds = rounds;
  return result;
}

}  // namespace ot
