#include "ot/dense/general_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/dense/soft_c_transform.h"
#include "ot/dense/winners.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;
using engine::simd::Minimum;

namespace {
constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();
constexpr std::int64_t tile_rows = 512, most_queries = 256;

/// A block of queries, begin..end-1, against all points, in tiles of points. Both lambdas begin with the least of
///
///     u(x, y) = s k(x, y) + offset(y),  offset(y) = -psi(y) - lambda log(J nu(y)),
///
/// for each query over each tile, with tiles spread over the threads.
class CostBlock {
 public:
  CostBlock(const Target& target, const Tensor& x, std::int64_t begin, std::int64_t end, const Tensor& offsets)
      : target_(target), queries_{x.data() + begin * x.dim(1), end - begin, x.dim(1)}, offsets_(offsets) {}

  std::int64_t size() const { return queries_.count; }
  std::int64_t tiles() const { return (target_.size() + tile_rows - 1) / tile_rows; }
  Point query(std::int64_t i) const { return queries_[i]; }
  const Minimum& minimum(std::int64_t tile, std::int64_t i) const {
    return minima_[static_cast<std::size_t>(tile * size() + i)];
  }

  /// Finds the minima. Keeps k(x, y) for soften().
  void find_minima(bool keep) {
    minima_.resize(static_cast<std::size_t>(tiles() * size()));
    if (keep) terms_ = Tensor({size(), target_.size()});
    parallel_for(tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t first = first_row(tile), count = rows(tile);
      Tensor points = points_of(tile), passing = keep ? Tensor() : Tensor({size(), count});
      real* costs = keep ? terms(tile) : passing.data();
      target_.ground_cost()->values(queries_, {points.data(), count, target_.dimension()}, costs);
      for (std::int64_t i = 0; i < size(); ++i) {
        Minimum found = kernels().min_affine(count, offsets_.data() + first, scale(), costs + i * count);
        if (found.index >= 0) found.index += first;
        minima_[static_cast<std::size_t>(tile * size() + i)] = found;
      }
    });
  }

  /// The softmin of each query, from the minima: writes its value, and turns the costs kept into e^{(least - u) /
  /// lambda}, whose sums over all points are `totals`.
  void soften(double lambda, real* values) {
    std::vector<real> least(static_cast<std::size_t>(size()), infinity);
    for (std::int64_t tile = 0; tile < tiles(); ++tile)
      for (std::int64_t i = 0; i < size(); ++i)
        least[static_cast<std::size_t>(i)] = std::min(least[static_cast<std::size_t>(i)], minimum(tile, i).value);
    std::vector<double> sums(minima_.size());
    const auto rate = static_cast<real>(1 / lambda);
    parallel_for(tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t count = rows(tile);
      real* term = terms(tile);
      for (std::int64_t i = 0; i < size(); ++i, term += count) {
        // Where all are +inf or NaN any shift will do, and NaN must stay.
        const real shift = least[static_cast<std::size_t>(i)] == infinity ? 0 : least[static_cast<std::size_t>(i)];
        sums[static_cast<std::size_t>(tile * size() + i)] =
            kernels().exp_affine(count, offsets_.data() + first_row(tile), scale(), term, shift, rate, term);
      }
    });
    totals_.assign(static_cast<std::size_t>(size()), 0);
    for (std::int64_t i = 0; i < size(); ++i) {
      double& total = totals_[static_cast<std::size_t>(i)];
      for (std::int64_t tile = 0; tile < tiles(); ++tile) total += sums[static_cast<std::size_t>(tile * size() + i)];
      if (least[static_cast<std::size_t>(i)] == infinity) total = not_a_number;
      values[i] = static_cast<real>(least[static_cast<std::size_t>(i)] -
                                    lambda * std::log(total / static_cast<double>(target_.size())));
    }
  }

  /// After soften(): adds share p_ij to `mass` [J], and writes sum_j p_ij grad_x c(x_i, y_j) to `gradient` [size, d];
  /// either may be null.
  void distribute(double share, real* mass, real* gradient) {
    constexpr std::int64_t most_pieces = 32;  // of which each holds a gradient of its own
    const std::int64_t grain = (tiles() + most_pieces - 1) / most_pieces, pieces = (tiles() + grain - 1) / grain;
    const std::int64_t gradient_size = size() * target_.dimension();
    Tensor parts = gradient ? Tensor::zeros({pieces, gradient_size}) : Tensor();
    parallel_for(tiles(), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t tile = begin; tile < end; ++tile) {
        const std::int64_t count = rows(tile);
        real* term = terms(tile);
        for (std::int64_t i = 0; i < size(); ++i, term += count) {
          const double total = totals_[static_cast<std::size_t>(i)];
          if (mass) kernels().axpy(count, static_cast<real>(share / total), term, mass + first_row(tile));
          if (gradient) kernels().scale(count, static_cast<real>(target_.scale() / total), term, term);
        }
        if (!gradient) continue;
        Tensor points = points_of(tile);
        target_.ground_cost()->add_gradients(queries_, {points.data(), count, target_.dimension()}, terms(tile),
                                             parts.data() + begin / grain * gradient_size);
      }
    });
    if (!gradient) return;
    std::fill_n(gradient, gradient_size, real{0});
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      kernels().axpy(gradient_size, 1, parts.data() + piece * gradient_size, gradient);
    for (std::int64_t i = 0; i < size(); ++i)
      if (std::isnan(totals_[static_cast<std::size_t>(i)]))
        std::fill_n(gradient + i * target_.dimension(), target_.dimension(), not_a_number);
  }

 private:
  real scale() const { return static_cast<real>(target_.scale()); }
  std::int64_t first_row(std::int64_t tile) const { return tile * tile_rows; }
  std::int64_t rows(std::int64_t tile) const { return std::min(tile_rows, target_.size() - first_row(tile)); }
  /// A tile's terms stand together, [size, rows], one tile after the other.
  real* terms(std::int64_t tile) { return terms_.data() + first_row(tile) * size(); }
  Tensor points_of(std::int64_t tile) const {
    Tensor points({rows(tile), target_.dimension()});
    target_.rows(first_row(tile), first_row(tile) + rows(tile), points.data());
    return points;
  }

  const Target& target_;
  Rows queries_;
  const Tensor& offsets_;
  std::vector<Minimum> minima_;  // [tiles, size]
  Tensor terms_;
  std::vector<double> totals_;  // [size]
};

Tensor offsets_of(const Target& target, const Tensor& psi, double lambda) {
  Tensor offsets({target.size()});
  for (std::int64_t j = 0; j < target.size(); ++j) {
    const auto index = static_cast<std::size_t>(j);
    offsets.data()[j] = target.weights()[index] == 0
                            ? infinity
                            : static_cast<real>(-psi.data()[j] - lambda * target.log_weights()[index]);
  }
  return offsets;
}

std::int64_t winner_of(const Target& target, const CostBlock& block, const Tensor& psi, std::int64_t i) {
  // c = u + psi is known to 2^10 units of the last place.
  const auto rounding = [&](const Minimum& m) {
    constexpr double relative = 1024 * std::numeric_limits<real>::epsilon();
    return relative * (std::abs(static_cast<double>(m.value)) + 2 * std::abs(static_cast<double>(psi.data()[m.index])));
  };
  return settle(&block.minimum(0, i), block.size(), block.tiles(), rounding,
                [&](std::int64_t j) { return target.cost(block.query(i).data(), j) - psi.data()[j]; });
}

CTransform hard_transform(const Target& target, const Tensor& x, const Tensor& psi, Wanted wanted) {
  const Tensor offsets = offsets_of(target, psi, 0);
  std::vector<std::int64_t> winners(static_cast<std::size_t>(x.dim(0)), -1);
  if (std::none_of(offsets.values().begin(), offsets.values().end(), [](real o) { return std::isnan(o); }))
    for (std::int64_t begin = 0; begin < x.dim(0); begin += most_queries) {
      CostBlock block(target, x, begin, std::min(x.dim(0), begin + most_queries), offsets);
      block.find_minima(false);
      parallel_for(block.size(), 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i)
          winners[static_cast<std::size_t>(begin + i)] = winner_of(target, block, psi, i);
      });
    }
  return transform_at(target, x, psi, std::move(winners), wanted);
}

CTransform soft_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const Tensor offsets = offsets_of(target, psi, lambda);
  const std::int64_t batch = x.dim(0), size = soft_block_size(batch, target.size());
  CTransform result;
  result.value = Tensor({batch});
  if (wanted.gradient) result.gradient = Tensor(x.shape());
  if (wanted.mass) result.mass = Tensor::zeros({target.size()});
  for (std::int64_t begin = 0; begin < batch; begin += size) {
    CostBlock block(target, x, begin, std::min(batch, begin + size), offsets);
    block.find_minima(true);
    block.soften(lambda, result.value.data() + begin);
    if (wanted.mass || wanted.gradient)
      block.distribute(1 / static_cast<double>(batch), wanted.mass ? result.mass.data() : nullptr,
                       wanted.gradient ? result.gradient.data() + begin * x.dim(1) : nullptr);
  }
  return result;
}
}  // namespace

CTransform general_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  return lambda > 0 ? soft_transform(target, x, psi, lambda, wanted) : hard_transform(target, x, psi, wanted);
}

}  // namespace ot
