#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/pool.h"
#include "tests/ot/c_transform_case.h"
#include "tests/ot/thread_counts.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

TEST_CASE("a shift of psi shifts the transform back") {
  const Case c = random_case(10, 520, 3);
  Tensor shifted = c.psi.clone();
  for (real& value : shifted.values()) value += real(0.75);
  for (const double lambda : lambdas) {
    const CTransform a = c_transform(c.target(), c.x, c.psi, lambda), b = c_transform(c.target(), c.x, shifted, lambda);
    for (int i = 0; i < 10; ++i)
      CHECK(a.value.data()[i] - b.value.data()[i] == doctest::Approx(0.75).epsilon(200 * epsilon * (1 + lambda)));
  }
}

TEST_CASE("psi -> psi^c is 1-Lipschitz for the uniform norm (Lemma 2), and monotone") {
  const Case c = random_case(30, 520, 3);
  const Tensor noise = Random(9, 0).uniform({520}, -1, 1);
  Tensor chi = c.psi.clone(), above = c.psi.clone();
  double norm = 0;
  for (std::size_t j = 0; j < 520; ++j) {
    chi.values()[j] += noise.values()[j];
    above.values()[j] += std::abs(noise.values()[j]);
    norm = std::max(norm, std::abs(double(chi.values()[j]) - c.psi.values()[j]));
  }
  for (const double lambda : lambdas) {
    const CTransform of_psi = c_transform(c.target(), c.x, c.psi, lambda);
    const CTransform of_chi = c_transform(c.target(), c.x, chi, lambda);
    const CTransform of_above = c_transform(c.target(), c.x, above, lambda);
    const double rounding = 200 * epsilon * (1 + lambda);
    CHECK(distance(of_psi.value, of_chi.value) <= norm + rounding);
    for (int i = 0; i < 30; ++i) CHECK(of_above.value.data()[i] <= of_psi.value.data()[i] + rounding);
  }
}

TEST_CASE("the soft transform falls to the hard one as lambda does, and the mass sums to 1") {
  const Case c = random_case(30, 520, 3);
  const CTransform hard = c_transform(c.target(), c.x, c.psi, 0, everything);
  double before = std::numeric_limits<double>::infinity();
  for (const double lambda : {1.0, 0.1, 0.01, 1e-3, 1e-4}) {
    const CTransform soft = c_transform(c.target(), c.x, c.psi, lambda, everything);
    const double gap = distance(soft.value, hard.value);
    CHECK(gap <= lambda * std::log(520.0) + 100 * epsilon);  // no point weighs less than 1 / J
    CHECK(gap < before);
    before = gap;
    double total = 0;
    for (real mass : soft.mass.values()) total += mass;
    CHECK(total == doctest::Approx(1).epsilon(100 * epsilon));
  }
}

TEST_CASE("only what is wanted is computed, and it is the same") {
  const Case c = random_case(10, 600, 3);
  for (const double lambda : {0.0, 0.1}) {
    const CTransform all = c_transform(c.target(), c.x, c.psi, lambda, everything);
    const CTransform value = c_transform(c.target(), c.x, c.psi, lambda);
    CHECK_FALSE(value.gradient.defined());
    CHECK_FALSE(value.mass.defined());
    CHECK(same(value.value, all.value));
    const CTransform gradient = c_transform(c.target(), c.x, c.psi, lambda, {.gradient = true});
    CHECK(same(gradient.gradient, all.gradient));
    CHECK_FALSE(gradient.mass.defined());
    const CTransform mass = c_transform(c.target(), c.x, c.psi, lambda, {.mass = true});
    CHECK(same(mass.mass, all.mass));
    CHECK_FALSE(mass.gradient.defined());
  }
}

TEST_CASE("c-transforms do not depend on the number of threads") {
  const Case c = random_case(300, 5000, 9);
  const Target target = c.target();
  for (const double lambda : {0.0, 1e-3, 0.1}) checked_on_threads(target, c.x, c.psi, lambda);
}

TEST_CASE("a steady loop of c-transforms allocates no tensors") {
  const auto allocations_of = [](const auto& call) {
    call();
    const auto before = engine::pool_statistics().system_allocations;
    call();
    return engine::pool_statistics().system_allocations - before;
  };
  // Under an address sanitizer the pool gives every block back.
  if (allocations_of([] { Tensor({1000}); }) > 0) return;
  const Case c = random_case(300, 5000, 9);
  const Target target = c.target();
  const int threads = engine::threads();
  engine::set_threads(1);
  for (const double lambda : {0.0, 0.1})
    CHECK(allocations_of([&] { c_transform(target, c.x, c.psi, lambda, everything); }) == 0);
  engine::set_threads(threads);
}

TEST_CASE("NaN comes out as NaN") {
  const real nan = std::numeric_limits<real>::quiet_NaN(), infinity = std::numeric_limits<real>::infinity();
  const Case c = random_case(5, 600, 3);
  const Target target = c.target();
  for (const double lambda : {0.0, 1e-4, 0.1}) {
    CAPTURE(lambda);
    const CTransform clean = c_transform(target, c.x, c.psi, lambda, everything);
    for (const real bad : {nan, infinity, -infinity}) {
      CAPTURE(bad);
      Tensor x = c.x.clone();
      x.data()[3 * 3 + 1] = bad;
      const CTransform row = c_transform(target, x, c.psi, lambda, everything);
      for (int i = 0; i < 5; ++i) {
        if (i == 3)
          CHECK_FALSE(std::isfinite(row.value.data()[i]));
        else
          CHECK(row.value.data()[i] == clean.value.data()[i]);
      }
      CHECK_FALSE(std::isfinite(row.gradient.data()[3 * 3 + 1]));
      CHECK(row.gradient.data()[0] == clean.gradient.data()[0]);
    }

    Tensor x = c.x.clone();
    x.data()[3 * 3 + 1] = nan;
    const CTransform row = c_transform(target, x, c.psi, lambda, everything);
    CHECK(std::isnan(row.value.data()[3]));
    CHECK(std::all_of(row.mass.values().begin(), row.mass.values().end(), [](real m) { return std::isnan(m); }));
    if (lambda == 0) CHECK(row.winners[3] == -1);

    Tensor psi = c.psi.clone();
    psi.data()[577] = nan;
    const CTransform all = c_transform(target, c.x, psi, lambda, everything);
    CHECK(std::all_of(all.value.values().begin(), all.value.values().end(), [](real v) { return std::isnan(v); }));
    CHECK(
        std::all_of(all.gradient.values().begin(), all.gradient.values().end(), [](real g) { return std::isnan(g); }));

    for (real& value : psi.values()) value = -infinity;
    CHECK_FALSE(std::isfinite(c_transform(target, c.x, psi, lambda, everything).value.data()[0]));
    psi = c.psi.clone();
    psi.data()[577] = infinity;
    CHECK_FALSE(std::isfinite(c_transform(target, c.x, psi, lambda, everything).value.data()[0]));
  }
}

TEST_CASE("c_transform refuses what does not fit") {
  const Case c = random_case(2, 4, 3);
  const Target target = c.target();
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({2, 5}), c.psi, 0),
                       "[c_transform] x must be [B, d] with d the target's dimension: [2, 5] against 3", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({3}), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor::zeros({0, 3}), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, Tensor(), c.psi, 0), Contains("x must be [B, d]"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, Tensor::zeros({5}), 0),
                       "[c_transform] psi must have one value for each point of the target: [5] against 4", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, -0.1),
                       "[c_transform] lambda must be finite and not negative: -0.1", Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, std::nan("")), Contains("not negative: nan"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, INFINITY), Contains("not negative: inf"), Error);
  CHECK_THROWS_WITH_AS(c_transform(target, c.x, c.psi, 1e-310),
                       Contains("[c_transform] lambda is too small for its inverse, use 0"), Error);
}
