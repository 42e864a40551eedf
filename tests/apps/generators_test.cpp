#include "apps/generators.h"

#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("the paper's generators have the paper's numbers of parameters") {
  const auto count = [](models::Generator& generator) {
    std::int64_t sum = 0;
    for (const models::Parameter& p : generator.parameters()) sum += p.variable->size();
    return sum;
  };
  CHECK(count(*apps::make_generator("mlp", grey, 0)) == 1486352);
  const auto dcgan = apps::make_generator("dcgan", grey, 0);
  CHECK(dcgan->output_size() == 784);
  CHECK(apps::tensors_of(*dcgan).size() == 4 + 3 * 4);
  CHECK(apps::make_generator("dcgan", {10, 2352, 28, 28, 3, "", ""}, 0)->output_size() == 2352);
  CHECK(apps::make_generator("mlp", points, 0)->output_size() == 5);
}

TEST_CASE("a generator that can't make such points is refused") {
  CHECK_THROWS_WITH_AS(apps::make_generator("gan", grey, 0), "--generator 'gan' is unknown: it must be mlp or dcgan",
                       engine::Error);
  CHECK_THROWS_WITH_AS(apps::make_generator("dcgan", points, 0),
                       "--generator dcgan makes images, the data are points of dimension 5: take --generator mlp",
                       engine::Error);
  CHECK_THROWS_WITH_AS(apps::make_generator("dcgan", {10, 3072, 32, 32, 3, "", ""}, 0),
                       "--generator dcgan makes 28x28 images, the data are 32x32 ones: take --generator mlp",
                       engine::Error);
}

TEST_CASE("latent draws are the documented function of seed, purpose, n and k") {
  const Tensor z = apps::latents(7, Draw::generator_batch, 3, 5, 4, 6);
  CHECK(z.shape() == engine::Shape{4, 6});
  CHECK(equal(z, engine::Random(7, (std::uint64_t{2} << 56) + (3 << 16) + 5).uniform({4, 6}, -1, 1)));
  CHECK_FALSE(equal(z, apps::latents(8, Draw::generator_batch, 3, 5, 4, 6)));
  CHECK_FALSE(equal(z, apps::latents(7, Draw::dual_batch, 3, 5, 4, 6)));
  CHECK_FALSE(equal(z, apps::latents(7, Draw::generator_batch, 4, 5, 4, 6)));
  CHECK_FALSE(equal(z, apps::latents(7, Draw::generator_batch, 3, 6, 4, 6)));
  for (const engine::real value : z.values()) CHECK((value >= -1 && value <= 1));
}

TEST_CASE("evaluation uses and keeps the running statistics, and leaves training mode on") {
  const auto dcgan = apps::make_generator("dcgan", grey, 0);
  const Tensor z = apps::latents(0, Draw::grid, 0, 0, 3, 100);
  const Tensor before = apps::evaluate(*dcgan, z);
  CHECK(equal(before, apps::evaluate(*dcgan, z)));
  (*dcgan)(z);  // in training mode: moves the running statistics
  CHECK_FALSE(equal(before, apps::evaluate(*dcgan, z)));
}
