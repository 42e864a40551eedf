#include "apps/paper/inner_loop.h"

#include <algorithm>

#include "apps/learn/dual.h"
#include "ot/semidual.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// The mean of the values that parameters have had.
class RunningMean {
 public:
  explicit RunningMean(std::vector<Var*> parameters) : parameters_(std::move(parameters)) {
    for (const Var* parameter : parameters_) means_.push_back(Tensor::zeros(parameter->shape()));
  }

  /// Counts their present values in.
  void add() {
    ++count_;
    for (std::size_t p = 0; p < means_.size(); ++p) {
      const std::span<const real> values = parameters_[p]->value().values();
      const std::span<real> mean = means_[p].values();
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += (values[i] - mean[i]) / static_cast<real>(count_);
    }
  }

  /// Exchanges the means and the parameters' values.
  void swap() {
    for (std::size_t p = 0; p < means_.size(); ++p)
      std::ranges::swap_ranges(means_[p].values(), parameters_[p]->value().values());
  }

 private:
  std::vector<Var*> parameters_;
  std::vector<Tensor> means_;
  std::int64_t count_ = 0;
};

}  // namespace

std::vector<double> inner_loop(const TrainOptions& options, const ot::Target& target, const Tensor& x,
                               std::int64_t steps, const std::function<bool()>& go_on) {
  TrainOptions last_iterate = options;
  last_iterate.dual_average = "off";  // the means are taken here, after each step
  const bool average = options.dual_average == "on";
  Dual dual(last_iterate, target);
  RunningMean mean(dual.psi->parameters());
  const auto h = [&] { return ot::semidual(dual.transform, x, dual.psi->values(), options.lambda).value().item(); };

  std::vector<double> values{h()};
  dual.solver->begin();
  for (std::int64_t k = 1; k <= steps && go_on(); ++k) {
    dual.solver->step(x);
    if (average) {
      mean.add();
      mean.swap();
    }
    values.push_back(h());
    if (average) mean.swap();
  }
  return values;
}

}  // namespace apps
