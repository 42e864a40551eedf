#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "apps/library/semidual.h"

namespace {

using doctest::Approx;

/// Two and three points of the plane, whose weights have nothing special.
struct Plane {
  semidual_context* context = nullptr;
  std::vector<double> x{0, 0, 2, 1}, y{0, 1, 1, 1, 3, 0}, mu{0.3, 0.7}, nu{0.2, 0.5, 0.3};
  semidual_measure from{x.data(), mu.data(), 2, 2}, to{y.data(), nu.data(), 3, 2};
  semidual_transport_options options = semidual_default_transport_options();
  std::vector<double> phi = std::vector<double>(2), psi = std::vector<double>(3);
  std::vector<semidual_flow> flows = std::vector<semidual_flow>(4);
  semidual_transport_result result{};

  Plane() { REQUIRE(semidual_context_create(1, &context) == SEMIDUAL_OK); }
  ~Plane() { semidual_context_destroy(context); }

  double squared_distance(std::size_t i, std::size_t j) const {
    return std::pow(x[2 * i] - y[2 * j], 2) + std::pow(x[2 * i + 1] - y[2 * j + 1], 2);
  }
  int solve(semidual_transport_progress progress = nullptr, void* data = nullptr) {
    return semidual_transport(context, &from, &to, &options, progress, data, phi.data(), psi.data(),
                              options.lambda == 0 ? flows.data() : nullptr, &result);
  }
};

std::string refused(int status) {
  CHECK(status == SEMIDUAL_INVALID);
  return semidual_last_error();
}

}  // namespace

TEST_CASE("exact transport between points has flows of both marginals that its potentials prove optimal") {
  Plane plane;
  REQUIRE(plane.solve() == SEMIDUAL_OK);
  CHECK(plane.result.converged == 1);
  CHECK(plane.result.flows <= 4);
  std::vector<double> rows(2), columns(3);
  double cost = 0;
  for (std::int64_t k = 0; k < plane.result.flows; ++k) {
    const auto& [source, target, mass] = plane.flows[static_cast<std::size_t>(k)];
    const auto i = static_cast<std::size_t>(source), j = static_cast<std::size_t>(target);
    rows[i] += mass;
    columns[j] += mass;
    cost += mass * plane.squared_distance(i, j);
    CHECK(plane.phi[i] + plane.psi[j] == Approx(plane.squared_distance(i, j)));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(rows[i] == Approx(plane.mu[i]));
    for (std::size_t j = 0; j < 3; ++j) CHECK(plane.phi[i] + plane.psi[j] <= plane.squared_distance(i, j) + 1e-12);
  }
  for (std::size_t j = 0; j < 3; ++j) CHECK(columns[j] == Approx(plane.nu[j]));
  CHECK(plane.result.transport_cost == Approx(cost));
  CHECK(plane.result.primal == plane.result.transport_cost);
  CHECK(plane.result.dual == Approx(cost));
}

TEST_CASE("the cost of transport between points is scaled as it is to a target") {
  Plane plane;
  const auto value = [&](const char* scale) {
    plane.options.scale = scale;
    REQUIRE(plane.solve() == SEMIDUAL_OK);
    return plane.result.primal;
  };
  const double one = value("one");
  CHECK(value("half") == Approx(one / 2));
  CHECK(value("alpha") == Approx(one / (0.2 * 1 + 0.5 * 2 + 0.3 * 9)));  // sum_j nu_j |y_j|^2
}

TEST_CASE("on the line weights need not be given") {
  Plane plane;
  plane.from = {plane.x.data(), nullptr, 3, 1};  // 0, 0, 2
  plane.to = {plane.y.data(), nullptr, 3, 1};    // 0, 1, 1
  plane.phi.resize(3);
  plane.flows.resize(5);
  REQUIRE(plane.solve() == SEMIDUAL_OK);
  CHECK(plane.result.primal == Approx(2.0 / 3));
}

TEST_CASE("Sinkhorn between points satisfies its equations, and its plan has both marginals and the told cost") {
  Plane plane;
  const double lambda = plane.options.lambda = 0.8;
  REQUIRE(plane.solve() == SEMIDUAL_OK);
  CHECK(plane.result.converged == 1);
  CHECK(plane.result.marginal_error <= plane.options.tolerance);
  const auto entry = [&](std::size_t i, std::size_t j) {
    return plane.mu[i] * plane.nu[j] * std::exp((plane.phi[i] + plane.psi[j] - plane.squared_distance(i, j)) / lambda);
  };
  std::vector<double> plan(6);
  REQUIRE(semidual_transport_plan(plane.context, &plane.from, &plane.to, &plane.options, plane.psi.data(),
                                  plan.data()) == SEMIDUAL_OK);
  double cost = 0, value = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    double row = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const double p = plan[3 * i + j];
      CHECK(p == Approx(entry(i, j)).epsilon(1e-5));
      row += p;
      cost += p * plane.squared_distance(i, j);
      value += p * lambda * std::log(p / (plane.mu[i] * plane.nu[j]));
    }
    CHECK(row == Approx(plane.mu[i]).epsilon(1e-12));
  }
  for (std::size_t j = 0; j < 3; ++j) CHECK(plan[j] + plan[3 + j] == Approx(plane.nu[j]).epsilon(1e-12));
  CHECK(plane.result.transport_cost == Approx(cost));
  CHECK(plane.result.primal == Approx(cost + value));
  CHECK(plane.result.dual <= plane.result.primal + 1e-12);
  CHECK(plane.result.dual == Approx(cost + value).epsilon(1e-5));
}

TEST_CASE("transport to itself has the value of transport between two equal measures") {
  Plane plane;
  plane.options.lambda = 0.8;
  plane.from = plane.to;
  plane.phi.resize(3);
  REQUIRE(plane.solve() == SEMIDUAL_OK);
  std::vector<double> chi(3);
  semidual_transport_result itself;
  REQUIRE(semidual_self_transport(plane.context, &plane.to, &plane.options, nullptr, nullptr, chi.data(), &itself) ==
          SEMIDUAL_OK);
  CHECK(itself.dual == Approx(plane.result.dual).epsilon(1e-5));
  CHECK(itself.dual == Approx(2 * (0.2 * chi[0] + 0.5 * chi[1] + 0.3 * chi[2])).epsilon(1e-5));
}

TEST_CASE("a callback ends transport between points: what Sinkhorn has reached is kept, at lambda 0 there is nothing") {
  Plane plane;
  std::vector<double> x, y;
  for (int k = 0; k < 2000; ++k) x.push_back(std::sin(k)), y.push_back(std::cos(k * k));
  plane.from = {x.data(), nullptr, 1000, 2}, plane.to = {y.data(), nullptr, 1000, 2};
  plane.phi.resize(1000), plane.psi.resize(1000), plane.flows.resize(1999);
  const semidual_transport_progress at_once = [](void*, const semidual_transport_result*) { return 1; };
  const semidual_transport_progress iterating = [](void* seen, const semidual_transport_result* now) {
    if (now->iterations == 0) return 0;
    *static_cast<std::int64_t*>(seen) = now->iterations;
    CHECK(std::isfinite(now->dual));
    CHECK(std::isnan(now->primal));
    return 1;
  };
  plane.options.lambda = 1e-3;
  plane.options.tolerance = 0;
  plane.options.iterations = std::numeric_limits<std::int64_t>::max();
  std::int64_t seen = 0;
  REQUIRE(plane.solve(iterating, &seen) == SEMIDUAL_OK);
  CHECK(plane.result.iterations == seen);
  CHECK(plane.result.converged == 0);
  CHECK(std::ranges::all_of(plane.psi, [](double value) { return std::isfinite(value); }));
  plane.options.lambda = 0;
  CHECK(plane.solve(at_once) == SEMIDUAL_STOPPED);
}

TEST_CASE("what transport between points can not take is refused by its argument") {
  const auto refused_with = [](const auto& change) {
    Plane plane;
    change(plane);
    return refused(plane.solve());
  };
  CHECK(refused_with([](Plane& p) { p.from.count = 0; }) ==
        "from.points must be [count, dimension], both at least 1: [0, 2]");
  CHECK(refused_with([](Plane& p) { p.to.points = nullptr; }) == "to.points must not be NULL");
  CHECK(refused_with([](Plane& p) { p.from.dimension = 1; }) ==
        "points of from and to must be of one dimension: 1 against 2");
  CHECK(refused_with([](Plane& p) { p.y[2] = NAN; }) == "to.points must be finite: nan");
  CHECK(refused_with([](Plane& p) { p.mu[0] = -1; }).find("from weights must be finite and not negative") !=
        std::string::npos);
  CHECK(refused_with([](Plane& p) { p.nu[0] = 1; }).find("to weights must sum to 1") != std::string::npos);
  CHECK(refused_with([](Plane& p) { p.options.size = 3; }).starts_with("options.size must be"));
  CHECK(refused_with([](Plane& p) { p.options.lambda = -1; }) == "lambda must be 0 or a positive number: -1");
  CHECK(refused_with([](Plane& p) { p.options.cost = "cosine"; }) ==
        "cost 'cosine' is unknown: it must be sqeuclidean or euclidean or cityblock or power");
  CHECK(refused_with([](Plane& p) { p.options.scale = "double"; }) ==
        "scale 'double' is unknown: it must be one or half or alpha");
  CHECK(refused_with([](Plane& p) { p.options.power = 3; }) ==
        "power must be 0, since cost sqeuclidean has its own: 3");
  CHECK(refused_with([](Plane& p) { p.options.cost = "power"; }) == "power must be a finite number of at least 1: 0");
  CHECK(refused_with([](Plane& p) { p.y.assign(6, 0), p.options.scale = "alpha"; }).starts_with("scale alpha:"));
  CHECK(refused_with([](Plane& p) { p.options.lambda = 1, p.options.iterations = 0; }).find("at least one iteration") !=
        std::string::npos);
  for (const double lambda : {0.0, 1.0})
    CHECK(refused_with([&](Plane& p) {
            p.y[2] = 1e200, p.options.lambda = lambda;
          }).find("costs must be finite, but points are so far apart") != std::string::npos);
  CHECK(refused_with([&](Plane& p) {
          p.y[2] = 1e200, p.from.dimension = p.to.dimension = 1;
        }).find("costs must be finite, but points are so far apart") != std::string::npos);
  CHECK(refused_with([&](Plane& p) { p.y[2] = 1e153, p.options.lambda = 1; }).find("a point's differ by 1e+306") !=
        std::string::npos);
  Plane plane;
  double plan[6];
  CHECK(
      refused(semidual_self_transport(plane.context, &plane.to, &plane.options, nullptr, nullptr, nullptr, nullptr)) ==
      "lambda must be positive, since to itself it costs nothing at 0: 0");
  CHECK(refused(semidual_transport_plan(plane.context, &plane.from, &plane.to, &plane.options, plane.psi.data(),
                                        plan)) == "lambda must be positive, flows tell the plan at 0: 0");
  plane.options.lambda = 1e-310;
  CHECK(refused(semidual_transport_plan(plane.context, &plane.from, &plane.to, &plane.options, plane.psi.data(),
                                        plan)) == "lambda is too small for its inverse: 1e-310");
  plane.options.lambda = 1;
  plane.psi[1] = INFINITY;
  CHECK(refused(semidual_transport_plan(plane.context, &plane.from, &plane.to, &plane.options, plane.psi.data(),
                                        plan)) == "psi must be finite: number 1 is inf");
  CHECK(refused(semidual_transport(plane.context, &plane.from, &plane.to, &plane.options, nullptr, nullptr, nullptr,
                                   nullptr, plane.flows.data(), nullptr)) ==
        "flows are those of lambda = 0: pass NULL for 1");
}
