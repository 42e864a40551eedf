#include "apps/evaluation/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace apps::evaluation {

using engine::real;
using engine::require;
using engine::Tensor;
using engine::Transpose;

namespace {

constexpr std::int64_t rows_at_once = 128;

std::vector<double> mean_of(const Tensor& y) {
  std::vector<double> mean(static_cast<std::size_t>(y.dim(1)), 0);
  for (std::int64_t j = 0; j < y.dim(0); ++j)
    for (std::int64_t c = 0; c < y.dim(1); ++c) mean[static_cast<std::size_t>(c)] += y.data()[j * y.dim(1) + c];
  for (double& value : mean) value /= static_cast<double>(y.dim(0));
  return mean;
}

/// Points less a common centre, without which ||x||^2 + ||y||^2 - 2 x.y would lose their digits to it.
struct Centred {
  Centred(const Tensor& x, const std::vector<double>& centre) : points(x.shape()) {
    const std::int64_t d = x.dim(1);
    for (std::int64_t i = 0; i < x.dim(0); ++i) {
      double square = 0;
      for (std::int64_t c = 0; c < d; ++c) {
        const auto value = static_cast<real>(x.data()[i * d + c] - centre[static_cast<std::size_t>(c)]);
        points.data()[i * d + c] = value;
        square += static_cast<double>(value) * static_cast<double>(value);
      }
      squared_norms.push_back(square);
      longest = std::max(longest, std::sqrt(square));
    }
  }

  Tensor points;
  std::vector<double> squared_norms;
  double longest = 0;
};

/// The squared distances of one x to all y: about, by a product of matrices, and exactly where that is asked for.
struct Row {
  std::int64_t i;
  std::span<const double> about;  ///< each off by `margin` at most
  double margin;
  const Tensor &x, &y;

  double exactly(std::int64_t j) const {
    const std::int64_t d = x.dim(1);
    return engine::simd::kernels().squared_distance(d, x.data() + i * d, y.data() + j * d);
  }
};

/// Calls use(row) for each row of x, on all threads.
template <class Use>
void for_each_row(const Tensor& x, const Tensor& y, const Use& use) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1),
          "[neighbours] both sets must be [n, d] with the same d: ", x.shape(), " against ", y.shape());
  const std::int64_t n = x.dim(0), m = y.dim(0), d = x.dim(1);
  const std::vector<double> centre = mean_of(y);
  const Centred from(x, centre), to(y, centre);
  // Rounding of the centred coordinates, of d products and their sum, relative to (||x|| + ||y||)^2.
  const double accuracy = (static_cast<double>(d) / 2 + 8) * std::numeric_limits<real>::epsilon();
  engine::parallel_for(n, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
    std::vector<real> products(static_cast<std::size_t>((end - begin) * m));
    engine::gemm_single(Transpose::no, Transpose::yes, end - begin, m, d, 1, from.points.data() + begin * d, d,
                        to.points.data(), d, 0, products.data(), m);
    std::vector<double> about(static_cast<std::size_t>(m));
    for (std::int64_t i = begin; i < end; ++i) {
      const double square = from.squared_norms[static_cast<std::size_t>(i)];
      const real* product = products.data() + (i - begin) * m;
      for (std::size_t j = 0; j < about.size(); ++j) about[j] = square + to.squared_norms[j] - 2.0 * product[j];
      const double reach = std::sqrt(square) + to.longest;
      use(Row{i, about, accuracy * reach * reach, x, y});
    }
  });
}

/// The exact distances, in increasing order, of at least the k nearest points but number `without`.
std::vector<double> nearest_distances(const Row& row, std::int64_t k, std::int64_t without) {
  const auto m = static_cast<std::int64_t>(row.about.size());
  std::vector<double> least(static_cast<std::size_t>(k), std::numeric_limits<double>::infinity());
  for (std::int64_t j = 0; j < m; ++j) {
    const double about = row.about[static_cast<std::size_t>(j)];
    if (about >= least.back() || j == without) continue;
    least.back() = about;
    for (std::size_t place = least.size() - 1; place > 0 && least[place] < least[place - 1]; --place)
      std::swap(least[place], least[place - 1]);
  }
  const double most = least.back() + 2 * row.margin;
  std::vector<double> distances;
  for (std::int64_t j = 0; j < m; ++j)
    if (row.about[static_cast<std::size_t>(j)] <= most && j != without) distances.push_back(row.exactly(j));
  std::sort(distances.begin(), distances.end());
  return distances;
}

}  // namespace

OwnNeighbours own_neighbours(const Tensor& x, int k) {
  require(k >= 1 && x.rank() == 2 && x.dim(0) > k, "[neighbours] x must be [n, d] with n above k = ", k, ": ",
          x.shape());
  OwnNeighbours own{std::vector<double>(static_cast<std::size_t>(x.dim(0))),
                    std::vector<double>(static_cast<std::size_t>(x.dim(0)))};
  for_each_row(x, x, [&](const Row& row) {
    const std::vector<double> distances = nearest_distances(row, k, row.i);
    own.nearest[static_cast<std::size_t>(row.i)] = distances.front();
    own.kth[static_cast<std::size_t>(row.i)] = distances[static_cast<std::size_t>(k - 1)];
  });
  return own;
}

OtherNeighbours other_neighbours(const Tensor& x, const Tensor& y, std::span<const double> squared_radii) {
  require(y.rank() == 2 && y.dim(0) >= 1 && squared_radii.size() == static_cast<std::size_t>(y.dim(0)),
          "[neighbours] there must be a radius for each point: ", squared_radii.size(), " against ", y.shape());
  OtherNeighbours other{std::vector<double>(static_cast<std::size_t>(x.dim(0))),
                        std::vector<std::int64_t>(static_cast<std::size_t>(x.dim(0)))};
  for_each_row(x, y, [&](const Row& row) {
    std::int64_t balls = 0;
    for (std::size_t j = 0; j < row.about.size(); ++j) {
      const double inside = squared_radii[j] - row.about[j];
      if (inside > row.margin || (inside > -row.margin && row.exactly(static_cast<std::int64_t>(j)) < squared_radii[j]))
        ++balls;
    }
    other.balls[static_cast<std::size_t>(row.i)] = balls;
    other.nearest[static_cast<std::size_t>(row.i)] = nearest_distances(row, 1, -1).front();
  });
  return other;
}

}  // namespace apps::evaluation
