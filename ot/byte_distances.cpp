#include "ot/byte_distances.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/parallel.h"
#include "ot/byte_products.h"

namespace ot {

using engine::simd::kernels;

bool ByteDistances::available(const Target& target) {
  return ByteProducts::available(target);
}

std::vector<std::int64_t> ByteDistances::squared_norms(const Target& target) {
  const std::int64_t d = target.dimension();
  std::vector<std::int64_t> norms(static_cast<std::size_t>(target.size()));
  engine::parallel_for(target.size(), 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const std::uint8_t* y = target.bytes().data() + j * d;
      norms[static_cast<std::size_t>(j)] = std::inner_product(y, y + d, y, std::int64_t{0});
    }
  });
  return norms;
}

ByteDistances::ByteDistances(const Target& target, const std::vector<std::int64_t>& squared_norms,
                             const engine::Tensor& x)
    : target_(target),
      point_norms_(squared_norms),
      layout_(kernels().digits),
      digits_(x.dim(0), x.dim(1)),
      steps_(static_cast<std::size_t>(x.dim(0))),
      squared_norms_(steps_.size()) {
  engine::parallel_for(x.dim(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) round_row(i, x.data() + i * x.dim(1));
  });
}

void ByteDistances::round_row(std::int64_t i, const real* x) {
  const std::int64_t d = target_.dimension();
  double largest = 0;
  for (std::int64_t k = 0; k < d; ++k) largest = std::max(largest, std::abs(static_cast<double>(x[k])));
  const double step = largest / ((std::exp2(layout_.bits - 1) - 1) * std::exp2(layout_.bits * (layout_.most - 1)));
  std::vector<engine::simd::Rest> rests(static_cast<std::size_t>(layout_.most) + 1);
  kernels().round_to_digits(d, x, 0, step, x, digits_.row(i), rests.data());
  steps_[static_cast<std::size_t>(i)] = step;
  squared_norms_[static_cast<std::size_t>(i)] = rests[0].squares;
}

double ByteDistances::typical_error() const {
  const double sum = std::accumulate(point_norms_.begin(), point_norms_.end(), 0.0);
  const double point_rms = std::sqrt(sum / static_cast<double>(point_norms_.size())) / 255;
  return 2 * *std::max_element(steps_.begin(), steps_.end()) * point_rms / std::sqrt(12.0);
}

void ByteDistances::squared(std::int64_t i, std::span<const std::int32_t> points, double* out) const {
  constexpr double unit = 1.0 / 255;
  const std::int64_t d = target_.dimension();
  const auto index = static_cast<std::size_t>(i);
  kernels().digit_sums(d, digits_.row(i), layout_.most, target_.bytes().data(),
                       static_cast<std::int64_t>(points.size()), points.data(), out);
  for (std::size_t f = 0; f < points.size(); ++f) {
    const auto norm = static_cast<double>(point_norms_[static_cast<std::size_t>(points[f])]);
    out[f] = squared_norms_[index] + norm * unit * unit - 2 * steps_[index] * unit * out[f];
  }
}

}  // namespace ot
