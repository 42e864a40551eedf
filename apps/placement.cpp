#include "apps/placement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "ot/plan/cost_matrix.h"

namespace apps {

using engine::real;
using engine::require;

namespace {

constexpr std::int64_t sample_size = 1024;  // points of a side that the median, and digits, are taken of

/// Every so manieth of so many points is a sample.
std::int64_t stride_of(std::int64_t count, std::int64_t sample) {
  return std::max<std::int64_t>(1, count / sample);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> median_point(const data::Dataset& source, const data::Dataset& target) {
  std::vector<double> shift;
  for (std::int64_t c = 0; c < source.dimension; ++c) {
    std::vector<double> coordinates;
    for (const data::Dataset* set : {&source, &target})
      for (std::int64_t i = 0; i < set->count; i += stride_of(set->count, sample_size))
        coordinates.push_back(set->doubles[static_cast<std::size_t>(i * set->dimension + c)]);
    shift.push_back(median(std::move(coordinates)));
  }
  return shift;
}

double farthest(const data::Dataset& set, std::span<const double> shift) {
  double most = 0;
  for (std::size_t k = 0; k < set.doubles.size(); ++k)
    most = std::max(most, std::abs(set.doubles[k] - shift[k % shift.size()]));
  return most;
}

void move(data::Dataset& set, std::span<const double> shift, double length) {
  std::vector<real> values(set.doubles.size());
  for (std::size_t k = 0; k < set.doubles.size(); ++k) {
    values[k] = static_cast<real>((set.doubles[k] - shift[k % shift.size()]) / length);
    set.doubles[k] /= length;
  }
  set.values = std::move(values);
}

ot::PrecisePoint point(const data::Dataset& set, std::int64_t i) {
  const auto d = static_cast<std::size_t>(set.dimension);
  return std::span(set.doubles).subspan(static_cast<std::size_t>(i) * d, d);
}

double cost_from_zero(const data::Dataset& set, std::span<const double> nu, const ot::GroundCost* ground) {
  const std::vector<double> zero(static_cast<std::size_t>(set.dimension), 0);
  double sum = 0;
  for (std::int64_t j = 0; j < set.count; ++j)
    if (const double weight = nu[static_cast<std::size_t>(j)]; weight > 0)
      sum += weight *
             (ground ? ground->precise_value(zero, point(set, j)) : ot::precise_squared_distance(zero, point(set, j)));
  return sum;
}

/// log10 of a typical distance of an x to the nearest y over what rounding moved the two by.
double digits_left(const data::Dataset& source, const data::Dataset& target, std::span<const double> shift,
                   double length) {
  constexpr std::int64_t queries = 64;
  const auto moved = [&](const data::Dataset& set, std::int64_t i) {
    double squared = 0;
    for (std::size_t c = 0; c < shift.size(); ++c) {
      const std::size_t k = static_cast<std::size_t>(i * set.dimension) + c;
      const double error = set.doubles[k] - shift[c] / length - static_cast<double>(set.values[k]);
      squared += error * error;
    }
    return std::sqrt(squared);
  };
  std::vector<double> digits;
  for (std::int64_t i = 0; i < source.count; i += stride_of(source.count, queries)) {
    double least = std::numeric_limits<double>::infinity();
    std::int64_t nearest = 0;
    for (std::int64_t j = 0; j < target.count; j += stride_of(target.count, sample_size)) {
      const double squared = ot::precise_squared_distance(point(source, i), point(target, j));
      if (squared < least) least = squared, nearest = j;
    }
    const double error = moved(source, i) + moved(target, nearest);
    constexpr double all = std::numeric_limits<real>::digits10;
    digits.push_back(error > 0 && least > 0 ? std::log10(std::sqrt(least) / error) : all);
  }
  return median(std::move(digits));
}

}  // namespace

Placement place(data::Dataset& source, data::Dataset& target, std::span<const double> nu, const ot::Cost& cost) {
  const std::optional<double> degree = cost.ground ? cost.ground->degree() : 2.0;
  constexpr double all_digits = std::numeric_limits<real>::digits10;
  std::vector<double> shift(static_cast<std::size_t>(source.dimension), 0);
  if (!degree || source.doubles.empty() || target.doubles.empty()) {
    for (data::Dataset* set : {&source, &target})
      if (!set->doubles.empty()) move(*set, shift, 1);
    return {cost, 1, all_digits};
  }

  shift = median_point(source, target);
  const double most = std::max(farthest(source, shift), farthest(target, shift));
  const double length = most > 0 && std::isfinite(most) ? std::ldexp(1, std::ilogb(most)) : 1;
  double factor = cost.scale == ot::CostScale::half ? 0.5 : 1;
  if (cost.scale == ot::CostScale::inverse_alpha) {
    const double alpha = cost_from_zero(target, nu, cost.ground.get());
    require(alpha > 0 && std::isfinite(alpha),
            "--cost-scale alpha needs a mean cost between 0 and the target's points "
            "that is positive and finite: it is ",
            alpha, "; take --cost-scale one");
    factor = 1 / alpha;
  }
  factor *= std::pow(length, *degree);
  require(std::isnormal(factor), "the points are ", factor < 1 ? "so near" : "so far",
          " that their costs are beyond the numbers of a computer: scale both sets by the same factor");
  move(source, shift, length);
  move(target, shift, length);
  const int exponent = std::ilogb(factor);
  const double unit = std::abs(exponent) > 32 ? std::ldexp(1, exponent) : 1;
  return {ot::Cost(factor / unit, cost.ground), unit, digits_left(source, target, shift, length)};
}

}  // namespace apps
