#include "ot/clusters.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/random.h"

using Numbers = std::vector<std::uint8_t>;
using ot::real;

namespace {

Numbers clusters_of(const std::vector<real>& points, std::int64_t dimension, std::int64_t count) {
  const ot::Target target(points, std::ssize(points) / dimension, dimension, ot::CostScale::one);
  return ot::clusters(ot::PointIndex(target), count);
}

}  // namespace

TEST_CASE("points about centres that lie apart are clusters of their own") {
  constexpr std::size_t n = 3000;
  const engine::Tensor noise = engine::Random(1, 1).normal({n, 3}, 0, 0.1);
  std::vector<real> points;
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t c = 0; c < 3; ++c)
      points.push_back(noise.values()[3 * j + c] + static_cast<real>(c == j % 5 % 3 ? 2 + 3 * (j % 5 / 3) : 0));
  const Numbers found = clusters_of(points, 3, 5);
  for (std::size_t j = 5; j < n; ++j) CHECK(found[j] == found[j % 5]);
  Numbers five(found.begin(), found.begin() + 5);
  std::ranges::sort(five);
  CHECK(five == Numbers{0, 1, 2, 3, 4});
}

TEST_CASE("each point is in the cluster of the nearest mean, and each cluster has two points") {
  const engine::Tensor x = engine::Random(1, 2).uniform({400, 2}, 0, 1);
  const std::vector<real> points(x.values().begin(), x.values().end());
  const Numbers found = clusters_of(points, 2, 7);
  std::vector<double> sums(14), sizes(7);
  for (std::size_t j = 0; j < 400; ++j) {
    ++sizes.at(found[j]);
    for (std::size_t c = 0; c < 2; ++c) sums[2 * found[j] + c] += points[2 * j + c];
  }
  CHECK(std::ranges::min(sizes) >= 2);
  const auto squared = [&](std::size_t j, std::size_t cluster) {
    const double a = points[2 * j] - sums[2 * cluster] / sizes[cluster],
                 b = points[2 * j + 1] - sums[2 * cluster + 1] / sizes[cluster];
    return a * a + b * b;
  };
  int elsewhere = 0;
  for (std::size_t j = 0; j < 400; ++j)
    for (std::size_t cluster = 0; cluster < 7; ++cluster)
      elsewhere += squared(j, cluster) < squared(j, found[j]) - 1e-4;
  CHECK(elsewhere <= 4);  // Lloyd's last rounds move hardly any
  CHECK(found == clusters_of(points, 2, 7));
}

TEST_CASE("there are fewer clusters than asked for where points are few or alike") {
  const Numbers few = clusters_of({0, 1, 10, 11, 50}, 1, 4);
  CHECK(few[0] == few[1]);
  CHECK(few[2] == few[3]);
  CHECK((few[4] == few[3] || few[4] == few[0]));
  CHECK(clusters_of(std::vector<real>(20, 1), 1, 3) == Numbers(20, 0));
  CHECK(clusters_of({3}, 1, 2) == Numbers{0});
  CHECK_THROWS_WITH_AS(clusters_of({1, 2}, 1, 0), "[clusters] there can be 1 to 256 clusters: 0", engine::Error);
}

TEST_CASE("many rows are parted as a sample of them is, and there must be a cluster") {
  constexpr std::int64_t n = 70000;
  engine::Tensor x = engine::Random(1, 3).uniform({n, 1}, 0, 1);
  for (std::int64_t i = 0; i < n; i += 3) x.data()[i] += 5;
  const std::vector<std::int64_t> found = ot::k_means(x, 2);
  bool parted = found[0] != found[1];
  for (std::size_t i = 3; i < found.size(); ++i) parted = parted && found[i] == found[i % 3];
  CHECK(parted);
  CHECK(found[1] == found[2]);
  CHECK_THROWS_WITH_AS(ot::k_means(x, 0), "[k_means] there must be at least one cluster: 0", engine::Error);
}
