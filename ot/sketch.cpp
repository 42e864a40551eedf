#include "ot/sketch.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "ot/point_order.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;
using engine::simd::block_size;

namespace {

constexpr std::int64_t most_coarse = 32;
static_assert(most_coarse + Sketch::most_fitted + 1 <= engine::simd::most_group_coordinates);
constexpr std::int64_t most_packed = 1 << 26, real_bytes = sizeof(real);
constexpr std::int64_t sample_size = 4096;  // enough points to find the directions; any orthonormal ones are valid
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;

double squared_norm(std::int64_t n, const real* x) {
  constexpr std::int64_t parts = 8;  // side by side, where one sum would wait for itself
  double sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts)
    for (std::int64_t part = 0; part < parts; ++part) sums[part] += static_cast<double>(x[i + part]) * x[i + part];
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Consecutive orthonormal rows.
struct Rows {
  const real* first;
  std::int64_t count;
};

// Makes `row` [d] orthogonal to the others and of length 1, or zero where less than `least` of its length is left.
void orthonormalise(real* row, std::int64_t d, std::initializer_list<Rows> others, double least = 1e-4) {
  const auto& kernels = engine::simd::kernels();
  double length = std::sqrt(squared_norm(d, row));
  for (int pass = 0; pass < 3 && length > 0; ++pass) {  // each pass removes what rounding left of the one before
    kernels.scale(d, static_cast<real>(1 / length), row, row);
    for (const Rows& other : others) {
      if (other.count == 0) continue;
      Tensor along(engine::Shape{other.count});
      engine::gemm_single(Transpose::no, Transpose::no, other.count, 1, d, 1, other.first, d, row, 1, 0, along.data(),
                          1);
      engine::gemm_single(Transpose::no, Transpose::no, 1, d, other.count, -1, along.data(), other.count, other.first,
                          d, 1, row, d);
    }
    const double rest = std::sqrt(squared_norm(d, row));
    length = pass == 0 && rest < least ? 0 : rest;
  }
  if (length > 0)
    kernels.scale(d, static_cast<real>(1 / length), row, row);
  else
    std::fill_n(row, d, real{0});
}

std::int64_t blocks_of(const Target& target) {
  return (target.size() + block_size - 1) / block_size;
}

// As a float that is not below.
float rounded_up(double value) {
  return static_cast<float>(value * (1 + 1e-6));
}

}  // namespace

std::int64_t Sketch::affordable_fitted(const Target& target) {
  const std::int64_t packed = engine::simd::kernels().packed_points(most_coarse + most_fitted + 1);
  return packed > 0 && blocks_of(target) * packed * real_bytes <= most_packed ? most_fitted : few_fitted;
}

Sketch::Sketch(const Target& target, std::int64_t fitted)
    : target_(target),
      coarse_(std::min({most_coarse, target.dimension(), target.size()})),
      fitted_(std::min(fitted, target.dimension() - coarse_)),
      fine_(std::min({Record::most_codes, target.dimension() - coarse_, target.size() - coarse_})),
      blocks_(blocks_of(target)),
      basis_(Tensor::zeros({coarse_ + fine_ + 2 * fitted_, target.dimension()})),
      mixing_(Tensor::zeros({fitted_, fine_})),
      factor_(Tensor::zeros({fitted_, fitted_})),
      origin_(static_cast<std::size_t>(fine_)),
      step_(static_cast<std::size_t>(fine_)) {
  for (real squared : target.centred_squared_norms())
    point_norm_ = std::max(point_norm_, std::sqrt(static_cast<double>(squared)));
  mean_norm_ = std::sqrt(squared_norm(target.dimension(), target.mean().data()));
  find_principal_directions();
  find_order();
  project_points();
}

std::span<const std::int64_t> Sketch::points_of(std::int64_t b) const {
  return points_of_block(order_, b);
}

// Subspace iteration: each round multiplies the directions by the sample's covariance.
void Sketch::find_principal_directions() {
  const std::int64_t d = target_.dimension(), n = std::min(target_.size(), sample_size), k = principal();
  Tensor sample(engine::Shape{n, d}), coordinates(engine::Shape{n, k});
  engine::parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t j = i * target_.size() / n;
      target_.centred_rows(j, j + 1, sample.data() + i * d);
    }
  });
  const auto project = [&] {
    engine::gemm(Transpose::no, Transpose::yes, n, k, d, 1, sample.data(), d, direction(0), d, 0, coordinates.data(),
                 k);
  };
  const Tensor start = engine::Random(0, 0).normal({k, d}, 0, 1);
  std::copy_n(start.data(), k * d, direction(0));
  for (int round = 0; round < 3; ++round) {
    project();
    engine::gemm(Transpose::yes, Transpose::no, k, d, n, 1, coordinates.data(), k, sample.data(), d, 0, direction(0),
                 d);
    for (std::int64_t row = 0; row < k; ++row) orthonormalise(direction(row), d, {{direction(0), row}});
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
    const real wider = real(1.25);
    origin_[static_cast<std::size_t>(c)] = low * wider;
    step_[static_cast<std::size_t>(c)] = (high - low) * wider / 255;
  }
}

real Sketch::residual(double squared_norm, double squared_coordinates) const {
  const double d = static_cast<double>(target_.dimension()), k = static_cast<double>(basis_.dim(0));
  const double error = (2 * std::sqrt(k) + 2) * d * unit_roundoff * squared_norm;
  return static_cast<real>(std::sqrt(std::max(0.0, squared_norm - squared_coordinates) + error));
}

std::int64_t Sketch::offset(std::int64_t place, std::int64_t k) const {
  return (place / block_size * dimension() + k) * block_size + place % block_size;
}

const real* Sketch::block(std::int64_t b) const {
  return points_.data() + b * dimension() * block_size;
}

const real* Sketch::packed_block(std::int64_t b, Tensor& spare) const {
  const auto& kernels = engine::simd::kernels();
  const std::int64_t size = kernels.packed_points(dimension());
  if (size == 0) return block(b);
  if (packed_.size() > 0) return packed_.data() + b * size;
  if (spare.size() != size) spare = Tensor(engine::Shape{size});
  kernels.pack_points(dimension(), block(b), spare.data());
  return spare.data();
}

// The first principal coordinates are the widest ones, which tell neighbours. They go back to the system, not to the
// pool: for a million points they take 64 MB.
void Sketch::find_order() {
  const std::int64_t d = target_.dimension(), k = std::min(coarse_, std::int64_t{16});
  std::vector<real> coordinates(static_cast<std::size_t>(target_.size() * k));
  constexpr std::int64_t tile = 512;
  engine::parallel_for(target_.size(), tile, [&](std::int64_t begin, std::int64_t end) {
    Tensor rows(engine::Shape{tile, d});
    target_.centred_rows(begin, end, rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, end - begin, k, d, 1, rows.data(), d, direction(0), d, 0,
                        coordinates.data() + begin * k, k);
  });
  order_ = tree_order(coordinates, k);
  if (ByteProducts::available(target_)) byte_blocks_.emplace(target_, order_);
}

void Sketch::project_points() {
  points_ = Tensor::zeros({blocks_, dimension(), block_size});
  const std::int64_t packed = engine::simd::kernels().packed_points(dimension());
  if (blocks_ * packed * real_bytes <= most_packed) packed_ = Tensor({blocks_, packed});
  boxes_ = Tensor({blocks_, dimension(), 2});
  records_.resize(order_.size());
  squared_norms_.resize(order_.size());
  squared_coarse_.resize(order_.size());
  squared_lengths_.resize(order_.size());
  const std::int64_t d = target_.dimension(), k = principal();
  constexpr std::int64_t tile = 8 * block_size;
  engine::parallel_for(target_.size(), tile, [&](std::int64_t begin, std::int64_t end) {
    Tensor rows(engine::Shape{tile, d}), coordinates(engine::Shape{tile, k});
    gather(std::span(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
           rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, end - begin, k, d, 1, rows.data(), d, direction(0), d, 0,
                        coordinates.data(), k);
    for (std::int64_t place = begin; place < end; ++place) encode(place, coordinates.data() + (place - begin) * k);
  });
}

void Sketch::encode(std::int64_t place, const real* coordinates) {
  const auto index = static_cast<std::size_t>(place);
  const double squared = squared_norms_[index] =
      target_.centred_squared_norms()[static_cast<std::size_t>(order_[index])];
  for (std::int64_t c = 0; c < coarse_; ++c) points_.data()[offset(place, c)] = coordinates[c];
  squared_coarse_[index] = static_cast<real>(squared_norm(coarse_, coordinates));
  points_.data()[offset(place, dimension() - 1)] = residual(squared, squared_coarse_[index]);

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
  record.residual = rounded_up(residual(squared, squared_norm(principal(), coordinates)));
}

// Q by subspace iteration on what C leaves of the batch (its mean is not taken away).
void Sketch::find_fitted_directions(const Tensor& x) {
  const std::int64_t batch = x.dim(0), d = target_.dimension();
  real *c = direction(0), *q = direction(principal());
  Tensor rest = target_.centred(x), along(engine::Shape{batch, std::max(coarse_, fitted_)});
  engine::gemm(Transpose::no, Transpose::yes, batch, coarse_, d, 1, rest.data(), d, c, d, 0, along.data(), coarse_);
  engine::gemm(Transpose::no, Transpose::no, batch, d, coarse_, -1, along.data(), coarse_, c, d, 1, rest.data(), d);
  const Tensor start = engine::Random(0, 1).normal({fitted_, d}, 0, 1);
  std::copy_n(start.data(), fitted_ * d, q);
  for (int round = 0; round < 3; ++round) {
    engine::gemm(Transpose::no, Transpose::yes, batch, fitted_, d, 1, rest.data(), d, q, d, 0, along.data(), fitted_);
    engine::gemm(Transpose::yes, Transpose::no, fitted_, d, batch, 1, along.data(), fitted_, rest.data(), d, 0, q, d);
    for (std::int64_t f = 0; f < fitted_; ++f) orthonormalise(q + f * d, d, {{c, coarse_}, {q, f}});
  }
}

// M, Q' and R.
void Sketch::relate_fitted_directions() {
  const std::int64_t d = target_.dimension();
  real *c = direction(0), *p = direction(coarse_), *q = direction(principal()), *rest_q = q + fitted_ * d;
  engine::gemm(Transpose::no, Transpose::yes, fitted_, fine_, d, 1, q, d, p, d, 0, mixing_.data(), fine_);
  std::copy_n(q, fitted_ * d, rest_q);
  // A direction that P nearly holds is left out: dividing by what remains of it would only amplify rounding.
  constexpr double least_remainder = 0.05;
  for (std::int64_t f = 0; f < fitted_; ++f) {
    real *row = rest_q + f * d, *factor = factor_.data() + f * fitted_;
    orthonormalise(row, d, {{p, fine_}, {c, coarse_}, {rest_q, f}}, least_remainder);
    engine::gemm_single(Transpose::no, Transpose::yes, 1, f + 1, d, 1, q + f * d, d, rest_q, d, 0, factor, fitted_);
    if (squared_norm(d, row) == 0) std::fill_n(factor, fitted_, real{0});
  }
}

void Sketch::fit(const Tensor& x) {
  find_fitted_directions(x);
  use_fitted_directions();
}

Tensor Sketch::fitted_directions() const {
  Tensor q({fitted_, target_.dimension()});
  std::copy_n(basis_.data() + principal() * target_.dimension(), q.size(), q.data());
  return q;
}

void Sketch::restore(const Tensor& fitted_directions) {
  assert((fitted_directions.shape() == engine::Shape{fitted_, target_.dimension()}));
  std::copy_n(fitted_directions.data(), fitted_directions.size(), direction(principal()));
  use_fitted_directions();
}

void Sketch::gather(std::span<const std::int64_t> points, real* rows) const {
  for (const std::int64_t j : points) {
    target_.centred_rows(j, j + 1, rows);
    rows += target_.dimension();
  }
}

void Sketch::use_fitted_directions() {
  relate_fitted_directions();
  const std::int64_t d = target_.dimension();
  const Tensor q = fitted_directions();
  std::optional<ByteProducts> bytes;
  if (fitted_ > 0 && byte_blocks_) bytes.emplace(target_, q);
  std::vector<std::int32_t> all(static_cast<std::size_t>(fitted_));
  std::iota(all.begin(), all.end(), 0);
  engine::parallel_for(blocks_, 4, [&](std::int64_t begin, std::int64_t end) {
    ByteBlock spare(target_);
    for (std::int64_t b = begin; b < end; ++b) {
      const std::span<const std::int64_t> points = points_of(b);
      const std::int64_t first = b * block_size, count = std::ssize(points);
      real* along = points_.data() + offset(first, coarse_);
      if (bytes) {
        const ByteBlock* const laid_out = &byte_blocks_->at(b, spare);
        bytes->multiply(bytes->most_digits(), all, {&laid_out, 1}, along);
      } else {
        Tensor rows({count, d});
        gather(points, rows.data());
        engine::gemm_single(Transpose::no, Transpose::yes, fitted_, count, d, 1, q.data(), d, rows.data(), d, 0, along,
                            block_size);
      }
      for (std::int64_t l = 0; l < count; ++l) {
        const auto place = static_cast<std::size_t>(first + l);
        double squared = squared_coarse_[place];
        for (std::int64_t f = 0; f < fitted_; ++f) {
          const double coordinate = along[f * block_size + l];
          squared += coordinate * coordinate;
        }
        const real rest = residual(squared_norms_[place], squared);
        along[fitted_ * block_size + l] = rest;
        squared_lengths_[place] = static_cast<real>(squared + static_cast<double>(rest) * rest);
      }
      enclose(b, is_fitted_ ? coarse_ : 0);
      if (packed_.size() > 0)
        engine::simd::kernels().pack_points(dimension(), this->block(b), packed_.data() + b * packed_.dim(1));
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

Sketch::Queries Sketch::queries(const Tensor& x, Bounds bounds) const {
  const std::int64_t batch = x.dim(0), d = target_.dimension(), k = basis_.dim(0);
  const auto size = static_cast<std::size_t>(batch);
  Queries q;
  q.coarse = Tensor({batch, dimension()});
  q.squared_norm.resize(size);
  q.margin.resize(size);
  if (bounds == Bounds::both) {
    q.both = Tensor::zeros({batch, 2, dimension()});
    q.fine = Tensor({batch, fine_});
    q.fine_origin.resize(size);
    q.fine_norm.resize(size);
    q.fine_residual.resize(size);
  }
  q.centred = target_.centred(x);
  Tensor coordinates(engine::Shape{batch, k});
  const auto project = [&](std::int64_t first, std::int64_t count) {
    engine::gemm(Transpose::no, Transpose::yes, batch, count, d, 1, q.centred.data(), d, basis_.data() + first * d, d,
                 0, coordinates.data() + first, k);
  };
  if (bounds == Bounds::both) {
    project(0, k);
  } else {
    project(0, coarse_);
    project(principal(), fitted_);
  }
  engine::parallel_for(batch, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::size_t>(i);
      double squared_length = describe(coordinates.data() + i * k, i, q);
      if (bounds == Bounds::both)
        squared_length = std::max(squared_length, describe_finely(coordinates.data() + i * k, i, q));
      // In digits, fitted coordinates of a point are differences of products with the uncentred point and the mean.
      const double of_coordinates =
          static_cast<double>(d) * unit_roundoff * (3 * std::sqrt(static_cast<double>(k)) + 4);
      q.margin[index] = static_cast<real>((of_coordinates + engine::simd::group_rounding(dimension())) *
                                          std::sqrt(squared_length) * (point_norm_ + mean_norm_));
    }
  });
  return q;
}

// Of the coarse coordinates, and returns the larger of their squared length and ||x'||^2.
double Sketch::describe(const real* coordinates, std::int64_t i, Queries& q) const {
  const real *along_c = coordinates, *along_q = coordinates + principal();
  const double squared = squared_norm(target_.dimension(), q.centred.data() + i * target_.dimension());
  const double squared_coarse = squared_norm(coarse_, along_c) + squared_norm(fitted_, along_q);
  q.squared_norm[static_cast<std::size_t>(i)] = squared;
  real* coarse = q.coarse.data() + i * dimension();
  coarse = std::copy_n(along_c, coarse_, coarse);
  coarse = std::copy_n(along_q, fitted_, coarse);
  *coarse = residual(squared, squared_coarse);
  return std::max(squared, squared_coarse);
}

// The rest, after the coarse coordinates, and returns the squared length of the fine ones.
double Sketch::describe_finely(const real* coordinates, std::int64_t i, Queries& q) const {
  const auto index = static_cast<std::size_t>(i);
  const real *along_c = coordinates, *along_p = along_c + coarse_, *along_rest = along_p + fine_ + fitted_;
  const double squared_c = squared_norm(coarse_, along_c);
  real *again = q.both.data() + i * 2 * dimension(), *fitted = again + dimension();
  std::copy_n(q.coarse.data() + i * dimension(), dimension(), again);
  std::copy_n(along_c, coarse_, fitted);

  std::vector<double> a(static_cast<std::size_t>(fitted_));
  // a = R^-T Q' x', from the last coordinate to the first
  double squared_a = 0;
  for (std::int64_t f = fitted_ - 1; f >= 0; --f) {
    double rest = along_rest[f];
    for (std::int64_t g = f + 1; g < fitted_; ++g)
      rest -= static_cast<double>(factor_.data()[g * fitted_ + f]) * a[static_cast<std::size_t>(g)];
    const double diagonal = factor_.data()[f * fitted_ + f], value = diagonal == 0 ? 0 : rest / diagonal;
    a[static_cast<std::size_t>(f)] = value;
    squared_a += value * value;
    fitted[coarse_ + f] = static_cast<real>(value);
  }
  std::vector<double> fine(along_p, along_p + fine_);
  for (std::int64_t g = 0; g < fitted_; ++g)
    for (std::int64_t c = 0; c < fine_; ++c)
      fine[static_cast<std::size_t>(c)] -=
          a[static_cast<std::size_t>(g)] * static_cast<double>(mixing_.data()[g * fine_ + c]);
  double origin = 0, squared_fine = 0;
  for (std::size_t c = 0; c < fine.size(); ++c) {
    squared_fine += fine[c] * fine[c];
    origin += fine[c] * origin_[c];
    q.fine.data()[i * fine_ + static_cast<std::int64_t>(c)] = static_cast<real>(fine[c] * step_[c]);
  }
  q.fine_origin[index] = static_cast<real>(origin);
  q.fine_norm[index] = static_cast<real>(std::sqrt(squared_fine));
  q.fine_residual[index] =
      residual(q.squared_norm[index], squared_c + squared_norm(fine_, along_p) + squared_norm(fitted_, along_rest));
  return squared_c + squared_a + squared_fine;
}

void Sketch::prefetch_group(std::int64_t group) const {
  const real* points = points_.data() + offset(group * engine::simd::group_size, 0);
  for (std::int64_t k = 0; k < dimension(); ++k) __builtin_prefetch(points + k * block_size);
}

void Sketch::prefetch(std::int64_t place) const {
  const Record* record = records_.data() + place;
  __builtin_prefetch(record);
  __builtin_prefetch(reinterpret_cast<const char*>(record) + sizeof(Record) / 2);
}

real Sketch::fine_part(const Queries& queries, std::int64_t i, std::int64_t place) const {
  const auto index = static_cast<std::size_t>(i);
  const Record& record = records_[static_cast<std::size_t>(place)];
  return queries.fine_origin[index] +
         engine::simd::kernels().dot_bytes(fine_, queries.fine.data() + i * fine_, record.codes) +
         queries.fine_residual[index] * static_cast<real>(record.residual) +
         queries.fine_norm[index] * static_cast<real>(record.missed);
}

}  // namespace ot
