#include "ot/exact/integer_masses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ot {

namespace {
/// How many weigh something, if these all weigh the same; 0 otherwise.
std::int64_t count_of_equal(std::span<const double> weights) {
  std::int64_t count = 0;
  double common = 0;
  for (const double weight : weights) {
    if (weight == 0) continue;
    if (count++ == 0) common = weight;
    if (weight != common) return 0;
  }
  return count;
}

std::vector<Integer> equal(std::span<const double> weights, Integer mass) {
  std::vector<Integer> masses;
  for (const double weight : weights) masses.push_back(weight > 0 ? mass : 0);
  return masses;
}

std::vector<Integer> rounded(std::span<const double> weights, Integer total) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<Integer> masses;
  Integer left = total;
  for (const double weight : weights) {
    masses.push_back(static_cast<Integer>(std::rint(weight / sum * static_cast<double>(total))));
    left -= masses.back();
  }
  *std::max_element(masses.begin(), masses.end()) += left;
  return masses;
}
}  // namespace

IntegerMasses::IntegerMasses(std::span<const double> a, std::span<const double> b) {
  const std::int64_t n = count_of_equal(a), m = count_of_equal(b);
  if (n > 0 && m > 0) {
    const std::int64_t common = std::gcd(n, m);
    mu = equal(a, m / common);
    nu = equal(b, n / common);
    total = static_cast<Integer>(n / common) * m;
  } else {
    total = Integer{1} << bits;
    mu = rounded(a, total);
    nu = rounded(b, total);
  }
}

}  // namespace ot
