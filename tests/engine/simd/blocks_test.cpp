#include "tests/engine/simd/every_level.h"

using namespace engine::simd;
using namespace engine::simd::testing;
using engine::real;

namespace {

// The value of query q at point l of block b, in long double, and the sum of the moduli of its terms.
struct Affine {
  Exact value, modulus;
};

Affine affine(const engine::Tensor& points, const engine::Tensor& h, const Values& queries, std::int64_t dimension,
              std::int64_t q, std::int64_t b, std::int64_t l) {
  Affine sum{h.data()[b * block_size + l], std::abs(h.data()[b * block_size + l])};
  for (std::int64_t k = 0; k < dimension; ++k) {
    const Exact x = queries[count(q * dimension + k)], y = points.data()[(b * dimension + k) * block_size + l];
    sum.value -= x * y;
    sum.modulus += std::abs(x * y);
  }
  return sum;
}

}  // namespace

TEST_CASE("block kernels give the affine values of every query and point, and their minima") {
  constexpr std::int64_t blocks = 3;
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t dimension : {0, 1, 3, 8, 33, 64})
      for (std::int64_t queries : {0, 1, 5, 6, 7, 13, 41}) {
        CAPTURE(dimension);
        CAPTURE(queries);
        const engine::Tensor points = engine::Random(1, 0).normal({blocks, dimension, block_size}, 0, 1);
        const engine::Tensor h = engine::Random(1, 1).normal({blocks, block_size}, 0, 1);
        const Values query = random(queries * dimension, -1, 1);
        std::vector<std::int32_t> found;  // all but every fifth
        for (std::int64_t q = 0; q < queries; ++q)
          if (q % 5 != 4) found.push_back(static_cast<std::int32_t>(q));
        for (std::int64_t b = 0; b < blocks; ++b) {
          const std::int64_t stride = queries + 1;
          const real* block = points.data() + b * dimension * block_size;
          Values minima(count(groups_in_block * stride), real(42));
          kernels.group_minima(dimension, block, h.data() + b * block_size, std::ssize(found), found.data(),
                               query.data(), minima.data(), stride);
          for (std::int64_t g = 0; g < groups_in_block; ++g) {
            const std::int64_t first = g * group_size;
            CHECK(minima[count(g * stride + queries)] == 42);
            for (std::int64_t q = 0; q < queries; ++q) {
              Values values(group_size + 1, real(42));
              kernels.group_values(dimension, block + first, h.data() + b * block_size + first,
                                   query.data() + q * dimension, values.data());
              CHECK(values.back() == 42);
              Exact least = std::numeric_limits<Exact>::infinity(), largest = 0;
              for (std::int64_t l = 0; l < group_size; ++l) {
                const Affine wanted = affine(points, h, query, dimension, q, b, first + l);
                const Exact rounding = (dimension + 1) * epsilon * wanted.modulus;
                CHECK(std::abs(values[count(l)] - wanted.value) <= rounding);
                least = std::min(least, wanted.value);
                largest = std::max(largest, wanted.modulus);
              }
              const real minimum = minima[count(g * stride + q)];
              if (q % 5 == 4) {
                CHECK(minimum == 42);
              } else {
                CHECK(std::abs(minimum - least) <= (dimension + 1) * epsilon * largest);
              }
            }
          }
        }
      }
  });
}

TEST_CASE("box bounds are half the squared distances to boxes, plus an offset") {
  constexpr std::int64_t boxes = 3;
  at_each_level([](const Kernels& kernels) {
    for (std::int64_t dimension : {0, 1, 5, 41})
      for (std::int64_t queries : {0, 16, 48, 80}) {
        CAPTURE(dimension);
        CAPTURE(queries);
        const Values query = random(dimension * queries, -2, 2), offset = random(boxes, -1, 1);
        Values box = random(boxes * dimension * 2, -1, 1), bounds(count(boxes * queries + 1), real(42));
        for (std::size_t k = 0; k < box.size(); k += 2)
          if (box[k] > box[k + 1]) std::swap(box[k], box[k + 1]);
        kernels.box_bounds(boxes, dimension, box.data(), offset.data(), queries, query.data(), bounds.data());
        CHECK(bounds.back() == 42);
        for (std::int64_t b = 0; b < boxes; ++b)
          for (std::int64_t q = 0; q < queries; ++q) {
            Exact squares = 0;
            for (std::int64_t k = 0; k < dimension; ++k) {
              const Exact x = query[count(k * queries + q)];
              const real* interval = box.data() + (b * dimension + k) * 2;
              const Exact gap = std::max({interval[0] - x, x - interval[1], Exact(0)});
              squares += gap * gap;
            }
            const Exact rounding = (dimension + 4) * epsilon * (squares + 1);
            CHECK(std::abs(bounds[count(b * queries + q)] - (offset[count(b)] + squares / 2)) <= rounding);
          }
      }
  });
}
