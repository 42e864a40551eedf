#include "ot/clusters.h"

#include <algorithm>
#include <limits>
#include <span>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/c_transform.h"

namespace ot {

using engine::Tensor;

namespace {

constexpr std::int64_t most_clusters = 256, tile = 512;
constexpr int most_rounds = 30;
/// Means of more rows hardly differ.
constexpr std::int64_t enough_rows = 65536, enough_of_each = 64;

std::span<const real> row(const Tensor& x, std::int64_t i) {
  return x.values().subspan(static_cast<std::size_t>(i * x.dim(1)), static_cast<std::size_t>(x.dim(1)));
}

double squared_distance(std::span<const real> a, std::span<const real> b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += static_cast<double>(a[c] - b[c]) * static_cast<double>(a[c] - b[c]);
  return sum;
}

/// Points of a sample, each drawn with a probability in proportion to its squared distance to those before it.
Tensor seeds(const Tensor& x, std::int64_t count) {
  constexpr std::int64_t least_sample = 4096, of_each = 8;
  const std::int64_t n = std::min(x.dim(0), std::max(least_sample, of_each * count)), k = x.dim(1);
  const engine::Random random(0, 0);
  std::vector<double> distances(static_cast<std::size_t>(n), std::numeric_limits<double>::infinity());
  Tensor centres({count, k});
  std::int64_t chosen = 0;
  for (std::int64_t c = 0; c < count; ++c) {
    std::ranges::copy(row(x, chosen * x.dim(0) / n), centres.data() + c * k);
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double& nearest = distances[static_cast<std::size_t>(i)];
      sum += nearest = std::min(nearest, squared_distance(row(x, i * x.dim(0) / n), row(centres, c)));
    }
    double place = sum * random.uniform(static_cast<std::uint64_t>(c));
    for (chosen = 0; chosen + 1 < n && place >= distances[static_cast<std::size_t>(chosen)]; ++chosen)
      place -= distances[static_cast<std::size_t>(chosen)];
  }
  return centres;
}

/// The nearest centre of each point.
std::vector<std::int64_t> nearest(const Tensor& x, const Tensor& centres) {
  const std::int64_t k = x.dim(1), count = centres.dim(0);
  const Target target(std::vector<real>(centres.values().begin(), centres.values().end()), count, k, CostScale::one);
  const Tensor none = Tensor::zeros({count});
  std::vector<std::int64_t> found(static_cast<std::size_t>(x.dim(0)));
  engine::parallel_for(x.dim(0), tile, [&](std::int64_t begin, std::int64_t end) {
    const auto first = static_cast<std::size_t>(begin * k), values = static_cast<std::size_t>((end - begin) * k);
    const Tensor rows({end - begin, k}, x.values().subspan(first, values));
    std::ranges::copy(c_transform(target, rows, none, 0).winners, found.begin() + begin);
  });
  return found;
}

/// The means of the clusters that have 2 points at least, or the one that there is.
Tensor means(const Tensor& x, const std::vector<std::int64_t>& clusters, std::int64_t count) {
  const auto k = static_cast<std::size_t>(x.dim(1));
  std::vector<double> sums(static_cast<std::size_t>(count) * k), sizes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const auto cluster = static_cast<std::size_t>(clusters[i]);
    ++sizes[cluster];
    for (std::size_t c = 0; c < k; ++c) sums[cluster * k + c] += x.values()[i * k + c];
  }
  std::vector<real> centres;
  const double fewest = std::min(2.0, static_cast<double>(clusters.size()));
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster)
    for (std::size_t c = 0; c < k && sizes[cluster] >= fewest; ++c)
      centres.push_back(static_cast<real>(sums[cluster * k + c] / sizes[cluster]));
  return {{std::ssize(centres) / x.dim(1), x.dim(1)}, centres};
}

/// So many rows of x, evenly spread; x itself where they are all.
Tensor sample(const Tensor& x, std::int64_t count) {
  const std::int64_t n = x.dim(0);
  if (count >= n) return x;
  Tensor some({count, x.dim(1)});
  for (std::int64_t i = 0; i < count; ++i) std::ranges::copy(row(x, i * n / count), some.data() + i * x.dim(1));
  return some;
}

}  // namespace

std::vector<std::int64_t> k_means(const Tensor& x, std::int64_t count) {
  engine::require(count >= 1, "[k_means] there must be at least one cluster: ", count);
  Tensor centres = seeds(x, std::min(count, std::max<std::int64_t>(x.dim(0) / 2, 1)));
  const Tensor some = sample(x, std::max(enough_rows, enough_of_each * centres.dim(0)));
  std::vector<std::int64_t> found = nearest(some, centres);
  for (int round = 0; round < most_rounds && centres.dim(0) > 1; ++round) {
    centres = means(some, found, centres.dim(0));
    std::vector<std::int64_t> next = nearest(some, centres);
    if (next == found) break;
    found = std::move(next);
  }
  if (some.dim(0) < x.dim(0)) found = nearest(x, centres);
  // The last ones may have lost all but one of theirs.
  for (Tensor kept = means(x, found, centres.dim(0)); kept.dim(0) < centres.dim(0);
       kept = means(x, found, centres.dim(0))) {
    centres = kept;
    found = nearest(x, centres);
  }
  return found;
}

std::vector<std::uint8_t> clusters(const PointIndex& index, std::int64_t count) {
  engine::require(count >= 1 && count <= most_clusters, "[clusters] there can be 1 to ", most_clusters,
                  " clusters: ", count);
  const std::int64_t size = index.target().size(), k = index.directions().dim(0);
  Tensor x({size, k});
  index.coordinates(0, size, k, x.data());
  const std::vector<std::int64_t> found = k_means(x, count);
  return {found.begin(), found.end()};
}

}  // namespace ot
