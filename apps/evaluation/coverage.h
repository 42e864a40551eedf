#pragma once

#include "apps/evaluation/neighbours.h"
#include "engine/tensor.h"

namespace apps::evaluation {

/// Which neighbour's distance is the radius of a point's ball, in all measures of this file.
inline constexpr int ball_neighbour = 5;

/// Points [n, d] with what stays the same whatever they are compared with: their distances to each other.
struct PointSet {
  /// Throws Error for fewer than ball_neighbour + 1 points.
  explicit PointSet(engine::Tensor x) : points(std::move(x)), own(own_neighbours(points, ball_neighbour)) {}

  engine::Tensor points;
  OwnNeighbours own;
};

/// How well the generated points Y cover the real ones X, and the other way round. With B(x) the open ball around x
/// that reaches to its 5th nearest neighbour in its own set:
struct Coverage {
  /// The share of Y in some B(X_i) (Kynkaanniemi et al., "Improved precision and recall metric", NeurIPS 2019).
  double precision = 0;
  /// The share of X in some B(Y_j).
  double recall = 0;
  /// sum_j #{i: Y_j in B(X_i)} / (5 M), 1 in expectation for equal laws (Naeem et al., "Reliable fidelity and diversity
  /// metrics", ICML 2020).
  double density = 0;
  /// The share of X with some Y_j in B(X_i); 1 - 2^-5 for equal laws and many points (ibid.).
  double coverage = 0;
  /// How often a point's nearest other one, among both sets, is of its own set; ties count half. 1/2 for equal laws
  /// and equally many points (Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017).
  double two_sample = 0;
};

/// Throws Error for points of different dimensions.
Coverage coverage(const PointSet& real, const PointSet& generated);

}  // namespace apps::evaluation
