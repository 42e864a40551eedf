#include "ot/ascent/semidual_estimate.h"

#include <cmath>
#include <span>
#include <vector>

#include "ot/semidual.h"

namespace ot {

using engine::real;
using engine::Tensor;

std::optional<SemidualEstimate> estimate_semidual(Transformer& transform, const Tensor& psi, double lambda, int groups,
                                                  const std::function<Tensor(int)>& batch,
                                                  const std::function<bool()>& go_on) {
  const std::span<const double> nu = transform.target().weights();
  const double g = groups;
  const double of_psi = expectation(transform.target(), psi);

  std::vector<Tensor> masses;
  std::vector<double> sums(nu.size(), 0), means, products(static_cast<std::size_t>(groups), 0);
  for (int k = 0; k < groups; ++k) {
    if (go_on && !go_on()) return {};
    const CTransform found = transform(batch(k), psi, lambda, {.mass = true});
    double sum = 0;
    for (const real value : found.value.values()) sum += value;
    means.push_back(of_psi + sum / static_cast<double>(found.value.size()));
    masses.push_back(found.mass);
    for (std::size_t j = 0; j < nu.size(); ++j) sums[j] += found.mass.values()[j];
  }
  // sum_j m_gj m_hj / nu_j is 1 + chi^2 in expectation for g != h. `products` has its sums over h.
  transform.target().ranks().in_turn(std::span(products), [&] {
    for (int k = 0; k < groups; ++k) {
      const Tensor& mass = masses[static_cast<std::size_t>(k)];
      double& product = products[static_cast<std::size_t>(k)];
      for (std::size_t j = 0; j < nu.size(); ++j)
        if (nu[j] > 0) product += mass.values()[j] * (sums[j] - mass.values()[j]) / nu[j];
    }
  });
  double all = 0;
  for (const double product : products) all += product;
  SemidualEstimate estimate;
  estimate.chi_squared = all / (g * (g - 1)) - 1;
  for (const double mean : means) estimate.dual += mean / g;
  double dual_variance = 0, chi_variance = 0;
  for (std::size_t k = 0; k < means.size(); ++k) {
    dual_variance += (means[k] - estimate.dual) * (means[k] - estimate.dual);
    const double without = (all - 2 * products[k]) / ((g - 1) * (g - 2)) - 1;
    chi_variance += (without - estimate.chi_squared) * (without - estimate.chi_squared);
  }
  estimate.dual_error = std::sqrt(dual_variance / (g * (g - 1)));
  estimate.chi_squared_error = std::sqrt(chi_variance * (g - 1) / g);
  return estimate;
}

}  // namespace ot
