#pragma once

#include <cstdint>

#include "apps/latents.h"
#include "engine/tensor.h"

namespace apps {

/// Walks between latent points: row r of the result, `steps` >= 2 of its rows, leads in even steps from ends[2r] to
/// ends[2r + 1], both included; ends [2 n, m] -> [n * steps, m].
///   - uniform: in a straight line, (1 - t) a + t b, which stays in the cube;
///   - normal: along the great circle, (sin((1 - t) w) a + sin(t w) b) / sin(w), where w is the angle between a and b,
///     since nearly all draws are of one length and the middle of a line between two is shorter (Shoemake, "Animating
///     rotation with quaternion curves", SIGGRAPH 1985). In a straight line where a and b lie on one line through 0.
/// Classes beside the coordinates go from one to the other in a straight line.
/// Throws Error for fewer steps and an odd number of ends.
engine::Tensor latent_walks(const engine::Tensor& ends, std::int64_t steps, const LatentLaw& law);

}  // namespace apps
