#include "ot/byte_products.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::simd::block_size;
using engine::simd::kernels;
using engine::simd::padded_bytes;

namespace {
// How a row is rounded: to middle plus a multiple of step.
struct Digits {
  Digits(const real* row, std::int64_t d, int digits) {
    const auto [low, high] = std::minmax_element(row, row + d);
    middle = (static_cast<double>(*low) + *high) / 2;
    step = (*high - middle) / (127 * std::pow(256.0, digits - 1));
  }
  double middle, step;
};
}  // namespace

bool ByteProducts::available(const Target& target) {
  return !target.bytes().empty() && kernels().digit_products &&
         target.dimension() <= engine::simd::most_digit_coordinates;
}

ByteProducts::ByteProducts(const Target& target, const Tensor& a, int digits)
    : target_(target),
      digits_(digits),
      rows_(static_cast<std::size_t>(a.dim(0) * digits * padded_bytes(target.dimension()))),
      scale_(static_cast<std::size_t>(a.dim(0))),
      shift_(scale_.size()),
      slope_(scale_.size()),
      rest_(a.shape()),
      rest_along_mean_(scale_.size()),
      rest_lengths_(scale_.size()),
      sizes_(scale_.size()) {
  const auto norms = target.centred_squared_norms();
  longest_point_ = std::sqrt(static_cast<double>(*std::max_element(norms.begin(), norms.end())));
  for (const real m : target.mean()) mean_length_ += static_cast<double>(m) * m;
  mean_length_ = std::sqrt(mean_length_);
  engine::parallel_for(a.dim(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) round_row(i, a.data() + i * target.dimension());
  });
}

void ByteProducts::round_row(std::int64_t i, const real* a) {
  const std::int64_t d = target_.dimension(), padded = padded_bytes(d);
  const auto index = static_cast<std::size_t>(i);
  if (!std::all_of(a, a + d, [](real value) { return std::isfinite(value); })) {
    scale_[index] = std::numeric_limits<real>::quiet_NaN();
    rest_lengths_[index] = std::numeric_limits<double>::infinity();
    return;
  }
  const auto [middle, step] = Digits(a, d, digits_);
  const double per_step = step > 0 ? 1 / step : 0;
  std::int8_t* digit = rows_.data() + i * digits_ * padded;
  real* rest = rest_.data() + i * d;
  double along_mean = 0, rest_along_mean = 0, squared_length = 0, squared_rest = 0;
  for (std::int64_t k = 0; k < d; ++k) {
    const auto steps = static_cast<std::int32_t>(std::lrint((a[k] - middle) * per_step));
    // The last digit first; what it leaves is a multiple of 256.
    for (std::int32_t left = steps, s = digits_ - 1; s >= 0; --s) {
      const std::int32_t low_digit = s == 0 ? left : ((left + 128) & 255) - 128;
      digit[s * padded + k] = static_cast<std::int8_t>(low_digit);
      left = (left - low_digit) / 256;
    }
    const double rounded = middle + steps * step, mean = target_.mean()[static_cast<std::size_t>(k)];
    rest[k] = static_cast<real>((a[k] - rounded) / 255);
    along_mean += rounded * mean;
    rest_along_mean += (a[k] - rounded) * mean;
    squared_length += rounded * rounded;
    squared_rest += (a[k] - rounded) * (a[k] - rounded);
  }
  scale_[index] = static_cast<real>(step / 255);
  shift_[index] = static_cast<real>(-along_mean);
  slope_[index] = static_cast<real>(middle / 255);
  rest_along_mean_[index] = static_cast<real>(rest_along_mean);
  rest_lengths_[index] = std::sqrt(squared_rest);
  sizes_[index] = 2 * std::sqrt(squared_length) + 2 * std::abs(middle) * std::sqrt(static_cast<double>(d));
}

double ByteProducts::error_bound(std::int64_t i) const {
  const auto index = static_cast<std::size_t>(i);
  // Digits, bytes' sums and a^.mean are each rounded to float, multiplied and added up.
  const double rounding = 4 * std::numeric_limits<float>::epsilon() * sizes_[index];
  return rest_lengths_[index] * longest_point_ + rounding * (longest_point_ + mean_length_);
}

double ByteProducts::typical_error(const Target& target, const Tensor& a, int digits) {
  double squares = 0, longest = 0;
  for (const real squared_norm : target.centred_squared_norms()) squares += squared_norm;
  for (std::int64_t i = 0; i < a.dim(0); ++i)
    longest = std::max(longest, Digits(a.data() + i * a.dim(1), a.dim(1), digits).step);
  return longest * std::sqrt(squares / static_cast<double>(target.size()) / 12);
}

real ByteProducts::missed(std::int64_t i, std::int64_t j) const {
  const std::int64_t d = target_.dimension();
  return kernels().dot_bytes(d, rest_.data() + i * d, target_.bytes().data() + j * d) -
         rest_along_mean_[static_cast<std::size_t>(i)];
}

void ByteProducts::multiply(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t count, real* out,
                            std::int64_t stride) const {
  const std::int64_t d = target_.dimension(), padded = padded_bytes(d), queries = end - begin;
  Tensor scratch(engine::Shape{padded * block_size / static_cast<std::int64_t>(sizeof(real))});
  auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
  real sums[block_size];
  const std::uint8_t* const all_end = target_.bytes().data() + target_.size() * d;
  const auto products = [&](const std::uint8_t* rows, const std::uint8_t* next, real* to, std::int64_t to_stride) {
    kernels().interleave_bytes(d, rows, block, sums);
    // The next block comes from memory little by little, while this one is multiplied.
    constexpr std::int64_t together = 24, line = 64;
    const std::int64_t share = block_size * d * together / queries + line;
    for (std::int64_t i = begin; i < end; i += together) {
      const std::uint8_t* const until = std::min(next + share, all_end);
      for (; next < until; next += line) __builtin_prefetch(next);
      kernels().digit_products(d, block, sums, std::min(together, end - i), digits_,
                               rows_.data() + i * digits_ * padded, scale_.data() + i, shift_.data() + i,
                               slope_.data() + i, to + (i - begin) * to_stride, to_stride);
    }
  };
  const std::uint8_t* rows = target_.bytes().data() + first * d;
  std::int64_t l = 0;
  for (; l + block_size <= count; l += block_size) products(rows + l * d, rows + (l + block_size) * d, out + l, stride);
  if (l == count) return;
  std::vector<std::uint8_t> last(static_cast<std::size_t>(block_size * d));
  std::copy(rows + l * d, rows + count * d, last.data());
  Tensor values(engine::Shape{queries, block_size});
  products(last.data(), all_end, values.data(), block_size);
  for (std::int64_t i = 0; i < queries; ++i)
    std::copy_n(values.data() + i * block_size, count - l, out + i * stride + l);
}

}  // namespace ot
