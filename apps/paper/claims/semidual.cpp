#include "apps/paper/claims/semidual.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "apps/paper/claims/duality.h"
#include "apps/paper/claims/setting.h"
#include "ot/c_transform.h"
#include "ot/exact/exact.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

namespace {

constexpr std::int64_t B = 24, J = 20, d = 3;
constexpr double lambdas[] = {0, 0.01, 0.1, 1, 10};

double H(const ot::Target& nu, const Tensor& x, const Tensor& psi, double lambda) {
  return ot::semidual(nu, x, psi, lambda).value().item();
}

/// a + t (b - a)
Tensor between(const Tensor& a, const Tensor& b, double t) {
  Tensor result = a.clone();
  for (std::int64_t i = 0; i < a.size(); ++i)
    result.data()[i] += static_cast<real>(t * (double{b.data()[i]} - a.data()[i]));
  return result;
}

/// Calls measure(lambda, psi, chi) for pairs of potentials from close to each other to far.
template <class Measure>
void for_each_pair(std::uint64_t seed, const Measure& measure) {
  std::uint64_t stream = 10;
  for (const double lambda : lambdas)
    for (const double distance : {0.01, 0.1, 1.0}) {
      const Tensor psi = random_potential(seed, stream++, J, 0.3),
                   offset = random_potential(seed, stream++, J, distance);
      Tensor chi = psi.clone();
      for (std::int64_t j = 0; j < J; ++j) chi.data()[j] += offset.data()[j];
      measure(lambda, psi, chi);
    }
}

/// (9) for uniform points x of mu.
double dual_value(const ot::Target& nu, const Tensor& x, const Tensor& phi, const Tensor& psi, double lambda) {
  const auto values = [](const Tensor& t) { return std::vector<double>(t.values().begin(), t.values().end()); };
  return claims::dual_value(ot::cost_matrix(nu, x), std::vector<double>(B, 1.0 / B), nu.weights(), values(phi),
                            values(psi), [lambda](double t) { return m(lambda, t); });
}

}  // namespace

std::vector<Row> theorem_2(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Tensor x = random_points(seed, 0, B, d);
  const ot::CostMatrix costs = ot::cost_matrix(nu, x);
  const std::vector<double> mu(B, 1.0 / B);
  double worst = 0;
  for (const double lambda : lambdas) {
    double primal;
    std::vector<double> psi_star;
    if (lambda == 0) {
      const ot::ExactTransport exact = ot::exact_transport(costs, mu, nu.weights());
      primal = exact.value;
      psi_star = exact.psi;
    } else {
      const ot::SinkhornResult entropic =
          ot::sinkhorn(costs, mu, nu.weights(), {.lambda = lambda, .iterations = 20000, .tolerance = 1e-7});
      primal = entropic.duality.primal;
      psi_star = entropic.psi;
    }
    const std::vector<real> psi(psi_star.begin(), psi_star.end());
    worst = worse(worst, std::abs(primal - H(nu, x, Tensor({J}, psi), lambda)));
  }
  return {{"Theorem 2: the maximum of H is W", "|primal (8) - H(psi*)|", worst, 1e-5}};
}

std::vector<Row> equation_13(std::uint64_t seed) {
  const Tensor x = random_points(seed, 0, B, d), y = random_points(seed, 1, J, d);
  const auto uniform_on = [](const Tensor& points) {
    return ot::Target(std::vector<real>(points.values().begin(), points.values().end()), points.dim(0), d,
                      ot::CostScale::half);
  };
  const ot::Target mu = uniform_on(x), nu = uniform_on(y);
  double alternately = -std::numeric_limits<double>::infinity(), at_once = alternately;
  for (const double lambda : lambdas)
    for (const double below : {0, 10}) {
      const Tensor psi = random_potential(seed, 2, J, 0.3), psi_c = ot::c_transform(nu, x, psi, lambda).value;
      Tensor phi = psi_c.clone();  // at most psi^c, so that for lambda = 0 the pair is in K_c
      for (real& value : phi.values()) value -= static_cast<real>(below);
      const Tensor phi_c = ot::c_transform(mu, y, phi, lambda).value;
      const Tensor phi_cc = ot::c_transform(nu, x, phi_c, lambda).value;
      const double before = dual_value(nu, x, phi, psi, lambda);
      alternately = worse(alternately, before - dual_value(nu, x, phi_cc, phi_c, lambda));
      if (below > 0) at_once = worse(at_once, dual_value(nu, x, psi_c, phi_c, lambda) - before);
    }
  return {{"(13), one c-transform after the other", "greatest loss of dual value (9)", alternately, 100 * epsilon},
          {"(13), both at once", "greatest gain, from phi = psi^c - 10", at_once, -0.1, Row::Side::at_most,
           "(13) read as one step from (phi, psi) to (psi^c, phi^c) can lower the dual value (9), and for lambda = 0 "
           "break the constraint (4). Taken one after the other, psi' = phi^c and then phi' = psi'^c, c-transforms "
           "never lower it."}};
}

std::vector<Row> concavity(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Tensor x = random_points(seed, 0, B, d);
  double worst = -std::numeric_limits<double>::infinity();
  for_each_pair(seed, [&](double lambda, const Tensor& psi, const Tensor& chi) {
    const double at_psi = H(nu, x, psi, lambda), at_chi = H(nu, x, chi, lambda);
    for (const double t : {0.25, 0.5, 0.75})
      worst = worse(worst, (1 - t) * at_psi + t * at_chi - H(nu, x, between(psi, chi, t), lambda));
  });
  return {{"Section 6.1: H(., theta) is concave", "chord of H minus H", worst, 100 * epsilon}};
}

std::vector<Row> supergradient(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Tensor x = random_points(seed, 0, B, d);
  double worst = -std::numeric_limits<double>::infinity(), as_printed = worst;
  for_each_pair(seed, [&](double lambda, const Tensor& psi, const Tensor& chi) {
    const Tensor mass = ot::c_transform(nu, x, psi, lambda, {.mass = true}).mass;
    const Tensor D = ot::semidual_gradient(nu, mass);
    double along_D = 0, along_printed = 0;
    for (std::int64_t j = 0; j < J; ++j) {
      const double step = double{chi.data()[j]} - psi.data()[j];
      along_D += D.data()[j] * step;
      along_printed += (-double{mass.data()[j]} - nu.weights()[static_cast<std::size_t>(j)]) * step;
    }
    const double gain = H(nu, x, chi, lambda) - H(nu, x, psi, lambda);
    worst = worse(worst, gain - along_D);
    as_printed = worse(as_printed, gain - along_printed);
  });
  return {{"(101): D is a supergradient of H", "H(chi) - H(psi) - <D, chi - psi>", worst, 100 * epsilon},
          {"(101) with its printed sign", "H(chi) - H(psi) - <D, chi - psi>", as_printed, 0.01, Row::Side::at_least,
           "(101) and (105) are printed with f - int psi dnu, whose derivative -p - nu is no supergradient of H = "
           "F + int psi dnu (99). With f + int psi dnu it is, D = nu - p, p being the mean responsibilities."}};
}

}  // namespace apps::claims
