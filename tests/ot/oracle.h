#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
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

/// A c-transform to sum_j nu_j delta_{y_j} straight from its definition, in long double.
struct Oracle {
  std::vector<long double> value, gradient, mass;  // [B], [B, d], [J]
  std::vector<std::int64_t> winners;               // [B], for lambda = 0

  Oracle(const std::vector<real>& y, const std::vector<double>& weights, long double scale, const Tensor& x,
         const Tensor& psi, long double lambda)
      : value(static_cast<std::size_t>(x.dim(0))),
        gradient(static_cast<std::size_t>(x.size())),
        mass(static_cast<std::size_t>(psi.size())) {
    const auto batch = static_cast<std::size_t>(x.dim(0)), d = static_cast<std::size_t>(x.dim(1)), count = mass.size();
    for (std::size_t i = 0; i < batch; ++i) {
      std::vector<long double> u(count, std::numeric_limits<long double>::infinity()), p(count, 0);
      std::size_t least = count;
      for (std::size_t j = 0; j < count; ++j) {
        if (weights[j] == 0) continue;
        u[j] = 0;
        for (std::size_t c = 0; c < d; ++c) {
          const long double difference = static_cast<long double>(x.data()[i * d + c]) - y[j * d + c];
          u[j] += scale * difference * difference;
        }
        u[j] -= psi.data()[j];
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
        for (std::size_t c = 0; c < d; ++c)
          gradient[i * d + c] += 2 * scale * p[j] * (static_cast<long double>(x.data()[i * d + c]) - y[j * d + c]);
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
