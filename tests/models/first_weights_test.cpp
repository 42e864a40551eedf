#include "models/first_weights.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "models/critic.h"
#include "models/dcgan.h"
#include "models/mlp.h"

using namespace models;
using engine::Tensor;

namespace {

bool equal(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values(), b.values());
}

}  // namespace

TEST_CASE("first weights that are normal have their mean and deviation, biases are 0 and gains of batch norms 1") {
  ConvCritic critic({.height = 28, .width = 28, .batch_norm = true}, 1);
  Dcgan dcgan({}, 1);
  std::vector<Parameter> all = critic.parameters();
  for (Parameter& p : dcgan.parameters()) all.push_back(p);
  draw_normal_weights(all, 0.02, 3);
  int gains = 0;
  for (const Parameter& p : all) {
    CAPTURE(p.name);
    const Tensor& values = p.variable->value();
    if (values.rank() == 1) {
      const bool gain = !p.name.ends_with(".bias");
      for (const engine::real value : values.values()) CHECK(value == (gain ? 1 : 0));
      gains += gain;
      continue;
    }
    double mean = 0, square = 0;
    const auto count = static_cast<double>(values.size());
    for (const engine::real value : values.values()) mean += value / count, square += double(value) * value / count;
    CHECK(std::abs(mean) < 5 * 0.02 / std::sqrt(count));
    CHECK(std::sqrt(square) == doctest::Approx(0.02).epsilon(4 / std::sqrt(2 * count)));
  }
  CHECK(gains == 5);
}

TEST_CASE("first weights are functions of the seed and their names") {
  const auto weight = [](const char* name, std::uint64_t seed, std::uint64_t before) {
    MlpCritic critic({9, 5, 1}, before, name);
    draw_normal_weights(critic.parameters(), 0.1, seed);
    return critic.parameters()[0].variable->value();
  };
  CHECK(equal(weight("critic", 1, 7), weight("critic", 1, 8)));
  CHECK_FALSE(equal(weight("critic", 1, 7), weight("critic", 2, 7)));
  CHECK_FALSE(equal(weight("critic", 1, 7), weight("other", 1, 7)));
}
