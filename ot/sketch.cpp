#include "ot/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;
using engine::simd::block_size;

namespace {

constexpr std::int64_t principal_directions = 32;
constexpr std::int64_t sample_size = 4096;  // enough points to find the directions; any orthonormal ones are valid
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;

double squared_norm(std::int64_t n, const real* x) {
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(x[i]) * x[i];
  return total;
}

// Makes row `row` of q [.., d] orthogonal to the rows before it and of length 1, or zero where nothing is left of it.
void orthonormalise_row(Tensor& q, std::int64_t row) {
  const std::int64_t d = q.dim(1);
  real* target = q.data() + row * d;
  std::vector<double> v(target, target + d);
  const auto norm = [&] {
    double total = 0;
    for (double value : v) total += value * value;
    return std::sqrt(total);
  };
  const double before = norm();
  for (int pass = 0; pass < 2; ++pass)  // the second pass removes what rounding left of the first
    for (std::int64_t other = 0; other < row; ++other) {
      const real* direction = q.data() + other * d;
      double along = 0;
      for (std::int64_t i = 0; i < d; ++i) along += v[static_cast<std::size_t>(i)] * direction[i];
      for (std::int64_t i = 0; i < d; ++i) v[static_cast<std::size_t>(i)] -= along * direction[i];
    }
  const double after = norm();
  const double scale = after > 1e-5 * before ? 1 / after : 0;
  for (std::int64_t i = 0; i < d; ++i) target[i] = static_cast<real>(scale * v[static_cast<std::size_t>(i)]);
}

}  // namespace

Sketch::Sketch(const Target& target)
    : target_(target),
      directions_(std::min({principal_directions, target.dimension(), target.size()})),
      blocks_((target.size() + block_size - 1) / block_size),
      basis_(Tensor::zeros({directions_ + 1, target.dimension()})),
      points_(Tensor::zeros({blocks_, dimension(), block_size})),
      squared_in_basis_(static_cast<std::size_t>(target.size())) {
  for (real squared : target.centred_squared_norms())
    point_norm_ = std::max(point_norm_, std::sqrt(static_cast<double>(squared)));
  mean_norm_ = std::sqrt(squared_norm(target.dimension(), target.mean().data()));
  find_directions();
  project_points();
}

void Sketch::find_directions() {
  const std::int64_t d = target_.dimension(), n = std::min(target_.size(), sample_size), k = directions_;
  Tensor sample(engine::Shape{n, d});
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t j = i * target_.size() / n;
    target_.centred_rows(j, j + 1, sample.data() + i * d);
  }
  Tensor basis = engine::Random(0, 0).normal({k, d}, 0, 1);
  Tensor coordinates(engine::Shape{n, k});
  for (int iteration = 0; iteration < 4; ++iteration) {
    engine::gemm(Transpose::no, Transpose::yes, n, k, d, 1, sample.data(), d, basis.data(), d, 0, coordinates.data(),
                 k);
    engine::gemm(Transpose::yes, Transpose::no, k, d, n, 1, coordinates.data(), k, sample.data(), d, 0, basis.data(),
                 d);
    for (std::int64_t row = 0; row < k; ++row) orthonormalise_row(basis, row);
  }
  std::copy_n(basis.data(), k * d, basis_.data());
}

real Sketch::residual(double squared_norm, double squared_coordinates) const {
  const double d = static_cast<double>(target_.dimension()), k = static_cast<double>(dimension());
  const double error = (2 * std::sqrt(k) + 4) * d * unit_roundoff * squared_norm;
  return static_cast<real>(std::sqrt(std::max(0.0, squared_norm - squared_coordinates) + error));
}

void Sketch::project_points() {
  const std::int64_t d = target_.dimension(), k = directions_;
  const auto norms = target_.centred_squared_norms();
  constexpr std::int64_t tile = 8 * block_size;
  engine::parallel_for(target_.size(), tile, [&](std::int64_t begin, std::int64_t end) {
    Tensor rows(engine::Shape{tile, d}), coordinates(engine::Shape{tile, k});
    target_.centred_rows(begin, end, rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, end - begin, k, d, 1, rows.data(), d, basis_.data(), d, 0,
                        coordinates.data(), k);
    for (std::int64_t j = begin; j < end; ++j) {
      const real* p = coordinates.data() + (j - begin) * k;
      real* lane = points_.data() + j / block_size * dimension() * block_size + j % block_size;
      for (std::int64_t c = 0; c < k; ++c) lane[c * block_size] = p[c];
      const auto index = static_cast<std::size_t>(j);
      squared_in_basis_[index] = static_cast<real>(squared_norm(k, p));
      lane[(k + 1) * block_size] = residual(norms[index], squared_in_basis_[index]);
    }
  });
}

const real* Sketch::block(std::int64_t b) const {
  return points_.data() + b * dimension() * block_size;
}

Sketch::Queries Sketch::queries(const Tensor& x) const {
  const std::int64_t batch = x.dim(0), d = target_.dimension(), k = directions_ + 1;
  Queries queries{Tensor(x.shape()), Tensor(engine::Shape{batch, dimension()}),
                  std::vector<double>(static_cast<std::size_t>(batch))};
  const real* mean = target_.mean().data();
  engine::parallel_for(batch, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      real* centred = queries.centred.data() + i * d;
      engine::simd::kernels().sub(d, x.data() + i * d, mean, centred);
      const double squared = squared_norm(d, centred);
      real* coordinates = queries.coordinates.data() + i * dimension();
      engine::gemm_single(Transpose::no, Transpose::yes, 1, k, d, 1, centred, d, basis_.data(), d, 0, coordinates, k);
      coordinates[k] = residual(squared, squared_norm(k, coordinates));
      queries.norms[static_cast<std::size_t>(i)] = std::sqrt(squared);
    }
  });
  return queries;
}

void Sketch::fit(const Tensor& x) {
  const std::int64_t batch = x.dim(0), d = target_.dimension(), k = directions_;
  const auto& kernels = engine::simd::kernels();
  // What the principal directions leave of a mean is the mean of what they leave.
  real* direction = basis_.data() + k * d;
  std::fill_n(direction, d, real{0});
  for (std::int64_t i = 0; i < batch; ++i) kernels.axpy(d, 1 / static_cast<real>(batch), x.data() + i * d, direction);
  kernels.axpy(d, -1, target_.mean().data(), direction);
  orthonormalise_row(basis_, k);

  const real mean_along = kernels.dot(d, direction, target_.mean().data());
  const auto norms = target_.centred_squared_norms();
  engine::parallel_for(target_.size(), block_size, [&](std::int64_t begin, std::int64_t end) {
    real* coordinates = points_.data() + begin / block_size * dimension() * block_size;
    for (std::int64_t j = begin; j < end; ++j) {
      const auto index = static_cast<std::size_t>(j);
      const real along = target_.product(direction, j) - mean_along;
      coordinates[k * block_size + j - begin] = along;
      coordinates[(k + 1) * block_size + j - begin] =
          residual(norms[index], squared_in_basis_[index] + static_cast<double>(along) * along);
    }
  });
  ++fits_;
}

double Sketch::margin(double query_norm) const {
  const double d = static_cast<double>(target_.dimension()), k = static_cast<double>(dimension());
  // The fitted coordinate is a difference of two products with the uncentred point, hence the mean's length.
  return 4 * (std::sqrt(k) + 1) * d * unit_roundoff * query_norm * (point_norm_ + mean_norm_);
}

double Sketch::product_margin(double query_norm) const {
  return 2 * static_cast<double>(target_.dimension()) * unit_roundoff * query_norm * (point_norm_ + 2 * mean_norm_);
}

}  // namespace ot
