#pragma once

#include "engine/ops/activation.h"
#include "engine/ops/images.h"
#include "engine/tape.h"

namespace engine {

/// How a kernel moves over an image; a number alone holds for rows and columns.
struct Stride {
  std::int64_t stride = 1;     ///< >= 1
  PerAxis padding = 0;         ///< >= 0; zeros around the input of conv2d, cropped from the output of conv_transpose2d
  PerAxis output_padding = 0;  ///< 0..stride-1; conv_transpose2d only: rows and columns added at the far edge
};

// The three ops are the three partial adjoints of one trilinear form, so each one's gradients are the other two, and
// gradients of any order exist. They throw Error where axes, channels or sizes do not fit. With Layout::batch_last x
// and the result have their batch axis last instead.

/// Cross-correlation, PyTorch's conv2d without bias: x [B, Cin, H, W], weight [Cout, Cin, kh, kw] ->
/// [B, Cout, (H + 2 padding - kh) / stride + 1, (W + 2 padding - kw) / stride + 1], each with its axis' padding.
Var conv2d(const Var& x, const Var& weight, const Stride& stride, Layout layout = Layout::batch_first);

/// activation(conv2d(x, weight) + bias), bias [Cout], while the sums are in a cache: three times less memory to go
/// through than by three ops.
Var conv2d(const Var& x, const Var& weight, const Var& bias, const Activation& activation, const Stride& stride,
           Layout layout = Layout::batch_first);

/// PyTorch's conv_transpose2d without bias: x [B, Cin, H, W], weight [Cin, Cout, kh, kw] ->
/// [B, Cout, (H - 1) stride - 2 padding + kh + output_padding, the same for W]. The adjoint of conv2d in its input.
Var conv_transpose2d(const Var& x, const Var& weight, const Stride& stride, Layout layout = Layout::batch_first);

/// The adjoint of conv2d in its weight: sum over images and places of output_gradient times the input patch;
/// x [B, Cin, H, W], output_gradient [B, Cout, h, w] -> [Cout, Cin, kh, kw].
Var conv2d_weight(const Var& x, const Var& output_gradient, std::int64_t kernel_height, std::int64_t kernel_width,
                  const Stride& stride, Layout layout = Layout::batch_first);

}  // namespace engine
