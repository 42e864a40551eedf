#include "ot/ascent/dual_solver.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engine/optimizer.h"
#include "engine/simd/kernels.h"
#include "ot/ascent/sparse_asgd.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"

namespace ot {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {
/// H as a function of a potential's parameters.
struct Functional {
  Transformer& transform;
  Potential& potential;
  double lambda;

  /// The gradients of -H on the batch x: optimizers descend.
  std::vector<Var> descent(const Tensor& x) const {
    return potential.pull_back(
        [&](const Tensor& psi) { return descent(transform.target(), transform(x, psi, lambda, {.mass = true})); });
  }
  std::vector<Var> descent(const Tensor& x, const Subset& subset) const {
    return potential.pull_back([&](const Tensor& psi) { return descent_in_psi(subset, x, psi); }, subset);
  }

  std::vector<PartOfGradient> parts_of_descent(const Tensor& x, const Subset& subset) const {
    return potential.parts([&](const Tensor& psi) { return descent_in_psi(subset, x, psi); }, subset);
  }

 private:
  Tensor descent_in_psi(const Subset& subset, const Tensor& x, const Tensor& psi) const {
    return descent(subset.target, c_transform(subset.target, x, psi, lambda, {.mass = true}));
  }
  static Tensor descent(const Target& target, const CTransform& transform) {
    Tensor gradient = semidual_gradient(target, transform.mass);
    engine::simd::kernels().scale(gradient.size(), -1, gradient.data(), gradient.data());
    return gradient;
  }
};

class AsgdSolver : public DualSolver {
 public:
  AsgdSolver(const Functional& functional, const DualOptions& options)
      : functional_(functional), average_(options.average), optimizer_(options.rate, options.decay) {}

  void set_rate(double rate) override { optimizer_.rate() = rate; }
  void begin() override {
    functional_.transform.restart();
    optimizer_.restart();
  }
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

Tensor gather(const Tensor& all, const std::vector<std::int64_t>& elements) {
  Tensor part({std::ssize(elements)});
  std::ranges::transform(elements, part.data(), [&](std::int64_t element) { return all.data()[element]; });
  return part;
}

void scatter(const Tensor& part, const std::vector<std::int64_t>& elements, Tensor& all) {
  for (std::size_t e = 0; e < elements.size(); ++e) all.data()[elements[e]] = part.data()[e];
}

class AdamSolver : public DualSolver {
 public:
  AdamSolver(const Functional& functional, double rate)
      : functional_(functional), means_(functional.potential.parameters_of_like_elements()), optimizer_(make(rate)) {}

  void set_rate(double rate) override { optimizer_.rate() = rate; }
  void begin() override { functional_.transform.restart(); }
  void step(const Tensor& x) override { optimizer_.step(functional_.potential.parameters(), functional_.descent(x)); }
  void step(const Tensor& x, const Subset& subset) override {
    const std::vector<PartOfGradient> parts = functional_.parts_of_descent(x, subset);
    if (parts.empty())
      optimizer_.step(functional_.potential.parameters(), functional_.descent(x, subset));
    else
      step_at(parts);
  }
  void finish() override {}

  NamedTensors state() const override {
    const engine::Adam::State& adam = optimizer_.state();
    NamedTensors result{{steps_name, Tensor::scalar(static_cast<real>(adam.steps))}};
    for (std::size_t i = 0; i < adam.first.size(); ++i) {
      result.emplace_back(moment_name("first", i), of_points(i) ? of_rank().gathered(adam.first[i]) : adam.first[i]);
      result.emplace_back(moment_name("second", i), adam.second[i]);
    }
    return result;
  }

  void restore(const NamedTensors& state) override {
    engine::Adam::State adam;
    adam.steps = whole_number(steps_name, find(state, steps_name, {}).item());
    if (adam.steps > 0) {  // before the first step there are no moments
      const std::vector<Var*> parameters = functional_.potential.parameters();
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string first = moment_name("first", i);
        adam.first.push_back(of_points(i) ? of_rank().part(find(state, first, {of_rank().total}))
                                          : find(state, first, parameters[i]->shape()).clone());
        adam.second.push_back(find(state, moment_name("second", i), second_shape(*parameters[i])).clone());
      }
    }
    optimizer_.state() = adam;
  }

 private:
  /// A step of these elements alone, as PyTorch's SparseAdam makes it: a gradient of 0 would still move the others by
  /// their momentum.
  void step_at(const std::vector<PartOfGradient>& parts) {
    assert(means_);
    const std::vector<Var*> parameters = functional_.potential.parameters();
    engine::Adam::State& all = optimizer_.state();
    if (all.first.empty())
      for (const Var* parameter : parameters) {
        all.first.push_back(Tensor::zeros(parameter->shape()));
        all.second.push_back(Tensor::zeros(second_shape(*parameter)));
      }
    engine::Adam adam = make(optimizer_.rate());
    adam.state().steps = all.steps;
    std::vector<Var> moved, descent;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const std::vector<std::int64_t>& elements = parts[p].elements;
      moved.emplace_back(gather(parameters[p]->value(), elements));
      descent.emplace_back(parts[p].gradient);
      adam.state().first.push_back(gather(all.first[p], elements));
      adam.state().second.push_back(all.second[p]);
    }
    std::vector<Var*> to_move;
    for (Var& part : moved) to_move.push_back(&part);
    adam.step(to_move, descent);
    for (std::size_t p = 0; p < parts.size(); ++p) {
      scatter(moved[p].value(), parts[p].elements, parameters[p]->value());
      scatter(adam.state().first[p], parts[p].elements, all.first[p]);
    }
    all.steps = adam.state().steps;
  }

  const PointsOfRank& of_rank() const { return functional_.transform.target().of_rank(); }
  /// Whether a parameter has an element for each point: of those of like elements the first.
  bool of_points(std::size_t parameter) const { return means_ && parameter == 0; }

  static std::string moment_name(const char* moment, std::size_t parameter) {
    return engine::text("dual.adam.", moment, ".", parameter);
  }

  /// With a mean of squares for each parameter, points that a batch does not hit move as far as their gradient, which
  /// is small, says; with squares of their own they all rise by the rate, and H falls.
  engine::Adam make(double rate) const {
    using Squares = engine::Adam::Squares;
    return engine::Adam(rate, 0.9, 0.999, 1e-8, means_ ? Squares::mean : Squares::own,
                        functional_.transform.target().ranks());
  }
  engine::Shape second_shape(const Var& parameter) const { return means_ ? engine::Shape{1} : parameter.shape(); }

  Functional functional_;
  bool means_;
  engine::Adam optimizer_;
};
}  // namespace

std::unique_ptr<DualSolver> make_dual_solver(Transformer& transform, Potential& potential, double lambda,
                                             const DualOptions& options) {
  require(options.rate > 0 && std::isfinite(options.rate),
          "[dual solver] the rate must be positive and finite: ", options.rate);
  require(options.decay >= 0 && options.decay <= 1, "[dual solver] the decay must be in [0, 1]: ", options.decay);
  require(transform.target().ranks().size() == 1 || transform.has_shards() ||
              (potential.parameters_of_like_elements() && lambda == 0),
          "[dual solver] without shards ranks share a psi of points or layers at lambda = 0 alone");
  if (options.optimizer == DualOptimizer::adam)
    return std::make_unique<AdamSolver>(Functional{transform, potential, lambda}, options.rate);
  VectorPotential* const vector = potential.as_vector();
  if (vector && lambda == 0 && transform.target().uniform())
    return std::make_unique<SparseAsgd>(transform, *vector, options);
  return std::make_unique<AsgdSolver>(Functional{transform, potential, lambda}, options);
}

}  // namespace ot
