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

constexpr std::int64_t most_coarse = 32;
constexpr std::int64_t sample_size = 4096;  // enough points to find the directions; any orthonormal ones are valid
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;

double squared_norm(std::int64_t n, const real* x) {
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(x[i]) * x[i];
  return total;
}

// Makes row `row` of q [.., d] orthogonal to the first `others` rows and of length 1, or zero where nothing is left.
void orthonormalise_row(Tensor& q, std::int64_t row, std::int64_t others) {
  const std::int64_t d = q.dim(1);
  const auto& kernels = engine::simd::kernels();
  real* target = q.data() + row * d;
  Tensor along(engine::Shape{std::max<std::int64_t>(1, others)});
  const double before = std::sqrt(squared_norm(d, target));
  double after = before;
  for (int pass = 0; pass < 3 && after > 0; ++pass) {  // each pass removes what rounding left of the one before
    kernels.scale(d, static_cast<real>(1 / after), target, target);
    engine::gemm_single(Transpose::no, Transpose::no, others, 1, d, 1, q.data(), d, target, 1, 0, along.data(), 1);
    engine::gemm_single(Transpose::no, Transpose::no, 1, d, others, -1, along.data(), others, q.data(), d, 1, target,
                        d);
    const double length = std::sqrt(squared_norm(d, target));
    if (pass == 0 && length < 1e-4) after = 0;  // it depended on the others: what is left is rounding
    if (after > 0) after = length;
  }
  if (after > 0)
    kernels.scale(d, static_cast<real>(1 / after), target, target);
  else
    std::fill_n(target, d, real{0});
}

// As a float that is not below.
float rounded_up(double value) {
  return static_cast<float>(value * (1 + 1e-6));
}

}  // namespace

Sketch::Sketch(const Target& target)
    : target_(target),
      coarse_(std::min({most_coarse, target.dimension(), target.size()})),
      fine_(std::min({Record::most_codes, target.dimension() - coarse_, target.size() - coarse_})),
      blocks_((target.size() + block_size - 1) / block_size),
      basis_(Tensor::zeros({coarse_ + fine_ + 2, target.dimension()})),
      points_(Tensor::zeros({blocks_, dimension(), block_size})),
      records_(static_cast<std::size_t>(target.size())),
      origin_(static_cast<std::size_t>(fine_)),
      step_(static_cast<std::size_t>(fine_)),
      squared_coarse_(static_cast<std::size_t>(target.size())),
      squared_principal_(static_cast<std::size_t>(target.size())) {
  for (real squared : target.centred_squared_norms())
    point_norm_ = std::max(point_norm_, std::sqrt(static_cast<double>(squared)));
  mean_norm_ = std::sqrt(squared_norm(target.dimension(), target.mean().data()));
  find_directions();
  project_points();
}

// Subspace iteration: each round multiplies the directions by the sample's covariance.
void Sketch::find_directions() {
  const std::int64_t d = target_.dimension(), n = std::min(target_.size(), sample_size), k = coarse_ + fine_;
  Tensor sample(engine::Shape{n, d}), coordinates(engine::Shape{n, k});
  engine::parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t j = i * target_.size() / n;
      target_.centred_rows(j, j + 1, sample.data() + i * d);
    }
  });
  const auto project = [&] {
    engine::gemm(Transpose::no, Transpose::yes, n, k, d, 1, sample.data(), d, basis_.data(), d, 0, coordinates.data(),
                 k);
  };
  const Tensor start = engine::Random(0, 0).normal({k, d}, 0, 1);
  std::copy_n(start.data(), k * d, basis_.data());
  for (int round = 0; round < 3; ++round) {
    project();
    engine::gemm(Transpose::yes, Transpose::no, k, d, n, 1, coordinates.data(), k, sample.data(), d, 0, basis_.data(),
                 d);
    for (std::int64_t row = 0; row < k; ++row) orthonormalise_row(basis_, row, row);
  }
  project();
  choose_codes(coordinates);
}

// Lays the codes over the range of each fine coordinate on the sample, and somewhat further.
void Sketch::choose_codes(const Tensor& coordinates) {
  const std::int64_t n = coordinates.dim(0), k = coordinates.dim(1);
  for (std::int64_t c = 0; c < fine_; ++c) {
    real low = 0, high = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      low = std::min(low, coordinates.data()[i * k + coarse_ + c]);
      high = std::max(high, coordinates.data()[i * k + coarse_ + c]);
    }
    const real wider = real(1.25) / 255;
    origin_[static_cast<std::size_t>(c)] = low * wider * 255;
    step_[static_cast<std::size_t>(c)] = (high - low) * wider;
  }
}

real Sketch::residual(double squared_norm, double squared_coordinates) const {
  const double d = static_cast<double>(target_.dimension()), k = static_cast<double>(basis_.dim(0));
  const double error = (2 * std::sqrt(k) + 2) * d * unit_roundoff * squared_norm;
  return static_cast<real>(std::sqrt(std::max(0.0, squared_norm - squared_coordinates) + error));
}

std::int64_t Sketch::offset(std::int64_t j, std::int64_t k) const {
  return (j / block_size * dimension() + k) * block_size + j % block_size;
}

const real* Sketch::block(std::int64_t b) const {
  return points_.data() + b * dimension() * block_size;
}

void Sketch::project_points() {
  const std::int64_t d = target_.dimension(), k = coarse_ + fine_;
  constexpr std::int64_t tile = 8 * block_size;
  engine::parallel_for(target_.size(), tile, [&](std::int64_t begin, std::int64_t end) {
    Tensor rows(engine::Shape{tile, d}), coordinates(engine::Shape{tile, k});
    target_.centred_rows(begin, end, rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, end - begin, k, d, 1, rows.data(), d, basis_.data(), d, 0,
                        coordinates.data(), k);
    for (std::int64_t j = begin; j < end; ++j) encode(j, coordinates.data() + (j - begin) * k);
  });
}

void Sketch::encode(std::int64_t j, const real* coordinates) {
  const auto index = static_cast<std::size_t>(j);
  for (std::int64_t c = 0; c < coarse_; ++c) points_.data()[offset(j, c)] = coordinates[c];
  squared_coarse_[index] = static_cast<real>(squared_norm(coarse_, coordinates));
  squared_principal_[index] = static_cast<real>(squared_norm(coarse_ + fine_, coordinates));
  set_fitted(j, 0, 0);

  Record& record = records_[index];
  double missed = 0;
  for (std::int64_t c = 0; c < fine_; ++c) {
    const double origin = origin_[static_cast<std::size_t>(c)], step = step_[static_cast<std::size_t>(c)];
    const double value = coordinates[coarse_ + c];
    const double code = step > 0 ? std::clamp(std::round((value - origin) / step), 0.0, 255.0) : 0;
    record.codes[c] = static_cast<std::uint8_t>(code);
    missed += (value - origin - code * step) * (value - origin - code * step);
  }
  record.missed = rounded_up(std::sqrt(missed));
}

// Sets the coordinates of point j along the fitted directions, and what they leave.
void Sketch::set_fitted(std::int64_t j, real coarse_fitted, real fine_fitted) {
  const auto index = static_cast<std::size_t>(j);
  const double squared = target_.centred_squared_norms()[index];
  const auto rest = [&](double squared_principal, double fitted) {
    return residual(squared, squared_principal + fitted * fitted);
  };
  points_.data()[offset(j, coarse_)] = coarse_fitted;
  points_.data()[offset(j, coarse_ + 1)] = rest(squared_coarse_[index], coarse_fitted);
  records_[index].fitted = static_cast<float>(fine_fitted);
  records_[index].residual = rounded_up(rest(squared_principal_[index], fine_fitted));
}

void Sketch::fit(const Tensor& x) {
  const std::int64_t batch = x.dim(0), d = target_.dimension(), k = coarse_ + fine_;
  const auto& kernels = engine::simd::kernels();
  real *coarse = basis_.data() + k * d, *fine = coarse + d;
  std::fill_n(coarse, d, real{0});
  for (std::int64_t i = 0; i < batch; ++i) kernels.axpy(d, 1 / static_cast<real>(batch), x.data() + i * d, coarse);
  kernels.axpy(d, -1, target_.mean().data(), coarse);
  // What directions leave of a mean is the mean of what they leave.
  std::copy_n(coarse, d, fine);
  orthonormalise_row(basis_, k, coarse_);
  orthonormalise_row(basis_, k + 1, k);

  const real *mean = target_.mean().data(), coarse_mean = kernels.dot(d, coarse, mean),
             fine_mean = kernels.dot(d, fine, mean);
  engine::parallel_for(target_.size(), block_size, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j)
      set_fitted(j, target_.product(coarse, j) - coarse_mean, target_.product(fine, j) - fine_mean);
  });
  ++fits_;
}

Sketch::Queries Sketch::queries(const Tensor& x) const {
  const std::int64_t batch = x.dim(0), d = target_.dimension(), k = basis_.dim(0);
  const auto size = static_cast<std::size_t>(batch);
  Queries q{Tensor(engine::Shape{batch, dimension()}),
            Tensor(engine::Shape{batch, fine_}),
            std::vector<real>(size),
            std::vector<real>(size),
            std::vector<real>(size),
            std::vector<real>(size),
            std::vector<double>(size),
            std::vector<real>(size)};
  Tensor centred(x.shape()), coordinates(engine::Shape{batch, k});
  for (std::int64_t i = 0; i < batch; ++i)
    engine::simd::kernels().sub(d, x.data() + i * d, target_.mean().data(), centred.data() + i * d);
  engine::gemm(Transpose::no, Transpose::yes, batch, k, d, 1, centred.data(), d, basis_.data(), d, 0,
               coordinates.data(), k);
  const double roundoff = static_cast<double>(d) * unit_roundoff, directions = static_cast<double>(k);
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const real *p = coordinates.data() + i * k, fitted = p[k - 2], fine_fitted = p[k - 1];
    const double squared = squared_norm(d, centred.data() + i * d);
    q.squared_norm[index] = squared;
    // The fitted coordinate of a point is a difference of products with the uncentred point and the mean.
    q.margin[index] = static_cast<real>(roundoff * std::sqrt(squared) *
                                        ((3 * std::sqrt(directions) + 4) * point_norm_ + 4 * mean_norm_));

    real* coarse = q.coarse.data() + i * dimension();
    std::copy_n(p, coarse_, coarse);
    coarse[coarse_] = fitted;
    coarse[coarse_ + 1] = residual(squared, squared_norm(coarse_, p) + static_cast<double>(fitted) * fitted);

    double origin = 0;
    for (std::int64_t c = 0; c < fine_; ++c) {
      origin += static_cast<double>(p[coarse_ + c]) * origin_[static_cast<std::size_t>(c)];
      q.fine.data()[i * fine_ + c] = p[coarse_ + c] * step_[static_cast<std::size_t>(c)];
    }
    q.fine_origin[index] = static_cast<real>(origin);
    q.fine_fitted[index] = fine_fitted;
    q.fine_norm[index] = static_cast<real>(std::sqrt(squared_norm(fine_, p + coarse_)));
    q.fine_residual[index] =
        residual(squared, squared_norm(coarse_ + fine_, p) + static_cast<double>(fine_fitted) * fine_fitted);
  }
  return q;
}

void Sketch::prefetch(std::int64_t j) const {
  const Record* record = records_.data() + j;
  __builtin_prefetch(record);
  __builtin_prefetch(reinterpret_cast<const char*>(record) + sizeof(Record) / 2);
}

real Sketch::fine_gain(const Queries& queries, std::int64_t i, std::int64_t j) const {
  const auto index = static_cast<std::size_t>(i);
  const Record& record = records_[static_cast<std::size_t>(j)];
  const real* coarse = queries.coarse.data() + i * dimension();
  const real coarse_part = coarse[coarse_] * points_.data()[offset(j, coarse_)] +
                           coarse[coarse_ + 1] * points_.data()[offset(j, coarse_ + 1)];
  const real fine_part = queries.fine_origin[index] +
                         engine::simd::kernels().dot_bytes(fine_, queries.fine.data() + i * fine_, record.codes) +
                         queries.fine_fitted[index] * static_cast<real>(record.fitted) +
                         queries.fine_residual[index] * static_cast<real>(record.residual) +
                         queries.fine_norm[index] * static_cast<real>(record.missed);
  return coarse_part - fine_part;
}

}  // namespace ot
