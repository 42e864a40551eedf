#include "ot/integer_masses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ot {

namespace {
bool all_equal(std::span<const double> weights) {
  return std::all_of(weights.begin(), weights.end(), [&](double weight) { return weight == weights[0]; });
}

std::vector<std::int64_t> rounded(std::span<const double> weights, std::int64_t total) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::int64_t> masses;
  for (const double weight : weights) masses.push_back(std::llround(weight / sum * static_cast<double>(total)));
  *std::max_element(masses.begin(), masses.end()) +=
      total - std::accumulate(masses.begin(), masses.end(), std::int64_t{0});
  return masses;
}
}  // namespace

IntegerMasses::IntegerMasses(std::span<const double> a, std::span<const double> b, std::int64_t largest_total) {
  const auto n = static_cast<std::int64_t>(a.size()), m = static_cast<std::int64_t>(b.size());
  if (all_equal(a) && all_equal(b)) {
    const std::int64_t common = std::gcd(n, m);
    mu.assign(a.size(), m / common);
    nu.assign(b.size(), n / common);
    total = n / common * m;
    least = 1;
  } else {
    mu = rounded(a, largest_total);
    nu = rounded(b, largest_total);
    total = largest_total;
    least = n + m;
  }
}

}  // namespace ot
