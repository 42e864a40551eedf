#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "engine/tape.h"
#include "ot/named_tensors.h"
#include "ot/search/point_index.h"
#include "ot/shards.h"
#include "ot/subset.h"
#include "ot/target.h"

namespace ot {

/// The gradient [J] in psi of a function of psi [J].
using GradientInValues = std::function<engine::Tensor(const engine::Tensor& psi)>;

/// A gradient in some elements of a parameter, in increasing order; in all others it is 0.
struct PartOfGradient {
  std::vector<std::int64_t> elements;
  engine::Tensor gradient;  ///< [elements.size()]
};

class VectorPotential;

/// A dual potential psi on the points of a target, given by parameters: what solvers see. Defined up to a constant.
class Potential {
 public:
  virtual ~Potential() = default;

  /// psi_j, [J]. The memory may be the parameters' own: use it before they change.
  virtual engine::Tensor values() const = 0;
  /// What a solver moves. The pointers stay valid as long as the potential.
  virtual std::vector<engine::Var*> parameters() = 0;
  /// Whether the elements of each parameter are alike, numbers for points or for groups of them; parts() tells which.
  virtual bool parameters_of_like_elements() const { return false; }
  /// The gradients in each parameter of a function of values(), given its gradient [J] as a function of them, which is
  /// called once.
  virtual std::vector<engine::Var> pull_back(const GradientInValues& gradient) = 0;

  /// The same at the points of a subset alone, [M].
  virtual engine::Tensor values(const Subset& subset) const = 0;
  virtual std::vector<engine::Var> pull_back(const GradientInValues& gradient, const Subset& subset);
  /// The same for a potential that is looked up in its parameters: of each the elements that stand for points of the
  /// subset. Empty, without a call of `gradient`, where every point depends on all parameters.
  virtual std::vector<PartOfGradient> parts(const GradientInValues& gradient, const Subset& subset) {
    (void)gradient, (void)subset;
    return {};
  }

  /// This, where its parameters are the values themselves; otherwise null.
  virtual VectorPotential* as_vector() { return nullptr; }

  /// What a checkpoint holds of the potential, sharing its memory, and the way back. Nothing for a network, whose
  /// parameters are its owner's. Where ranks share the points it is that of all, and a call that all of them make.
  /// restore() throws Error where a tensor is missing or has another shape.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors& state) { (void)state; }
};

/// A value for each point: SDOT. Starts at 0.
class VectorPotential : public Potential {
 public:
  explicit VectorPotential(const Target& target)
      : of_rank_(target.of_rank()), psi_(engine::Tensor::zeros({target.size()})) {}

  engine::Tensor values() const override { return psi_.value(); }
  std::vector<engine::Var*> parameters() override { return {&psi_}; }
  bool parameters_of_like_elements() const override { return true; }
  using Potential::pull_back;
  std::vector<engine::Var> pull_back(const GradientInValues& gradient) override { return {gradient(values())}; }
  engine::Tensor values(const Subset& subset) const override { return subset.gather(psi_.value()); }
  std::vector<PartOfGradient> parts(const GradientInValues& gradient, const Subset& subset) override;
  VectorPotential* as_vector() override { return this; }
  NamedTensors state() const override { return {{"psi", of_rank_.gathered(psi_.value())}}; }
  void restore(const NamedTensors& state) override { psi_ = of_rank_.part(find(state, "psi", {of_rank_.total})); }

 private:
  PointsOfRank of_rank_;
  engine::Var psi_;
};

/// A function of y, [n, d] -> [n] or [n, 1], with its parameters: SDOTNN, (105). It is evaluated on a few points at a
/// time, those that are like each other together (PointIndex::order()), so that the zeros that images share spare work
/// in its first layer, and of shards those of one alone, whose gradients are summed up by themselves and then in the
/// order of the shards. For the gradient, what its tape holds is kept from the values on as long as it fits in the
/// memory given; the remaining points are evaluated once more, so that memory does not grow with J beyond that and the
/// values themselves; of shards each has a sum, of the size of the parameters.
class NetworkPotential : public Potential {
 public:
  struct Options {
    std::int64_t memory = std::int64_t{512} << 20;  ///< bytes for what a tape holds
    bool bf16 = false;                              ///< whether products are those of engine::Bf16Products
  };

  /// The index, its target and the parameters must outlive the potential. Throws Error without parameters, and for bf16
  /// where !engine::has_bf16_products().
  NetworkPotential(const PointIndex& index, std::function<engine::Var(const engine::Var&)> function,
                   std::vector<engine::Var*> parameters, const Options& options);
  NetworkPotential(const PointIndex& index, std::function<engine::Var(const engine::Var&)> function,
                   std::vector<engine::Var*> parameters)
      : NetworkPotential(index, std::move(function), std::move(parameters), Options()) {}
  /// On the points of all shards; pull_back() is then a call that all ranks make.
  NetworkPotential(const Shards& shards, std::function<engine::Var(const engine::Var&)> function,
                   std::vector<engine::Var*> parameters, const Options& options);

  /// Throws Error when the function does not return one value a point.
  engine::Tensor values() const override { return values(all_); }
  std::vector<engine::Var*> parameters() override { return parameters_; }
  /// Throws Error in addition for a gradient of another shape.
  std::vector<engine::Var> pull_back(const GradientInValues& gradient) override { return pull_back(gradient, all_); }
  engine::Tensor values(const Subset& subset) const override { return values(measures_of(subset)); }
  std::vector<engine::Var> pull_back(const GradientInValues& gradient, const Subset& subset) override {
    return pull_back(gradient, measures_of(subset));
  }

 private:
  // Points, whose values stand from `first` on, and the order in which they are evaluated, their own if it is empty.
  struct Measure {
    const Target& target;
    std::span<const std::int64_t> order;
    std::int64_t first;
  };
  struct Measures {
    std::int64_t points;
    std::vector<Measure> each;
    engine::Cluster ranks = {};
  };
  struct Part {  // of a measure's places, which are evaluated together
    std::size_t measure;
    std::int64_t begin, end;
  };
  NetworkPotential(Measures all, std::function<engine::Var(const engine::Var&)> function,
                   std::vector<engine::Var*> parameters, const Options& options);
  static Measures measures_of(const Shards& shards);
  static Measures measures_of(const Subset& subset) { return {subset.target.size(), {{subset.target, {}, 0}}}; }
  static std::vector<Part> parts_of(const Measures& measures);
  engine::Tensor values(const Measures& measures) const;
  std::vector<engine::Var> pull_back(const GradientInValues& gradient, const Measures& measures);
  engine::Var evaluate(const Measures& measures, Part part) const;
  void evaluate(const Measures& measures, std::span<const Part> parts, engine::Tensor& psi) const;
  std::vector<engine::Var> total(const std::vector<std::vector<engine::Var>>& sums, const engine::Cluster& ranks) const;

  Measures all_;
  std::function<engine::Var(const engine::Var&)> function_;
  std::vector<engine::Var*> parameters_;
  Options options_;
};

}  // namespace ot
