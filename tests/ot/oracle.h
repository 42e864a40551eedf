#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "engine/random.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace ot::testing {

using engine::Random;
using engine::real;
using engine::Tensor;

inline constexpr double epsilon = std::numeric_limits<real>::epsilon();

inline std::vector<real> vector_of(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

using Exact = long double;

/// A ground cost k as a function of the differences x_c - y_c, straight from its definition, in long double.
struct PlainCost {
  std::function<Exact(std::span<const Exact> difference)> value;
  std::function<void(std::span<Exact> difference)> to_gradient;  ///< in place of the differences
};

inline Exact squared_norm(std::span<const Exact> difference) {
  Exact squares = 0;
  for (const Exact c : difference) squares += c * c;
  return squares;
}

inline PlainCost plain_square() {
  return {squared_norm, [](std::span<Exact> difference) {
            for (Exact& c : difference) c *= 2;
          }};
}

/// ||x - y||^p; at x = y the gradient is 0.
inline PlainCost plain_power(double p) {
  return {[p](std::span<const Exact> difference) { return std::pow(squared_norm(difference), Exact(p) / 2); },
          [p](std::span<Exact> difference) {
            const Exact square = squared_norm(difference);
            for (Exact& c : difference) c = square == 0 ? 0 : p * std::pow(square, Exact(p) / 2 - 1) * c;
          }};
}

inline PlainCost plain_cityblock() {
  return {[](std::span<const Exact> difference) {
            Exact sum = 0;
            for (const Exact c : difference) sum += std::abs(c);
            return sum;
          },
          [](std::span<Exact> difference) {
            for (Exact& c : difference) c = (c > 0) - (c < 0);
          }};
}

/// A c-transform to sum_j nu_j delta_{y_j} for the cost scale k(x, y), straight from its definition, in long double.
struct Oracle {
  std::vector<long double> value, gradient, mass;  // [B], [B, d], [J]
  std::vector<std::int64_t> winners;               // [B], for lambda = 0

  /// k = ||x - y||^2
  Oracle(const std::vector<real>& y, const std::vector<double>& weights, long double scale, const Tensor& x,
         const Tensor& psi, long double lambda)
      : Oracle(y, weights, plain_square(), scale, x, psi, lambda) {}

  Oracle(const std::vector<real>& y, const std::vector<double>& weights, const PlainCost& cost, long double scale,
         const Tensor& x, const Tensor& psi, long double lambda)
      : value(static_cast<std::size_t>(x.dim(0))),
        gradient(static_cast<std::size_t>(x.size())),
        mass(static_cast<std::size_t>(psi.size())) {
    const auto batch = static_cast<std::size_t>(x.dim(0)), d = static_cast<std::size_t>(x.dim(1)), count = mass.size();
    std::vector<Exact> between(d);
    const auto differences = [&](std::size_t i, std::size_t j) -> std::span<Exact> {
      for (std::size_t c = 0; c < d; ++c) between[c] = static_cast<Exact>(x.data()[i * d + c]) - y[j * d + c];
      return between;
    };
    for (std::size_t i = 0; i < batch; ++i) {
      std::vector<long double> u(count, std::numeric_limits<long double>::infinity()), p(count, 0);
      std::size_t least = count;
      for (std::size_t j = 0; j < count; ++j) {
        if (weights[j] == 0) continue;
        u[j] = scale * cost.value(differences(i, j)) - psi.data()[j];
        if (least == count || u[j] < u[least]) least = j;
      }
      if (lambda == 0) {
        value[i] = u[least];
        p[least] = 1;
        winners.push_back(static_cast<std::int64_t>(least));
      } else {
        long double sum = 0;
        for (std::size_t j = 0; j < count; ++j)
          if (weights[j] > 0) sum += p[j] = weights[j] * std::exp((u[least] - u[j]) / lambda);
        value[i] = u[least] - lambda * std::log(sum);
        for (long double& share : p) share /= sum;
      }
      for (std::size_t j = 0; j < count; ++j) {
        mass[j] += p[j] / static_cast<long double>(batch);
        if (p[j] == 0) continue;
        cost.to_gradient(differences(i, j));
        for (std::size_t c = 0; c < d; ++c) gradient[i * d + c] += scale * p[j] * between[c];
      }
    }
  }
};

/// The largest absolute difference; NaN if any element is.
template <class A, class B>
double distance(const A& a, const B& b) {
  double worst = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto difference =
        static_cast<double>(std::abs(static_cast<long double>(a[i]) - static_cast<long double>(b[i])));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

inline double distance(const Tensor& a, const std::vector<long double>& b) {
  return distance(a.values(), b);
}
inline double distance(const Tensor& a, const Tensor& b) {
  return distance(a.values(), b.values());
}

/// Whether all bits agree.
inline bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && distance(a, b) == 0;
}

}  // namespace ot::testing
