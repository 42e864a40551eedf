#include "ot/dense/soft_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
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

/// The transform of a block of queries.
class BlockTransform {
 public:
  /// Pass one: of each tile its least u and the terms e^{(least - u) / lambda}; from them the values.
  BlockTransform(const TiledProblem& problem, const TileValues& values, double lambda, QueryBlock block)
      : problem_(problem),
        values_(values),
        lambda_(lambda),
        block_(block),
        terms_({block.size(), problem.target.size()}),
        parts_(static_cast<std::size_t>(problem.tiles() * block.size())),
        totals_(static_cast<std::size_t>(block.size())) {
    sum_up();
  }

  /// +inf where all u are.
  double value(std::int64_t i) const {
    const ShiftedSum& total = totals_[static_cast<std::size_t>(i)];
    const double points = static_cast<double>(problem_.target.size());
    return total.least + problem_.own_part(block_.begin + i) - lambda_ * std::log(total.sum / points);
  }

  /// Pass two: the means over i of the responsibilities p_ij, and sum_j p_ij grad_x v_ij, with sum_j p_ij = shares[i].
  /// Writes the block's rows of the gradient and adds its part of the mass, those that are defined.
  void distribute(std::span<const double> shares, CTransform& result) {
    if (!result.mass.defined() && !result.gradient.defined()) return;
    constexpr std::int64_t most_pieces = 32;  // of which each holds sums of its own
    const std::int64_t of_piece = block_.size() * problem_.target.dimension();
    const std::int64_t grain = (problem_.tiles() + most_pieces - 1) / most_pieces;
    const std::int64_t pieces = (problem_.tiles() + grain - 1) / grain;
    Tensor pieces_sums = result.gradient.defined() ? Tensor({pieces, of_piece}) : Tensor();
    parallel_for(problem_.tiles(), grain, [&](std::int64_t begin, std::int64_t end) {
      real* const sums = pieces_sums.defined() ? pieces_sums.data() + begin / grain * of_piece : nullptr;
      if (sums) std::fill_n(sums, of_piece, real{0});
      std::vector<double> weights(shares.size());
      for (std::int64_t tile = begin; tile < end; ++tile) {
        for (std::size_t i = 0; i < weights.size(); ++i)
          weights[i] = shares[i] == 0 ? 0 : shares[i] * share(tile, static_cast<std::int64_t>(i)) / totals_[i].sum;
        if (result.mass.defined()) add_mass(tile, weights, result.mass);
        if (sums) values_.add_gradients(block_, tile, weights, terms(tile), sums);
      }
    });
    if (pieces_sums.defined()) write_gradient(shares, pieces_sums, result.gradient);
  }

 private:
  /// A tile's terms stand together, [block, rows], one tile after the other.
  real* terms(std::int64_t tile) { return terms_.data() + problem_.first_row(tile) * block_.size(); }
  ShiftedSum& part(std::int64_t tile, std::int64_t i) {
    return parts_[static_cast<std::size_t>(tile * block_.size() + i)];
  }

  void sum_up() {
    const auto rate = static_cast<real>(1 / lambda_);
    parallel_for(problem_.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t rows = problem_.rows(tile);
      const real* offset = problem_.offsets_of(tile);
      real* term = terms(tile);
      values_.fill(block_, tile, term);
      for (std::int64_t i = 0; i < block_.size(); ++i, term += rows) {
        const real least = kernels().min_affine(rows, offset, problem_.slope, term).value;
        // Where all are +inf or NaN any shift will do, and NaN must stay.
        const real shift = least == infinity ? 0 : least;
        part(tile, i) = {least, kernels().exp_affine(rows, offset, problem_.slope, term, shift, rate, term)};
      }
    });
    for (std::int64_t i = 0; i < block_.size(); ++i) {
      ShiftedSum& total = totals_[static_cast<std::size_t>(i)];
      for (std::int64_t tile = 0; tile < problem_.tiles(); ++tile)
        total.least = std::min(total.least, part(tile, i).least);
      for (std::int64_t tile = 0; tile < problem_.tiles(); ++tile) total.sum += share(tile, i) * part(tile, i).sum;
    }
  }

  /// What a tile's terms are to be multiplied by to be relative to the least u of all.
  double share(std::int64_t tile, std::int64_t i) {
    const double least = totals_[static_cast<std::size_t>(i)].least;
    if (least == infinity) return 1;  // of tiles whose sums are 0, or NaN
    return std::exp((least - part(tile, i).least) / lambda_);
  }

  void add_mass(std::int64_t tile, const std::vector<double>& weights, Tensor& mass) {
    const std::int64_t rows = problem_.rows(tile);
    const double all = std::ldexp(1.0, -std::numeric_limits<real>::digits);
    const double least = all / static_cast<double>(problem_.target.size());
    const real* term = terms(tile);
    for (std::size_t i = 0; i < weights.size(); ++i, term += rows)
      if (!(weights[i] < least))  // NaN stays
        kernels().axpy(rows, static_cast<real>(weights[i] / static_cast<double>(problem_.batch())), term,
                       mass.data() + problem_.first_row(tile));
  }

  void write_gradient(std::span<const double> shares, const Tensor& pieces_sums, Tensor& gradients) const {
    const std::int64_t dimension = problem_.target.dimension();
    parallel_for(block_.size(), 8, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        real* gradient = gradients.data() + (block_.begin + i) * dimension;
        problem_.own_gradient(block_.begin + i, gradient);
        kernels().scale(dimension, static_cast<real>(shares[static_cast<std::size_t>(i)]), gradient, gradient);
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
  QueryBlock block_;
  Tensor terms_;                    // values until a tile's u are known
  std::vector<ShiftedSum> parts_;   // of each tile, [tiles, block]
  std::vector<ShiftedSum> totals_;  // [block]
};

/// What is wanted, to be filled in; the mass is that of the places.
CTransform empty_result(const TiledProblem& problem, Wanted wanted) {
  CTransform result;
  if (wanted.gradient) result.gradient = Tensor(problem.queries.shape());
  if (wanted.mass) result.mass = Tensor::zeros({problem.target.size()});
  return result;
}

/// The mass of the points from that of the places where they stand.
Tensor mass_of_points(const TiledProblem& problem, const Tensor& of_places) {
  Tensor mass(of_places.shape());
  for (std::size_t place = 0; place < problem.order.size(); ++place)
    mass.data()[problem.order[place]] = of_places.data()[place];
  return mass;
}

class DenseSoftTransform : public SoftTransform {
 public:
  DenseSoftTransform(std::shared_ptr<const TiledProblem> problem, std::shared_ptr<const TileValues> values,
                     double lambda)
      : problem_(std::move(problem)),
        tile_values_(std::move(values)),
        block_(*problem_, *tile_values_, lambda, {0, problem_->batch()}) {}

  std::vector<double> values() const override {
    std::vector<double> values;
    for (std::int64_t i = 0; i < problem_->batch(); ++i) values.push_back(block_.value(i));
    return values;
  }

  CTransform distribute(std::span<const double> shares, Wanted wanted) override {
    CTransform result = empty_result(*problem_, wanted);
    block_.distribute(shares, result);
    if (wanted.mass) result.mass = mass_of_points(*problem_, result.mass);
    return result;
  }

 private:
  std::shared_ptr<const TiledProblem> problem_;
  std::shared_ptr<const TileValues> tile_values_;
  BlockTransform block_;
};

}  // namespace

std::int64_t block_of_queries(std::int64_t batch, std::int64_t points) {
  constexpr std::int64_t most_held = std::int64_t{1} << 24, least_queries = 16, most_queries = 256;
  const std::int64_t most = std::clamp(most_held / points, least_queries, most_queries);
  const std::int64_t blocks = (batch + most - 1) / most;
  return (batch + blocks - 1) / blocks;
}

CTransform soft_c_transform(const TiledProblem& problem, const TileValues& values, double lambda, Wanted wanted) {
  CTransform result = empty_result(problem, wanted);
  result.value = Tensor({problem.batch()});
  const std::int64_t size = block_of_queries(problem.batch(), problem.target.size());
  const std::vector<double> whole(static_cast<std::size_t>(size), 1);
  for (std::int64_t begin = 0; begin < problem.batch(); begin += size) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + size)};
    BlockTransform transform(problem, values, lambda, block);
    for (std::int64_t i = 0; i < block.size(); ++i)
      result.value.data()[begin + i] = static_cast<real>(transform.value(i));
    transform.distribute(std::span(whole).first(static_cast<std::size_t>(block.size())), result);
  }
  if (wanted.mass) result.mass = mass_of_points(problem, result.mass);
  return result;
}

std::unique_ptr<SoftTransform> soft_transform(std::shared_ptr<const TiledProblem> problem,
                                              std::shared_ptr<const TileValues> values, double lambda) {
  return std::make_unique<DenseSoftTransform>(std::move(problem), std::move(values), lambda);
}

}  // namespace ot
