#include "apps/generators.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "apps/latents.h"
#include "apps/learn/make_objective.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "engine/random.h"

using apps::DataFacts;
using apps::Draw;
using engine::Tensor;

namespace {

const DataFacts grey{10, 784, 28, 28, 1, "", ""};
const DataFacts points{10, 5, 0, 0, 0, "", ""};

bool equal(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

std::unique_ptr<models::Generator> make(const std::string& name, const apps::DataFacts& data) {
  apps::TrainOptions options;
  options.generator = name;
  return apps::make_generator(options, data);
}

}  // namespace

TEST_CASE("the paper's generators have the paper's numbers of parameters") {
  const auto count = [](models::Generator& generator) {
    std::int64_t sum = 0;
    for (const models::Parameter& p : generator.parameters()) sum += p.variable->size();
    return sum;
  };
  CHECK(count(*make("mlp", grey)) == 1486352);
  const auto dcgan = make("dcgan", grey);
  CHECK(dcgan->output_size() == 784);
  CHECK(apps::tensors_of(*dcgan).size() == 4 + 3 * 4);
  CHECK(make("dcgan", {10, 2352, 28, 28, 3, "", ""})->output_size() == 2352);
  CHECK(make("mlp", points)->output_size() == 5);
}

TEST_CASE("the dcgan makes images of many sizes, with the channels that are asked for") {
  const DataFacts colour{10, 2880, 24, 40, 3, "", ""};
  apps::TrainOptions options;
  options.generator = "dcgan";
  apps::resolve_by_data(options, colour);
  CHECK(apps::make_generator(options, colour)->output_size() == 2880);
  CHECK(apps::values_per_draw(options, colour) ==
        5 * (256 * 3 * 4 + 128 * 4 * 6 + 64 * 6 * 10 + 32 * 13 * 21) + 4 * 2880);
  options.dcgan_channels = "8,7,6,5";
  const auto generator = apps::make_generator(options, colour);
  CHECK(generator->parameters()[0].variable->shape() == engine::Shape{100, 8, 3, 4});
  CHECK(generator->parameters().back().variable->shape() == engine::Shape{5, 3, 3, 3});
}

TEST_CASE("--last-layer is that of either generator") {
  for (const char* generator : {"mlp", "dcgan"}) {
    apps::TrainOptions options;
    options.generator = generator;
    const auto ends = [&](const char* last_layer) {
      options.last_layer = last_layer;
      return apps::make_generator(options, grey)->pytorch().back();
    };
    CHECK(ends("sigmoid") == "nn.Sigmoid()");
    CHECK(ends("tanh") == "nn.Tanh()");
    CHECK(ends("linear").find('(') > std::string("nn.Tanh").size());
  }
}

TEST_CASE("a generator that can't make such points is refused") {
  CHECK_THROWS_WITH_AS(make("gan", grey), "--generator 'gan' is unknown: it must be mlp or dcgan", engine::Error);
  CHECK_THROWS_WITH_AS(make("dcgan", points),
                       "--generator dcgan makes images, the data are points of dimension 5: take --generator mlp",
                       engine::Error);
  CHECK_THROWS_WITH_AS(make("dcgan", {10, 25, 5, 5, 1, "", ""}),
                       "--generator dcgan makes images of 8x8 to 256x256, the data are 5x5 ones: take --generator mlp",
                       engine::Error);
  CHECK_THROWS_WITH_AS(make("dcgan", {10, 2570, 257, 10, 1, "", ""}),
                       "--generator dcgan makes images of 8x8 to 256x256, the data are 257x10 ones: take --generator "
                       "mlp",
                       engine::Error);
  apps::TrainOptions options;
  options.generator = "dcgan", options.dcgan_channels = "256,128";
  CHECK_THROWS_WITH_AS(apps::make_generator(options, grey),
                       "--dcgan-channels 256,128 must be 3 numbers for 28x28 images: 2 given", engine::Error);
}

TEST_CASE("evaluation uses and keeps the running statistics, and leaves training mode on") {
  const auto dcgan = make("dcgan", grey);
  const Tensor z = apps::latents({}, 0, Draw::grid, 0, 0, 3);
  const Tensor before = apps::evaluate(*dcgan, z);
  CHECK(equal(before, apps::evaluate(*dcgan, z)));
  (*dcgan)(z);  // in training mode: moves the running statistics
  CHECK_FALSE(equal(before, apps::evaluate(*dcgan, z)));
}

TEST_CASE("with --init-deviation the first weights of all networks are normal, by the seed, and their biases 0") {
  const auto check = [](const ot::NamedTensors& tensors) {
    for (const auto& [name, tensor] : tensors) {
      const std::string parameter = name;
      CAPTURE(parameter);
      if (name.ends_with("0.bias")) CHECK(std::ranges::count(tensor.values(), engine::real{0}) == tensor.size());
      if (!name.ends_with("0.weight")) continue;
      double square = 0;
      for (const engine::real value : tensor.values()) square += double(value) * value;
      CHECK(std::sqrt(square / static_cast<double>(tensor.size())) == doctest::Approx(0.02).epsilon(0.1));
    }
  };
  apps::TrainOptions options = apps::method_options("wgan", "paper");
  REQUIRE(options.init_deviation == 0.02);
  options.batch = 2;
  apps::resolve_by_data(options, grey);
  const auto generator = apps::make_generator(options, grey), again = apps::make_generator(options, grey);
  check(apps::tensors_of(*generator));
  for (std::size_t p = 0; p < generator->parameters().size(); ++p)
    CHECK(equal(generator->parameters()[p].variable->value(), again->parameters()[p].variable->value()));
  const ot::Target target(std::vector<std::uint8_t>(2 * 784, 3), 2, 784, ot::CostScale::one);
  check(apps::make_objective(options, grey, target)->learned());
  options = apps::preset_options("paper", "network", "");
  options.init_deviation = 0.02;
  const ot::NamedTensors psi = apps::make_objective(options, grey, target)->learned();
  CHECK(psi.size() > 4);
  check(psi);
}
