#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/real.h"

namespace ot {

using engine::real;

/// The coordinates of a point, [d].
using Point = std::span<const real>;
/// The same in double, whatever real is.
using PrecisePoint = std::span<const double>;

/// Points one after the other, [count, dimension].
struct Rows {
  const real* data;
  std::int64_t count, dimension;

  Point operator[](std::int64_t i) const { return {data + i * dimension, static_cast<std::size_t>(dimension)}; }
};

/// The same in double.
struct PreciseRows {
  const double* data;
  std::int64_t count, dimension;
};
/// Points in double in groups of engine::simd::group_size: coordinate k of point l of a group is data[k group_size +
/// l].
struct PreciseGroups {
  const double* data;
  std::int64_t count, dimension;  ///< count of groups
};

/// A cost k(x, y) on R^d x R^d, which a Target scales. A struct that derives from this and says the value and the
/// gradient in x of one pair is a cost; one that knows a faster way for many pairs overrides that too. Called by
/// several threads at a time.
class GroundCost {
 public:
  virtual ~GroundCost() = default;

  /// k(x, y), finite for finite x and y; NaN where x is, if rows of NaN are to come out as such.
  virtual double value(Point x, Point y) const = 0;
  /// gradient += weight grad_x k(x, y); where k has a kink, any gradient from one side of it, or 0 at x = y, will do.
  virtual void add_gradient(Point x, Point y, real weight, std::span<real> gradient) const = 0;

  /// values[i, j] = k(x_i, y_j), within 2^10 units in the last place of real.
  virtual void values(Rows x, Rows y, real* values) const;
  /// gradients[i, :] += sum_j weights[i, j] grad_x k(x_i, y_j), where a weight of 0 leaves out its pair.
  virtual void add_gradients(Rows x, Rows y, const real* weights, real* gradients) const;

  /// k(x, y) of points in double; by default that of the points rounded to real.
  virtual double precise_value(PrecisePoint x, PrecisePoint y) const;
  /// values[i, j] = scale precise_value(x_i, y_j), but for rounding, for all y of some groups.
  virtual void precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const;
  /// p where k(s x + v, s y + v) = s^p k(x, y) for all s > 0 and v, so that points can be shifted and scaled to where
  /// real holds them well; none, the default, where k is not like that.
  virtual std::optional<double> degree() const { return {}; }
};

/// sum_c term(c) over c < n, in eight sums side by side, where one would wait for itself.
template <class Term>
double sum_of_terms(std::size_t n, const Term& term) {
  constexpr std::size_t parts = 8;
  double sums[parts] = {};
  std::size_t c = 0;
  for (; c + parts <= n; c += parts)
    for (std::size_t part = 0; part < parts; ++part) sums[part] += term(c + part);
  for (; c < n; ++c) sums[0] += term(c);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// ||x - y||^2
double precise_squared_distance(PrecisePoint x, PrecisePoint y);

}  // namespace ot
