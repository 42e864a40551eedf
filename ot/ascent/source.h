#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace ot {

/// A source measure mu, known by what is drawn from it.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::int64_t dimension() const = 0;
  /// Batch number `number` < 2^56, [size, d], a function of the source's seed, the number and the size. Batches of
  /// different numbers are independent; the mean of a function over a batch has the expectation that it has under mu.
  virtual engine::Tensor batch(std::uint64_t number, std::int64_t size) const = 0;
};

/// mu = sum_i mu_i delta_{x_i}. The k-th of B points of a batch is that at a random place of the k-th of B equal parts
/// of its distribution, in the order of the points. A batch as large as a uniform measure is the measure.
class PointSource : public Source {
 public:
  /// For x [n, d] and mu [n], which sums to 1.
  PointSource(engine::Tensor x, std::span<const double> mu, std::uint64_t seed);

  std::int64_t dimension() const override { return x_.dim(1); }
  engine::Tensor batch(std::uint64_t number, std::int64_t size) const override;

 private:
  engine::Tensor x_;
  std::vector<double> cumulative_;
  std::uint64_t seed_;
};

/// Throws Error unless there is at least one step, and in it one point and at most 2^31 - 1.
void require_steps(std::int64_t steps, std::int64_t batch);

/// N(0, I), uniform on [0, 1]^d, uniform in the unit ball and on the unit sphere around 0.
enum class Law { normal, uniform, ball, sphere };

/// The law of mean + scale u for u of one of these. Point k of a batch is the same whatever the batch's size.
class LawSource : public Source {
 public:
  /// Throws Error unless the dimension is at least 1, the mean is finite and the scale positive and finite.
  LawSource(Law law, std::int64_t dimension, double mean, double scale, std::uint64_t seed);

  std::int64_t dimension() const override { return dimension_; }
  engine::Tensor batch(std::uint64_t number, std::int64_t size) const override;

 private:
  Law law_;
  std::int64_t dimension_;
  double mean_, scale_;
  std::uint64_t seed_;
};

}  // namespace ot
