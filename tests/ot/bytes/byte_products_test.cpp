#include "ot/bytes/byte_products.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "engine/simd/kernels.h"

using engine::Tensor;
using ot::ByteProducts;
using ot::real;
using ot::Target;

namespace {

constexpr std::int64_t points = 150, d = 51;  // neither fills its last block or word

std::vector<std::uint8_t> some_bytes(std::int64_t dimension = d) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(points * dimension));
  const Tensor uniform = engine::Random(4, 0).uniform({points * dimension}, 0, 256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(uniform.values()[i]);
  return bytes;
}

// All points, one in `step` after the other.
std::vector<std::int64_t> order_of_step(std::int64_t step) {
  std::vector<std::int64_t> order;
  for (std::int64_t place = 0; place < points; ++place) order.push_back(place * step % points);
  return order;
}

long double centred_product(const Target& target, const std::vector<std::uint8_t>& bytes, const real* a,
                            std::int64_t j) {
  long double sum = 0;
  for (std::int64_t k = 0, dimension = target.dimension(); k < dimension; ++k)
    sum += a[k] *
           (bytes[static_cast<std::size_t>(j * dimension + k)] / 255.0L - target.mean()[static_cast<std::size_t>(k)]);
  return sum;
}

}  // namespace

TEST_CASE("products in digits err by no more than what the digits leave out, and all digits by a float's roundoff") {
  const auto bytes = some_bytes();
  const Target target(bytes, points, d, ot::CostScale::one);
  if (!ByteProducts::available(target)) return;
  constexpr std::int64_t batch = 7;
  Tensor a = engine::Random(5, 0).normal({batch, d}, 0, 1);
  for (std::int64_t k = 0; k < d; ++k) a.data()[3 * d + k] = 0;  // a query of zeros has no largest coordinate
  const ByteProducts products(target, a);
  const double base = std::exp2(engine::simd::kernels().digits.bits);
  const std::vector<std::int64_t> order = order_of_step(7);
  ot::ByteBlocks laid_out_once(target, order), laid_out_anew(target, order, 0);
  for (int digits = 1; digits <= products.most_digits(); ++digits)
    for (std::int64_t first : {0, 64, 128})
      for (std::int64_t count : {1, 22}) {
        ot::ByteBlocks& blocks = count == 1 ? laid_out_once : laid_out_anew;
        const std::int64_t begin = 2, end = 6, stride = 25;
        const auto point = [&](std::int64_t l) { return order[static_cast<std::size_t>(first + l)]; };
        std::vector<real> out(static_cast<std::size_t>((end - begin) * stride), real(42));
        products.multiply(digits, begin, end, blocks, first, count, out.data(), stride);
        for (std::int64_t i = begin; i < end; ++i) {
          const real* row = a.data() + i * d;
          real largest = 0;
          for (std::int64_t k = 0; k < d; ++k) largest = std::max(largest, std::abs(row[k]));
          const double half_step = largest / ((base / 2 - 1) * std::pow(base, digits - 1)) / 2;
          const double rounding = 8 * std::numeric_limits<float>::epsilon() * largest * d;
          real* const to = out.data() + (i - begin) * stride;
          for (std::int64_t l = 0; l < count; ++l) {
            const double length = std::sqrt(target.centred_squared_norms()[static_cast<std::size_t>(point(l))]);
            const double error = std::abs(to[l] - centred_product(target, bytes, row, point(l)));
            CHECK(error <= half_step * std::sqrt(static_cast<double>(d)) * length + rounding);
            CHECK(error <= products.error_bound(i, digits));
          }
          for (std::int64_t l = count; l < stride; ++l) CHECK(to[l] == 42);
        }
      }
}

TEST_CASE("products in digits with points far from zero that hardly differ err by no more than their bound") {
  auto bytes = some_bytes();
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(250 + byte % 6);
  const Target target(bytes, points, d, ot::CostScale::one);
  if (!ByteProducts::available(target)) return;
  constexpr std::int64_t batch = 7;
  const Tensor a = engine::Random(7, 0).normal({batch, d}, 1, 1);
  const ByteProducts products(target, a);
  const std::vector<std::int64_t> order = order_of_step(1);
  ot::ByteBlocks blocks(target, order);
  std::vector<real> out(batch * points);
  for (int digits = 1; digits <= products.most_digits(); ++digits) {
    products.multiply(digits, 0, batch, blocks, 0, points, out.data(), points);
    for (std::int64_t i = 0; i < batch; ++i)
      for (std::int64_t j = 0; j < points; ++j)
        CHECK(std::abs(out[static_cast<std::size_t>(i * points + j)] -
                       centred_product(target, bytes, a.data() + i * d, j)) <= products.error_bound(i, digits));
  }
}

TEST_CASE("the typical rounding is that of products, within an order of magnitude") {
  for (const std::int64_t dimension : {d, std::int64_t{3000}}) {
    CAPTURE(dimension);
    const auto bytes = some_bytes(dimension);
    const Target target(bytes, points, dimension, ot::CostScale::one);
    if (!ByteProducts::available(target)) return;
    constexpr std::int64_t batch = 7;
    Tensor a({batch, dimension});  // near points, with which products are the largest
    for (std::int64_t i = 0; i < batch; ++i) target.centred_rows(i, i + 1, a.data() + i * dimension);
    const Tensor noise = engine::Random(6, 0).normal({batch * dimension}, 0, real(0.1));
    for (std::int64_t k = 0; k < a.size(); ++k) a.data()[k] += noise.data()[k];
    const ByteProducts products(target, a);
    const std::vector<std::int64_t> order = order_of_step(1);
    ot::ByteBlocks blocks(target, order);
    std::vector<real> out(batch * points);
    products.multiply(products.most_digits(), 0, batch, blocks, 0, points, out.data(), points);
    long double squares = 0;
    for (std::int64_t i = 0; i < batch; ++i)
      for (std::int64_t j = 0; j < points; ++j) {
        const long double error =
            out[static_cast<std::size_t>(i * points + j)] - centred_product(target, bytes, a.data() + i * dimension, j);
        squares += error * error;
      }
    const double found = static_cast<double>(std::sqrt(squares / (batch * points)));
    CHECK(found <= products.typical_rounding());
    CHECK(products.typical_rounding() <= 10 * found);
  }
}

TEST_CASE("a row that is not finite has no products, and leaves the others theirs") {
  const auto bytes = some_bytes();
  const Target target(bytes, points, d, ot::CostScale::one);
  if (!ByteProducts::available(target)) return;
  Tensor a = Tensor::full({3, d}, 1);
  a.data()[d + 4] = std::numeric_limits<real>::quiet_NaN();
  a.data()[2 * d + 9] = std::numeric_limits<real>::infinity();
  std::vector<real> out(3 * 64);
  const ByteProducts products(target, a);
  const std::vector<std::int64_t> order = order_of_step(1);
  ot::ByteBlocks blocks(target, order);
  products.multiply(products.most_digits(), 0, 3, blocks, 0, 64, out.data(), 64);
  for (std::size_t l = 0; l < 64; ++l) {
    CHECK(std::isfinite(out[l]));
    CHECK(std::isnan(out[64 + l]));
    CHECK(std::isnan(out[128 + l]));
  }
}

TEST_CASE("a block of points from anywhere is multiplied by rows from anywhere as in place") {
  const auto bytes = some_bytes();
  const Target target(bytes, points, d, ot::CostScale::one);
  if (!ByteProducts::available(target)) return;
  constexpr std::int64_t batch = 40, block = engine::simd::block_size;
  const Tensor a = engine::Random(5, 0).normal({batch, d}, 0, 1);
  const ByteProducts products(target, a);
  std::vector<real> in_place(batch * points);
  const std::vector<std::int64_t> order = order_of_step(1);
  ot::ByteBlocks blocks(target, order);
  products.multiply(products.most_digits(), 0, batch, blocks, 0, points, in_place.data(), points);
  ot::ByteBlock some(target);
  for (const std::int64_t count : {block, std::int64_t{5}}) {
    std::vector<std::int64_t> picked;
    std::vector<std::int32_t> rows;
    for (std::int64_t l = 0; l < count; ++l) picked.push_back(l * 7 % points);
    for (std::int32_t r = 0; r < 31; ++r) rows.push_back(r * 3 % batch);
    some.lay_out(picked);
    std::vector<real> out(rows.size() * block);
    const ot::ByteBlock* const laid_out = &some;
    products.multiply(products.most_digits(), rows, {&laid_out, 1}, out.data());
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t l = 0; l < picked.size(); ++l)
        CHECK(out[r * block + l] == in_place[static_cast<std::size_t>(rows[r] * points + picked[l])]);
  }
}
