// Checks a grid of generated digits: `check_grid GRID.png` prints what it saw, and exits with 1 unless the picture is
// made of 28x28 grey cells that differ from one another and have about as much ink as digits have.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#include <stb/stb_image.h>

#include "engine/error.h"

namespace {

constexpr std::int64_t side = 28, pixels = side * side;

/// The cells of the picture, [n, 784], 0 black to 1 full ink.
std::vector<double> read_cells(const std::string& path) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> grid(stbi_load(path.c_str(), &width, &height, &channels, 0),
                                                       stbi_image_free);
  engine::require(grid != nullptr, path, " is no PNG: ", stbi_failure_reason());
  engine::require(channels == 1 && height % side == 0 && width % side == 0, path,
                  " must be a grey grid of 28x28 cells: ", width, "x", height, ", channels: ", channels);
  const std::int64_t rows = height / side, columns = width / side;
  std::vector<double> cells;
  for (std::int64_t cell = 0; cell < rows * columns; ++cell)
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      const std::int64_t y = cell / columns * side + pixel / side, x = cell % columns * side + pixel % side;
      cells.push_back(grid.get()[y * width + x] / 255.0);
    }
  return cells;
}

/// The smallest mean absolute difference between two cells.
double least_difference(const std::vector<double>& cells, std::int64_t count) {
  double least = 1;
  for (std::int64_t a = 0; a < count; ++a)
    for (std::int64_t b = 0; b < a; ++b) {
      double difference = 0;
      for (std::int64_t k = 0; k < pixels; ++k)
        difference +=
            std::abs(cells[static_cast<std::size_t>(a * pixels + k)] - cells[static_cast<std::size_t>(b * pixels + k)]);
      least = std::min(least, difference / pixels);
    }
  return least;
}

void check(const std::string& path) {
  const std::vector<double> cells = read_cells(path);
  const std::int64_t count = static_cast<std::int64_t>(cells.size()) / pixels;
  engine::require(count >= 16, path, " must have at least 16 cells: ", count);

  double ink = 0;
  for (double value : cells) ink += value / static_cast<double>(cells.size());
  const double difference = least_difference(cells, count);
  std::cout << path << ": " << count << " cells, mean ink " << ink << ", least difference of two " << difference
            << '\n';
  engine::require(ink > 0.04 && ink < 0.35, path, " must have the ink of digits, 0.04 to 0.35 on average: ", ink);
  engine::require(difference > 0.002, path, " must hold different images, but two differ by ", difference);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    engine::require(argc == 2, "usage: ", argv[0], " GRID.png");
    check(argv[1]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
