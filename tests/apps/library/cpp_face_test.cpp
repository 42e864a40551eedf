#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "apps/library/semidual.hpp"
#include "engine/real.h"

namespace {

using doctest::Approx;

/// Two points of the line, a quarter and three quarters of the way along [0, 1].
const std::vector<float> quarters{0.25F, 0.75F};
const std::vector<double> level{0, 0};

/// What the call throws as semidual::error for a mistake of the caller.
template <class Call>
std::string refused(const Call& call) {
  try {
    call();
  } catch (const semidual::error& error) {
    CHECK(error.status() == SEMIDUAL_INVALID);
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("C++: the c-transform is that of its definition, and holds what was asked for") {
  const semidual::target y(quarters, 1, {.threads = 1});
  CHECK(y.size() == 2);
  CHECK(y.dimension() == 1);
  const std::vector<float> x{0, 0.4F, 1};
  const std::vector<double> psi{0.1, 0};
  const semidual::transformed bare = y.c_transform(x, psi);
  CHECK(bare.gradient.empty());
  CHECK(bare.mass.empty());
  CHECK(bare.winners.empty());
  const semidual::transformed all = y.c_transform(x, psi, {.gradient = true, .mass = true, .winners = true});
  CHECK(all.value == bare.value);
  CHECK(all.winners == std::vector<std::int64_t>{0, 0, 1});
  CHECK(all.winners == y.draw(x, psi));
  CHECK(all.mass[0] == Approx(2.0 / 3));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto j = static_cast<std::size_t>(all.winners[i]);
    CHECK(all.value[i] == Approx(std::pow(x[i] - quarters[j], 2) - psi[j]));
    CHECK(all.gradient[i] == Approx(2 * (x[i] - quarters[j])));
  }
  constexpr double lambda = 0.2;
  const double sum = std::exp((psi[0] - 0.0625) / lambda) / 2 + std::exp(-0.5625 / lambda) / 2;
  CHECK(y.c_transform(x, psi, {.lambda = lambda}).value[0] == Approx(-lambda * std::log(sum)));
  CHECK(y.draw(std::vector<float>(2), level, 10, std::array{0.0, 1 - 1e-9}) == std::vector<std::int64_t>{0, 1});
  const semidual::transformed none = y.c_transform(std::vector<float>(), psi, {.gradient = true, .winners = true});
  CHECK(none.value.empty());
  CHECK(y.draw(std::vector<float>(), psi).empty());
}

TEST_CASE("C++: a target takes a cost, weights, bytes, and moves") {
  const std::vector<std::uint8_t> bytes{0, 255};
  const semidual::target y(bytes, 1, {.cost = "power", .power = 3, .scale = "half"});
  CHECK(y.c_transform(std::vector{3.0F}, level).value[0] == Approx(4));  // |3 - 1|^3 / 2
  const std::array weights{0.25, 0.75};
  semidual::target weighted(quarters, 1, {.cost = "euclidean", .weights = weights});
  const semidual::target moved = std::move(weighted);
  CHECK(moved.draw(std::vector<float>(2), level, 1e6, std::array{0.24, 0.26}) == std::vector<std::int64_t>{0, 1});
  CHECK(std::is_nothrow_move_constructible_v<semidual::generator>);
  const std::vector<double> other_numbers{0, 7};  // none of them given
  const semidual::target uniform(quarters, 1, {.weights = std::span(other_numbers).first(0)});
  CHECK(uniform.c_transform(std::vector{0.5F}, level, {.lambda = 0.1}).value[0] == Approx(0.0625));
}

TEST_CASE("C++: a solve takes a law by name, one that is moved and scaled, and a function") {
  const semidual::target y(quarters, 1);
  const semidual::solution named = semidual::solve("uniform", y, {.tolerance = 1e-3});
  CHECK(named.converged);
  CHECK(std::abs(named.value - 1.0 / 48) <= 5 * named.value_error);
  CHECK(named.psi[0] - named.psi[1] == Approx(0).scale(1).epsilon(0.01));

  const semidual::law moved{.name = "uniform", .mean = 0.25, .scale = 0.5, .seed = 7};
  const semidual::solution half = semidual::solve(moved, y, {.steps = 50});
  CHECK(half.steps == 50);
  const auto same = [&](std::uint64_t number, std::span<float> points) {
    semidual::source(moved).write(y, number, points);
  };
  CHECK(semidual::solve(same, y, {.steps = 50}).psi == half.psi);
  const semidual::solution again = semidual::solve("uniform", y, {.rate = 1e-9, .steps = 1, .start = half.psi});
  CHECK(again.psi[0] - again.psi[1] == Approx(half.psi[0] - half.psi[1]).epsilon(1e-6));
  std::uint64_t told = 0;
  const auto ten = [&](const semidual_solve_result& now) { return ++told, now.steps < 10; };
  CHECK(semidual::solve("uniform", y, {.progress = ten}).steps == 10);
  CHECK(told == 10);
}

TEST_CASE("C++: the options of a solve are those of the C interface unless others are given") {
  const semidual::solve_options ours;
  const semidual_solve_options theirs = semidual_default_solve_options();
  CHECK(ours.solver == theirs.solver);
  for (const auto& [one, other] : {std::pair(ours.lambda, theirs.lambda),
                                   {ours.first_lambda, theirs.first_lambda},
                                   {ours.rate, theirs.rate},
                                   {ours.tolerance, theirs.tolerance},
                                   {double(ours.steps), double(theirs.steps)},
                                   {double(ours.batch), double(theirs.batch)},
                                   {double(ours.layers), double(theirs.layers)}})
    CHECK(one == other);
}

TEST_CASE("C++: transport between two sets of points, exact and by Sinkhorn") {
  const std::vector<double> x{0, 0, 1, 0}, y{1, 1, 0, 1, 5, 5}, nu{0.5, 0.5, 0};
  const semidual::transport exact = semidual::solve({x, 2}, {y, 2, nu});
  CHECK(exact.primal == Approx(1));
  CHECK(exact.converged);
  REQUIRE(exact.plan.size() == 2);
  CHECK(exact.plan[0].target == 1);
  CHECK(exact.plan[1].mass == Approx(0.5));
  CHECK(exact.phi[0] + exact.psi[1] == Approx(1));
  // By symmetry half the plan's mass is e^{-1 / lambda} / (e^{-1 / lambda} + e^{-2 / lambda}) of what costs 1.
  const semidual::transport soft = semidual::solve({x, 2}, {y, 2, nu}, {.lambda = 0.5});
  CHECK(soft.transport_cost == Approx(1 + 1 / (1 + std::exp(2.0))).epsilon(1e-5));
  CHECK(soft.plan.empty());
  CHECK(semidual::solve({x, 2}, {y, 2, nu}, {.cost = "cityblock", .scale = "half"}).primal == Approx(0.5));
}

TEST_CASE("C++: what the caller's functions throw comes out of a solve, which can be called again") {
  const semidual::target y(quarters, 1);
  const auto throwing = [](std::uint64_t number, std::span<float> points) {
    if (number > 3) throw std::domain_error("no more points");
    for (float& point : points) point = 0.5F;
  };
  CHECK_THROWS_WITH_AS(semidual::solve(throwing, y), "no more points", std::domain_error);
  const auto progress = [](const semidual_solve_result&) -> bool { throw 7; };
  CHECK_THROWS_AS(semidual::solve("uniform", y, {.progress = progress}), int);
  CHECK(semidual::solve("uniform", y, {.steps = 5}).steps == 5);
}

TEST_CASE("C++: what does not fit is refused by its name") {
  const semidual::target y(quarters, 1);
  const std::vector<float> three(3);
  const semidual::target plane(std::vector<float>(4), 2);
  CHECK(refused([&] { semidual::target(three, 2); }) == "points must have rows of 2 numbers, at least 1: 3");
  CHECK(refused([&] { semidual::target(three, 0); }) == "points must have rows of 0 numbers, at least 1: 3");
  CHECK(refused([&] { semidual::target(three, 1, {.weights = level}); }) == "weights must have 3 numbers: 2");
  CHECK(refused([&] { semidual::target(three, 1, {.threads = -1}); }) == "threads must be 0 to 64: -1");
  CHECK(refused([&] { plane.c_transform(three, level); }) == "x must have rows of 2 numbers, at least 1: 3");
  CHECK(refused([&] { y.c_transform(three, std::vector<double>(3)); }) == "psi must have 2 numbers: 3");
  CHECK(refused([&] { y.draw(three, level, 1); }) == "uniforms must have 3 numbers: 0");
  CHECK(refused([&] { semidual::solve("cauchy", y); }) ==
        "law 'cauchy' is unknown: it must be normal, uniform, ball or sphere");
  CHECK(refused([&] { semidual::solve("normal", y, {.solver = "newton"}); }) ==
        "solver 'newton' is unknown: it must be adam, asgd or drag");
  CHECK(refused([&] { semidual::solve("normal", y, {.start = std::span(level).first(1)}); }) ==
        "start must have 2 numbers: 1");
  const std::vector<double> odd{0, NAN}, large{0, 1e39};
  CHECK(
      refused([&] { y.c_transform(quarters, large); }).starts_with("psi must be what float holds: number 1 is 999999"));
  if (sizeof(engine::real) == sizeof(float))
    CHECK(refused([&] { semidual::solve("normal", y, {.start = large}); }) ==
          "start must be what float holds: number 1 is 1e+39");
  CHECK(refused([&] { semidual::solve("normal", y, {.start = odd}); }) == "start must be finite: number 1 is nan");
  CHECK(refused([&] {
          semidual::solve({level, 2}, {level, 1});
        }) == "points of from and to must be of one dimension: 2 against 1");
  CHECK(refused([&] {
          semidual::solve({level, 1, std::span(odd).first(1)}, {level, 1});
        }) == "weights of from must have 2 numbers: 1");
  CHECK(refused([&] {
          semidual::solve({level, 2}, {level, 0});
        }) == "points of to must have rows of 0 numbers, at least 1: 2");
}
