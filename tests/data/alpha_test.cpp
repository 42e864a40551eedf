#include "data/alpha.h"

#include <limits>
#include <vector>

#include <doctest/doctest.h>

TEST_CASE("colours times alpha and divided by it are the colours again, black where nothing is to be seen") {
  std::vector<float> pixels{0.25f, 0.5f, 1, 0.5f, 0.25f, 0.5f, 1, 0};
  data::multiply_by_alpha(pixels);
  CHECK(pixels == std::vector<float>{0.125f, 0.25f, 0.5f, 0.5f, 0, 0, 0, 0});
  data::divide_by_alpha(pixels);
  CHECK(pixels == std::vector<float>{0.25f, 0.5f, 1, 0.5f, 0, 0, 0, 0});

  std::vector<std::uint8_t> bytes{255, 100, 0, 128, 7, 8, 9, 255, 7, 8, 9, 0};
  data::multiply_by_alpha(bytes);
  CHECK(bytes == std::vector<std::uint8_t>{128, 50, 0, 128, 7, 8, 9, 255, 0, 0, 0, 0});
}

TEST_CASE("what a generator makes of colours and alpha is brought between 0 and 1") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> pixels{0.5, 2, -1, 0.5, nan, 0.5, 0.25, 2, 1, 1, 1, nan, 1, 1, 1, -1};
  data::divide_by_alpha(pixels);
  CHECK(pixels == std::vector<double>{1, 1, 0, 0.5, 0, 0.5, 0.25, 1, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("transparent parts show the squares behind them, opaque ones themselves") {
  data::Images image{1, 1, 8, 4, {}};
  for (const int alpha : {0, 255, 51, 0, 0, 255, 51, 0})
    for (const int value : {10, 20, 30, alpha}) image.bytes.push_back(static_cast<std::uint8_t>(value));
  const data::Images flat = data::over_squares(image);
  CHECK(flat.channels == 3);
  CHECK(flat.height == 1);
  CHECK(flat.width == 8);
  CHECK(flat.bytes == std::vector<std::uint8_t>{255, 255, 255, 10, 20, 30, 206, 208, 210, 255, 255, 255,
                                                204, 212, 204, 10, 20, 30, 165, 174, 169, 204, 212, 204});
  const data::Images faint{1, 1, 1, 4, {127, 128, 0, 1}};  // 254.498, 254.502 and 254
  CHECK(data::over_squares(faint).bytes == std::vector<std::uint8_t>{254, 255, 254});
  const data::Images grey{1, 1, 2, 1, {3, 4}};
  CHECK(data::over_squares(grey).bytes == grey.bytes);
}
