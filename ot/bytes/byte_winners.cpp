#include "ot/bytes/byte_winners.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;
using engine::simd::Minimum;

namespace {

constexpr std::int64_t tile_rows = TiledProblem::tile_rows;
constexpr std::int64_t sample_stride = 16;    // one tile in so many is a sample
constexpr double most_candidates = 1.0 / 32;  // of the points of a sample

struct Winner {
  double value = std::numeric_limits<double>::infinity();
  std::int64_t index = -1;

  void meet(const Winner& other) {
    if (other.value < value || (other.value == value && other.index < index)) *this = other;
  }
};

class Winners {
 public:
  Winners(const LaidOutProblem& sample, const LaidOutProblem& all, const ByteProducts& products, QueryBlock block)
      : sample_(sample),
        all_(all),
        problem_(all.problem),
        block_(block),
        products_(products),
        limit_(static_cast<std::size_t>(block.size()), std::numeric_limits<real>::max()),
        winners_(static_cast<std::size_t>(all.problem.tiles()) * limit_.size()) {}

  /// Sets the limits by the least of a sample. Returns whether few points of it are below them.
  bool sample() {
    const std::int64_t samples = (sample_.problem.tiles() + sample_stride - 1) / sample_stride;
    Tensor values({samples, block_.size() * tile_rows});
    std::vector<Minimum> minima(static_cast<std::size_t>(samples) * limit_.size());
    parallel_for(samples, 1, [&](std::int64_t s, std::int64_t) {
      real* products = values.data() + s * values.dim(1);
      multiply(sample_, s * sample_stride, products);
      sample_.problem.tile_minima(block_, s * sample_stride, products, minima.data() + s * block_.size());
    });
    const double largest_offset = this->largest_offset();
    parallel_for(block_.size(), 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) set_limit(i, minima, largest_offset);
    });
    std::vector<std::int64_t> found(static_cast<std::size_t>(samples));
    parallel_for(samples, 1, [&](std::int64_t s, std::int64_t) {
      std::int32_t rows[tile_rows];
      const std::int64_t tile = s * sample_stride;
      for (std::int64_t i = 0; i < block_.size(); ++i)
        found[static_cast<std::size_t>(s)] +=
            find(sample_.problem, tile, i, values.data() + s * values.dim(1) + i * sample_.problem.rows(tile), rows);
    });
    double total = 0;
    for (const std::int64_t count : found) total += static_cast<double>(count);
    return total <= most_candidates * static_cast<double>(samples * tile_rows * block_.size());
  }

  void find_all(std::int64_t* winners) {
    parallel_for(problem_.tiles(), 1, [&](std::int64_t tile, std::int64_t) { visit(tile); });
    for (std::int64_t i = 0; i < block_.size(); ++i) {
      Winner best;
      for (std::int64_t tile = 0; tile < problem_.tiles(); ++tile) best.meet(winner(tile, i));
      winners[i] = best.index;
    }
  }

 private:
  Winner& winner(std::int64_t tile, std::int64_t i) {
    return winners_[static_cast<std::size_t>(tile * block_.size() + i)];
  }
  void multiply(const LaidOutProblem& of, std::int64_t tile, real* values) const {
    const std::int64_t rows = of.problem.rows(tile);
    products_.multiply(1, block_.begin, block_.end, of.blocks, of.problem.first_row(tile), rows, values, rows);
  }
  /// The rows of a tile that may be the least for query i.
  std::int64_t find(const TiledProblem& problem, std::int64_t tile, std::int64_t i, const real* products,
                    std::int32_t* rows) const {
    return kernels().find_affine(problem.rows(tile), problem.offsets_of(tile), problem.slope, products,
                                 limit_[static_cast<std::size_t>(i)], rows);
  }

  double largest_offset() const {
    real largest = 0;
    for (const real offset : problem_.offsets.values())
      if (std::isfinite(offset)) largest = std::max(largest, std::abs(offset));
    return largest;
  }

  /// A computed u of what beats the true value of the sample's least is at most that far above it by which u errs.
  void set_limit(std::int64_t i, const std::vector<Minimum>& minima, double largest_offset) {
    Minimum least{std::numeric_limits<real>::infinity(), -1};
    for (std::size_t m = static_cast<std::size_t>(i); m < minima.size(); m += limit_.size())
      if (minima[m].value < least.value) least = minima[m];
    if (least.index < 0) return;
    const double size = problem_.own_part(block_.begin + i);
    const double error = -problem_.slope * products_.error_bound(block_.begin + i, 1) +
                         16 * std::numeric_limits<real>::epsilon() * (largest_offset + size);
    limit_[static_cast<std::size_t>(i)] = static_cast<real>(value(i, least.index) - size + error);
  }

  /// c(x_i, y_j) - psi_j
  double value(std::int64_t i, std::int64_t j) const {
    const real* query = problem_.x.data() + (block_.begin + i) * problem_.target.dimension();
    return problem_.target.cost(query, j) - problem_.psi.data()[j];
  }

  void visit(std::int64_t tile) {
    const std::int64_t rows = problem_.rows(tile), first = problem_.first_row(tile);
    Tensor values({block_.size(), rows});
    multiply(all_, tile, values.data());
    std::int32_t found[tile_rows];
    for (std::int64_t i = 0; i < block_.size(); ++i) {
      const std::int64_t count = find(problem_, tile, i, values.data() + i * rows, found);
      for (std::int64_t f = 0; f < count; ++f) {
        const std::int64_t j = problem_.order[static_cast<std::size_t>(first + found[f])];
        winner(tile, i).meet({value(i, j), j});
      }
    }
  }

  const LaidOutProblem &sample_, &all_;
  const TiledProblem& problem_;
  QueryBlock block_;
  const ByteProducts& products_;
  std::vector<real> limit_;      // of the computed u of what may be the least, [block]
  std::vector<Winner> winners_;  // of each tile, [tiles, block]
};

}  // namespace

std::vector<std::int64_t> byte_winners(const LaidOutProblem& sample, const LaidOutProblem& all,
                                       const ByteProducts& products) {
  constexpr std::int64_t most_queries = 256;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(all.problem.batch()));
  for (std::int64_t begin = 0; begin < all.problem.batch(); begin += most_queries) {
    Winners block(sample, all, products, {begin, std::min(all.problem.batch(), begin + most_queries)});
    if (!block.sample()) return {};
    block.find_all(winners.data() + begin);
  }
  return winners;
}

}  // namespace ot
