#include "models/edge_map.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/random.h"
#include "tests/engine/gradient_check.h"

using engine::real;
using engine::Tensor;
using engine::Var;
using models::EdgeMap;

TEST_CASE("an edge map is the pixels and the weighted length of the gradients in each cell, as written out") {
  const EdgeMap map{6, 5, 3, 0.7};  // cells of 4 x 4, 4 x 1, 2 x 4 and 2 x 1 pixels
  CHECK(map.output_size() == 90 + 12);
  const Tensor x = engine::Random(3, 0).uniform({2, 90}, 0, 1);
  const Tensor phi = map(x).value();
  REQUIRE(phi.shape() == engine::Shape{2, 102});
  for (std::int64_t b = 0; b < 2; ++b) {
    for (std::int64_t i = 0; i < 90; ++i) CHECK(phi.data()[b * 102 + i] == x.data()[b * 90 + i]);
    const auto pixel = [&](std::int64_t row, std::int64_t column, std::int64_t channel) {
      return row >= 0 && row < 6 && column >= 0 && column < 5
                 ? static_cast<double>(x.data()[b * 90 + (row * 5 + column) * 3 + channel])
                 : 0.0;
    };
    for (std::int64_t r = 0; r < 2; ++r)
      for (std::int64_t c = 0; c < 2; ++c)
        for (std::int64_t channel = 0; channel < 3; ++channel) {
          double sum = EdgeMap::delta * EdgeMap::delta;
          // The difference along (down, right), over three lines side by side.
          const auto sobel = [&](std::int64_t row, std::int64_t column, std::int64_t down, std::int64_t right) {
            double difference = 0;
            for (const std::int64_t side : {-1, 0, 1})
              difference += (side == 0 ? 2 : 1) / 8.0 *
                            (pixel(row + down + side * right, column + right + side * down, channel) -
                             pixel(row - down + side * right, column - right + side * down, channel));
            return difference;
          };
          for (std::int64_t row = 4 * r; row < std::min<std::int64_t>(6, 4 * r + 4); ++row)
            for (std::int64_t column = 4 * c; column < std::min<std::int64_t>(5, 4 * c + 4); ++column)
              sum += std::pow(sobel(row, column, 0, 1), 2) + std::pow(sobel(row, column, 1, 0), 2);
          CHECK(phi.data()[b * 102 + 90 + (r * 2 + c) * 3 + channel] ==
                doctest::Approx(0.7 * std::sqrt(sum)).epsilon(1e-5));
        }
  }
}

TEST_CASE("the gradients through an edge map are those of differences" * doctest::skip(!engine::testing::precise)) {
  const EdgeMap map{5, 6, 1, 1.3};
  const Tensor weights = engine::Random(3, 1).normal({2, map.output_size()}, 0, 1);
  const auto errors = engine::testing::gradient_errors(
      [&](const std::vector<Var>& inputs) { return engine::mul(map(inputs[0]), weights); },
      {engine::Random(3, 2).uniform({2, 30}, 0, 1)});
  CHECK(errors.first < 1e-6);
  CHECK(errors.second < 1e-6);
}

TEST_CASE("the mean of two images has fewer edges than they have on average") {
  Tensor x = Tensor::zeros({3, 64});  // a vertical stroke, one beside it, and their mean
  for (std::int64_t row = 0; row < 8; ++row) {
    x.data()[row * 8 + 4] = x.data()[64 + row * 8 + 5] = 1;
    x.data()[128 + row * 8 + 4] = x.data()[128 + row * 8 + 5] = real(0.5);
  }
  const EdgeMap map{8, 8, 1, 1};
  const Tensor phi = map(x).value();
  double edges[3] = {};
  for (std::int64_t b = 0; b < 3; ++b)
    for (std::int64_t i = 64; i < map.output_size(); ++i) edges[b] += phi.data()[b * map.output_size() + i];
  CHECK(edges[2] < 0.85 * (edges[0] + edges[1]) / 2);
}

TEST_CASE("a texture that changes from pixel to pixel has no edges inside") {
  Tensor checkers = Tensor::zeros({2, 144});
  for (std::int64_t row = 0; row < 12; ++row)
    for (std::int64_t column = 0; column < 12; ++column) {
      checkers.data()[row * 12 + column] = static_cast<real>((row + column) % 2);
      checkers.data()[144 + row * 12 + column] = static_cast<real>(column % 2);
    }
  const EdgeMap map{12, 12, 1, 1};
  const Tensor phi = map(checkers).value();
  for (std::int64_t b = 0; b < 2; ++b)  // the cell in the middle of nine
    CHECK(phi.data()[b * map.output_size() + 144 + 4] == doctest::Approx(EdgeMap::delta).epsilon(1e-5));
}

TEST_CASE("images of other sizes are refused") {
  CHECK_THROWS_WITH_AS((EdgeMap{2, 2, 1, 1}(Tensor::zeros({1, 5}))),
                       "[edge_map] x must be [B, 4], images of 2x2x1: [1, 5]", engine::Error);
}
