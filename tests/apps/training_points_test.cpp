#include "apps/training_points.h"

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "apps/run_folder.h"
#include "data/npy.h"
#include "engine/error.h"
#include "engine/random.h"
#include "ot/c_transform.h"
#include "tests/apps/program.h"

using engine::Tensor;

TEST_CASE("the nearest training points are those of an exhaustive comparison, by the cost of the target") {
  const engine::Random random(3, 1);
  const Tensor y = random.uniform({300, 4}, 0, 1), x = random.uniform({7, 4}, 0, 2);
  for (const char* cost : {"sqeuclidean", "cityblock"}) {
    const ot::Target target(std::vector<engine::real>(y.values().begin(), y.values().end()), 300, 4,
                            apps::make_cost(cost, 0, "one"));
    const std::vector<std::int64_t> nearest = apps::nearest_points(target, x);
    REQUIRE(nearest.size() == 7);
    for (std::int64_t i = 0; i < 7; ++i) {
      std::int64_t least = 0;
      for (std::int64_t j = 1; j < 300; ++j)
        if (target.cost(x.data() + 4 * i, j) < target.cost(x.data() + 4 * i, least)) least = j;
      CHECK(nearest[static_cast<std::size_t>(i)] == least);
    }
    const Tensor points = apps::points_at(target, nearest);
    REQUIRE(points.shape() == engine::Shape{7, 4});
    for (std::int64_t k = 0; k < 4; ++k) CHECK(points.data()[4 + k] == y.data()[4 * nearest[1] + k]);
  }
}

TEST_CASE("a run's training points are loaded as it learned them, and others are refused") {
  const TemporaryFolder temporary;
  const auto write_points = [&](float last) {
    data::write_npy<float>(temporary / "points.npy", {3, 2}, std::vector<float>{0, 0, 0, 1, 1, last});
  };
  write_points(1);
  data::write_npy<double>(temporary / "weights.npy", {3, 1}, std::vector<double>{0.5, 0.25, 0.25});
  const apps::RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + std::vector<std::string>{"--points", "0", "--data", temporary / "points.npy",
                                                                  "--weights", temporary / "weights.npy",
                                                                  "--iterations", "1"})
              .code == 0);
  const apps::Config config = apps::read_config(run.config());
  const ot::Target target = apps::training_points(config);
  CHECK(target.size() == 3);
  CHECK(target.weights()[0] == 0.5);

  write_points(0.5);
  CHECK_THROWS_WITH_AS(apps::training_points(config), doctest::Contains("no longer holds what the run learned"),
                       engine::Error);
  write_points(1);
  data::write_npy<double>(temporary / "weights.npy", {3}, std::vector<double>{0.25, 0.5, 0.25});
  CHECK_THROWS_WITH_AS(apps::training_points(config), doctest::Contains("no longer holds the run's weights"),
                       engine::Error);
}

TEST_CASE("training points that were held out are not among them") {
  const TemporaryFolder temporary;
  const apps::RunFolder run{temporary / "run"};
  REQUIRE(semidual(small_run(run.root) + std::vector<std::string>{"--hold-out", "0.25", "--iterations", "1"}).code ==
          0);
  CHECK(apps::training_points(apps::read_config(run.config())).size() == 30);
}
