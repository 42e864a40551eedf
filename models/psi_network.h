#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tape.h"
#include "models/layers.h"

namespace models {

/// A dual potential psi as a network on the points y: linear layers with ReLU between them and one output, the paper's
/// by default. Parameters are called `psi.0.weight`, `psi.0.bias`, `psi.2.weight`, ...
class PsiNetwork {
 public:
  /// `sizes` runs from the points' dimension to 1. Throws Error when it does not end in 1, or for a size below 1.
  explicit PsiNetwork(const std::vector<std::int64_t>& sizes, std::uint64_t seed, const std::string& name = "psi");
  /// The paper's hidden sizes on points of the given dimension.
  static std::vector<std::int64_t> paper_sizes(std::int64_t dimension) { return {dimension, 512, 256, 128, 1}; }

  /// y [J, dimension] -> psi(y) [J]. Throws Error for another shape of y.
  engine::Var operator()(const engine::Var& y) const;
  std::vector<Parameter> parameters();

 private:
  std::string name_;
  std::vector<Linear> layers_;
};

}  // namespace models
