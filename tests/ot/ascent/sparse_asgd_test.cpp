#include "ot/ascent/sparse_asgd.h"

#include <doctest/doctest.h>

#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Var;

namespace {
/// A vector that the solvers do not know to be one, so that they take the dense way.
class OpaqueVector : public Potential {
 public:
  explicit OpaqueVector(std::int64_t count) : psi_(Tensor::zeros({count})) {}
  Tensor values() const override { return psi_.value(); }
  std::vector<Var*> parameters() override { return {&psi_}; }
  std::vector<Var> pull_back(const GradientInValues& gradient) override { return {gradient(psi_.value())}; }
  Tensor values(const Subset& subset) const override { return subset.gather(psi_.value()); }
  std::vector<Var> pull_back(const GradientInValues& gradient, const Subset& subset) override {
    Tensor all = Tensor::zeros(psi_.shape());
    subset.scatter(gradient(values(subset)), all);
    return {all};
  }

 private:
  Var psi_;
};

/// psi less its mean: potentials are equal modulo a constant.
std::vector<double> centred(const Tensor& psi) {
  double mean = 0;
  for (real value : psi.values()) mean += value / static_cast<double>(psi.size());
  std::vector<double> result;
  for (real value : psi.values()) result.push_back(value - mean);
  return result;
}

Target normal_target(std::int64_t count, std::vector<double> weights = {}) {
  return Target(vector_of(Random(40, 0).normal({count, 3}, 0, 1)), count, 3, CostScale::inverse_alpha,
                std::move(weights));
}
}  // namespace

TEST_CASE("sparse ASGD is dense ASGD up to a constant, averaged or not") {
  const Target target = normal_target(200);
  Transformer transform(target);
  for (const bool average : {true, false}) {
    const DualOptions options{.rate = 0.8, .decay = 0.5, .average = average};
    VectorPotential vector(target);
    OpaqueVector opaque(200);
    const auto sparse = make_dual_solver(transform, vector, 0, options),
               dense = make_dual_solver(transform, opaque, 0, options);
    REQUIRE(dynamic_cast<SparseAsgd*>(sparse.get()));
    REQUIRE_FALSE(dynamic_cast<SparseAsgd*>(dense.get()));
    for (std::uint64_t loop = 0; loop < 4; ++loop) {
      sparse->begin();
      dense->begin();
      for (std::uint64_t k = 0; k < 6; ++k) {
        const Tensor x = Random(41, 10 * loop + k).normal({15, 3}, 0, 1);
        sparse->step(x);
        dense->step(x);
        CHECK(distance(centred(vector.values()), centred(opaque.values())) < 100 * epsilon);
      }
      sparse->finish();
      dense->finish();
      CHECK(distance(centred(vector.values()), centred(opaque.values())) < 100 * epsilon);
    }
  }
}

TEST_CASE("on subsets sparse ASGD is dense ASGD, averaged or not") {
  const Target target = normal_target(200);
  Transformer transform(target);
  for (const bool average : {true, false}) {
    const DualOptions options{.rate = 0.8, .decay = 0.5, .average = average};
    VectorPotential vector(target);
    OpaqueVector opaque(200);
    const auto sparse = make_dual_solver(transform, vector, 0, options),
               dense = make_dual_solver(transform, opaque, 0, options);
    for (std::uint64_t loop = 0; loop < 3; ++loop) {
      sparse->begin();
      dense->begin();
      for (std::uint64_t k = 0; k < 5; ++k) {
        const Tensor x = Random(41, 10 * loop + k).normal({15, 3}, 0, 1);
        const Subset subset(target, 40, Random(42, 10 * loop + k));
        sparse->step(x, subset);
        dense->step(x, subset);
      }
      sparse->finish();
      dense->finish();
      CHECK(distance(vector.values(), opaque.values()) < 100 * epsilon);
    }
  }
}

TEST_CASE("a sparse step moves only the points that the batch hits") {
  const Target target = normal_target(200);
  Transformer transform(target);
  VectorPotential potential(target);
  SparseAsgd solver(transform, potential, {.rate = 1, .decay = 0.5});
  const Tensor x = Random(41, 0).normal({15, 3}, 0, 1);
  solver.begin();
  solver.step(x);
  int moved = 0;
  double total = 0;
  for (real value : potential.values().values()) {
    moved += value != 0;
    total += value;
  }
  CHECK(moved >= 1);
  CHECK(moved <= 15);
  CHECK(total == doctest::Approx(-1).epsilon(20 * epsilon));
}

TEST_CASE("a row of NaN moves nothing") {
  const Target target = normal_target(20);
  Transformer transform(target);
  VectorPotential potential(target);
  SparseAsgd solver(transform, potential, {.rate = 1, .decay = 0.5});
  solver.begin();
  solver.step(Tensor::full({2, 3}, std::numeric_limits<real>::quiet_NaN()));
  solver.finish();
  CHECK(same(potential.values(), Tensor::zeros({20})));
}

TEST_CASE("an inner loop without a step changes nothing") {
  const Target target = normal_target(20);
  Transformer transform(target);
  VectorPotential potential(target);
  SparseAsgd solver(transform, potential, {.rate = 1, .decay = 0.5});
  solver.begin();
  solver.finish();
  CHECK(same(potential.values(), Tensor::zeros({20})));
}

TEST_CASE("weights that are not uniform, or lambda > 0, take the dense way") {
  const Target lumpy = normal_target(3, {0.5, 0.25, 0.25}), uniform = normal_target(3);
  Transformer to_lumpy(lumpy), to_uniform(uniform);
  VectorPotential a(lumpy), b(uniform);
  CHECK_FALSE(dynamic_cast<SparseAsgd*>(make_dual_solver(to_lumpy, a, 0, {}).get()));
  CHECK_FALSE(dynamic_cast<SparseAsgd*>(make_dual_solver(to_uniform, b, 0.1, {}).get()));
}
