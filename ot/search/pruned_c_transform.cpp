#include "ot/search/pruned_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/dense/block_shares.h"
#include "ot/search/softmin_terms.h"

namespace ot {

using engine::Tensor;
using engine::simd::block_size;

namespace {

// Queries that are searched together: their terms are held at a time, at worst those of all blocks.
std::int64_t most_together(const Target& target) {
  constexpr std::int64_t most = 512, most_rows = 1 << 20;
  const std::int64_t blocks = (target.size() + block_size - 1) / block_size;
  return std::clamp<std::int64_t>(most_rows / blocks, 1, most);
}

// The sum of each query's terms, as e^{-least / lambda} sum.
class Softmins {
 public:
  Softmins(const SoftminTerms& terms, std::int64_t queries, double lambda)
      : lambda_(lambda), softmins_(static_cast<std::size_t>(queries)) {
    for_each_row(terms, [&](const SoftminTerms::Row& row) { least(row) = std::min(least(row), row.base); });
    for_each_row(terms, [&](const SoftminTerms::Row& row) {
      softmins_[static_cast<std::size_t>(row.query)].sum += share(row) * static_cast<double>(row.sum);
    });
  }

  double value(std::int64_t query, std::int64_t points) const {
    const Softmin& softmin = softmins_[static_cast<std::size_t>(query)];
    return softmin.least - lambda_ * std::log(softmin.sum / static_cast<double>(points));
  }
  /// From here on the responsibilities of a query add up to its share.
  void take(std::span<const double> shares) {
    for (std::size_t q = 0; q < softmins_.size(); ++q) softmins_[q].sum /= shares[q];
  }
  /// What a row's terms are to be multiplied by to be responsibilities.
  double weight(const SoftminTerms::Row& row) const {
    return share(row) / softmins_[static_cast<std::size_t>(row.query)].sum;
  }

 private:
  struct Softmin {
    double least = std::numeric_limits<double>::infinity(), sum = 0;
  };

  template <class Body>
  static void for_each_row(const SoftminTerms& terms, const Body& body) {
    for (const SoftminTerms::Piece& piece : terms.pieces) std::ranges::for_each(piece.rows, body);
  }
  double& least(const SoftminTerms::Row& row) { return softmins_[static_cast<std::size_t>(row.query)].least; }
  double share(const SoftminTerms::Row& row) const {
    const double below = softmins_[static_cast<std::size_t>(row.query)].least - row.base;
    return below == 0 ? 1 : std::exp(below / lambda_);
  }

  double lambda_;
  std::vector<Softmin> softmins_;
};

// 2 scale (share x - sum_j p_j y_j), but for the least p_j, which have less than 2^(4 - m) of the mass, for the m
// digits of real.
Tensor gradient_of(const PointIndex& index, const Tensor& x, const SoftminTerms& terms, const Softmins& softmins,
                   std::span<const double> shares) {
  constexpr std::int64_t most_parts = 16;  // of all pieces; each has sums of its own
  const Target& target = index.target();
  const std::span<const std::int64_t> order = index.order();
  const std::int64_t batch = x.dim(0), d = x.dim(1), pieces = std::ssize(terms.pieces);
  const double left_out = std::ldexp(1.0, 4 - std::numeric_limits<real>::digits) / static_cast<double>(target.size());
  const std::int64_t grain = (pieces + most_parts - 1) / most_parts, parts = (pieces + grain - 1) / grain;
  Tensor centres = Tensor::zeros({parts, batch * d});
  engine::parallel_for(pieces, grain, [&](std::int64_t begin, std::int64_t end) {
    real* const sums = centres.data() + begin / grain * batch * d;
    BlockShares of_block(target);
    for (std::int64_t p = begin; p < end; ++p) {
      const SoftminTerms::Piece& piece = terms.pieces[static_cast<std::size_t>(p)];
      const real* term = piece.terms();
      for (auto row = piece.rows.begin(); row != piece.rows.end();) {
        const std::int32_t block = row->block;
        for (; row != piece.rows.end() && row->block == block; ++row, term += block_size) {
          const double weight = softmins.weight(*row);
          if (weight * row->sum >= left_out)
            of_block.add(weight, left_out, {term, static_cast<std::size_t>(block_size)}, sums + row->query * d);
        }
        of_block.end_block(points_of_block(order, block));
      }
    }
  });
  Tensor gradient(x.shape());
  engine::parallel_for(batch, 8, [&](std::int64_t begin, std::int64_t end) {
    const auto& kernels = engine::simd::kernels();
    const std::int64_t size = (end - begin) * d;
    real* const rows = gradient.data() + begin * d;
    for (std::int64_t i = begin; i < end; ++i)
      kernels.scale(d, static_cast<real>(shares[static_cast<std::size_t>(i)]), x.data() + i * d,
                    gradient.data() + i * d);
    for (std::int64_t part = 0; part < parts; ++part)
      kernels.axpy(size, -1, centres.data() + part * batch * d + begin * d, rows);
    kernels.scale(size, static_cast<real>(2 * target.scale()), rows, rows);
  });
  return gradient;
}

// The means of the responsibilities over the queries, but for blocks in which a query has less than 2^-m / J.
Tensor mass_of(const PointIndex& index, std::int64_t batch, const SoftminTerms& terms, const Softmins& softmins) {
  const Target& target = index.target();
  const std::vector<std::int64_t>& order = index.order();
  Tensor mass({target.size()});
  const double left_out = std::ldexp(1.0, -std::numeric_limits<real>::digits) / static_cast<double>(target.size());
  constexpr std::int64_t places = SoftminTerms::blocks_in_piece * block_size;
  engine::parallel_for(target.size(), places, [&](std::int64_t begin, std::int64_t end) {
    const SoftminTerms::Piece& piece = terms.pieces[static_cast<std::size_t>(begin / places)];
    std::vector<real> sums(static_cast<std::size_t>(places));
    const real* term = piece.terms();
    for (const SoftminTerms::Row& row : piece.rows) {
      const real* const these = std::exchange(term, term + block_size);
      const double weight = softmins.weight(row);
      if (weight * row.sum < left_out) continue;
      engine::simd::kernels().axpy(block_size, static_cast<real>(weight / static_cast<double>(batch)), these,
                                   sums.data() + (row.block * block_size - begin));
    }
    for (std::int64_t place = begin; place < end; ++place)
      mass.data()[order[static_cast<std::size_t>(place)]] = sums[static_cast<std::size_t>(place - begin)];
  });
  return mass;
}

class SearchedSoftTransform : public SoftTransform {
 public:
  SearchedSoftTransform(const PointIndex& index, Tensor x, SoftminTerms terms, double lambda)
      : index_(index), x_(std::move(x)), terms_(std::move(terms)), softmins_(terms_, x_.dim(0), lambda) {}

  std::vector<double> values() const override {
    std::vector<double> values;
    for (std::int64_t i = 0; i < x_.dim(0); ++i) values.push_back(softmins_.value(i, index_.target().size()));
    return values;
  }

  CTransform distribute(std::span<const double> shares, Wanted wanted) override {
    softmins_.take(shares);
    CTransform result;
    if (wanted.gradient) result.gradient = gradient_of(index_, x_, terms_, softmins_, shares);
    if (wanted.mass) result.mass = mass_of(index_, x_.dim(0), terms_, softmins_);
    return result;
  }

 private:
  const PointIndex& index_;
  Tensor x_;
  SoftminTerms terms_;
  Softmins softmins_;
};

std::optional<CTransform> transform_together(NeighbourSearch& search, const PointIndex& index, const Tensor& x,
                                             const Tensor& psi, double lambda, Wanted wanted) {
  const auto transform = pruned_soft_transform(search, index, x, psi, lambda);
  if (!transform) return std::nullopt;
  const std::vector<double> values = transform->values(), whole(values.size(), 1);
  CTransform result = transform->distribute(whole, wanted);
  result.value = Tensor({x.dim(0)});
  std::ranges::transform(values, result.value.data(), [](double value) { return static_cast<real>(value); });
  return result;
}

}  // namespace

std::unique_ptr<SoftTransform> pruned_soft_transform(NeighbourSearch& search, const PointIndex& index, const Tensor& x,
                                                     const Tensor& psi, double lambda) {
  const double reach = lambda * (std::numeric_limits<real>::digits * std::log(2.0) +
                                 std::log(2 * static_cast<double>(index.target().size())));
  auto terms = search.terms(x, psi, lambda, reach);
  return terms ? std::make_unique<SearchedSoftTransform>(index, x, *std::move(terms), lambda) : nullptr;
}

std::optional<CTransform> pruned_c_transform(NeighbourSearch& search, const PointIndex& index, const BruteForce& brute,
                                             const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const Target& target = index.target();
  const std::int64_t batch = x.dim(0), d = x.dim(1);
  const std::int64_t most = most_together(target);
  if (batch <= most) return transform_together(search, index, x, psi, lambda, wanted);
  const std::int64_t parts = (batch + most - 1) / most, together = (batch + parts - 1) / parts;

  CTransform result{Tensor({batch}),
                    wanted.gradient ? Tensor({batch, d}) : Tensor(),
                    wanted.mass ? Tensor::zeros({target.size()}) : Tensor(),
                    {}};
  for (std::int64_t begin = 0; begin < batch; begin += together) {
    const std::int64_t count = std::min(together, batch - begin);
    Tensor some({count, d});
    std::copy_n(x.data() + begin * d, count * d, some.data());
    std::optional<CTransform> part = transform_together(search, index, some, psi, lambda, wanted);
    if (!part && begin == 0) return std::nullopt;
    if (!part) part = brute(some, wanted);
    std::copy_n(part->value.data(), count, result.value.data() + begin);
    if (wanted.gradient) std::copy_n(part->gradient.data(), count * d, result.gradient.data() + begin * d);
    if (wanted.mass)
      engine::simd::kernels().axpy(target.size(), static_cast<real>(count) / static_cast<real>(batch),
                                   part->mass.data(), result.mass.data());
  }
  return result;
}

}  // namespace ot
