#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/shared_span.h"
#include "engine/tensor.h"
#include "ot/ground_cost.h"
#include "ot/points_of_rank.h"

namespace ot {

/// The factor s of the cost c(x, y) = s k(x, y): 1, 1/2, or 1 / alpha with alpha = sum_j nu_j k(0, y_j), the paper's
/// normalisation (section 6.2).
enum class CostScale { one, half, inverse_alpha };

/// The cost to a target: a scale, and a ground cost, null for ||x - y||^2, which has fast ways of its own.
struct Cost {
  Cost(CostScale s, std::shared_ptr<const GroundCost> k = nullptr) : scale(s), ground(std::move(k)) {}
  /// c = factor k
  Cost(double s, std::shared_ptr<const GroundCost> k) : scale(CostScale::one), factor(s), ground(std::move(k)) {}

  CostScale scale;
  double factor = 1;  ///< beside the scale
  std::shared_ptr<const GroundCost> ground;
};

/// The target measure nu = sum_j nu_j delta_{y_j} on J points of R^d and the cost to it: what every c-transform to nu
/// needs, prepared once, immutable, and so shared by any number of solvers and threads. Points with nu_j = 0 are not in
/// the support, and nothing depends on them.
class Target {
 public:
  /// 8-bit points, row-major [count, dimension], that stand for byte / 255. Empty weights are uniform. Throws Error for
  /// a size that does not match, no points, weights that are negative, not finite or do not sum to 1 within 1e-6 (they
  /// are then scaled to sum to 1), and for CostScale::inverse_alpha where 1 / alpha is not finite, as it is where all
  /// points are 0.
  /// With `ranks` these are the points of this rank, a multiple of `together` of them but for the last, and the weights
  /// are theirs: nu is on the points of all, one rank's after the other's.
  Target(engine::SharedSpan<std::uint8_t> points, std::int64_t count, std::int64_t dimension, Cost cost,
         std::vector<double> weights = {}, const engine::Cluster& ranks = {});
  /// Real points. Throws Error in addition for a NaN or infinite coordinate, or one whose square overflows.
  Target(engine::SharedSpan<real> points, std::int64_t count, std::int64_t dimension, Cost cost,
         std::vector<double> weights = {}, const engine::Cluster& ranks = {});

  Target(const Target&) = delete;  // solvers and indices refer to their target
  Target& operator=(const Target&) = delete;

  /// The target on these points alone, their weights scaled to sum to 1: the cost with its scale, and mean(), stay
  /// those of this target. Throws Error for no points, one that
  /// is not there, and points that weigh nothing.
  Target subset(std::span<const std::int64_t> points) const { return Target(*this, points); }

  /// The same on the points begin..end-1, which stay where they are: without a copy.
  Target part(std::int64_t begin, std::int64_t end) const { return Target(*this, begin, end); }

  std::int64_t size() const { return count_; }           ///< J; with ranks the number of this one's points
  std::int64_t dimension() const { return dimension_; }  ///< d
  double scale() const { return scale_; }                ///< s in c(x, y) = s k(x, y)
  double alpha() const { return alpha_; }                ///< sum_j nu_j k(0, y_j)
  /// k, null for ||x - y||^2.
  const std::shared_ptr<const GroundCost>& ground_cost() const { return ground_cost_; }

  /// Points are summed up so many at a time, and those sums in turn: a rank's begin at a multiple of it.
  static constexpr std::int64_t together = 512;
  const PointsOfRank& of_rank() const { return of_rank_; }
  const engine::Cluster& ranks() const { return of_rank_.ranks; }
  std::int64_t total() const { return of_rank_.total; }  ///< J, of all ranks

  std::span<const double> weights() const { return weights_; }  ///< nu_j, of all ranks' points sum 1
  bool uniform() const { return uniform_; }                     ///< whether all nu_j are equal
  /// log(J nu_j): 0 for uniform weights, -inf outside the support.
  std::span<const double> log_weights() const { return log_weights_; }

  /// The mean of nu, for a subset that of the whole. Products are taken around it, since ||x||^2 + ||y||^2 - 2 x.y
  /// loses the digits of a common offset.
  std::span<const real> mean() const { return mean_; }
  /// ||y_j - mean||^2
  std::span<const real> centred_squared_norms() const { return squared_norms_; }
  /// The largest ||y_j - mean||, and their root mean square.
  double longest() const { return longest_; }
  double root_mean_square() const { return root_mean_square_; }

  /// The points [J, d] where they are 8-bit, standing for byte / 255; otherwise empty.
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  /// Writes points begin..end-1 to `out`, [end - begin, d].
  void rows(std::int64_t begin, std::int64_t end, real* out) const;
  /// The same minus mean().
  void centred_rows(std::int64_t begin, std::int64_t end, real* out) const;
  /// x minus mean(), for each row of x [B, d].
  engine::Tensor centred(const engine::Tensor& x) const;
  /// out += a y_j for out [d], where points are not 8-bit.
  void add_point(std::int64_t j, real a, real* out) const;
  /// out_q += sum_l weight[q stride + l] y_j for j = points[l], out_q [d] and at most engine::simd::block_size points.
  void add_points(std::span<const std::int64_t> points, std::int64_t rows, const real* weight, std::int64_t stride,
                  real* const* out) const;
  /// Asks for y_j to be brought to the cache, for a squared_distance() soon.
  void prefetch(std::int64_t j) const;
  /// ||x - y_j||^2 for x [d], by differences, summed in double.
  double squared_distance(const real* x, std::int64_t j) const;
  /// c(x, y_j) for x [d], as accurately as the ground cost tells.
  double cost(const real* x, std::int64_t j) const;
  /// c(x, y) for any two points.
  double cost(Point x, Point y) const;
  /// Writes grad_x c(x, y_j) to `gradient` [d].
  void cost_gradient(const real* x, std::int64_t j, real* gradient) const;

 private:
  Target(const Target& whole, std::span<const std::int64_t> points);
  Target(const Target& whole, std::int64_t begin, std::int64_t end);
  Point point(std::int64_t j, std::vector<real>& buffer) const;
  void prepare(CostScale scale, double factor);
  double mean_squared_norm() const;
  double mean_cost_from_zero() const;
  void count_all();
  void prepare_weights();
  void measure_lengths();
  void require_finite_points() const;

  PointsOfRank of_rank_;
  std::int64_t count_, dimension_;
  engine::SharedSpan<std::uint8_t> bytes_;  // one of the two is empty
  engine::SharedSpan<real> reals_;
  std::vector<double> weights_, log_weights_;
  bool uniform_ = true;
  std::vector<real> mean_, squared_norms_;
  double longest_ = 0, root_mean_square_ = 0;
  std::shared_ptr<const GroundCost> ground_cost_;
  double alpha_ = 0, scale_ = 1;
};

}  // namespace ot
