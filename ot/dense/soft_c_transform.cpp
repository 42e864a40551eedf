#include "ot/dense/soft_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;

namespace {
constexpr real infinity = std::numeric_limits<real>::infinity();

/// sum_j e^{-u_j / lambda} as e^{-least / lambda} sum.
struct ShiftedSum {
  real least = infinity;
  double sum = 0;
};

class SoftTransform {
 public:
  SoftTransform(const TiledProblem& problem, const TileValues& values, double lambda, CTransform& result)
      : problem_(problem), values_(values), lambda_(lambda), result_(result) {}

  /// Writes the block's rows of the result and adds its part of the mass.
  void transform(QueryBlock block) {
    terms_ = Tensor();  // of the block before: its memory goes back to the pool, and is taken again
    terms_ = Tensor({block.size(), problem_.target.size()});
    sum_up(block);
    if (result_.mass.defined() || result_.gradient.defined()) distribute(block);
  }

 private:
  /// A tile's terms stand together, [block, rows], one tile after the other.
  real* terms(QueryBlock block, std::int64_t tile) { return terms_.data() + problem_.first_row(tile) * block.size(); }
  ShiftedSum& part(QueryBlock block, std::int64_t tile, std::int64_t i) {
    return parts_[static_cast<std::size_t>(tile * block.size() + i)];
  }

  /// Pass one: of each tile its least u and the terms e^{(least - u) / lambda}; from them the values.
  void sum_up(QueryBlock block) {
    parts_.assign(static_cast<std::size_t>(problem_.tiles() * block.size()), {});
    const auto rate = static_cast<real>(1 / lambda_);
    parallel_for(problem_.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t rows = problem_.rows(tile);
      const real* offset = problem_.offsets_of(tile);
      real* term = terms(block, tile);
      values_.fill(block, tile, term);
      for (std::int64_t i = 0; i < block.size(); ++i, term += rows) {
        const real least = kernels().min_affine(rows, offset, problem_.slope, term).value;
        // Where all are +inf or NaN any shift will do, and NaN must stay.
        const real shift = least == infinity ? 0 : least;
        part(block, tile, i) = {least, kernels().exp_affine(rows, offset, problem_.slope, term, shift, rate, term)};
      }
    });
    totals_.assign(static_cast<std::size_t>(block.size()), {});
    const double points = static_cast<double>(problem_.target.size());
    for (std::int64_t i = 0; i < block.size(); ++i) {
      ShiftedSum& total = totals_[static_cast<std::size_t>(i)];
      for (std::int64_t tile = 0; tile < problem_.tiles(); ++tile)
        total.least = std::min(total.least, part(block, tile, i).least);
      for (std::int64_t tile = 0; tile < problem_.tiles(); ++tile)
        total.sum += share(block, tile, i) * part(block, tile, i).sum;
      // NaN where all are +inf.
      result_.value.data()[block.begin + i] =
          static_cast<real>(total.least + problem_.own_part(block.begin + i) - lambda_ * std::log(total.sum / points));
    }
  }

  /// What a tile's terms are to be multiplied by to be relative to the least u of all.
  double share(QueryBlock block, std::int64_t tile, std::int64_t i) {
    return std::exp((static_cast<double>(totals_[static_cast<std::size_t>(i)].least) - part(block, tile, i).least) /
                    lambda_);
  }

  /// Pass two: the means over i of the responsibilities p_ij, and sum_j p_ij grad_x v_ij.
  void distribute(QueryBlock block) {
    constexpr std::int64_t most_pieces = 32;  // of which each holds sums of its own
    const std::int64_t of_piece = block.size() * problem_.target.dimension();
    const std::int64_t grain = (problem_.tiles() + most_pieces - 1) / most_pieces;
    const std::int64_t pieces = (problem_.tiles() + grain - 1) / grain;
    Tensor pieces_sums = result_.gradient.defined() ? Tensor({pieces, of_piece}) : Tensor();
    parallel_for(problem_.tiles(), grain, [&](std::int64_t begin, std::int64_t end) {
      real* const sums = pieces_sums.defined() ? pieces_sums.data() + begin / grain * of_piece : nullptr;
      if (sums) std::fill_n(sums, of_piece, real{0});
      std::vector<double> weights(static_cast<std::size_t>(block.size()));
      for (std::int64_t tile = begin; tile < end; ++tile) {
        for (std::int64_t i = 0; i < block.size(); ++i)
          weights[static_cast<std::size_t>(i)] = share(block, tile, i) / totals_[static_cast<std::size_t>(i)].sum;
        if (result_.mass.defined()) add_mass(block, tile, weights);
        if (sums) values_.add_gradients(block, tile, weights, terms(block, tile), sums);
      }
    });
    if (pieces_sums.defined()) write_gradient(block, pieces_sums);
  }

  void add_mass(QueryBlock block, std::int64_t tile, const std::vector<double>& weights) {
    const std::int64_t rows = problem_.rows(tile);
    const double all = std::ldexp(1.0, -std::numeric_limits<real>::digits);
    const double least = all / static_cast<double>(problem_.target.size());
    const real* term = terms(block, tile);
    for (std::size_t i = 0; i < weights.size(); ++i, term += rows)
      if (!(weights[i] < least))  // NaN stays
        kernels().axpy(rows, static_cast<real>(weights[i] / static_cast<double>(problem_.batch())), term,
                       result_.mass.data() + problem_.first_row(tile));
  }

  void write_gradient(QueryBlock block, const Tensor& pieces_sums) {
    const std::int64_t dimension = problem_.target.dimension();
    parallel_for(block.size(), 8, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        real* gradient = result_.gradient.data() + (block.begin + i) * dimension;
        problem_.own_gradient(block.begin + i, gradient);
        for (std::int64_t piece = 0; piece < pieces_sums.dim(0); ++piece)
          kernels().axpy(dimension, 1, pieces_sums.data() + piece * pieces_sums.dim(1) + i * dimension, gradient);
        kernels().scale(dimension, problem_.slope, gradient, gradient);
        // A cost may leave out pairs whatever they weigh.
        if (const double sum = totals_[static_cast<std::size_t>(i)].sum; std::isnan(sum))
          std::fill_n(gradient, dimension, static_cast<real>(sum));
      }
    });
  }

  const TiledProblem& problem_;
  const TileValues& values_;
  double lambda_;
  CTransform& result_;
  Tensor terms_;                    // values until a tile's u are known
  std::vector<ShiftedSum> parts_;   // of each tile, [tiles, block]
  std::vector<ShiftedSum> totals_;  // [block]
};

std::int64_t block_of_queries(std::int64_t batch, std::int64_t points) {
  constexpr std::int64_t most_held = std::int64_t{1} << 24, least_queries = 16, most_queries = 256;
  const std::int64_t most = std::clamp(most_held / points, least_queries, most_queries);
  const std::int64_t blocks = (batch + most - 1) / most;
  return (batch + blocks - 1) / blocks;
}

}  // namespace

CTransform soft_c_transform(const TiledProblem& problem, const TileValues& values, double lambda, Wanted wanted) {
  CTransform result;
  result.value = Tensor({problem.batch()});
  if (wanted.gradient) result.gradient = Tensor(problem.queries.shape());
  if (wanted.mass) result.mass = Tensor::zeros({problem.target.size()});  // of the places, until all is there
  SoftTransform soft(problem, values, lambda, result);
  const std::int64_t size = block_of_queries(problem.batch(), problem.target.size());
  for (std::int64_t begin = 0; begin < problem.batch(); begin += size)
    soft.transform({begin, std::min(problem.batch(), begin + size)});
  if (wanted.mass) {
    const Tensor of_places = std::exchange(result.mass, Tensor({problem.target.size()}));
    for (std::size_t place = 0; place < problem.order.size(); ++place)
      result.mass.data()[problem.order[place]] = of_places.data()[place];
  }
  return result;
}

}  // namespace ot
