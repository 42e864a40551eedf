#pragma once

#include <cstdint>

#include "engine/simd/kernels.h"

namespace ot {

/// What the parts of a c-transform take, measured, in the time of one value: a point's row of 784 coordinates that is
/// brought from memory and compared with a query in double. A group's bounds, and a row of terms, take about as long as
/// that. ot/THEORY.md tells what each was measured on.
namespace measured {
inline constexpr double coordinates = 784;          ///< of a value
inline constexpr double products_in_8_bits = 120;   ///< in one digit, with points of blocks that some queries need
inline constexpr double products_in_16_bits = 40;   ///< the same, in digits of 16 bits
inline constexpr double products_in_real = 16;      ///< of all queries with all points
inline constexpr double value_beside_row = 100;     ///< coordinates in whose time a value has all but its row
inline constexpr double scan_of_products = 70;      ///< coordinates in whose time a product in real is looked at
inline constexpr double products_in_bounds = 6000;  ///< of coordinates, of all queries with all points that are near
inline constexpr double terms_in_real = 390;        ///< of a softmin, of all queries with all points
inline constexpr double faster_with_all = 2;        ///< how many times as many products in digits, of all with all
inline constexpr double terms = 50;                 ///< of a softmin
inline constexpr double query = 64;                 ///< values that any query takes, such as to round it to digits
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
/// level; `alone`: for one of a few queries, which share no products.
inline double work_of_all(const engine::simd::Digits& level, int digits, std::int64_t points, double lambda,
                          bool alone = false) {
  double work = work_of_products(level, 1, digits) / (alone ? 1 : measured::faster_with_all);
  if (lambda > 0) work += 1 / measured::terms;
  return measured::query + static_cast<double>(points) * work;
}

/// The same in real, for points of so many coordinates.
inline double work_of_all_in_real(std::int64_t dimension, std::int64_t points, double lambda) {
  double work = (static_cast<double>(dimension) + measured::scan_of_products) /
                (measured::coordinates + measured::scan_of_products) / measured::products_in_real;
  if (lambda > 0) work += 1 / measured::terms_in_real;
  return measured::query + static_cast<double>(points) * work;
}

/// The work of a search in real for a query, with what its bounds take: products of `sketched` coordinates with those
/// points that are near. Rows of fewer coordinates take less.
inline double work_of_search_in_real(const SearchWork& work, std::int64_t dimension, std::int64_t sketched,
                                     double near) {
  const double row = (static_cast<double>(dimension) + measured::value_beside_row) /
                     (measured::coordinates + measured::value_beside_row);
  return work.values * row + work.groups + work.rows +
         near * static_cast<double>(sketched) / measured::products_in_bounds;
}

}  // namespace ot
