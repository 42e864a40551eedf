#include "apps/paper/claims/setting.h"

#include <utility>
#include <vector>

#include "engine/random.h"

namespace apps::claims {

using engine::Random;

namespace {
/// Streams of random numbers from here on are those of nu.
constexpr std::uint64_t nu_streams = 1 << 20;
}  // namespace

ot::Target random_nu(std::uint64_t seed, std::int64_t J, std::int64_t d, Weights kind,
                     std::shared_ptr<const ot::GroundCost> k) {
  const Tensor y = random_points(seed, nu_streams, J, d);
  std::vector<double> weights;  // none: uniform
  if (kind == Weights::random) {
    double sum = 0;
    for (std::int64_t j = 0; j < J; ++j) {
      weights.push_back(0.2 + Random(seed, nu_streams + 1).uniform(static_cast<std::uint64_t>(j)));
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
  }
  return ot::Target(std::vector<real>(y.values().begin(), y.values().end()), J, d,
                    {ot::CostScale::inverse_alpha, std::move(k)}, std::move(weights));
}

Tensor random_points(std::uint64_t seed, std::uint64_t stream, std::int64_t B, std::int64_t d) {
  return Random(seed, stream).uniform({B, d}, 0, 1);
}

Tensor random_potential(std::uint64_t seed, std::uint64_t stream, std::int64_t J, double deviation) {
  return Random(seed, stream).normal({J}, 0, static_cast<real>(deviation));
}

Tensor tensor_of(std::span<const double> psi) {
  const std::vector<real> values(psi.begin(), psi.end());
  return Tensor({static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace apps::claims
