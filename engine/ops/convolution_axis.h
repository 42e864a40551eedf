#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

/// One axis of a convolution: each output is a sum of taps times inputs.
///
/// Two outputs that two taps s, t join to three inputs a, b, c take three products instead of four (Winograd's minimal
/// filtering F(2, 2); Lavin and Gray 2016):
///   o = s a + t b = s (a - b) + (s + t) b,
///   o' = s b + t c = t (c - b) + (s + t) b.
/// Along two axes the products are those of each sum of the one with each sum of the other, at best 9 instead of 16.
struct ConvolutionAxis {
  /// A tap, or the sum of two; without a second one that is -1.
  struct Tap {
    std::int64_t first, second;
  };
  /// taps[tap] (input - minus); without a difference `minus` is -1.
  struct Term {
    std::int64_t tap, input, minus;
  };
  /// An output, or two with sums in common.
  struct Block {
    std::vector<std::int64_t> outputs;
    std::vector<Term> sums[3];  ///< what goes to all outputs, and what to the first and to the second of two alone
  };

  std::vector<Tap> taps;  ///< first the kernel's own
  std::vector<Block> blocks;
};

/// An input times a tap, as a part of an output.
struct AxisMeeting {
  std::int64_t tap, input, output;
};

/// The axis with these meetings, all outputs by themselves or with as many pairs as there are.
ConvolutionAxis convolution_axis(std::int64_t taps, std::int64_t outputs, std::span<const AxisMeeting> meetings,
                                 bool pairs);

}  // namespace engine
