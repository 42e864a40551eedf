#include "engine/ops/convolution_axis.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace engine {

namespace {

using Terms = std::vector<ConvolutionAxis::Term>;

// The number of the sum of two taps, in the order of the list.
std::int64_t sum_of(std::int64_t s, std::int64_t t, std::vector<ConvolutionAxis::Tap>& taps) {
  const auto [first, second] = std::minmax(s, t);
  std::size_t index = 0;
  while (index < taps.size() && (taps[index].first != first || taps[index].second != second)) ++index;
  if (index == taps.size()) taps.push_back({first, second});
  return static_cast<std::int64_t>(index);
}

Terms::iterator find(Terms& terms, std::int64_t tap) {
  return std::ranges::find(terms, tap, &ConvolutionAxis::Term::tap);
}

// Takes a (s, t) pair of taps from the terms of both outputs to the block, if there is one.
bool take_pair(Terms& one, Terms& other, ConvolutionAxis::Block& block, std::vector<ConvolutionAxis::Tap>& taps) {
  using Term = ConvolutionAxis::Term;
  for (const Term first : one)
    for (const Term second : one) {
      const std::int64_t s = first.tap, t = second.tap, b = second.input;
      const auto s_of_other = find(other, s), t_of_other = find(other, t);
      if (s == t || s_of_other == other.end() || t_of_other == other.end() || s_of_other->input != b) continue;
      block.sums[0].push_back({sum_of(s, t, taps), b, -1});
      block.sums[1].push_back({s, first.input, b});
      block.sums[2].push_back({t, t_of_other->input, b});
      for (Terms* terms : {&one, &other})
        std::erase_if(*terms, [s, t](const Term& term) { return term.tap == s || term.tap == t; });
      return true;
    }
  return false;
}

}  // namespace

ConvolutionAxis convolution_axis(std::int64_t taps, std::int64_t outputs, std::span<const AxisMeeting> meetings,
                                 bool pairs) {
  ConvolutionAxis axis;
  for (std::int64_t tap = 0; tap < taps; ++tap) axis.taps.push_back({tap, -1});
  std::vector<Terms> terms(static_cast<std::size_t>(outputs));
  for (const AxisMeeting& m : meetings) terms[static_cast<std::size_t>(m.output)].push_back({m.tap, m.input, -1});
  std::vector<bool> done(terms.size());
  for (std::size_t one = 0; one < terms.size(); ++one) {
    if (done[one]) continue;
    ConvolutionAxis::Block block;
    block.outputs.push_back(static_cast<std::int64_t>(one));
    for (std::size_t other = one + 1; pairs && other < terms.size() && block.outputs.size() == 1; ++other) {
      if (done[other]) continue;
      while (take_pair(terms[one], terms[other], block, axis.taps)) {
      }
      if (block.sums[0].empty()) continue;
      block.outputs.push_back(static_cast<std::int64_t>(other));
      done[other] = true;
      std::ranges::copy(terms[other], std::back_inserter(block.sums[2]));
    }
    std::ranges::copy(terms[one], std::back_inserter(block.sums[block.outputs.size() - 1]));
    axis.blocks.push_back(std::move(block));
  }
  return axis;
}

}  // namespace engine
