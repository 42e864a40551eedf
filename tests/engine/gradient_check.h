#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/random.h"
#include "engine/tape.h"

namespace engine::testing {

/// Finite differences need double; test cases that use them say `* doctest::skip(!precise)`.
inline constexpr bool precise = sizeof(real) == 8;

using Function = std::function<Var(const std::vector<Var>&)>;

struct GradientErrors {
  double first = 0;   ///< the worst relative error of a directional derivative
  double second = 0;  ///< the same for the derivative of the gradient
};

namespace detail {

inline double inner(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::int64_t j = 0; j < a[i].size(); ++j) total += double(a[i].data()[j]) * double(b[i].data()[j]);
  return total;
}

inline double norm(const std::vector<Tensor>& a) {
  return std::sqrt(inner(a, a));
}

inline std::vector<Var> moved(const std::vector<Tensor>& at, const std::vector<Tensor>& direction, double step) {
  std::vector<Var> result;
  for (std::size_t i = 0; i < at.size(); ++i) {
    Tensor point = at[i].clone();
    for (std::int64_t j = 0; j < point.size(); ++j)
      point.data()[j] += static_cast<real>(step * double(direction[i].data()[j]));
    result.emplace_back(std::move(point));
  }
  return result;
}

inline std::vector<Tensor> random_like(const std::vector<Tensor>& tensors, std::uint64_t stream) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) result.push_back(Random(77, stream++).normal(tensor.shape(), 0, 1));
  return result;
}

inline std::vector<Tensor> values_of(const std::vector<Var>& variables) {
  std::vector<Tensor> result;
  for (const Var& variable : variables) result.push_back(variable.value());
  return result;
}

}  // namespace detail

/// Compares the gradient of L = sum of w f(inputs), w random, with central differences of L along random directions,
/// and with `twice` the gradient of <dL, v>, v random, with central differences of <dL, v>. An error is relative to the
/// length of gradient times direction, so that a gradient which is wrong in one element shows.
inline GradientErrors gradient_errors(const Function& f, const std::vector<Tensor>& inputs, bool twice = true,
                                      double step = 1e-5) {
  Tensor weights;
  const auto loss = [&](const std::vector<Var>& at) {
    Var value = f(at);
    if (!weights.defined()) weights = Random(78, 0).normal(value.shape(), 0, 1);
    return sum(value * weights);
  };
  const auto gradient = [&](const std::vector<Var>& at) {
    Tape tape;
    std::vector<Var> leaves = at;
    for (Var& leaf : leaves) tape.watch(leaf);
    return detail::values_of(tape.gradient(loss(leaves), leaves));
  };
  const std::vector<Var> start(inputs.begin(), inputs.end());
  const auto error = [](double exact, double measured, double scale) {
    return std::abs(exact - measured) / (scale + 1e-6);
  };

  GradientErrors errors;
  const std::vector<Tensor> first = gradient(start);
  for (std::uint64_t trial = 0; trial < 6; ++trial) {
    const auto direction = detail::random_like(inputs, 100 * trial);
    const double up = loss(detail::moved(inputs, direction, step)).value().item();
    const double down = loss(detail::moved(inputs, direction, -step)).value().item();
    errors.first = std::max(errors.first, error(detail::inner(first, direction), (up - down) / (2 * step),
                                                detail::norm(first) + std::abs(up - down) / (2 * step)));
  }
  if (!twice) return errors;

  const auto probe = detail::random_like(inputs, 5000);
  Tape tape;
  std::vector<Var> leaves = start;
  for (Var& leaf : leaves) tape.watch(leaf);
  const auto recorded_gradient = tape.gradient(loss(leaves), leaves, true);
  Var along = Tensor::scalar(0);
  for (std::size_t i = 0; i < leaves.size(); ++i) along = along + sum(recorded_gradient[i] * probe[i]);
  const auto second = detail::values_of(tape.gradient(along, leaves));
  for (std::uint64_t trial = 0; trial < 6; ++trial) {
    const auto direction = detail::random_like(inputs, 7000 + 100 * trial);
    const double up = detail::inner(gradient(detail::moved(inputs, direction, step)), probe);
    const double down = detail::inner(gradient(detail::moved(inputs, direction, -step)), probe);
    errors.second = std::max(errors.second, error(detail::inner(second, direction), (up - down) / (2 * step),
                                                  detail::norm(second) + std::abs(up - down) / (2 * step)));
  }
  return errors;
}

/// Checks first and second gradients to 1e-6 relative; the op's function is `f`.
inline void check_gradients(const Function& f, const std::vector<Tensor>& inputs, bool twice = true) {
  const GradientErrors errors = gradient_errors(f, inputs, twice);
  CHECK(errors.first < 1e-6);
  CHECK(errors.second < 1e-6);
}

}  // namespace engine::testing
