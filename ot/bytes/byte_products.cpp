#include "ot/bytes/byte_products.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "engine/parallel.h"
#include "engine/pool.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Buffer;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::kernels;

namespace {

Buffer bytes_for(std::int64_t count) {
  return Buffer(static_cast<std::size_t>(count));
}

std::uint8_t* bytes_of(const Buffer& buffer) {
  return static_cast<std::uint8_t*>(buffer.data());
}

}  // namespace

std::span<const std::int64_t> points_of_block(std::span<const std::int64_t> order, std::int64_t b) {
  const std::int64_t first = b * block_size, count = std::min(block_size, std::ssize(order) - first);
  return order.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

void ByteBlock::lay_out(std::span<const std::int64_t> points) {
  const std::int64_t d = target_.dimension();
  if (!laid_out_) laid_out_ = bytes_for(kernels().digits.block(d));
  if (std::ssize(points) < block_size) no_point_.resize(static_cast<std::size_t>(d));
  const std::uint8_t* rows[block_size];
  std::fill_n(rows, block_size, no_point_.data());
  std::ranges::transform(points, rows, [&](std::int64_t j) { return target_.bytes().data() + j * d; });
  kernels().interleave_bytes(d, rows, bytes_of(laid_out_), sums_);
}

ByteBlocks::ByteBlocks(const Target& target, std::span<const std::int64_t> order, std::int64_t most_kept)
    : order_(order) {
  const std::int64_t blocks = (std::ssize(order) + block_size - 1) / block_size;
  const std::int64_t bytes = kernels().digits.block(target.dimension());
  if (blocks <= most_kept / bytes) blocks_ = std::vector(static_cast<std::size_t>(blocks), ByteBlock(target));
}

const ByteBlock& ByteBlocks::at(std::int64_t b, ByteBlock& spare) {
  ByteBlock& block = kept() ? blocks_[static_cast<std::size_t>(b)] : spare;
  if (!kept() || !block.laid_out_) block.lay_out(points_of_block(order_, b));
  return block;
}

bool ByteProducts::available(const Target& target) {
  return !target.bytes().empty() && kernels().digit_products &&
         target.dimension() <= engine::simd::most_digit_coordinates;
}

ByteProducts::ByteProducts(const Target& target, const Tensor& a)
    : target_(target),
      layout_(kernels().digits),
      base_(std::exp2(layout_.bits)),
      digits_(a.dim(0), target.dimension()),
      rounded_(static_cast<std::size_t>(layout_.most)),
      slope_(static_cast<std::size_t>(a.dim(0))),
      steps_(slope_.size()),
      sizes_(slope_.size()) {
  for (Rounded& rounded : rounded_) {
    rounded.scale.resize(slope_.size());
    rounded.shift.resize(slope_.size());
    rounded.rest_lengths.resize(slope_.size());
  }
  for (const real m : target.mean()) mean_length_ += static_cast<double>(m) * m, sum_of_mean_ += m;
  mean_length_ = std::sqrt(mean_length_);
  engine::parallel_for(a.dim(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) round_row(i, a.data() + i * target.dimension());
  });
}

void ByteProducts::round_row(std::int64_t i, const real* a) {
  const std::int64_t d = target_.dimension();
  const auto index = static_cast<std::size_t>(i);
  const double squares = kernels().dot(d, a, a);
  if (!std::isfinite(squares) && !std::all_of(a, a + d, [](real value) { return std::isfinite(value); })) {
    for (Rounded& rounded : rounded_) {
      rounded.scale[index] = std::numeric_limits<real>::quiet_NaN();
      rounded.rest_lengths[index] = std::numeric_limits<double>::infinity();
    }
    return;
  }
  const auto [low, high] = std::minmax_element(a, a + d);
  const double middle = (static_cast<double>(*low) + *high) / 2;
  const double step = (*high - middle) / ((base_ / 2 - 1) * std::pow(base_, most_digits() - 1));
  std::vector<engine::simd::Rest> rests(rounded_.size() + 1);
  kernels().round_to_digits(d, a, middle, step, target_.mean().data(), digits_.row(i), rests.data());
  steps_[index] = step;
  slope_[index] = static_cast<real>(middle / 255);
  double unit = step / 255;
  for (std::size_t s = rounded_.size(); s > 0; --s, unit *= base_) {
    Rounded& rounded = rounded_[s - 1];
    const double along_mean = middle * sum_of_mean_ + rests[0].products - rests[s].products;
    rounded.scale[index] = static_cast<real>(unit);
    rounded.shift[index] = static_cast<real>(-along_mean);
    rounded.rest_lengths[index] = std::sqrt(rests[s].squares);
  }
  const double length = std::sqrt(squares);
  sizes_[index] =
      2 * length + 2 * rounded(1).rest_lengths[index] + 2 * std::abs(middle) * std::sqrt(static_cast<double>(d));
}

double ByteProducts::error_bound(std::int64_t i, int digits) const {
  const auto index = static_cast<std::size_t>(i);
  // Digits, bytes' sums and a^.mean are each rounded to float, multiplied and added up, a few hundred coordinates at a
  // time.
  const double roundings = 4 + static_cast<double>(target_.dimension()) / 128;
  const double rounding = roundings * std::numeric_limits<float>::epsilon() * sizes_[index];
  return rounded(digits).rest_lengths[index] * target_.longest() + rounding * (target_.longest() + mean_length_);
}

double ByteProducts::typical_error(std::int64_t i, int digits) const {
  const double last = steps_[static_cast<std::size_t>(i)] * std::pow(base_, most_digits() - digits);
  return last * target_.root_mean_square() / std::sqrt(12.0);
}

double ByteProducts::typical_rounding() const {
  // A size is in `sizes_` twice, as it is rounded twice: each time to either side, by 0.41 of the largest error in the
  // root mean square.
  constexpr double typical = 0.41 * std::numeric_limits<float>::epsilon() / 2 * (std::numbers::sqrt2 / 2);
  return typical * *std::max_element(sizes_.begin(), sizes_.end()) *
         std::hypot(target_.root_mean_square(), mean_length_);
}

int ByteProducts::digits_of_terms(double lambda) const {
  const auto fine = [&](int digits) {
    for (std::int64_t i = 0; i < std::ssize(steps_); ++i)
      if (!(2 * target_.scale() * typical_error(i, digits) / lambda <= 0x1p-15)) return false;
    return true;
  };
  int digits = 1;
  while (digits < most_digits() && !fine(digits)) ++digits;
  return digits;
}

void ByteProducts::multiply(int digits, std::int64_t begin, std::int64_t end, ByteBlocks& blocks, std::int64_t first,
                            std::int64_t count, real* out, std::int64_t stride) const {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(begin));
  constexpr std::int64_t together = blocks_together * block_size;
  std::vector<ByteBlock> spare(blocks_together, ByteBlock(target_));
  for (std::int64_t l = 0; l < count; l += together) {
    const std::int64_t places = std::min(together, count - l);
    std::vector<const ByteBlock*> laid_out;
    for (std::int64_t p = 0; p < places; p += block_size)
      laid_out.push_back(&blocks.at((first + l + p) / block_size, spare[laid_out.size()]));
    std::span<const std::int64_t> next;
    if (!blocks.kept()) {
      next = blocks.order().subspan(static_cast<std::size_t>(first + l + places));
      next = next.first(std::min<std::size_t>(next.size(), together));
    }
    const std::int64_t width = std::ssize(laid_out) * block_size;
    if (places == width) {
      multiply(digits, rows, laid_out, {}, next, out + l, stride);
      continue;
    }
    Tensor values(engine::Shape{end - begin, width});
    multiply(digits, rows, laid_out, {}, next, values.data(), width);
    for (std::int64_t i = 0; i < end - begin; ++i) std::copy_n(values.data() + i * width, places, out + i * stride + l);
  }
}

void ByteProducts::multiply(int digits, std::span<const std::int32_t> rows, std::span<const ByteBlock* const> blocks,
                            real* out, std::span<const std::uint8_t> wanted) const {
  multiply(digits, rows, blocks, wanted, {}, out, std::ssize(blocks) * block_size);
}

void ByteProducts::multiply(int digits, std::span<const std::int32_t> rows, std::span<const ByteBlock* const> blocks,
                            std::span<const std::uint8_t> wanted, std::span<const std::int64_t> next, real* out,
                            std::int64_t stride) const {
  const Rounded& rounded = this->rounded(digits);
  const engine::simd::ScaledRows of_rows = {digits_.row(0), rounded.scale.data(), rounded.shift.data(), slope_.data()};
  std::vector<engine::simd::DigitBlock> laid_out;
  for (const ByteBlock* block : blocks) laid_out.push_back({bytes_of(block->laid_out_), block->sums_});
  for (std::int64_t r = 0; r < std::ssize(rows); r += layout_.together) {
    const std::int64_t count = std::min<std::int64_t>(layout_.together, std::ssize(rows) - r);
    const std::size_t share = next.size() * static_cast<std::size_t>(r + count) / rows.size();
    for (std::size_t n = next.size() * static_cast<std::size_t>(r) / rows.size(); n < share; ++n)
      target_.prefetch(next[n]);
    kernels().digit_products(target_.dimension(), std::ssize(laid_out), laid_out.data(), count, rows.data() + r,
                             wanted.empty() ? nullptr : wanted.data() + r * std::ssize(blocks), digits, of_rows,
                             out + r * stride, stride);
  }
}

}  // namespace ot
