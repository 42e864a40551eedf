#include "apps/report/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace apps::report {

Axis axis_of(double low, double high) {
  // Closer together than this the multiples of a step are no longer told apart.
  const double least = 1e-9 * std::max({std::abs(low), std::abs(high), 1e-300});
  if (high - low > least) return {low, high};
  const double margin = low == 0 ? 1 : std::abs(low) / 10;
  return {low - margin, high + margin};
}

namespace {

/// Calls take(step) for the steps 1, 2 and 5 times a power of ten, from one that is too small on, until it returns
/// true.
template <class Take>
void search_step(const Axis& axis, int most, const Take& take) {
  for (double power = std::pow(10, std::floor(std::log10((axis.high - axis.low) / most)));; power *= 10)
    for (const int digit : {1, 2, 5})
      if (take(digit * power)) return;
}

/// Of the rounding of axis.low / step and axis.high / step.
double slack(const Axis& axis, double step) {
  return 1e-9 * (axis.high - axis.low) / step;
}

}  // namespace

std::vector<double> ticks(const Axis& axis, int most) {
  std::vector<double> multiples;
  search_step(axis, most, [&](double step) {
    const double first = std::ceil(axis.low / step - slack(axis, step));
    const double last = std::floor(axis.high / step + slack(axis, step));
    if (last - first + 1 > most) return false;
    for (double k = first; k <= last; ++k) multiples.push_back(k * step);
    return true;
  });
  return multiples;
}

Axis rounded(const Axis& axis, int most) {
  Axis around = axis;
  search_step(axis, most, [&](double step) {
    const double first = std::floor(axis.low / step + slack(axis, step));
    const double last = std::ceil(axis.high / step - slack(axis, step));
    if (last - first + 1 > most) return false;
    around = {first * step, last * step};
    return true;
  });
  return around;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  double step = 1, largest = 0;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (i > 0) step = std::min(step, ticks[i] - ticks[i - 1]);
    largest = std::max(largest, std::abs(ticks[i]));
  }
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-6)));
  const bool plain = decimals <= 6 && largest < 1e7;
  std::vector<std::string> labels;
  for (const double tick : ticks) {
    char text[32];
    std::snprintf(text, sizeof text, plain ? "%.*f" : "%.*g", plain ? decimals : 4, tick == 0 ? 0 : tick);
    labels.emplace_back(text);
  }
  return labels;
}

}  // namespace apps::report
