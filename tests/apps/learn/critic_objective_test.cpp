#include "apps/learn/critic_objective.h"

#include <memory>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/learn/make_objective.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Draw;
using apps::TrainOptions;
using engine::Tensor;

namespace {

TrainOptions options_of(const char* method) {
  TrainOptions options = apps::method_options(method, "best");
  options.batch = 4;
  options.seed = 3;
  options.critic_sizes = "40";
  apps::resolve_method(options, facts);
  return options;
}

/// All methods that learn critics by themselves, in each of their kinds.
std::vector<TrainOptions> kinds() {
  std::vector<TrainOptions> all;
  for (const char* method : {"wgan", "wgan-gp", "gan"}) all.push_back(options_of(method));
  for (const char* method : {"seguy", "sanjabi"})
    for (const char* gradient : {"potential", "plan", "rows", "barycentric"}) {
      all.push_back(options_of(method));
      all.back().generator_gradient = gradient;
      all.back().latent_dim = dimension;
      all.back().latent_scale = 1;
    }
  for (const char* search_space : {"data", "both"}) {
    all.push_back(options_of("mallasto"));
    all.back().search_space = search_space;
    all.back().equality_penalty = all.back().inequality_penalty = 0.5;
  }
  return all;
}

void steps(apps::Objective& objective, const Tensor& x, std::int64_t number) {
  objective.begin(0.3);
  for (std::int64_t k = 0; k < number; ++k) objective.step(x, Draw::dual_points, 0, k);
  objective.finish();
}

}  // namespace

TEST_CASE("critics restored go on with the same bits, which do not depend on the threads") {
  const ot::Target target = small_target();
  const Tensor x = engine::Random(8, 2).uniform({4, dimension}, 0, 2), z = engine::Random(8, 3).normal({4, 3}, 0, 1);
  for (const TrainOptions& options : kinds()) {
    CAPTURE(options.method);
    CAPTURE(options.generator_gradient);
    const auto straight = apps::make_objective(options, facts, target);
    const std::int64_t most = straight->most_state_bytes();
    steps(*straight, x, 3);
    ot::NamedTensors middle = copies(straight->learned());
    for (auto& named : copies(straight->moments())) middle.push_back(named);
    CHECK(apps::bytes_of(middle) == most);
    steps(*straight, x, 2);

    engine::set_threads(2);
    const auto resumed = apps::make_objective(options, facts, target);
    steps(*resumed, x, 1);  // to be forgotten
    resumed->restore(middle, true);
    steps(*resumed, x, 2);
    CHECK(equal(straight->learned(), resumed->learned()));
    CHECK(equal(straight->moments(), resumed->moments()));
    const auto value = resumed->loss(x, z, 7).value().item();
    engine::set_threads(1);
    CHECK(value == straight->loss(x, z, 7).value().item());
    middle.pop_back();
    CHECK_THROWS_WITH_AS(resumed->restore(middle, true), "tensor critic.steps [] is missing", engine::Error);
  }
}
