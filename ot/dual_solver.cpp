#include "ot/dual_solver.h"

#include <algorithm>
#include <cmath>

#include "engine/optimizer.h"
#include "engine/simd/kernels.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"
#include "ot/sparse_asgd.h"

namespace ot {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {
/// H as a function of a potential's parameters.
struct Functional {
  const Target& target;
  Potential& potential;
  double lambda;

  /// The gradients of -H on the batch x: optimizers descend.
  std::vector<Var> descent(const Tensor& x) const {
    return potential.pull_back([&](const Tensor& psi) { return descent_in_psi(target, x, psi); });
  }
  std::vector<Var> descent(const Tensor& x, const Subset& subset) const {
    return potential.pull_back([&](const Tensor& psi) { return descent_in_psi(subset.target, x, psi); }, subset);
  }

  Tensor descent_in_psi(const Target& to, const Tensor& x, const Tensor& psi) const {
    const CTransform transform = c_transform(to, x, psi, lambda, {.mass = true});
    Tensor gradient = semidual_gradient(to, transform.mass);
    engine::simd::kernels().scale(gradient.size(), -1, gradient.data(), gradient.data());
    return gradient;
  }
};

class AsgdSolver : public DualSolver {
 public:
  AsgdSolver(const Functional& functional, const DualOptions& options)
      : functional_(functional), average_(options.average), optimizer_(options.rate, options.decay) {}

  void begin() override { optimizer_.restart(); }
  void step(const Tensor& x) override { optimizer_.step(functional_.potential.parameters(), functional_.descent(x)); }
  void step(const Tensor& x, const Subset& subset) override {
    optimizer_.step(functional_.potential.parameters(), functional_.descent(x, subset));
  }
  void finish() override {
    if (average_) optimizer_.average(functional_.potential.parameters());
  }

 private:
  Functional functional_;
  bool average_;
  engine::Asgd optimizer_;
};

constexpr const char* steps_name = "dual.adam.steps";

const Tensor& find(const NamedTensors& state, const std::string& name, const engine::Shape& shape) {
  const auto found = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
  require(found != state.end(), "[dual solver] a state of Adam must have ", name);
  require(found->second.defined() && found->second.shape() == shape, "[dual solver] ", name,
          " must have the shape of its parameter: ", found->second.shape(), " against ", shape);
  return found->second;
}

class AdamSolver : public DualSolver {
 public:
  AdamSolver(const Functional& functional, double rate) : functional_(functional), optimizer_(rate) {}

  void begin() override {}
  void step(const Tensor& x) override { optimizer_.step(functional_.potential.parameters(), functional_.descent(x)); }
  void step(const Tensor& x, const Subset& subset) override {
    if (dynamic_cast<VectorPotential*>(&functional_.potential))
      step_at(subset, x);
    else
      optimizer_.step(functional_.potential.parameters(), functional_.descent(x, subset));
  }
  void finish() override {}

  NamedTensors state() const override {
    const engine::Adam::State& adam = optimizer_.state();
    NamedTensors result{{steps_name, Tensor::scalar(static_cast<real>(adam.steps))}};
    for (std::size_t i = 0; i < adam.first.size(); ++i) {
      result.emplace_back(moment_name("first", i), adam.first[i]);
      result.emplace_back(moment_name("second", i), adam.second[i]);
    }
    return result;
  }

  void restore(const NamedTensors& state) override {
    engine::Adam::State adam;
    adam.steps = static_cast<std::int64_t>(find(state, steps_name, {}).item());
    if (adam.steps > 0) {  // before the first step there are no moments
      const std::vector<Var*> parameters = functional_.potential.parameters();
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        adam.first.push_back(find(state, moment_name("first", i), parameters[i]->shape()).clone());
        adam.second.push_back(find(state, moment_name("second", i), parameters[i]->shape()).clone());
      }
    }
    optimizer_.state() = adam;
  }

 private:
  /// A step of a vector at the points of the subset alone, as PyTorch's SparseAdam makes it: a gradient of 0 would
  /// still move the others by their momentum.
  void step_at(const Subset& subset, const Tensor& x) {
    Tensor& psi = functional_.potential.parameters()[0]->value();
    engine::Adam::State& all = optimizer_.state();
    if (all.first.empty()) all.first = {Tensor::zeros(psi.shape())}, all.second = {Tensor::zeros(psi.shape())};
    Var part = subset.gather(psi);
    const Var descent = functional_.descent_in_psi(subset.target, x, part.value());
    engine::Adam adam(optimizer_.rate());
    adam.state() = {{subset.gather(all.first[0])}, {subset.gather(all.second[0])}, all.steps};
    adam.step(std::vector<Var*>{&part}, std::vector<Var>{descent});
    subset.scatter(part.value(), psi);
    subset.scatter(adam.state().first[0], all.first[0]);
    subset.scatter(adam.state().second[0], all.second[0]);
    all.steps = adam.state().steps;
  }

  static std::string moment_name(const char* moment, std::size_t parameter) {
    return engine::text("dual.adam.", moment, ".", parameter);
  }

  Functional functional_;
  engine::Adam optimizer_;
};
}  // namespace

std::unique_ptr<DualSolver> make_dual_solver(const Target& target, Potential& potential, double lambda,
                                             const DualOptions& options) {
  require(options.rate > 0 && std::isfinite(options.rate),
          "[dual solver] the rate must be positive and finite: ", options.rate);
  require(options.decay >= 0 && options.decay <= 1, "[dual solver] the decay must be in [0, 1]: ", options.decay);
  if (options.optimizer == DualOptimizer::adam)
    return std::make_unique<AdamSolver>(Functional{target, potential, lambda}, options.rate);
  auto* vector = dynamic_cast<VectorPotential*>(&potential);
  if (vector && lambda == 0 && target.uniform()) return std::make_unique<SparseAsgd>(target, *vector, options);
  return std::make_unique<AsgdSolver>(Functional{target, potential, lambda}, options);
}

}  // namespace ot
