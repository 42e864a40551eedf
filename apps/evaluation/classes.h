#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace apps::evaluation {

/// The share of each class 0..classes-1 among those given. Throws Error for none, and for a class beyond.
std::vector<double> class_shares(std::span<const std::uint8_t> of_points, int classes);

/// Half the sum of the absolute differences, between 0 and 1. Throws Error for different numbers of classes.
double total_variation(std::span<const double> p, std::span<const double> q);

}  // namespace apps::evaluation
