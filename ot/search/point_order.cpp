#include "ot/search/point_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::real;
using engine::simd::block_size;
using engine::simd::group_size;

namespace {

struct Part {
  std::int64_t begin, end;
};

class Tree {
 public:
  Tree(std::span<const real> coordinates, std::int64_t dimension)
      : coordinates_(coordinates),
        dimension_(dimension),
        order_(coordinates.size() / static_cast<std::size_t>(dimension)) {
    std::iota(order_.begin(), order_.end(), 0);
    std::vector<Part> parts = {{0, std::ssize(order_)}};
    while (!parts.empty()) parts = halved(parts);
  }

  std::vector<std::int64_t> take() { return std::move(order_); }

 private:
  static std::int64_t middle(Part part) {
    const std::int64_t size = part.end - part.begin, unit = size > block_size ? block_size : group_size;
    return part.begin + (size / 2 + unit - 1) / unit * unit;
  }

  std::vector<Part> halved(const std::vector<Part>& parts) {
    engine::parallel_for(static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t p, std::int64_t) {
      const Part part = parts[static_cast<std::size_t>(p)];
      if (part.end - part.begin > group_size) cut(part);
    });
    std::vector<Part> halves;
    for (const Part& part : parts)
      if (part.end - part.begin > group_size) {
        halves.push_back({part.begin, middle(part)});
        halves.push_back({middle(part), part.end});
      }
    return halves;
  }

  void cut(Part part) {
    const std::int64_t k = widest(part);
    const auto before = [&](std::int64_t a, std::int64_t b) {
      const real at_a = point(a)[k], at_b = point(b)[k];
      return at_a < at_b || (at_a == at_b && a < b);
    };
    const auto place = [&](std::int64_t p) { return order_.begin() + p; };
    std::nth_element(place(part.begin), place(middle(part)), place(part.end), before);
  }

  // The coordinate with the largest variance.
  std::int64_t widest(Part part) const {
    const auto k = static_cast<std::size_t>(dimension_);
    std::vector<double> sums(k), squares(k);
    for (std::int64_t p = part.begin; p < part.end; ++p) {
      const real* coordinate = point(order_[static_cast<std::size_t>(p)]);
      for (std::size_t c = 0; c < k; ++c) {
        const double value = coordinate[c];
        sums[c] += value;
        squares[c] += value * value;
      }
    }
    for (std::size_t c = 0; c < k; ++c) squares[c] -= sums[c] * sums[c] / static_cast<double>(part.end - part.begin);
    return std::max_element(squares.begin(), squares.end()) - squares.begin();
  }

  const real* point(std::int64_t j) const { return coordinates_.data() + j * dimension_; }

  std::span<const real> coordinates_;
  std::int64_t dimension_;
  std::vector<std::int64_t> order_;
};

}  // namespace

std::vector<std::int64_t> tree_order(std::span<const real> coordinates, std::int64_t dimension) {
  return Tree(coordinates, dimension).take();
}

}  // namespace ot
