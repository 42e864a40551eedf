#pragma once

#include <cstdint>
#include <vector>

#include "ot/potential.h"
#include "ot/search/point_index.h"

namespace ot {

/// A sum over layers of groups of points that lie near each other, psi(y_j) = sum_l theta_l(floor(place(j) / n_l)),
/// where place(j) is where the point stands in the order of a PointIndex and n_l is how many points a node
/// of layer l holds; single points, n_l = 1, keep their own order. A step along the gradient in theta_l, the sum of
/// that in psi over a node's points, moves whole neighbourhoods, of which a batch tells much more than of single
/// points; these keep every psi within reach. It is the sum form of the multi-layer psi of Leclaire and Rabin, "A
/// stochastic multi-layer algorithm for semi-discrete optimal transport with applications to texture synthesis and
/// style transfer" (2021). Starts at 0.
class LayeredPotential : public Potential {
 public:
  /// The layers of 1, 16, 256 and 4096 points that have at least two nodes for this many points.
  static std::vector<std::int64_t> usual_layers(std::int64_t points);

  /// Throws Error unless `points_a_node`, n_l, start at 1, increase and end at J at most.
  LayeredPotential(const PointIndex& index, std::vector<std::int64_t> points_a_node);

  engine::Tensor values() const override;
  /// theta_l, one for each layer.
  std::vector<engine::Var*> parameters() override;
  bool parameters_of_like_elements() const override { return true; }
  using Potential::pull_back;
  std::vector<engine::Var> pull_back(const GradientInValues& gradient) override;
  engine::Tensor values(const Subset& subset) const override;
  /// Of the nodes that hold points of the subset.
  std::vector<PartOfGradient> parts(const GradientInValues& gradient, const Subset& subset) override;

  /// `psi`, which is values(), `psi.layer.N` for N points a node, and `psi.order`, [J, 2]: the point at each place, as
  /// its remainder by 2^16 and the rest. The order is kept since another CPU's tree may be another one.
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;

 private:
  struct Layer {
    std::int64_t points;  // n_l
    engine::Var theta;
  };
  static std::string name_of(const Layer& layer);
  /// The element of theta_l that stands for a point.
  std::int64_t node(const Layer& layer, std::int64_t point) const;
  /// Of the nodes of a layer.
  std::vector<double> sums(const Layer& layer, const engine::Tensor& gradient) const;

  std::vector<Layer> layers_;
  std::vector<std::int64_t> place_;  // of each point
  PointsOfRank of_rank_;             // nodes of more than one point all ranks have alike
};

}  // namespace ot
