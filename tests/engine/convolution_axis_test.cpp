#include "engine/ops/convolution_axis.h"

#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"

using namespace engine;

namespace {

// Inputs that the taps of a kernel meet at so many outputs.
std::vector<AxisMeeting> forwards(std::int64_t inputs, std::int64_t taps, std::int64_t stride, std::int64_t padding) {
  std::vector<AxisMeeting> meetings;
  for (std::int64_t output = 0; output * stride + taps <= inputs + 2 * padding; ++output)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      if (const std::int64_t input = output * stride + tap - padding; input >= 0 && input < inputs)
        meetings.push_back({tap, input, output});
  return meetings;
}

std::vector<AxisMeeting> transposed(std::vector<AxisMeeting> meetings) {
  for (AxisMeeting& m : meetings) std::swap(m.input, m.output);
  return meetings;
}

std::int64_t products(const ConvolutionAxis& axis) {
  std::int64_t count = 0;
  for (const ConvolutionAxis::Block& block : axis.blocks)
    for (const auto& sum : block.sums) count += std::ssize(sum);
  return count;
}

// Checks the axis against the sum over all meetings; returns how many products it takes.
std::int64_t check(std::int64_t taps, std::int64_t inputs, std::int64_t outputs,
                   const std::vector<AxisMeeting>& meetings, bool pairs) {
  const ConvolutionAxis axis = convolution_axis(taps, outputs, meetings, pairs);
  const Tensor weight = Random(3, 0).uniform({taps}, -1, 1), x = Random(3, 1).uniform({inputs}, -1, 1);
  std::vector<double> wanted(static_cast<std::size_t>(outputs)), found(wanted.size());
  std::vector<int> times(wanted.size());
  for (const AxisMeeting& m : meetings)
    wanted[static_cast<std::size_t>(m.output)] += double{weight.data()[m.tap]} * x.data()[m.input];
  for (const ConvolutionAxis::Block& block : axis.blocks) {
    double sums[3] = {};
    for (int s = 0; s < 3; ++s)
      for (const auto [tap, input, minus] : block.sums[s]) {
        const auto [first, second] = axis.taps[static_cast<std::size_t>(tap)];
        const double factor = double{weight.data()[first]} + (second >= 0 ? double{weight.data()[second]} : 0);
        sums[s] += factor * (double{x.data()[input]} - (minus >= 0 ? double{x.data()[minus]} : 0));
      }
    REQUIRE((block.outputs.size() == 1 || block.outputs.size() == 2));
    if (block.outputs.size() == 1) CHECK((block.sums[1].empty() && block.sums[2].empty()));
    for (std::size_t i = 0; i < block.outputs.size(); ++i) {
      const auto output = static_cast<std::size_t>(block.outputs[i]);
      ++times[output];
      found[output] = sums[0] + sums[i + 1];
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CHECK(times[i] == 1);
    CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(1e-12).scale(1));
  }
  return products(axis);
}

}  // namespace

TEST_CASE("the sums of an axis make each output once, and pairs take fewer products") {
  for (const std::int64_t inputs : {1, 2, 3, 7, 8, 15})
    for (const std::int64_t taps : {1, 2, 3, 4, 5})
      for (const std::int64_t stride : {1, 2, 3})
        for (const std::int64_t padding : {0, 1, 2}) {
          if (taps > inputs + 2 * padding) continue;
          CAPTURE(inputs);
          CAPTURE(taps);
          CAPTURE(stride);
          CAPTURE(padding);
          const std::vector<AxisMeeting> there = forwards(inputs, taps, stride, padding), back = transposed(there);
          const std::int64_t outputs = (inputs + 2 * padding - taps) / stride + 1;
          CHECK(check(taps, inputs, outputs, there, false) == std::ssize(there));
          CHECK(check(taps, inputs, outputs, there, true) <= std::ssize(there));
          CHECK(check(taps, outputs, inputs, back, false) == std::ssize(back));
          CHECK(check(taps, outputs, inputs, back, true) <= std::ssize(back));
        }
}

TEST_CASE("the DCGAN's 7 and 15 rows take 8 and 18 products of 9 and 21, and as many backwards") {
  for (const auto& [rows, of_pairs] : {std::pair{3, 8}, {7, 18}}) {
    const std::int64_t grown = 2 * rows + 1;
    const std::vector<AxisMeeting> back = forwards(grown, 3, 2, 0), there = transposed(back);
    CHECK(check(3, rows, grown, there, true) == of_pairs);
    CHECK(check(3, rows, grown, there, false) == 3 * rows);
    CHECK(check(3, grown, rows, back, true) == 3 * rows - rows / 2);
  }
}
