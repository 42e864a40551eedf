#include "ot/target.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::require;

namespace {
constexpr real byte_unit = real{1} / 255;
constexpr std::int64_t rows_per_piece = Target::together;
/// Places of points, the last block's filled up, are 32-bit in a search.
constexpr std::int64_t most_points = std::numeric_limits<std::int32_t>::max() - (1 << 16);

void require_size(std::size_t values, std::int64_t count, std::int64_t dimension) {
  require(count >= 1 && dimension >= 1, "[target] there must be at least one point and one dimension: ", count, " x ",
          dimension);
  require(count <= most_points, "[target] there must be at most ", most_points, " points: ", count);
  require(values / static_cast<std::size_t>(dimension) == static_cast<std::size_t>(count) &&
              values % static_cast<std::size_t>(dimension) == 0,
          "[target] the points must be [count, dimension]: ", count, " x ", dimension, " against ", values, " values");
}

/// Of rows of so many values those of begin..end-1, where there are any.
template <class Value>
engine::SharedSpan<Value> part_of(const engine::SharedSpan<Value>& rows, std::int64_t begin, std::int64_t end,
                                  std::int64_t dimension) {
  if (rows.empty()) return {};
  return rows.subspan(static_cast<std::size_t>(begin * dimension), static_cast<std::size_t>((end - begin) * dimension));
}

/// weight times each row, added to sums; the order is that of the rows.
template <class Value>
void add_rows(const Value* rows, std::span<const double> weights, std::int64_t dimension, double* sums) {
  for (const double weight : weights) {
    for (std::int64_t c = 0; c < dimension; ++c) sums[c] += weight * rows[c];
    rows += dimension;
  }
}
}  // namespace

Target::Target(engine::SharedSpan<std::uint8_t> points, std::int64_t count, std::int64_t dimension, Cost cost,
               std::vector<double> weights, const engine::Cluster& ranks)
    : of_rank_{ranks, 0, count, count},
      count_(count),
      dimension_(dimension),
      bytes_(std::move(points)),
      weights_(std::move(weights)),
      ground_cost_(std::move(cost.ground)) {
  require_size(bytes_.size(), count, dimension);
  prepare(cost.scale, cost.factor);
}

Target::Target(engine::SharedSpan<real> points, std::int64_t count, std::int64_t dimension, Cost cost,
               std::vector<double> weights, const engine::Cluster& ranks)
    : of_rank_{ranks, 0, count, count},
      count_(count),
      dimension_(dimension),
      reals_(std::move(points)),
      weights_(std::move(weights)),
      ground_cost_(std::move(cost.ground)) {
  require_size(reals_.size(), count, dimension);
  prepare(cost.scale, cost.factor);
}

Target::Target(const Target& whole, std::span<const std::int64_t> points)
    : of_rank_{{}, 0, std::ssize(points), std::ssize(points)},
      count_(std::ssize(points)),
      dimension_(whole.dimension_),
      mean_(whole.mean_),
      ground_cost_(whole.ground_cost_),
      alpha_(whole.alpha_),
      scale_(whole.scale_) {
  require(!points.empty(), "[target] a subset must have at least one point");
  double total = 0;
  for (const std::int64_t j : points) {
    require(j >= 0 && j < whole.count_, "[target] a subset's points must be among the ", whole.count_, ": ", j);
    total += whole.weights_[static_cast<std::size_t>(j)];
  }
  require(total > 0, "[target] a subset's points must not all have weight 0");
  std::vector<std::uint8_t> bytes;
  std::vector<real> reals;
  for (const std::int64_t j : points) {
    const std::int64_t first = j * dimension_, last = first + dimension_;
    if (whole.bytes_.empty())
      reals.insert(reals.end(), whole.reals_.begin() + first, whole.reals_.begin() + last);
    else
      bytes.insert(bytes.end(), whole.bytes_.begin() + first, whole.bytes_.begin() + last);
    weights_.push_back(whole.weights_[static_cast<std::size_t>(j)] / total);
    squared_norms_.push_back(whole.squared_norms_[static_cast<std::size_t>(j)]);
  }
  bytes_ = std::move(bytes);
  reals_ = std::move(reals);
  measure_lengths();
  prepare_weights();
}

Target::Target(const Target& whole, std::int64_t begin, std::int64_t end)
    : of_rank_{{}, 0, end - begin, end - begin},
      count_(end - begin),
      dimension_(whole.dimension_),
      bytes_(part_of(whole.bytes_, begin, end, dimension_)),
      reals_(part_of(whole.reals_, begin, end, dimension_)),
      weights_(whole.weights_.begin() + begin, whole.weights_.begin() + end),
      mean_(whole.mean_),
      squared_norms_(whole.squared_norms_.begin() + begin, whole.squared_norms_.begin() + end),
      ground_cost_(whole.ground_cost_),
      alpha_(whole.alpha_),
      scale_(whole.scale_) {
  assert(0 <= begin && begin < end && end <= whole.count_);
  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  require(total > 0, "[target] a subset's points must not all have weight 0");
  for (double& weight : weights_) weight /= total;
  measure_lengths();
  prepare_weights();
}

void Target::prepare_weights() {
  const auto count = static_cast<std::size_t>(count_);
  if (weights_.empty()) weights_.assign(count, 1.0 / static_cast<double>(total()));
  require(weights_.size() == count, "[target] there must be one weight for each point: ", weights_.size(),
          " weights against ", count, " points");
  long double exact_sum = 0;  // what it is off by is off in log(nu), too
  ranks().in_turn(exact_sum, [&] {
    for (std::size_t j = 0; j < count; ++j) {
      require(std::isfinite(weights_[j]) && weights_[j] >= 0,
              "[target] weights must be finite and not negative: weight ",
              of_rank_.first + static_cast<std::int64_t>(j), " is ", weights_[j]);
      exact_sum += weights_[j];
    }
  });
  const auto sum = static_cast<double>(exact_sum);
  require(std::abs(sum - 1) <= 1e-6, "[target] weights must sum to 1: their sum is ", sum);

  const double one = ranks().broadcast(weights_[0]);
  uniform_ = !ranks().any(std::ranges::any_of(weights_, [&](double weight) { return weight != one; }));
  log_weights_.assign(count, 0);
  if (uniform_) {
    std::fill(weights_.begin(), weights_.end(), 1.0 / static_cast<double>(total()));
    return;
  }
  for (std::size_t j = 0; j < count; ++j) {
    weights_[j] /= sum;
    log_weights_[j] = std::log(weights_[j] * static_cast<double>(total()));
  }
}

void Target::require_finite_points() const {
  for (std::size_t i = 0; i < reals_.size(); ++i)
    require(std::isfinite(reals_[i]), "[target] points must be finite: coordinate ",
            i % static_cast<std::size_t>(dimension_), " of point ",
            of_rank_.first + static_cast<std::int64_t>(i) / dimension_, " is ", reals_[i]);
}

void Target::count_all() {
  of_rank_.total = 0;
  ranks().in_turn(of_rank_.total, [&] { of_rank_.first = of_rank_.total, of_rank_.total += count_; });
  assert(of_rank_.first % together == 0);
}

void Target::prepare(CostScale scale, double factor) {
  count_all();
  prepare_weights();
  const std::int64_t pieces = (count_ + rows_per_piece - 1) / rows_per_piece;
  const auto dimension = static_cast<std::size_t>(dimension_);

  std::vector<double> sums(static_cast<std::size_t>(pieces) * dimension, 0);
  engine::parallel_for(count_, rows_per_piece, [&](std::int64_t begin, std::int64_t end) {
    double* piece_sums = sums.data() + begin / rows_per_piece * dimension_;
    const auto piece_weights =
        std::span(weights_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    if (bytes_.empty())
      add_rows(reals_.data() + begin * dimension_, piece_weights, dimension_, piece_sums);
    else
      add_rows(bytes_.data() + begin * dimension_, piece_weights, dimension_, piece_sums);
  });
  std::vector<double> sum(dimension, 0);
  ranks().in_turn(std::span(sum), [&] {
    for (std::size_t i = 0; i < sums.size(); ++i) sum[i % dimension] += sums[i];
  });
  mean_.resize(dimension);
  for (std::size_t c = 0; c < dimension; ++c) {
    if (!std::isfinite(sum[c])) require_finite_points();
    mean_[c] = static_cast<real>(bytes_.empty() ? sum[c] : sum[c] / 255);
  }

  squared_norms_.resize(static_cast<std::size_t>(count_));
  engine::parallel_for(count_, rows_per_piece, [&](std::int64_t begin, std::int64_t end) {
    std::vector<real> row(dimension);
    for (std::int64_t j = begin; j < end; ++j) {
      centred_rows(j, j + 1, row.data());
      squared_norms_[static_cast<std::size_t>(j)] = engine::simd::kernels().dot(dimension_, row.data(), row.data());
    }
  });
  for (std::size_t j = 0; j < squared_norms_.size(); ++j)
    require(std::isfinite(squared_norms_[j]), "[target] squared distances must not overflow: point ",
            of_rank_.first + static_cast<std::int64_t>(j), " is too far from the mean");
  measure_lengths();

  alpha_ = ground_cost_ ? mean_cost_from_zero() : mean_squared_norm();
  if (scale == CostScale::half) scale_ = 0.5;
  if (scale == CostScale::inverse_alpha) {
    scale_ = 1 / alpha_;
    require(std::isfinite(alpha_) && std::isfinite(static_cast<real>(scale_)),
            "[target] a cost normalised by its mean between 0 and the points needs points that are not all zero, or "
            "nearly: the mean is ",
            alpha_, "; scale the points, or take a cost that is not normalised");
  }
  scale_ *= factor;
}

void Target::measure_lengths() {
  double sum = 0, longest = 0;
  ranks().in_turn(sum, [&] {
    for (const real squared_norm : squared_norms_) sum += squared_norm;
  });
  ranks().in_turn(longest,
                  [&] { longest = std::max(longest, static_cast<double>(*std::ranges::max_element(squared_norms_))); });
  longest_ = std::sqrt(longest);
  root_mean_square_ = std::sqrt(sum / static_cast<double>(total()));
}

// E||y||^2 = E||y - m||^2 + ||m||^2, since m is the mean.
double Target::mean_squared_norm() const {
  double sum = 0;
  for (const real m : mean_) sum += static_cast<double>(m) * m;
  ranks().in_turn(sum, [&] {
    for (std::size_t j = 0; j < squared_norms_.size(); ++j) sum += weights_[j] * squared_norms_[j];
  });
  return sum;
}

double Target::mean_cost_from_zero() const {
  const std::vector<real> zero(static_cast<std::size_t>(dimension_));
  std::vector<double> costs(static_cast<std::size_t>(count_));
  engine::parallel_for(count_, rows_per_piece, [&](std::int64_t begin, std::int64_t end) {
    std::vector<real> buffer;
    for (std::int64_t j = begin; j < end; ++j)
      costs[static_cast<std::size_t>(j)] = ground_cost_->value(zero, point(j, buffer));
  });
  double sum = 0;
  ranks().in_turn(sum, [&] {
    for (std::size_t j = 0; j < costs.size(); ++j)
      if (weights_[j] > 0) sum += weights_[j] * costs[j];
  });
  return sum;
}

void Target::rows(std::int64_t begin, std::int64_t end, real* out) const {
  const std::int64_t first = begin * dimension_, n = (end - begin) * dimension_;
  if (bytes_.empty())
    std::copy_n(reals_.data() + first, n, out);
  else
    engine::simd::kernels().from_bytes(n, byte_unit, bytes_.data() + first, out);
}

void Target::centred_rows(std::int64_t begin, std::int64_t end, real* out) const {
  const engine::simd::Kernels& kernels = engine::simd::kernels();
  for (std::int64_t j = begin; j < end; ++j, out += dimension_) {
    if (bytes_.empty()) {
      kernels.sub(dimension_, reals_.data() + j * dimension_, mean_.data(), out);
    } else {
      kernels.from_bytes(dimension_, byte_unit, bytes_.data() + j * dimension_, out);
      kernels.sub(dimension_, out, mean_.data(), out);
    }
  }
}

engine::Tensor Target::centred(const engine::Tensor& x) const {
  engine::Tensor result(x.shape());
  for (std::int64_t i = 0; i < x.dim(0); ++i)
    engine::simd::kernels().sub(dimension_, x.data() + i * dimension_, mean_.data(), result.data() + i * dimension_);
  return result;
}

void Target::prefetch(std::int64_t j) const {
  constexpr std::size_t line = 64;
  const std::size_t width = static_cast<std::size_t>(dimension_) * (bytes_.empty() ? sizeof(real) : 1);
  const char* row =
      bytes_.empty() ? reinterpret_cast<const char*>(reals_.data()) : reinterpret_cast<const char*>(bytes_.data());
  row += static_cast<std::size_t>(j) * width;
  for (std::size_t at = 0; at < width; at += line) __builtin_prefetch(row + at);
}

void Target::add_point(std::int64_t j, real a, real* out) const {
  assert(bytes_.empty());
  engine::simd::kernels().axpy(dimension_, a, reals_.data() + j * dimension_, out);
}

void Target::add_points(std::span<const std::int64_t> points, std::int64_t rows, const real* weight,
                        std::int64_t stride, real* const* out) const {
  using engine::simd::block_size;
  if (bytes_.empty()) {
    std::vector<real> sum(static_cast<std::size_t>(dimension_));  // fewer roundings than of one point after the other
    for (std::int64_t q = 0; q < rows; ++q, weight += stride) {
      std::ranges::fill(sum, real{0});
      for (std::size_t l = 0; l < points.size(); ++l)
        if (weight[l] != 0) add_point(points[l], weight[l], sum.data());
      engine::simd::kernels().axpy(dimension_, 1, sum.data(), out[q]);
    }
    return;
  }
  if (std::ssize(points) < block_size) {
    engine::Tensor padded = engine::Tensor::zeros({rows, block_size});
    for (std::int64_t q = 0; q < rows; ++q)
      std::copy_n(weight + q * stride, points.size(), padded.data() + q * block_size);
    std::vector<std::int64_t> block(static_cast<std::size_t>(block_size), points.front());
    std::ranges::copy(points, block.begin());
    return add_points(block, rows, padded.data(), block_size, out);
  }
  const std::uint8_t* rows_of_bytes[block_size];
  std::ranges::transform(points, rows_of_bytes, [&](std::int64_t j) { return bytes_.data() + j * dimension_; });
  engine::simd::kernels().add_weighted_bytes(dimension_, byte_unit, rows_of_bytes, rows, weight, stride, out);
}

double Target::squared_distance(const real* x, std::int64_t j) const {
  const engine::simd::Kernels& kernels = engine::simd::kernels();
  return bytes_.empty() ? kernels.squared_distance(dimension_, x, reals_.data() + j * dimension_)
                        : kernels.squared_distance_bytes(dimension_, x, byte_unit, bytes_.data() + j * dimension_);
}

// Where points are bytes, it stands in the buffer.
Point Target::point(std::int64_t j, std::vector<real>& buffer) const {
  const auto d = static_cast<std::size_t>(dimension_);
  if (bytes_.empty()) return {reals_.data() + j * dimension_, d};
  buffer.resize(d);
  rows(j, j + 1, buffer.data());
  return buffer;
}

double Target::cost(const real* x, std::int64_t j) const {
  if (!ground_cost_) return scale_ * squared_distance(x, j);
  std::vector<real> buffer;
  return scale_ * ground_cost_->value({x, static_cast<std::size_t>(dimension_)}, point(j, buffer));
}

double Target::cost(Point x, Point y) const {
  return scale_ * (ground_cost_ ? ground_cost_->value(x, y)
                                : engine::simd::kernels().squared_distance(dimension_, x.data(), y.data()));
}

void Target::cost_gradient(const real* x, std::int64_t j, real* gradient) const {
  std::vector<real> buffer;
  const Point y = point(j, buffer);
  if (!ground_cost_) {  // 2 scale (x - y_j)
    engine::simd::kernels().sub(dimension_, x, y.data(), gradient);
    engine::simd::kernels().scale(dimension_, static_cast<real>(2 * scale_), gradient, gradient);
    return;
  }
  std::fill_n(gradient, dimension_, real{0});
  ground_cost_->add_gradient({x, y.size()}, y, static_cast<real>(scale_), {gradient, y.size()});
}

}  // namespace ot
