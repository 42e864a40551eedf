#include "ot/soft_products.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "engine/parallel.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::kernels;

namespace {

constexpr double fine_error = 0x1p-17;      // of a sum of terms, relative
constexpr std::int64_t sample_stride = 16;  // one point in so many is in the sample

}  // namespace

/// The terms of a query in a sample, by their distance from the least u in lambdas; what is farther than any bin does
/// not matter.
class SoftProducts::Histogram {
 public:
  static constexpr double farthest = 30;

  /// Ends the block that the terms since the last call are of.
  void end_block() {
    sum_ += block_;
    largest_block_ = std::max(largest_block_, block_);
    block_ = 0;
  }
  void add(double distance) {
    const auto bin = std::min(bins - 1, static_cast<std::size_t>(std::max(distance, 0.0) / width));
    ++counts_[bin];
    block_ += far_edge(bin);
  }

  /// Where a head ends, such that all terms beyond are at most this share of the sum of all, and how many terms of the
  /// sample are in it. The sum of all is told by the sample without its best block, which may hold all that is
  /// large; and one term more than the sample has may lie right beyond the end, of the few that lie near a query.
  std::pair<double, std::int64_t> head(double share) const {
    const double all = sum_ + (sample_stride - 1) * (sum_ - largest_block_), allowed = share * all / sample_stride;
    std::size_t end = bins;
    for (double beyond = 0; end > 0; --end) {
      beyond += static_cast<double>(counts_[end - 1]) * std::exp(-width * static_cast<double>(end - 1));
      if (beyond + far_edge(end - 1) > allowed) break;
    }
    return {width * static_cast<double>(end),
            std::accumulate(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(end), std::int64_t{0})};
  }

 private:
  static constexpr double width = 0.25;
  static constexpr std::size_t bins = 120;
  static_assert(bins * width == farthest);

  static double far_edge(std::size_t bin) {
    static const auto table = [] {
      std::array<double, bins> e;
      for (std::size_t b = 0; b < bins; ++b) e[b] = std::exp(-width * static_cast<double>(b + 1));
      return e;
    }();
    return table[bin];
  }

  std::array<std::int64_t, bins> counts_ = {};
  double sum_ = 0, block_ = 0, largest_block_ = 0;
};

SoftProducts::SoftProducts(const TiledProblem& problem, double lambda) : problem_(problem), lambda_(lambda) {
  if (ByteProducts::available(problem.target)) bytes_.emplace(problem.target, problem.queries);
}

double SoftProducts::term_error(std::int64_t i, int digits) const {
  return -problem_.slope * bytes_->typical_error(i, digits) / lambda_;
}

/// Whether products in so many digits need no correction.
bool SoftProducts::fine(int digits) const {
  if (digits == bytes_->most_digits()) return true;
  for (std::int64_t i = 0; i < problem_.batch(); ++i)
    if (!(term_error(i, digits) <= 4 * fine_error)) return false;
  return true;
}

/// The terms of each query in the sample, and its least u there.
std::vector<SoftProducts::Histogram> SoftProducts::sample_terms(std::vector<real>& least) const {
  const std::int64_t sampled = (problem_.target.size() + sample_stride - 1) / sample_stride;
  const std::int64_t blocks = (sampled + block_size - 1) / block_size;
  std::vector<std::int32_t> rows(least.size());
  std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(block_.begin));
  // Every block has points from everywhere.
  Tensor products({blocks, block_.size(), block_size}), offsets({blocks, block_size});
  std::fill_n(offsets.data(), offsets.size(), std::numeric_limits<real>::infinity());
  parallel_for(blocks, 1, [&](std::int64_t b, std::int64_t) {
    std::vector<std::int64_t> points;
    for (std::int64_t s = b; s < sampled; s += blocks) {
      offsets.data()[b * block_size + std::ssize(points)] = problem_.offsets.data()[s * sample_stride];
      points.push_back(problem_.order[static_cast<std::size_t>(s * sample_stride)]);
    }
    ByteBlock block(problem_.target);
    block.lay_out(points);
    const ByteBlock* const laid_out = &block;
    bytes_->multiply(1, rows, {&laid_out, 1}, products.data() + b * block_.size() * block_size);
  });
  std::vector<Histogram> histograms(least.size());
  parallel_for(block_.size(), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const auto product = [&](std::int64_t b) { return products.data() + (b * block_.size() + i) * block_size; };
      const auto offset = [&](std::int64_t b) { return offsets.data() + b * block_size; };
      for (std::int64_t b = 0; b < blocks; ++b)
        least[index] =
            std::min(least[index], kernels().min_affine(block_size, offset(b), problem_.slope, product(b)).value);
      const real farthest = least[index] + static_cast<real>(Histogram::farthest * lambda_);
      std::int32_t found[block_size];
      for (std::int64_t b = 0; b < blocks; ++b, histograms[index].end_block()) {
        const std::int64_t count =
            kernels().find_affine(block_size, offset(b), problem_.slope, product(b), farthest, found);
        for (std::int64_t f = 0; f < count; ++f)
          histograms[index].add((offset(b)[found[f]] + problem_.slope * product(b)[found[f]] - least[index]) / lambda_);
      }
    }
  });
  return histograms;
}

/// Takes the number of digits that is the fastest for the block, heads included, and finds where these end.
void SoftProducts::choose_digits() {
  digits_ = 1;
  end_of_heads_.clear();
  if (fine(1)) return;
  std::vector<real> least(static_cast<std::size_t>(block_.size()), std::numeric_limits<real>::infinity());
  const std::vector<Histogram> histograms = sample_terms(least);
  const auto sampled = static_cast<double>(problem_.target.size()) / sample_stride;
  double least_cost = std::numeric_limits<double>::infinity();
  for (int digits = 1; digits <= bytes_->most_digits(); ++digits) {
    std::vector<real> ends(fine(digits) ? 0 : least.size());
    const double rest = kernels().digits.apart * (bytes_->most_digits() - digits);  // the time of a term's
    double cost = digits;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const std::int64_t query = block_.begin + static_cast<std::int64_t>(i);
      const auto [distance, size] = histograms[i].head(fine_error / term_error(query, digits));
      // What lies beyond by a sampled u may truly lie nearer, hardly ever by more than four times its error.
      ends[i] = least[i] + static_cast<real>(lambda_ * (distance + 4 * term_error(query, 1)));
      cost += rest * static_cast<double>(size) / (sampled * static_cast<double>(ends.size()));
    }
    if (cost >= least_cost) continue;
    least_cost = cost;
    digits_ = digits;
    end_of_heads_ = ends;
  }
}

void SoftProducts::start(QueryBlock block, real* all_products) {
  block_ = block;
  products_ = all_products;
  if (bytes_) choose_digits();
}

void SoftProducts::multiply(std::int64_t tile) const {
  real* product = products_ + problem_.first_row(tile) * block_.size();
  if (!bytes_) return problem_.multiply(block_, tile, product);
  const std::int64_t rows = problem_.rows(tile), first = problem_.first_row(tile);
  bytes_->multiply(digits_, block_.begin, block_.end, *problem_.blocks, first, rows, product, rows);
  if (end_of_heads_.empty()) return;
  const auto points = problem_.order.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows));
  std::int32_t found[TiledProblem::tile_rows];
  for (std::int64_t i = 0; i < block_.size(); ++i, product += rows) {
    const std::int64_t count = kernels().find_affine(rows, problem_.offsets.data() + first, problem_.slope, product,
                                                     end_of_heads_[static_cast<std::size_t>(i)], found);
    bytes_->add_rest(digits_, block_.begin + i, points, {found, static_cast<std::size_t>(count)}, product);
  }
}

}  // namespace ot
