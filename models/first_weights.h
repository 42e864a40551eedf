#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/layers.h"

namespace models {

/// The stream of random numbers that a parameter's first values are drawn from: the FNV-1a hash of its name.
std::uint64_t stream_of_parameter(const std::string& name);

/// Replaces the parameters' values by those that the DCGAN's authors start at (Radford et al., 2016): weights are
/// N(0, deviation), functions of the seed and their names; biases, whose names end in `.bias`, are 0, and the gains of
/// batch norms, weights of one axis, 1.
void draw_normal_weights(const std::vector<Parameter>& parameters, double deviation, std::uint64_t seed);

}  // namespace models
