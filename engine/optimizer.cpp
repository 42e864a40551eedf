#include "engine/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

using Parameters = std::span<Var* const>;

void require_rate(const char* op, double rate) {
  require(rate > 0 && std::isfinite(rate), "[", op, "] the rate must be positive and finite: ", rate);
}

void require_epsilon(const char* op, double epsilon) {
  require(epsilon >= 0 && std::isfinite(epsilon), "[", op, "] epsilon must be finite and not negative: ", epsilon);
}

void require_fraction(const char* op, const char* constant, double value) {
  require(value >= 0 && value < 1, "[", op, "] ", constant, " must be at least 0 and below 1: ", value);
}

void require_gradients(const char* op, Parameters parameters, std::span<const Var> gradients) {
  require(gradients.size() == parameters.size(), "[", op,
          "] one gradient of the same shape for each parameter: ", gradients.size(), " gradients for ",
          parameters.size(), " parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i)
    require(gradients[i].shape() == parameters[i]->shape() && gradients[i].size() == parameters[i]->size(), "[", op,
            "] one gradient of the same shape for each parameter: ", gradients[i].shape(), " for ",
            parameters[i]->shape());
}

// Makes the state at the first step, of a number for each element or for each parameter; later it must still fit.
enum class Keep { elements, means };
void fit(const char* op, std::vector<Tensor>& state, Parameters parameters, Keep keep = Keep::elements) {
  const auto shape = [&](const Var* parameter) { return keep == Keep::elements ? parameter->shape() : Shape{1}; };
  if (state.empty())
    for (const Var* parameter : parameters) state.push_back(Tensor::zeros(shape(parameter)));
  require(state.size() == parameters.size(), "[", op,
          "] the parameters must be those of the state: ", parameters.size(), " parameters for a state of ",
          state.size());
  for (std::size_t i = 0; i < state.size(); ++i)
    require(state[i].shape() == shape(parameters[i]), "[", op,
            "] the parameters must be those of the state: ", parameters[i]->shape(), " for a state of ",
            state[i].shape());
}

// Calls update(begin, count) on pieces of 0..n-1.
template <class Update>
void for_pieces(std::int64_t n, const Update& update) {
  parallel_for(n, 1 << 14, [&](std::int64_t begin, std::int64_t end) { update(begin, end - begin); });
}

// The mean of g^2, the same for any number of threads and of ranks that share its elements.
double mean_square(const Var& gradient, const Cluster& ranks) {
  constexpr std::int64_t piece = 512;
  const std::int64_t n = gradient.size();
  std::vector<double> sums(static_cast<std::size_t>((n + piece - 1) / piece), 0);
  parallel_for(n, 8 * piece, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t begin = first; begin < last; begin += piece) {
      const real* g = gradient.value().data() + begin;
      sums[static_cast<std::size_t>(begin / piece)] = simd::kernels().dot(std::min(piece, last - begin), g, g);
    }
  });
  struct {
    double sum = 0;
    std::int64_t count = 0;
  } all;
  ranks.in_turn(all, [&] { all = {std::accumulate(sums.begin(), sums.end(), all.sum), all.count + n}; });
  return all.sum / static_cast<double>(all.count);
}

}  // namespace

Sgd::Sgd(double rate, double momentum) : rate_(rate), momentum_(momentum) {
  require_rate("sgd", rate);
  require_fraction("sgd", "momentum", momentum);
}

void Sgd::step(Parameters parameters, std::span<const Var> gradients) {
  require_rate("sgd", rate_);
  require_gradients("sgd", parameters, gradients);
  if (momentum_ > 0) fit("sgd", state_.velocity, parameters);
  const simd::Kernels& kernels = simd::kernels();
  const real rate = static_cast<real>(rate_), momentum = static_cast<real>(momentum_);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    real* p = parameters[i]->value().data();
    const real* g = gradients[i].value().data();
    real* v = momentum_ > 0 ? state_.velocity[i].data() : nullptr;
    for_pieces(parameters[i]->size(), [&](std::int64_t begin, std::int64_t count) {
      if (!v) return kernels.axpy(count, -rate, g + begin, p + begin);
      kernels.scale(count, momentum, v + begin, v + begin);
      kernels.add(count, v + begin, g + begin, v + begin);
      kernels.axpy(count, -rate, v + begin, p + begin);
    });
  }
}

Adam::Adam(double rate, double beta1, double beta2, double epsilon, Squares squares, const Cluster& ranks)
    : rate_(rate), beta1_(beta1), beta2_(beta2), epsilon_(epsilon), squares_(squares), ranks_(ranks) {
  require_rate("adam", rate);
  require_fraction("adam", "beta1", beta1);
  require_fraction("adam", "beta2", beta2);
  require_epsilon("adam", epsilon);
}

void Adam::step(Parameters parameters, std::span<const Var> gradients) {
  require_rate("adam", rate_);
  require_gradients("adam", parameters, gradients);
  fit("adam", state_.first, parameters);
  fit("adam", state_.second, parameters, squares_ == Squares::own ? Keep::elements : Keep::means);
  const simd::Kernels& kernels = simd::kernels();
  const auto steps = static_cast<double>(++state_.steps);
  const real rate = static_cast<real>(rate_ / (1 - std::pow(beta1_, steps)));
  const real root_correction = static_cast<real>(1 / std::sqrt(1 - std::pow(beta2_, steps)));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    real *p = parameters[i]->value().data(), *m = state_.first[i].data(), *v = state_.second[i].data();
    const real* g = gradients[i].value().data();
    if (squares_ == Squares::mean) {
      *v = static_cast<real>(beta2_ * *v + (1 - beta2_) * mean_square(gradients[i], i == 0 ? ranks_ : Cluster()));
      const real length = rate / (std::sqrt(*v) * root_correction + static_cast<real>(epsilon_));
      for_pieces(parameters[i]->size(), [&](std::int64_t begin, std::int64_t count) {
        kernels.scale(count, static_cast<real>(beta1_), m + begin, m + begin);
        kernels.axpy(count, static_cast<real>(1 - beta1_), g + begin, m + begin);
        kernels.axpy(count, -length, m + begin, p + begin);
      });
      continue;
    }
    for_pieces(parameters[i]->size(), [&](std::int64_t begin, std::int64_t count) {
      kernels.adam(count, p + begin, m + begin, v + begin, g + begin, rate, static_cast<real>(beta1_),
                   static_cast<real>(beta2_), root_correction, static_cast<real>(epsilon_));
    });
  }
}

RmsProp::RmsProp(double rate, double decay, double epsilon) : rate_(rate), decay_(decay), epsilon_(epsilon) {
  require_rate("rms_prop", rate);
  require_fraction("rms_prop", "decay", decay);
  require_epsilon("rms_prop", epsilon);
}

void RmsProp::step(Parameters parameters, std::span<const Var> gradients) {
  require_rate("rms_prop", rate_);
  require_gradients("rms_prop", parameters, gradients);
  fit("rms_prop", state_.mean_square, parameters);
  const real rate = static_cast<real>(rate_), decay = static_cast<real>(decay_), epsilon = static_cast<real>(epsilon_);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    real *p = parameters[i]->value().data(), *v = state_.mean_square[i].data();
    const real* g = gradients[i].value().data();
    for_pieces(parameters[i]->size(), [&](std::int64_t begin, std::int64_t count) {
      for (std::int64_t j = begin; j < begin + count; ++j) {
        v[j] = decay * v[j] + (1 - decay) * g[j] * g[j];
        p[j] -= rate * g[j] / (std::sqrt(v[j]) + epsilon);
      }
    });
  }
}

Asgd::Asgd(double rate, double decay) : rate_(rate), decay_(decay) {
  require_rate("asgd", rate);
  require(decay >= 0 && std::isfinite(decay), "[asgd] decay must be finite and not negative: ", decay);
}

void Asgd::step(Parameters parameters, std::span<const Var> gradients) {
  require_rate("asgd", rate_);
  require_gradients("asgd", parameters, gradients);
  fit("asgd", state_.mean, parameters);
  const auto steps = static_cast<double>(++state_.steps);
  const bool first = state_.steps == 1;  // forgets the mean of before a restart
  const real length = static_cast<real>(rate_ / std::pow(steps, decay_)), share = static_cast<real>(1 / steps);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    real *p = parameters[i]->value().data(), *mean = state_.mean[i].data();
    const real* g = gradients[i].value().data();
    for_pieces(parameters[i]->size(), [&](std::int64_t begin, std::int64_t count) {
      for (std::int64_t j = begin; j < begin + count; ++j) {
        p[j] -= length * g[j];
        mean[j] = first ? p[j] : (1 - share) * mean[j] + share * p[j];
      }
    });
  }
}

void Asgd::average(Parameters parameters) {
  if (state_.steps == 0) return;
  fit("asgd", state_.mean, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    std::ranges::copy(state_.mean[i].values(), parameters[i]->value().data());
}

}  // namespace engine
