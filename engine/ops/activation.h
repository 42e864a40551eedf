#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace engine {

/// What a layer applies to its sums, element by element.
struct Activation {
  enum class Kind { identity, leaky_relu, sigmoid, tanh };

  Kind kind = Kind::identity;
  double slope = 0;  ///< of leaky_relu below 0, not negative; 0 is ReLU

  static Activation leaky_relu(double slope) { return {Kind::leaky_relu, slope}; }
  static Activation relu() { return leaky_relu(0); }
  static Activation sigmoid() { return {Kind::sigmoid}; }
  static Activation tanh() { return {Kind::tanh}; }

  /// Throws Error, in the name of an op, for a slope that is negative or not finite.
  void require_slope(const char* op) const;
  /// activation(x)
  Var operator()(const Var& x) const;
  /// Replaces n sums by their values.
  void apply(std::int64_t n, real* values) const;
  /// y = activation(sums) as a value on the tape, where apply() has left y in the memory of the sums: they stand on the
  /// tape with their shape alone.
  Var of(const Var& sums) const;
};

}  // namespace engine
