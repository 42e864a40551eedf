#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace apps::report {

/// Values along the iterations in a few points. Point i stands for the iterations first[i]..last[i].
struct Thinned {
  std::vector<std::int64_t> first, last;
  std::vector<double> mean, low, high;  ///< of the values there
};

/// At most `most` points, to each of which as many values go, but for the last, which may have fewer: one where there
/// are at most `most`.
Thinned thinned(const std::vector<std::int64_t>& iterations, const std::vector<double>& values, std::size_t most);

/// A figure of values along the iterations: an SVG of the curve, over a band from the least to the greatest value where
/// points stand for several, with ticks at both axes, and the values for the script to show under the pointer; the last
/// is shown without it. `name` says what the values are ("loss H"), `unit` what they are counted in. There must be a
/// value.
std::string curve(const std::vector<std::int64_t>& iterations, const std::vector<double>& values,
                  const std::string& name, const std::string& unit);

}  // namespace apps::report
