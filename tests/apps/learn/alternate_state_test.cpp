#include "apps/learn/alternate.h"

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/config.h"
#include "apps/generators.h"
#include "data/dataset.h"
#include "engine/error.h"
#include "engine/pool.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Alternate;
using apps::TrainOptions;
using engine::Tensor;

TEST_CASE("what a run's state will take is known before its optimizers have made a step") {
  const ot::Target target = small_target();
  for (const char* dual : {"layers", "vector", "network"}) {
    const auto generator = make_mlp(facts, 3);
    Alternate algorithm = semidual_run(small_options("best", dual), target, *generator);
    const std::int64_t most = algorithm.most_state_bytes();
    algorithm.iterate(0);
    CHECK(apps::bytes_of(algorithm.state()) <= most);
    CHECK(algorithm.most_state_bytes() == apps::bytes_of(algorithm.state()));
  }
}

TEST_CASE("a state saved after the warm-up goes on with the same bits") {
  for (const char* preset : {"best", "paper"})
    for (const char* dual : {"vector", "network"}) {
      CAPTURE(preset);
      CAPTURE(dual);
      const ot::Target target = small_target();
      TrainOptions options = small_options(preset, dual);
      options.dual_warmup = 2;
      const auto generator = make_mlp(facts, 0);
      Alternate straight = semidual_run(options, target, *generator);
      while (straight.warming_up()) straight.warm_up();
      const ot::NamedTensors warm = copies(straight.state());
      straight.iterate();

      const auto other = make_mlp(facts, 99);
      Alternate resumed = semidual_run(options, target, *other);
      resumed.restore(warm, 0);
      CHECK_FALSE(resumed.warming_up());
      CHECK(equal(warm, resumed.state()));
      resumed.iterate();
      CHECK(equal(straight.state(), resumed.state()));
    }
}

TEST_CASE("a restored state goes on with the same bits") {
  for (const char* preset : {"best", "paper"})
    for (const char* dual : {"vector", "network"}) {
      CAPTURE(preset);
      CAPTURE(dual);
      const ot::Target target = small_target();
      const TrainOptions options = small_options(preset, dual);
      const auto generator = make_mlp(facts, 0);
      Alternate straight = semidual_run(options, target, *generator);
      const ot::NamedTensors start = copies(straight.state());
      straight.iterate();
      straight.iterate();
      const ot::NamedTensors middle = copies(straight.state());
      const double h = straight.iterate();
      CHECK_FALSE(equal(middle, straight.state()));

      const auto other = make_mlp(facts, 99);
      Alternate resumed = semidual_run(options, target, *other);
      resumed.restore(middle, 2);
      CHECK(equal(middle, resumed.state()));
      CHECK(resumed.iterate() == h);
      CHECK(resumed.iterations() == 3);
      CHECK(equal(straight.state(), resumed.state()));

      Alternate from_start = semidual_run(options, target, *other);
      from_start.restore(start, 0);
      for (int n = 0; n < 3; ++n) from_start.iterate();
      CHECK(equal(straight.state(), from_start.state()));
    }
}

TEST_CASE("a steady training loop allocates no tensors") {
  const auto allocations = [] { return engine::pool_statistics().system_allocations; };
  { const engine::Tensor given_back(engine::Shape{1000}); }
  const auto before_another = allocations();
  { const engine::Tensor another(engine::Shape{1000}); }
  if (allocations() > before_another) return;  // under an address sanitizer the pool gives every block back
  const data::Dataset digits = data::load("digits", 200, 0);
  const ot::Target target(digits.bytes, digits.count, digits.dimension, ot::CostScale::inverse_alpha);
  for (const char* generator_name : {"mlp", "dcgan"})
    for (const char* preset : {"best", "paper"})
      for (const char* dual : {"vector", "network"})
        for (const double lambda : {0.0, 0.1}) {
          CAPTURE(generator_name);
          CAPTURE(preset);
          CAPTURE(dual);
          CAPTURE(lambda);
          TrainOptions options = small_options(preset, dual);
          options.lambda = lambda;
          options.generator = generator_name;
          const auto generator = apps::make_generator(options, apps::facts_of(digits));
          Alternate algorithm = semidual_run(options, target, *generator);
          for (int n = 0; n < 2; ++n) algorithm.iterate();
          const auto before = allocations();
          for (int n = 0; n < 2; ++n) algorithm.iterate();
          CHECK(allocations() == before);
        }
}

TEST_CASE("a state with a tensor missing is refused") {
  const ot::Target target = small_target();
  const auto generator = make_mlp(facts, 0);
  Alternate algorithm = semidual_run(small_options("best", "vector"), target, *generator);
  const ot::NamedTensors start = copies(algorithm.state());
  CHECK_THROWS_WITH_AS(algorithm.restore(start, 1), doctest::Contains("tensor adam.first.generator.0.weight"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(algorithm.restore({}, 0), doctest::Contains("tensor generator.0.weight [256, 100] is missing"),
                       engine::Error);
}
