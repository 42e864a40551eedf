#include "ot/soft_products.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/parallel.h"

namespace ot {

using engine::parallel_for;
using engine::simd::kernels;
using engine::simd::Minimum;

namespace {
constexpr double fine_error = 0x1p-16;      // of a term, relative
constexpr std::int64_t sample_stride = 16;  // one tile in so many is a sample
constexpr double most_heads = 1.0 / 24;     // of the terms: where correcting costs as much as a digit
constexpr double farthest = 0.2;            // that a small head reaches, of the spread of u
constexpr std::int64_t tile_rows = TiledProblem::tile_rows;
}  // namespace

SoftProducts::SoftProducts(const TiledProblem& problem, double lambda) : problem_(problem) {
  if (!ByteProducts::available(problem.target)) return;
  double spread = 0;  // of u
  for (const real squared_norm : problem.target.centred_squared_norms()) spread += squared_norm;
  spread *= problem.target.scale() / static_cast<double>(problem.target.size());
  for (const int digits : {1, 2}) {
    const double error = -problem.slope * ByteProducts::typical_error(problem.target, problem.queries, digits) / lambda;
    // If those below a share s of the largest have a third of the mass, their errors add up to error sqrt(s / 3) of it.
    const double share = std::min(std::exp(-1.0), 3 * std::pow(fine_error / (2 * error), 2));
    const double reach = error <= fine_error ? 0 : -lambda * std::log(share);
    if (reach > farthest * spread) continue;
    attempts_.push_back({ByteProducts(problem.target, problem.queries, digits), static_cast<real>(reach)});
    if (reach == 0) return;
  }
}

void SoftProducts::multiply(const Attempt& attempt, std::int64_t tile) const {
  const std::int64_t rows = problem_.rows(tile);
  attempt.products.multiply(block_.begin, block_.end, problem_.first_row(tile), rows, products(tile), rows);
}

/// Calls visit(i, row, product) for the products of a tile within the heads: query i of the block, row of the tile.
template <class Visit>
void SoftProducts::for_each_head(std::int64_t tile, const Visit& visit) const {
  const std::int64_t rows = problem_.rows(tile);
  const real* offset = problem_.offsets.data() + problem_.first_row(tile);
  std::int32_t found[tile_rows];
  real* product = products(tile);
  for (std::int64_t i = 0; i < block_.size(); ++i, product += rows) {
    const std::int64_t count =
        kernels().find_affine(rows, offset, problem_.slope, product, end_of_heads_[static_cast<std::size_t>(i)], found);
    for (std::int64_t f = 0; f < count; ++f) visit(i, found[f], product[found[f]]);
  }
}

/// Finds the ends of the heads, and by a sample of the tiles whether they are small.
bool SoftProducts::heads_are_small(const Attempt& attempt) {
  const std::int64_t samples = (problem_.tiles() + sample_stride - 1) / sample_stride;
  std::vector<Minimum> minima(static_cast<std::size_t>(samples * block_.size()));
  parallel_for(samples, 1, [&](std::int64_t sample, std::int64_t) {
    const std::int64_t tile = sample * sample_stride;
    multiply(attempt, tile);
    problem_.tile_minima(block_, tile, products(tile), minima.data() + sample * block_.size());
  });
  end_of_heads_.assign(static_cast<std::size_t>(block_.size()), std::numeric_limits<real>::infinity());
  for (std::size_t m = 0; m < minima.size(); ++m) {
    real& end = end_of_heads_[m % end_of_heads_.size()];
    end = std::min(end, minima[m].value + attempt.reach);
  }
  std::vector<std::int64_t> heads(static_cast<std::size_t>(samples));
  parallel_for(samples, 1, [&](std::int64_t sample, std::int64_t) {
    for_each_head(sample * sample_stride,
                  [&](std::int64_t, std::int64_t, real&) { ++heads[static_cast<std::size_t>(sample)]; });
  });
  const auto found = static_cast<double>(std::accumulate(heads.begin(), heads.end(), std::int64_t{0}));
  return found <= most_heads * static_cast<double>(samples * tile_rows * block_.size());
}

void SoftProducts::start(QueryBlock block, real* all_products) {
  block_ = block;
  products_ = all_products;
  while (chosen_ < attempts_.size() && attempts_[chosen_].reach > 0 && !heads_are_small(attempts_[chosen_])) ++chosen_;
  if (chosen_ == attempts_.size() && !fine_) fine_.emplace(problem_);
}

void SoftProducts::multiply(std::int64_t tile) const {
  if (fine_) return fine_->multiply(block_, tile, products(tile));
  const Attempt& attempt = attempts_[chosen_];
  const bool sampled = attempt.reach > 0 && tile % sample_stride == 0;
  if (!sampled) multiply(attempt, tile);
  if (attempt.reach > 0)
    for_each_head(tile, [&](std::int64_t i, std::int64_t row, real& product) {
      product += attempt.products.missed(block_.begin + i, problem_.first_row(tile) + row);
    });
}

}  // namespace ot
