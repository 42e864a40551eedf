#include "apps/latents.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/random.h"

using apps::Draw;
using apps::LatentLaw;
using engine::Tensor;
using Numbers = std::vector<std::int64_t>;

namespace {
const LatentLaw conditional{true, 3, 2, {0.5, 0, 0.3, 0.2}};

bool equal(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values(), b.values());
}
}  // namespace

TEST_CASE("latent draws are the documented function of seed, purpose, n and k") {
  const apps::LatentLaw law{.dimension = 6};
  const Tensor z = apps::latents(law, 7, Draw::generator_batch, 3, 5, 4);
  CHECK(z.shape() == engine::Shape{4, 6});
  CHECK(equal(z, engine::Random(7, (std::uint64_t{2} << 56) + (3 << 16) + 5).uniform({4, 6}, -1, 1)));
  CHECK_FALSE(equal(z, apps::latents(law, 8, Draw::generator_batch, 3, 5, 4)));
  CHECK_FALSE(equal(z, apps::latents(law, 7, Draw::dual_batch, 3, 5, 4)));
  CHECK_FALSE(equal(z, apps::latents(law, 7, Draw::generator_batch, 4, 5, 4)));
  CHECK_FALSE(equal(z, apps::latents(law, 7, Draw::generator_batch, 3, 6, 4)));
  for (const engine::real value : z.values()) CHECK((value >= -1 && value <= 1));
  const engine::Random stream(7, (std::uint64_t{2} << 56) + (3 << 16) + 5);
  CHECK(equal(apps::latents({.dimension = 6, .scale = 3}, 7, Draw::generator_batch, 3, 5, 4),
              stream.uniform({4, 6}, -3, 3)));
  CHECK(equal(apps::latents({.normal = true, .dimension = 6, .scale = 3}, 7, Draw::generator_batch, 3, 5, 4),
              stream.normal({4, 6}, 0, 3)));
}

TEST_CASE("a batch has classes by their shares, each at least once, those without a share never") {
  const std::vector<double> shares{0.5, 0, 0.3, 0.2};
  CHECK(apps::classes_by_share(shares, 10) == Numbers{0, 0, 0, 0, 0, 2, 2, 2, 3, 3});
  CHECK(apps::classes_by_share(shares, 3) == Numbers{0, 2, 3});
  CHECK(apps::classes_by_share(std::vector<double>{0.98, 0.01, 0.01}, 5) == Numbers{0, 0, 0, 1, 2});
  CHECK_THROWS_WITH_AS(apps::classes_by_share(shares, 2),
                       "there must be a point of each of the 3 classes in a batch: 2", engine::Error);
}

TEST_CASE("the classes that are present are those with a share") {
  CHECK(conditional.present() == Numbers{0, 2, 3});
  CHECK(LatentLaw{.shares = {0, 0.4, 0.6, 0}}.present() == Numbers{1, 2});
  CHECK(LatentLaw{}.present().empty());
}

TEST_CASE("a class stands beside the coordinates, which are those without classes") {
  const Tensor plain = apps::latents({true, 3, 2}, 7, Draw::sample, 1, 0, 2);
  const Tensor z = apps::latents(conditional, 7, Draw::sample, 1, 0, Numbers{2, 0});
  REQUIRE(z.shape() == engine::Shape{2, 7});
  const auto length = static_cast<engine::real>(2 * std::sqrt(3.0));
  CHECK(conditional.class_length() == doctest::Approx(length));
  CHECK(LatentLaw{false, 3, 2}.class_length() == doctest::Approx(2));
  const std::vector<engine::real> classes{0, 0, length, 0, length, 0, 0, 0};
  for (std::int64_t i = 0; i < 2; ++i) {
    CHECK(std::equal(plain.data() + 3 * i, plain.data() + 3 * (i + 1), z.data() + 7 * i));
    CHECK(std::equal(classes.begin() + 4 * i, classes.begin() + 4 * (i + 1), z.data() + 7 * i + 3));
  }
  CHECK_THROWS_WITH_AS(apps::beside_classes(conditional, plain, Numbers{1}),
                       "[latents] there must be a class for each row of z [B, 3]: 1 for [2, 3]", engine::Error);
}

TEST_CASE("classes are drawn as often as their shares say, apart from the coordinates") {
  constexpr std::int64_t count = 20000;
  const Numbers classes = apps::drawn_classes(conditional, 7, Draw::sample, 1, 0, count);
  for (std::size_t c = 0; c < conditional.shares.size(); ++c) {
    const auto found = static_cast<double>(std::ranges::count(classes, static_cast<std::int64_t>(c)));
    CHECK(std::abs(found - conditional.shares[c] * count) <=
          4 * std::sqrt(count * conditional.shares[c] * (1 - conditional.shares[c])));
  }
  CHECK(apps::latents(conditional, 7, Draw::sample, 1, 0, 5).shape() == engine::Shape{5, 7});
  CHECK(apps::drawn_classes({}, 7, Draw::sample, 1, 0, 5).empty());
}
