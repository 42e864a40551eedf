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

bool ByteProducts::available(const Target& target) {
  return !target.bytes().empty() && kernels().digit_products &&
         target.dimension() <= engine::simd::most_digit_coordinates;
}

ByteProducts::ByteProducts(const Target& target, const Tensor& a, int digits)
    : target_(target),
      digits_(digits),
      rows_(static_cast<std::size_t>(a.dim(0) * digits * padded_bytes(target.dimension()))),
      scale_(static_cast<std::size_t>(a.dim(0))),
      shift_(static_cast<std::size_t>(a.dim(0))) {
  const std::int64_t d = target.dimension(), padded = padded_bytes(d);
  const double unit = std::pow(256.0, digits - 1);
  engine::parallel_for(a.dim(0), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const real* row = a.data() + i * d;
      real largest = 0, total = 0;
      for (std::int64_t k = 0; k < d; ++k) {
        largest = std::max(largest, std::abs(row[k]));
        total += std::abs(row[k]);
      }
      if (!std::isfinite(total)) {
        scale_[static_cast<std::size_t>(i)] = std::numeric_limits<real>::quiet_NaN();
        continue;
      }
      const double step = largest / (127 * unit), per_step = largest > 0 ? 1 / step : 0;
      std::int8_t* digit = rows_.data() + i * digits * padded;
      double along_mean = 0;
      for (std::int64_t k = 0; k < d; ++k) {
        const auto rounded = static_cast<std::int32_t>(std::lrint(row[k] * per_step));
        along_mean += rounded * static_cast<double>(target.mean()[static_cast<std::size_t>(k)]);
        // The last digit first; what it leaves is a multiple of 256.
        for (std::int32_t rest = rounded, s = digits - 1; s >= 0; --s) {
          const std::int32_t low = s == 0 ? rest : ((rest + 128) & 255) - 128;
          digit[s * padded + k] = static_cast<std::int8_t>(low);
          rest = (rest - low) / 256;
        }
      }
      const auto index = static_cast<std::size_t>(i);
      scale_[index] = static_cast<real>(step / 255);
      shift_[index] = static_cast<real>(-step * along_mean);
    }
  });
}

void ByteProducts::multiply(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t count, real* out,
                            std::int64_t stride) const {
  const std::int64_t d = target_.dimension(), padded = padded_bytes(d), queries = end - begin;
  const std::int8_t* digit = rows_.data() + begin * digits_ * padded;
  const auto products = [&](const std::uint8_t* rows, std::uint8_t* block, real* to, std::int64_t to_stride) {
    kernels().interleave_bytes(d, rows, block);
    kernels().digit_products(d, block, queries, digits_, digit, scale_.data() + begin, shift_.data() + begin, to,
                             to_stride);
  };
  Tensor scratch(engine::Shape{padded * block_size / static_cast<std::int64_t>(sizeof(real))});
  auto* block = reinterpret_cast<std::uint8_t*>(scratch.data());
  const std::uint8_t* rows = target_.bytes().data() + first * d;
  std::int64_t l = 0;
  for (; l + block_size <= count; l += block_size) products(rows + l * d, block, out + l, stride);
  if (l == count) return;
  std::vector<std::uint8_t> last(static_cast<std::size_t>(block_size * d));
  std::copy(rows + l * d, rows + count * d, last.data());
  Tensor values(engine::Shape{queries, block_size});
  products(last.data(), block, values.data(), block_size);
  for (std::int64_t i = 0; i < queries; ++i)
    std::copy_n(values.data() + i * block_size, count - l, out + i * stride + l);
}

}  // namespace ot
