#pragma once

#include <cstdint>

#include "engine/simd/kernels.h"

namespace ot {

/// What the parts of a c-transform take, measured, in the time of one value: a point's row that is brought from memory
/// and compared with a query in double. A group's bounds, and a row of terms, take about as long as that.
/// ot/THEORY.md tells what each was measured on.
namespace measured {
inline constexpr double products_in_8_bits = 120;  ///< in one digit, with points of blocks that some queries need
inline constexpr double products_in_16_bits = 40;  ///< the same, in digits of 16 bits
inline constexpr double products_in_real = 16;     ///< of all queries with all points
inline constexpr double faster_with_all = 2;       ///< how many times as many products in digits, of all with all
inline constexpr double terms = 50;                ///< of a softmin
inline constexpr double query = 64;                ///< values that any query takes, such as to round it to digits
}  // namespace measured

/// What a search computed for a query: how well the bounds prune. All products of a block count as those values of
/// single points that take as long.
struct SearchWork {
  double groups = 0, values = 0;
  double rows = 0;  ///< of SoftminTerms
  /// In values.
  double cost() const { return values + groups + rows; }
  SearchWork& operator+=(const SearchWork& other) {
    groups += other.groups, values += other.values, rows += other.rows;
    return *this;
  }
  SearchWork operator/(double count) const { return {groups / count, values / count, rows / count}; }
};

/// The work of looking at some of all groups of queries and a block one by one: a point passes its bound about as often
/// as its group did.
inline SearchWork work_of_groups(double groups, double all) {
  return {.groups = groups, .values = engine::simd::group_size * groups * (groups / all)};
}

/// The work, in values, of the products of so many pairs of a query and a point in so many digits of a level.
inline double work_of_products(const engine::simd::Digits& level, double pairs, int digits) {
  return pairs * digits / (level.bits == 16 ? measured::products_in_16_bits : measured::products_in_8_bits);
}

/// The work, in values, of the brute force for a query, beyond what a search takes for any: in so many digits of a
/// level, or in real for null; `alone`: for one of a few queries, which share no products.
inline double work_of_all(const engine::simd::Digits* level, int digits, std::int64_t points, double lambda,
                          bool alone = false) {
  double work = 1 / measured::products_in_real;
  if (level) work = work_of_products(*level, 1, digits) / (alone ? 1 : measured::faster_with_all);
  if (lambda > 0) work += 1 / measured::terms;
  return measured::query + static_cast<double>(points) * work;
}

}  // namespace ot
