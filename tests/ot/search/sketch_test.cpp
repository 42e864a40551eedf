#include "ot/search/sketch.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "tests/ot/surface.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::CostScale;
using ot::Target;
using ot::testing::surface;

TEST_CASE("bounds are never above the true value, at any SIMD level") {
  constexpr std::int64_t count = 1000, d = 50, batch = 9;
  const auto points = surface(count, d, 8, 4, 3);
  const Target target(points, count, d, CostScale::half);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  Tensor x = Random(5, 0).normal({batch, d}, 3, 1);
  // one query on a point, one far away
  std::copy_n(points.data() + 17 * d, d, x.data());
  for (std::int64_t c = 0; c < d; ++c) x.data()[d + c] *= 1000;
  for (int fits = 1; fits <= 2; ++fits) {
    sketch.fit(x, nullptr);
    const auto queries = sketch.queries(x);
    const Tensor zero = Tensor::zeros({engine::simd::block_size});
    for (engine::simd::Level level : engine::simd::levels()) {
      CAPTURE(engine::simd::name(level));
      const auto& kernels = *engine::simd::kernels_of(level);
      for (std::int64_t b = 0; b < sketch.blocks(); ++b)
        for (std::int64_t i = 0; i < batch; ++i) {
          using namespace engine::simd;
          const std::int64_t dimension = sketch.dimension();
          real bounds[groups_in_block][group_size], least[groups_in_block];
          for (std::int64_t g = 0; g < groups_in_block; ++g)
            kernels.group_values(dimension, sketch.block(b) + g * group_size, zero.data(), 1,
                                 queries.coordinates.data() + i * dimension, bounds[g]);
          const std::int32_t first = 0;
          kernels.group_minima(dimension, sketch.block(b), zero.data(), 1, &first,
                               queries.coordinates.data() + i * dimension, least, 1);
          real wrong = 0;
          for (std::int64_t l = 0; l < block_size && b * block_size + l < count; ++l) {
            const std::int64_t place = b * block_size + l, j = index.order()[static_cast<std::size_t>(place)];
            long double product = 0;
            for (std::int64_t c = 0; c < d; ++c)
              product += (static_cast<long double>(x.data()[i * d + c]) - target.mean()[static_cast<std::size_t>(c)]) *
                         (static_cast<long double>(points[static_cast<std::size_t>(j * d + c)]) -
                          target.mean()[static_cast<std::size_t>(c)]);
            const real margin = queries.margin[static_cast<std::size_t>(i)];
            wrong += least[l / group_size] > -product + margin;
            wrong += bounds[l / group_size][l % group_size] > -product + margin;
          }
          CHECK(wrong == 0);
        }
    }
  }
}
