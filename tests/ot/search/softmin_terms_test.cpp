#include "ot/search/softmin_terms.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::simd::block_size;

namespace {

constexpr std::int64_t count = 5000, d = 60, batch = 12;

// Near a surface of a few dimensions, which a sketch describes well.
std::vector<std::uint8_t> surface_bytes() {
  const Tensor along = Random(41, 0).normal({count, 3}, 0, 1), directions = Random(41, 1).normal({3, d}, 0, 1);
  std::vector<std::uint8_t> bytes(count * d);
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t k = 0; k < d; ++k) {
      double value = 128;
      for (std::int64_t a = 0; a < 3; ++a) value += 18 * along.data()[j * 3 + a] * directions.data()[a * d + k];
      bytes[static_cast<std::size_t>(j * d + k)] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
    }
  return bytes;
}

// Such that bounds mislead: the point with the least one is far from the nearest.
std::vector<std::uint8_t> noise_bytes() {
  const Tensor noise = Random(44, 0).uniform({count, d}, 0, 256);
  std::vector<std::uint8_t> bytes(count * d);
  std::transform(noise.data(), noise.data() + count * d, bytes.begin(),
                 [](engine::real value) { return static_cast<std::uint8_t>(std::min(value, engine::real(255))); });
  return bytes;
}

Tensor near(const std::vector<std::uint8_t>& bytes) {
  Tensor x = Random(42, 0).normal({batch, d}, 0, real(0.02));
  for (std::int64_t i = 0; i < batch * d; ++i)
    x.data()[i] += static_cast<real>(bytes[static_cast<std::size_t>(i * 31 % (count * d))] / 255.0);
  for (std::int64_t k = 0; k < d; ++k) x.data()[k] = static_cast<real>(bytes[static_cast<std::size_t>(k)] / 255.0);
  return x;
}

void check_terms(const std::vector<std::uint8_t>& bytes, const Tensor& x, bool bounds_tell_work) {
  std::vector<double> weights(count);
  for (std::size_t j = 0; j < weights.size(); ++j) weights[j] = static_cast<double>(j % 4);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= total;
  const Target target(bytes, count, d, CostScale::inverse_alpha, weights);
  const Tensor psi = Random(43, 0).normal({count}, 0, real(0.02));
  const PointIndex index(target);
  Sketch sketch(index);
  sketch.fit(x, nullptr);
  std::optional<ByteProducts> products;
  std::optional<ByteBlocks> laid_out_once, laid_out_anew;
  std::vector<ByteValues> ways = {{}};
  if (ByteProducts::available(target)) {
    products.emplace(target, target.centred(x));
    laid_out_once.emplace(target, index.order());
    laid_out_anew.emplace(target, index.order(), 0);
    for (ByteBlocks* blocks : {&*laid_out_once, &*laid_out_anew})
      for (const int digits : {products->most_digits() - 1, products->most_digits()})
        ways.push_back({.products = &*products, .blocks = blocks, .digits = digits});
  }
  const auto error_of = [&](int digits) {
    double typical = 0;
    for (std::int64_t i = 0; i < batch; ++i) typical = std::max(typical, products->typical_error(i, digits));
    return 12 * typical + 8 * products->typical_rounding();
  };
  for (const double lambda : {1e-3, 1e-2, 1.0})
    for (const double digits : {8.0, 24.0})
      for (const ByteValues& values : ways) {
        CAPTURE(lambda);
        CAPTURE(digits);
        CAPTURE(&values - ways.data());
        const double allowed = std::exp2(-digits), reach = lambda * std::log(2 * count / allowed);
        const BatchBounds bounds(sketch, x, psi, lambda, reach);
        // What the products of whole blocks are rounded by, at a few standard deviations.
        const long double rounding = values.products ? target.scale() * error_of(values.digits) : 0;
        const TermSearch search(bounds, values, lambda, reach);
        std::vector<SearchWork> work;
        const SoftminTerms found = search.find(work);
        double values_of_all = 0;
        for (std::int64_t i = 0; i < batch; ++i) {
          const auto query = static_cast<std::size_t>(i);
          std::vector<long double> u(count);
          for (std::int64_t j = 0; j < count; ++j) {
            long double squares = 0;
            for (std::int64_t k = 0; k < d; ++k) {
              const long double difference = x.data()[i * d + k] - bytes[static_cast<std::size_t>(j * d + k)] / 255.0L;
              squares += difference * difference;
            }
            u[static_cast<std::size_t>(j)] =
                target.scale() * squares - psi.data()[j] - lambda * target.log_weights()[static_cast<std::size_t>(j)];
          }
          const long double least = *std::min_element(u.begin(), u.end());
          long double all = 0, kept = 0;
          for (const long double value : u) all += std::exp((least - value) / lambda);
          std::int64_t last = -1, rows = 0;
          for (const SoftminTerms::Piece& piece : found.pieces) {
            const engine::real* term = piece.terms();
            for (const SoftminTerms::Row& row : piece.rows) {
              const engine::real* const end = term + block_size;
              if (row.query != i) {
                term = end;
                continue;
              }
              ++rows;
              CHECK(row.block > last);
              last = row.block;
              double sum = 0;
              CHECK(row.sum <= 0x1p16);
              for (std::int64_t place = row.block * block_size; term < end; ++place, ++term) {
                if (*term == 0) continue;
                REQUIRE(place < count);
                sum += *term;
                const long double exact = u[static_cast<std::size_t>(index.order()[static_cast<std::size_t>(place)])];
                CHECK(std::abs(row.base - lambda * std::log(*term) - exact) < 1e-5L * lambda + 1e-7L + rounding);
                kept += std::exp((least - exact) / lambda);
              }
              CHECK(sum == doctest::Approx(row.sum).epsilon(1e-5));
            }
          }
          CHECK(all - kept <= allowed * all);
          CHECK(work[query].rows == static_cast<double>(rows));
          values_of_all += work[query].values;
        }
        if (!bounds_tell_work) continue;
        const double expected = batch * search.expected_work().values;
        CHECK(expected > values_of_all / 2 - 100 * batch);
        CHECK(expected < values_of_all * 2 + 100 * batch);

        // One query alone is expected to take no more than by the less of two ways.
        Tensor alone({1, d});
        std::copy_n(x.data(), d, alone.data());
        const BatchBounds its_bounds(sketch, alone, psi, lambda, reach);
        const bool whole = values.products && values.blocks->kept();
        TermSearch(its_bounds, whole ? values : ByteValues(), lambda, reach).find(work);
        const double of_one = TermSearch(its_bounds, values, lambda, reach).expected_work().values;
        CHECK(of_one < work[0].values * 2 + 64);
      }
}

}  // namespace

TEST_CASE(
    "the points that a softmin leaves out add up to less than it allows, and the others have their terms, however "
    "found") {
  SUBCASE("near a surface") {
    check_terms(surface_bytes(), near(surface_bytes()), true);
  }
  SUBCASE("where bounds mislead") {
    check_terms(noise_bytes(), Random(45, 0).uniform({batch, d}, 0, 1), false);
  }
}
