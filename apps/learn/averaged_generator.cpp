#include "apps/learn/averaged_generator.h"

#include <algorithm>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace apps {

using engine::real;

AveragedGenerator::AveragedGenerator(models::Generator& trained, std::unique_ptr<models::Generator> mean, double share)
    : trained_(trained), mean_(std::move(mean)), share_(share) {}

void AveragedGenerator::update(std::int64_t n) {
  const auto done = static_cast<double>(n);
  const double kept = std::min(share_, (done + 1) / (done + 10));
  const std::vector<models::Parameter> from = trained_.parameters(), to = mean_->parameters();
  for (std::size_t p = 0; p < from.size(); ++p) {
    const real* theta = from[p].variable->value().data();
    real* mean = to[p].variable->value().data();
    engine::parallel_for(from[p].variable->size(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
      const engine::simd::Kernels& kernels = engine::simd::kernels();
      kernels.scale(end - begin, static_cast<real>(kept), mean + begin, mean + begin);
      kernels.axpy(end - begin, static_cast<real>(1 - kept), theta + begin, mean + begin);
    });
  }
}

models::Generator& AveragedGenerator::settled(const engine::Tensor& z) {
  mean_->settle(z);
  return *mean_;
}

}  // namespace apps
