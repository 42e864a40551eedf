#include "ot/dense/soft_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/dense/block_shares.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::Transpose;
using engine::simd::block_size;
using engine::simd::kernels;

namespace {
constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();

/// sum_j e^{-u_j / lambda} as e^{-least / lambda} sum.
struct ShiftedSum {
  real least = infinity;
  double sum = 0;
};

class SoftTransform {
 public:
  SoftTransform(const TiledProblem& problem, const TileProducts& products, double lambda, CTransform& result)
      : problem_(problem), products_(products), lambda_(lambda), result_(result) {}

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
      const real* offset = problem_.offsets.data() + problem_.first_row(tile);
      real* term = terms(block, tile);
      products_.multiply(block, tile, term);
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
      const std::size_t query = static_cast<std::size_t>(block.begin + i);
      const double value = total.least + problem_.target.scale() * problem_.squared_norms[query] -
                           lambda_ * std::log(total.sum / points);
      result_.value.data()[query] = total.least == infinity ? not_a_number : static_cast<real>(value);
    }
  }

  /// What a tile's terms are to be multiplied by to be relative to the least u of all.
  double share(QueryBlock block, std::int64_t tile, std::int64_t i) {
    return std::exp((static_cast<double>(totals_[static_cast<std::size_t>(i)].least) - part(block, tile, i).least) /
                    lambda_);
  }

  /// Pass two: the means over i of the responsibilities p_ij, and sum_j p_ij y'_j.
  void distribute(QueryBlock block) {
    constexpr std::int64_t most_pieces = 32;  // of which each holds sums of its own
    const std::int64_t dimension = problem_.target.dimension();
    const std::int64_t grain = (problem_.tiles() + most_pieces - 1) / most_pieces;
    const std::int64_t pieces = (problem_.tiles() + grain - 1) / grain;
    Tensor centres = result_.gradient.defined() ? Tensor({pieces, block.size(), dimension}) : Tensor();
    parallel_for(problem_.tiles(), grain, [&](std::int64_t begin, std::int64_t end) {
      real* const sums = centres.defined() ? centres.data() + begin / grain * block.size() * dimension : nullptr;
      if (sums) std::fill_n(sums, block.size() * dimension, real{0});
      for (std::int64_t tile = begin; tile < end; ++tile) {
        std::vector<double> weights(static_cast<std::size_t>(block.size()));
        for (std::int64_t i = 0; i < block.size(); ++i)
          weights[static_cast<std::size_t>(i)] = share(block, tile, i) / totals_[static_cast<std::size_t>(i)].sum;
        if (result_.mass.defined()) add_mass(block, tile, weights);
        if (!sums) continue;
        if (!problem_.target.bytes().empty())
          add_bytes(block, tile, weights, sums);
        else if (!add_few_points(block, tile, weights, sums))
          add_all_points(block, tile, weights, sums);
      }
    });
    if (centres.defined()) write_gradient(block, centres);
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

  /// What p_ij are left out of sum_j p_ij y'_j below: they have less than 2^(4 - m) of the mass, for the m digits of
  /// real.
  double least_share() const {
    return std::ldexp(1.0, 4 - std::numeric_limits<real>::digits) / static_cast<double>(problem_.target.size());
  }

  /// Adds sum_j p_ij y'_j of a tile to sums [block, d], where points are 8-bit.
  void add_bytes(QueryBlock block, std::int64_t tile, const std::vector<double>& weights, real* sums) {
    const std::int64_t rows = problem_.rows(tile), d = problem_.target.dimension();
    const double least = least_share();
    std::vector<double> mass(weights.size());
    BlockShares shares(problem_.target);
    for (std::int64_t row = 0; row < rows; row += block_size) {
      const auto count = static_cast<std::size_t>(std::min(block_size, rows - row));
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto query = static_cast<std::int64_t>(i);
        mass[i] += shares.add(weights[i], least, {terms(block, tile) + query * rows + row, count}, sums + query * d);
      }
      shares.end_block(problem_.order.subspan(static_cast<std::size_t>(problem_.first_row(tile) + row), count));
    }
    for (std::size_t i = 0; i < mass.size(); ++i, sums += d)
      kernels().axpy(d, static_cast<real>(-mass[i]), problem_.target.mean().data(), sums);
  }

  /// The same by a product, where they are not.
  void add_all_points(QueryBlock block, std::int64_t tile, const std::vector<double>& weights, real* sums) {
    const std::int64_t rows = problem_.rows(tile), d = problem_.target.dimension();
    real* term = terms(block, tile);
    for (const double weight : weights) {
      kernels().scale(rows, static_cast<real>(weight), term, term);
      term += rows;
    }
    Tensor points({rows, d});
    problem_.centred_points(tile, points.data());
    engine::gemm_single(Transpose::no, Transpose::no, block.size(), d, rows, 1, terms(block, tile), rows, points.data(),
                        d, 1, sums, d);
  }

  /// The same point by point, where few matter; false where a product is faster or p is NaN.
  bool add_few_points(QueryBlock block, std::int64_t tile, const std::vector<double>& weights, real* sums) {
    constexpr double most = 0.25;  // of the terms: a point costs four times its share of a product
    static constexpr real zeros[TiledProblem::tile_rows] = {};
    const std::int64_t rows = problem_.rows(tile), first = problem_.first_row(tile), d = problem_.target.dimension();
    const double least = least_share();
    std::vector<std::int32_t> found(static_cast<std::size_t>(block.size() * rows));
    std::vector<std::int64_t> ends;  // of each query's part of `found`
    std::int64_t count = 0;
    const real* term = terms(block, tile);
    for (std::size_t i = 0; i < weights.size(); ++i, term += rows) {
      if (std::isnan(weights[i])) return false;
      if (weights[i] > 0)
        count +=
            kernels().find_affine(rows, zeros, -1, term, static_cast<real>(-least / weights[i]), found.data() + count);
      ends.push_back(count);
    }
    if (static_cast<double>(count) > most * static_cast<double>(block.size() * rows)) return false;
    term = terms(block, tile);
    std::int64_t f = 0;
    for (std::size_t i = 0; i < weights.size(); ++i, term += rows, sums += d) {
      double mass = 0;
      for (; f < ends[i]; ++f) {
        const std::int32_t row = found[static_cast<std::size_t>(f)];
        const double p = weights[i] * term[row];
        mass += p;
        problem_.target.add_point(problem_.order[static_cast<std::size_t>(first + row)], static_cast<real>(p), sums);
      }
      if (mass > 0) kernels().axpy(d, static_cast<real>(-mass), problem_.target.mean().data(), sums);
    }
    return true;
  }

  /// 2 scale (x' - sum_j p_ij y'_j), from the sums of each piece.
  void write_gradient(QueryBlock block, const Tensor& centres) {
    const std::int64_t dimension = problem_.target.dimension(), pieces = centres.dim(0);
    parallel_for(block.size(), 8, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        real* gradient = result_.gradient.data() + (block.begin + i) * dimension;
        std::copy_n(problem_.queries.data() + (block.begin + i) * dimension, dimension, gradient);
        for (std::int64_t piece = 0; piece < pieces; ++piece)
          kernels().axpy(dimension, -1, centres.data() + (piece * block.size() + i) * dimension, gradient);
        kernels().scale(dimension, -problem_.slope, gradient, gradient);
      }
    });
  }

  const TiledProblem& problem_;
  const TileProducts& products_;
  double lambda_;
  CTransform& result_;
  Tensor terms_;                    // products until a tile's u are known
  std::vector<ShiftedSum> parts_;   // of each tile, [tiles, block]
  std::vector<ShiftedSum> totals_;  // [block]
};

}  // namespace

std::int64_t soft_block_size(std::int64_t batch, std::int64_t points) {
  constexpr std::int64_t most_held = std::int64_t{1} << 24, least_queries = 16, most_queries = 256;
  const std::int64_t most = std::clamp(most_held / points, least_queries, most_queries);
  const std::int64_t blocks = (batch + most - 1) / most;
  return (batch + blocks - 1) / blocks;
}

CTransform soft_c_transform(const TiledProblem& problem, const TileProducts& products, double lambda, Wanted wanted) {
  CTransform result;
  result.value = Tensor({problem.batch()});
  if (wanted.gradient) result.gradient = Tensor(problem.queries.shape());
  if (wanted.mass) result.mass = Tensor::zeros({problem.target.size()});  // of the places, until all is there
  SoftTransform soft(problem, products, lambda, result);
  const std::int64_t size = soft_block_size(problem.batch(), problem.target.size());
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
