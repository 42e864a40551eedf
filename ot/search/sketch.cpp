#include "ot/search/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "ot/search/orthonormal.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;
using engine::simd::block_size;

namespace {

constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;

std::int64_t blocks_of(const Target& target) {
  return (target.size() + block_size - 1) / block_size;
}

}  // namespace

Sketch::Sketch(const PointIndex& index)
    : index_(index),
      principal_(index.directions().dim(0)),
      fitted_(std::min(most_fitted, target().dimension() - principal_)),
      blocks_(blocks_of(target())),
      basis_(Tensor::zeros({principal_ + fitted_, target().dimension()})),
      point_norm_(target().longest()),
      mean_norm_(std::sqrt(squared_norm(target().dimension(), target().mean().data()))) {
  std::copy_n(index.directions().data(), index.directions().size(), basis_.data());
  project_points();
}

std::span<const std::int64_t> Sketch::points_of(std::int64_t b) const {
  return points_of_block(index_.order(), b);
}

real Sketch::residual(double squared_norm, double squared_coordinates) const {
  const double d = static_cast<double>(target().dimension()), k = static_cast<double>(basis_.dim(0));
  const double error = (2 * std::sqrt(k) + 2) * d * unit_roundoff * squared_norm;
  return static_cast<real>(std::sqrt(std::max(0.0, squared_norm - squared_coordinates) + error));
}

std::int64_t Sketch::offset(std::int64_t place, std::int64_t k) const {
  return (place / block_size * dimension() + k) * block_size + place % block_size;
}

const real* Sketch::block(std::int64_t b) const {
  return points_.data() + b * dimension() * block_size;
}

void Sketch::project_points() {
  const std::vector<std::int64_t>& order = index_.order();
  points_ = Tensor::zeros({blocks_, dimension(), block_size});
  boxes_ = Tensor({blocks_, dimension(), 2});
  squared_norms_.resize(order.size());
  squared_principal_.resize(order.size());
  squared_lengths_.resize(order.size());
  const std::int64_t d = target().dimension(), k = principal_;
  engine::parallel_for(blocks_, 8, [&](std::int64_t begin, std::int64_t end) {
    Tensor rows(engine::Shape{block_size, d});
    for (std::int64_t b = begin; b < end; ++b) {
      const std::span<const std::int64_t> points = points_of(b);
      gather(points, rows.data());
      real* const along = points_.data() + offset(b * block_size, 0);
      engine::gemm_single(Transpose::no, Transpose::yes, k, std::ssize(points), d, 1, basis_.data(), d, rows.data(), d,
                          0, along, block_size);
      for (std::size_t l = 0; l < points.size(); ++l) {
        double squared = 0;
        for (std::int64_t c = 0; c < k; ++c)
          squared += static_cast<double>(along[c * block_size + static_cast<std::int64_t>(l)]) *
                     along[c * block_size + static_cast<std::int64_t>(l)];
        const std::size_t place = static_cast<std::size_t>(b * block_size) + l;
        squared_norms_[place] = target().centred_squared_norms()[static_cast<std::size_t>(points[l])];
        squared_principal_[place] = static_cast<real>(squared);
      }
    }
  });
}

// Q by subspace iteration on what C leaves of the batch (its mean is not taken away).
void Sketch::find_fitted_directions(const Tensor& x) {
  const std::int64_t batch = x.dim(0), d = target().dimension();
  real *c = direction(0), *q = direction(principal_);
  Tensor rest = target().centred(x), along(engine::Shape{batch, std::max(principal_, fitted_)});
  engine::gemm(Transpose::no, Transpose::yes, batch, principal_, d, 1, rest.data(), d, c, d, 0, along.data(),
               principal_);
  engine::gemm(Transpose::no, Transpose::no, batch, d, principal_, -1, along.data(), principal_, c, d, 1, rest.data(),
               d);
  const Tensor start = engine::Random(0, 1).normal({fitted_, d}, 0, 1);
  std::copy_n(start.data(), fitted_ * d, q);
  for (int round = 0; round < 3; ++round) {
    engine::gemm(Transpose::no, Transpose::yes, batch, fitted_, d, 1, rest.data(), d, q, d, 0, along.data(), fitted_);
    engine::gemm(Transpose::yes, Transpose::no, fitted_, d, batch, 1, along.data(), fitted_, rest.data(), d, 0, q, d);
    for (std::int64_t f = 0; f < fitted_; ++f) orthonormalise(q + f * d, d, {{c, principal_}, {q, f}});
  }
}

void Sketch::fit(const Tensor& x, ByteBlocks* blocks) {
  find_fitted_directions(x);
  use_fitted_directions(blocks);
}

void Sketch::gather(std::span<const std::int64_t> points, real* rows) const {
  for (const std::int64_t j : points) {
    target().centred_rows(j, j + 1, rows);
    rows += target().dimension();
  }
}

void Sketch::use_fitted_directions(ByteBlocks* blocks) {
  const std::int64_t d = target().dimension();
  Tensor q({fitted_, d});
  std::copy_n(direction(principal_), q.size(), q.data());
  std::optional<ByteProducts> bytes;
  if (fitted_ > 0 && blocks) bytes.emplace(target(), q);
  std::vector<std::int32_t> all(static_cast<std::size_t>(fitted_));
  std::iota(all.begin(), all.end(), 0);
  engine::parallel_for(blocks_, 4, [&](std::int64_t begin, std::int64_t end) {
    ByteBlock spare(target());
    for (std::int64_t b = begin; b < end; ++b) {
      const std::span<const std::int64_t> points = points_of(b);
      const std::int64_t first = b * block_size, count = std::ssize(points);
      real* along = points_.data() + offset(first, principal_);
      if (bytes) {
        const ByteBlock* const laid_out = &blocks->at(b, spare);
        bytes->multiply(bytes->most_digits(), all, {&laid_out, 1}, along);
      } else {
        Tensor rows({count, d});
        gather(points, rows.data());
        engine::gemm_single(Transpose::no, Transpose::yes, fitted_, count, d, 1, q.data(), d, rows.data(), d, 0, along,
                            block_size);
      }
      for (std::int64_t l = 0; l < count; ++l) {
        const auto place = static_cast<std::size_t>(first + l);
        double squared = squared_principal_[place];
        for (std::int64_t f = 0; f < fitted_; ++f) {
          const double coordinate = along[f * block_size + l];
          squared += coordinate * coordinate;
        }
        const real rest = residual(squared_norms_[place], squared);
        along[fitted_ * block_size + l] = rest;
        squared_lengths_[place] = static_cast<real>(squared + static_cast<double>(rest) * rest);
      }
      enclose(b, is_fitted_ ? principal_ : 0);
    }
  });
  is_fitted_ = true;
}

// From coordinate `first` on.
void Sketch::enclose(std::int64_t b, std::int64_t first) {
  static constexpr real zeros[block_size] = {};
  const auto& kernels = engine::simd::kernels();
  const std::int64_t count = std::ssize(points_of(b));
  for (std::int64_t k = first; k < dimension(); ++k) {
    const real* const row = block(b) + k * block_size;
    real* const interval = boxes_.data() + (b * dimension() + k) * 2;
    interval[0] = kernels.min_affine(count, row, 0, zeros).value;
    interval[1] = kernels.max(count, row);
  }
}

Sketch::Queries Sketch::queries(const Tensor& x) const {
  const std::int64_t batch = x.dim(0), d = target().dimension(), k = basis_.dim(0);
  Queries q;
  q.centred = target().centred(x);
  q.coordinates = Tensor({batch, dimension()});
  q.squared_norm.resize(static_cast<std::size_t>(batch));
  q.margin.resize(static_cast<std::size_t>(batch));
  engine::gemm(Transpose::no, Transpose::yes, batch, k, d, 1, q.centred.data(), d, basis_.data(), d, 0,
               q.coordinates.data(), dimension());
  // In digits, fitted coordinates of a point are differences of products with the uncentred point and the mean.
  const double of_coordinates = static_cast<double>(d) * unit_roundoff * (3 * std::sqrt(static_cast<double>(k)) + 4);
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto index = static_cast<std::size_t>(i);
    real* const coordinates = q.coordinates.data() + i * dimension();
    const double squared = squared_norm(d, q.centred.data() + i * d), along = squared_norm(k, coordinates);
    coordinates[k] = residual(squared, along);
    q.squared_norm[index] = squared;
    q.margin[index] =
        static_cast<real>(of_coordinates * std::sqrt(std::max(squared, along)) * (point_norm_ + mean_norm_));
  }
  return q;
}

void Sketch::prefetch_group(std::int64_t group) const {
  const real* points = points_.data() + offset(group * engine::simd::group_size, 0);
  for (std::int64_t k = 0; k < dimension(); ++k) __builtin_prefetch(points + k * block_size);
}

}  // namespace ot
