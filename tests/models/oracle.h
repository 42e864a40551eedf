#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace models::testing {

// Layers written out as loops in long double, as independent of the engine as can be.

using Numbers = std::vector<long double>;

inline Numbers numbers(const engine::Tensor& x) {
  return {x.values().begin(), x.values().end()};
}

/// x [rows, inputs], weight [outputs, inputs], bias [outputs] -> [rows, outputs]
inline Numbers linear(const Numbers& x, const Numbers& weight, const Numbers& bias) {
  const std::size_t outputs = bias.size(), inputs = weight.size() / outputs, rows = x.size() / inputs;
  Numbers y(rows * outputs);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < outputs; ++o) {
      y[r * outputs + o] = bias[o];
      for (std::size_t i = 0; i < inputs; ++i) y[r * outputs + o] += x[r * inputs + i] * weight[o * inputs + i];
    }
  return y;
}

/// The sizes of a convolution of stride 2 with a square kernel, padded by half of it: a side of n becomes (n + 1) / 2.
struct Halving {
  std::size_t inputs, outputs, kernel, height, width;
};

/// x [batch, inputs, height, width], weight [outputs, inputs, kernel, kernel] -> [batch, outputs, ...]
inline Numbers halved(const Numbers& x, const Numbers& weight, const Halving& s) {
  const std::size_t rows = (s.height + 1) / 2, columns = (s.width + 1) / 2, taps = s.kernel * s.kernel;
  const std::size_t batch = x.size() / (s.inputs * s.height * s.width);
  Numbers y(batch * s.outputs * rows * columns);
  for (std::size_t at = 0; at < y.size(); ++at)
    for (std::size_t i = 0; i < s.inputs; ++i)
      for (std::size_t tap = 0; tap < taps; ++tap) {
        const std::size_t b = at / (s.outputs * rows * columns), o = at / (rows * columns) % s.outputs;
        const std::size_t row = 2 * (at / columns % rows) + tap / s.kernel - s.kernel / 2,
                          column = 2 * (at % columns) + tap % s.kernel - s.kernel / 2;
        if (row < s.height && column < s.width)  // unsigned: what lies before the first is far above
          y[at] +=
              x[((b * s.inputs + i) * s.height + row) * s.width + column] * weight[(o * s.inputs + i) * taps + tap];
      }
  return y;
}

/// A transposed convolution of stride 2: the output's first row and column are those `padding` and `padding_across` of
/// the whole sum.
struct Doubling {
  std::size_t inputs, outputs, kernel_height, kernel_width, height, width, padding, padding_across, rows, columns;
};

/// x [batch, inputs, height, width], weight [inputs, outputs, kernel_height, kernel_width] -> [batch, outputs, rows,
/// columns]
inline Numbers doubled(const Numbers& x, const Numbers& weight, const Doubling& s) {
  const std::size_t taps = s.kernel_height * s.kernel_width, places = s.height * s.width;
  const std::size_t batch = x.size() / (s.inputs * places);
  Numbers y(batch * s.outputs * s.rows * s.columns);
  for (std::size_t b = 0; b < batch; ++b)
    for (std::size_t i = 0; i < s.inputs; ++i)
      for (std::size_t o = 0; o < s.outputs; ++o)
        for (std::size_t place = 0; place < places; ++place)
          for (std::size_t tap = 0; tap < taps; ++tap) {
            const std::size_t row = 2 * (place / s.width) + tap / s.kernel_width - s.padding,
                              column = 2 * (place % s.width) + tap % s.kernel_width - s.padding_across;
            if (row < s.rows && column < s.columns)  // unsigned: what the padding crops is far above
              y[((b * s.outputs + o) * s.rows + row) * s.columns + column] +=
                  x[(b * s.inputs + i) * places + place] * weight[(i * s.outputs + o) * taps + tap];
          }
  return y;
}

/// The mean and biased variance of each channel of x [batch, channels, places].
struct Statistics {
  Numbers mean, variance;
};

inline Statistics statistics(const Numbers& x, std::size_t channels, std::size_t places) {
  Statistics s{Numbers(channels), Numbers(channels)};
  const auto count = static_cast<long double>(x.size() / channels);
  for (std::size_t i = 0; i < x.size(); ++i) s.mean[i / places % channels] += x[i] / count;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t channel = i / places % channels;
    s.variance[channel] += (x[i] - s.mean[channel]) * (x[i] - s.mean[channel]) / count;
  }
  return s;
}

/// (x - mean) / sqrt(variance + 1e-5) weight + bias
inline Numbers normalised(Numbers x, const Statistics& s, const Numbers& weight, const Numbers& bias,
                          std::size_t places) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / places % weight.size();
    x[i] = (x[i] - s.mean[c]) / std::sqrt(s.variance[c] + 1e-5L) * weight[c] + bias[c];
  }
  return x;
}

inline Numbers leaky_relu(Numbers x, long double slope) {
  for (long double& value : x) value = value > 0 ? value : slope * value;
  return x;
}

inline Numbers sigmoid(Numbers x) {
  for (long double& value : x) value = 1 / (1 + std::exp(-value));
  return x;
}

/// The largest absolute difference; infinite where the numbers of elements differ.
inline double difference(const engine::Tensor& x, const Numbers& expected) {
  if (x.values().size() != expected.size()) return INFINITY;
  long double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(x.values()[i] - expected[i]));
  return static_cast<double>(worst);
}

inline constexpr double tolerance = sizeof(engine::real) == 8 ? 1e-12 : 1e-5;

}  // namespace models::testing
