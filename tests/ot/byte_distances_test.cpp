#include "ot/byte_distances.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"

using engine::Tensor;
using ot::ByteDistances;
using ot::real;
using ot::Target;

TEST_CASE("squared distances in integers err by no more than the rounding of the batch") {
  constexpr std::int64_t points = 150, d = 51, batch = 5;
  std::vector<std::uint8_t> bytes(points * d);
  const Tensor uniform = engine::Random(4, 0).uniform({points * d}, 0, 256);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(uniform.values()[i]);
  const Target target(bytes, points, d, ot::CostScale::one);
  if (!ByteDistances::available(target)) return;

  Tensor x = engine::Random(5, 0).uniform({batch, d}, -1, 1);
  for (std::int64_t k = 0; k < d; ++k) x.data()[k] = 0;                                   // has no largest coordinate
  for (std::int64_t k = 0; k < d; ++k) x.data()[d + k] = real(bytes[7 * d + k] / 255.0);  // on a point
  for (std::int64_t k = 0; k < d; ++k) x.data()[2 * d + k] *= 100;
  const auto norms = ByteDistances::squared_norms(target);
  const ByteDistances distances(target, norms, x);
  double all_errors = 0;
  for (std::int32_t first : {0, 64, 128})
    for (std::vector<std::int32_t> some : {std::vector<std::int32_t>{}, {0}, {21, 3}, {1, 2, 5, 8, 13, 20}}) {
      for (std::int32_t& point : some) point += first;
      for (std::int64_t i = 0; i < batch; ++i) {
        std::vector<double> out(some.size() + 1, 42);
        distances.squared(i, some, out.data());
        CHECK(out.back() == 42);
        for (std::size_t f = 0; f < some.size(); ++f) {
          long double exact = 0, largest = 0, modulus = 0;
          for (std::int64_t k = 0; k < d; ++k) {
            const long double value = x.data()[i * d + k],
                              y = bytes[static_cast<std::size_t>(some[f] * d + k)] / 255.0L;
            exact += (value - y) * (value - y);
            largest = std::max(largest, std::abs(value));
            modulus += y;
          }
          const long double half_step = largest * std::numeric_limits<float>::epsilon() / 2;
          CHECK(std::abs(out[f] - exact) <= 2 * half_step * modulus + 1e-12L * (exact + 1));
          all_errors = std::max(all_errors, static_cast<double>(std::abs(out[f] - exact)));
        }
      }
    }
  CHECK(all_errors < 8 * distances.typical_error() + 1e-9);
}
