#include "ot/brute_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/byte_products.h"
#include "ot/winners.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::Transpose;
using engine::simd::kernels;
using engine::simd::Minimum;

// With x' = x - mean and y' = y - mean, both lambdas need the minimum or the softmin over y of
//   u(x, y) = offset(y) - 2 scale x'.y',  offset(y) = scale ||y'||^2 - psi(y) - lambda log(J nu(y)),
// to which scale ||x'||^2 is then added. Products x'.y' are made for a block of queries and a tile of points at a time,
// each by one single-threaded BLAS call, or in digits where the CPU multiplies bytes; tiles are spread over the
// threads.

namespace {
constexpr std::int64_t tile_rows = 512;
constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();

struct Problem {
  const Target& target;
  Tensor queries;                          // x', [B, d]
  std::vector<double> squared_norms;       // ||x'||^2, [B]
  Tensor offsets;                          // [J]; +inf outside the support, NaN where psi is
  real slope;                              // -2 scale
  std::optional<ByteProducts> bytes = {};  // of the queries, where available

  std::int64_t batch() const { return queries.dim(0); }
  std::int64_t tiles() const { return (target.size() + tile_rows - 1) / tile_rows; }
  std::int64_t first_row(std::int64_t tile) const { return tile * tile_rows; }
  std::int64_t rows(std::int64_t tile) const { return std::min(tile_rows, target.size() - first_row(tile)); }
};

/// Queries begin..end-1, which are worked on together.
struct Block {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

Problem prepare(const Target& target, const Tensor& x, const Tensor& psi, double lambda) {
  const std::int64_t batch = x.dim(0), dimension = x.dim(1);
  Problem problem{target, target.centred(x), std::vector<double>(static_cast<std::size_t>(batch)),
                  Tensor({target.size()}), static_cast<real>(-2 * target.scale())};
  for (std::int64_t i = 0; i < batch; ++i) {
    const real* row = problem.queries.data() + i * dimension;
    for (std::int64_t c = 0; c < dimension; ++c)
      problem.squared_norms[static_cast<std::size_t>(i)] += static_cast<double>(row[c]) * row[c];
  }
  for (std::int64_t j = 0; j < target.size(); ++j) {
    const auto index = static_cast<std::size_t>(j);
    const double offset = target.scale() * target.centred_squared_norms()[index] - psi.data()[j];
    problem.offsets.data()[j] =
        target.weights()[index] == 0 ? infinity : static_cast<real>(offset - lambda * target.log_weights()[index]);
  }
  if (ByteProducts::available(target)) problem.bytes.emplace(target, problem.queries, 3);
  return problem;
}

/// x'.y' for the block and the tile, [block, rows].
void multiply(const Problem& problem, Block block, std::int64_t tile, real* products) {
  const std::int64_t first = problem.first_row(tile), rows = problem.rows(tile), dimension = problem.target.dimension();
  if (problem.bytes) return problem.bytes->multiply(block.begin, block.end, first, rows, products, rows);
  Tensor points({rows, dimension});
  problem.target.centred_rows(first, first + rows, points.data());
  engine::gemm_single(Transpose::no, Transpose::yes, block.size(), rows, dimension, 1,
                      problem.queries.data() + block.begin * dimension, dimension, points.data(), dimension, 0,
                      products, rows);
}

/// The least of u over a tile for each query, with the index in the target.
void tile_minima(const Problem& problem, Block block, std::int64_t tile, const real* products, Minimum* minima) {
  const std::int64_t first = problem.first_row(tile), rows = problem.rows(tile);
  for (std::int64_t i = 0; i < block.size(); ++i) {
    minima[i] = kernels().min_affine(rows, problem.offsets.data() + first, problem.slope, products + i * rows);
    if (minima[i].index >= 0) minima[i].index += first;
  }
}

// lambda = 0

/// The winner of query i given its minimum over each tile. Those within rounding of the least are compared by their
/// exact values, in which equal points are equal wherever they stand.
std::int64_t settle(const Problem& problem, const Tensor& x, const Tensor& psi, std::int64_t i, const Minimum* minima,
                    std::int64_t stride) {
  Minimum least{infinity, -1};
  for (std::int64_t tile = 0; tile < problem.tiles(); ++tile)
    if (minima[tile * stride].value < least.value) least = minima[tile * stride];
  if (least.index < 0) return -1;

  const Target& target = problem.target;
  const double size = target.scale() * (problem.squared_norms[static_cast<std::size_t>(i)] +
                                        target.centred_squared_norms()[static_cast<std::size_t>(least.index)]) +
                      std::abs(psi.data()[least.index]);
  const double rounding = 16 * std::numeric_limits<real>::epsilon() * size;
  double lowest = std::numeric_limits<double>::infinity();
  std::int64_t winner = -1;
  for (std::int64_t tile = 0; tile < problem.tiles(); ++tile) {
    const Minimum candidate = minima[tile * stride];
    if (candidate.index < 0 || candidate.value - least.value > rounding) continue;
    const double exact = target.scale() * target.squared_distance(x.data() + i * target.dimension(), candidate.index) -
                         psi.data()[candidate.index];
    if (exact < lowest) lowest = exact, winner = candidate.index;
  }
  return winner;
}

std::vector<std::int64_t> find_winners(const Problem& problem, const Tensor& x, const Tensor& psi) {
  constexpr std::int64_t most_queries = 256;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(problem.batch()), -1);
  const real* offset = problem.offsets.data();
  if (std::any_of(offset, offset + problem.offsets.size(), [](real o) { return std::isnan(o); })) return winners;

  std::vector<Minimum> minima(static_cast<std::size_t>(problem.tiles() * std::min(most_queries, problem.batch())));
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const Block block{begin, std::min(problem.batch(), begin + most_queries)};
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      Tensor products({block.size(), problem.rows(tile)});
      multiply(problem, block, tile, products.data());
      tile_minima(problem, block, tile, products.data(), minima.data() + tile * block.size());
    });
    parallel_for(block.size(), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        winners[static_cast<std::size_t>(begin + i)] =
            settle(problem, x, psi, begin + i, minima.data() + i, block.size());
    });
  }
  return winners;
}

// lambda > 0

/// sum_j e^{-u_j / lambda} as e^{-least / lambda} sum.
struct ShiftedSum {
  real least = infinity;
  double sum = 0;
};

/// The terms of one block with all points are held between the two passes, so that they are computed once; blocks are
/// so small that this takes at most this many reals, or least_queries for each point.
constexpr std::int64_t most_held = std::int64_t{1} << 23, least_queries = 16, most_queries = 256;

std::int64_t block_size(std::int64_t batch, std::int64_t points) {
  const std::int64_t most = std::clamp(most_held / points, least_queries, most_queries);
  const std::int64_t blocks = (batch + most - 1) / most;
  return (batch + blocks - 1) / blocks;
}

class SoftTransform {
 public:
  SoftTransform(const Problem& problem, double lambda, CTransform& result)
      : problem_(problem), lambda_(lambda), result_(result) {
    if (problem.bytes) take_two_digits();
  }

  /// Writes the block's rows of the result and adds its part of the mass.
  void transform(Block block) {
    terms_ = Tensor({block.size(), problem_.target.size()});
    if (two_digits_) estimate_heads(block);
    sum_up(block);
    if (result_.mass.defined() || result_.gradient.defined()) distribute(block);
  }

 private:
  /// A tile's terms stand together, [block, rows], one tile after the other.
  real* terms(Block block, std::int64_t tile) { return terms_.data() + problem_.first_row(tile) * block.size(); }
  ShiftedSum& part(Block block, std::int64_t tile, std::int64_t i) {
    return parts_[static_cast<std::size_t>(tile * block.size() + i)];
  }

  /// Two digits take two thirds of the time of three, and are fine enough where the error of a term is below `fine`.
  /// For smaller lambda the head of each row, the terms above a share of the largest, is corrected by what the digits
  /// leave out: of the others, errors weigh less the smaller they are.
  void take_two_digits() {
    constexpr double fine = 0x1p-17;
    two_digits_.emplace(problem_.target, problem_.queries, 2);
    const double error = -problem_.slope * two_digits_->typical_error() / lambda_;
    if (error <= fine) return;
    const double share = std::min(std::exp(-1.0), 3 * std::pow(fine / (2 * error), 2));
    reach_of_heads_ = static_cast<real>(-lambda_ * std::log(share));
  }

  bool sampled(std::int64_t tile) const { return heads_ == Heads::some && tile % sample_stride == 0; }

  /// Looks for heads in a sample of the tiles. Where they are many, three digits are cheaper.
  void estimate_heads(Block block) {
    heads_ = Heads::none;
    if (reach_of_heads_ == 0) return;
    heads_ = Heads::some;
    const std::int64_t samples = (problem_.tiles() + sample_stride - 1) / sample_stride;
    std::vector<Minimum> minima(static_cast<std::size_t>(samples * block.size()));
    parallel_for(samples, 1, [&](std::int64_t sample, std::int64_t) {
      const std::int64_t tile = sample * sample_stride, first = problem_.first_row(tile), rows = problem_.rows(tile);
      two_digits_->multiply(block.begin, block.end, first, rows, terms(block, tile), rows);
      tile_minima(problem_, block, tile, terms(block, tile), minima.data() + sample * block.size());
    });
    end_of_heads_.assign(static_cast<std::size_t>(block.size()), infinity);
    for (std::size_t m = 0; m < minima.size(); ++m) {
      real& end = end_of_heads_[m % end_of_heads_.size()];
      end = std::min(end, minima[m].value + reach_of_heads_);
    }
    std::vector<std::int64_t> heads(static_cast<std::size_t>(samples));
    parallel_for(samples, 1, [&](std::int64_t sample, std::int64_t) {
      for_each_head(block, sample * sample_stride,
                    [&](std::int64_t, std::int64_t, real&) { ++heads[static_cast<std::size_t>(sample)]; });
    });
    const auto found = std::accumulate(heads.begin(), heads.end(), std::int64_t{0});
    if (found * 32 > samples * tile_rows * block.size()) heads_ = Heads::many;
  }

  /// Calls visit(i, row, product) for the products of a tile within the heads: query i of the block, row of the tile.
  template <class Visit>
  void for_each_head(Block block, std::int64_t tile, const Visit& visit) {
    const std::int64_t rows = problem_.rows(tile);
    const real* offset = problem_.offsets.data() + problem_.first_row(tile);
    std::vector<std::int32_t> found(static_cast<std::size_t>(rows));
    real* product = terms(block, tile);
    for (std::int64_t i = 0; i < block.size(); ++i, product += rows) {
      const std::int64_t count = kernels().find_affine(rows, offset, problem_.slope, product,
                                                       end_of_heads_[static_cast<std::size_t>(i)], found.data());
      for (std::int64_t f = 0; f < count; ++f) {
        const std::int64_t row = found[static_cast<std::size_t>(f)];
        visit(i, row, product[row]);
      }
    }
  }

  /// x'.y' for the block and the tile, in place of its terms.
  void multiply_terms(Block block, std::int64_t tile) {
    if (!two_digits_ || heads_ == Heads::many) return multiply(problem_, block, tile, terms(block, tile));
    const std::int64_t first = problem_.first_row(tile), rows = problem_.rows(tile);
    if (!sampled(tile)) two_digits_->multiply(block.begin, block.end, first, rows, terms(block, tile), rows);
    if (heads_ == Heads::some)
      for_each_head(block, tile, [&](std::int64_t i, std::int64_t row, real& product) {
        product += two_digits_->missed(block.begin + i, first + row);
      });
  }

  /// Pass one: of each tile its least u and the terms e^{(least - u) / lambda}; from them the values.
  void sum_up(Block block) {
    parts_.assign(static_cast<std::size_t>(problem_.tiles() * block.size()), {});
    const auto rate = static_cast<real>(1 / lambda_);
    parallel_for(problem_.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t rows = problem_.rows(tile);
      const real* offset = problem_.offsets.data() + problem_.first_row(tile);
      real* term = terms(block, tile);
      multiply_terms(block, tile);
      for (std::int64_t i = 0; i < block.size(); ++i, term += rows) {
        const real least = kernels().min_affine(rows, offset, problem_.slope, term).value;
        // Where all are +inf or NaN any shift will do, and NaN must stay.
        const real shift = least == infinity ? 0 : least;
        kernels().exp_affine(rows, offset, problem_.slope, term, shift, rate, term);
        part(block, tile, i) = {least, kernels().sum(rows, term)};
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
  double share(Block block, std::int64_t tile, std::int64_t i) {
    return std::exp((static_cast<double>(totals_[static_cast<std::size_t>(i)].least) - part(block, tile, i).least) /
                    lambda_);
  }

  /// Pass two: the means over i of the responsibilities p_ij, and sum_j p_ij y'_j.
  void distribute(Block block) {
    constexpr std::int64_t most_pieces = 32;  // of which each holds sums of its own
    const std::int64_t dimension = problem_.target.dimension();
    const std::int64_t grain = (problem_.tiles() + most_pieces - 1) / most_pieces;
    const std::int64_t pieces = (problem_.tiles() + grain - 1) / grain;
    Tensor centres = result_.gradient.defined() ? Tensor({pieces, block.size(), dimension}) : Tensor();
    parallel_for(problem_.tiles(), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t tile = begin; tile < end; ++tile) {
        const std::int64_t rows = problem_.rows(tile), first = problem_.first_row(tile);
        real* term = terms(block, tile);
        for (std::int64_t i = 0; i < block.size(); ++i, term += rows) {
          const double weight = share(block, tile, i) / totals_[static_cast<std::size_t>(i)].sum;
          if (result_.mass.defined() && weight != 0)
            kernels().axpy(rows, static_cast<real>(weight / static_cast<double>(problem_.batch())), term,
                           result_.mass.data() + first);
          if (centres.defined()) kernels().scale(rows, static_cast<real>(weight), term, term);
        }
        if (!centres.defined()) continue;
        Tensor points({rows, dimension});
        problem_.target.centred_rows(first, first + rows, points.data());
        engine::gemm_single(Transpose::no, Transpose::no, block.size(), dimension, rows, 1, terms(block, tile), rows,
                            points.data(), dimension, tile == begin ? 0 : 1,
                            centres.data() + begin / grain * block.size() * dimension, dimension);
      }
    });
    if (centres.defined()) write_gradient(block, centres);
  }

  /// 2 scale (x' - sum_j p_ij y'_j), from the sums of each piece.
  void write_gradient(Block block, const Tensor& centres) {
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

  const Problem& problem_;
  double lambda_;
  CTransform& result_;
  enum class Heads { none, some, many };
  static constexpr std::int64_t sample_stride = 16;
  std::optional<ByteProducts> two_digits_;
  real reach_of_heads_ = 0;         // above the least u
  Heads heads_ = Heads::none;       // to correct in the block
  std::vector<real> end_of_heads_;  // of each query of the block
  Tensor terms_;
  std::vector<ShiftedSum> parts_;   // of each tile, [tiles, block]
  std::vector<ShiftedSum> totals_;  // [block]
};
}  // namespace

CTransform brute_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const Problem problem = prepare(target, x, psi, lambda);
  if (lambda == 0) return transform_at(target, x, psi, find_winners(problem, x, psi), wanted);

  CTransform result;
  result.value = Tensor({problem.batch()});
  if (wanted.gradient) result.gradient = Tensor(x.shape());
  if (wanted.mass) result.mass = Tensor::zeros({target.size()});
  SoftTransform soft(problem, lambda, result);
  const std::int64_t size = block_size(problem.batch(), target.size());
  for (std::int64_t begin = 0; begin < problem.batch(); begin += size)
    soft.transform({begin, std::min(problem.batch(), begin + size)});
  return result;
}

}  // namespace ot
