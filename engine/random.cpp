#include "engine/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <unordered_set>

#include "engine/parallel.h"

namespace engine {

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high) {
  constexpr std::uint64_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
  auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
  auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
  std::uint32_t key_0 = low(key), key_1 = high(key);
  std::array<std::uint32_t, 4> c{low(counter_low), high(counter_low), low(counter_high), high(counter_high)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = multiplier_0 * c[0], product_1 = multiplier_1 * c[2];
    c = {high(product_1) ^ c[1] ^ key_0, low(product_1), high(product_0) ^ c[3] ^ key_1, low(product_0)};
    key_0 += 0x9E3779B9;
    key_1 += 0xBB67AE85;
  }
  return c;
}

std::uint32_t Random::bits(std::uint64_t index) const {
  return philox(seed_, index / 4, stream_)[index % 4];
}

namespace {
// 53 random bits as a number in [0, 1).
double unit(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>((static_cast<std::uint64_t>(high) << 32 | low) >> 11) * 0x1p-53;
}
}  // namespace

double Random::uniform(std::uint64_t index) const {
  const auto words = philox(seed_, index / 2, stream_);
  return index % 2 ? unit(words[2], words[3]) : unit(words[0], words[1]);
}

namespace {
// Two numbers from N(0, 1), by Box and Muller.
struct Pair {
  double radius, angle;

  explicit Pair(const std::array<std::uint32_t, 4>& words)
      : radius(std::sqrt(-2 * std::log1p(-unit(words[0], words[1])))),  // log(1 - u) is finite on [0, 1)
        angle(2 * std::numbers::pi * unit(words[2], words[3])) {}
  double first() const { return radius * std::cos(angle); }
  double second() const { return radius * std::sin(angle); }
};
}  // namespace

double Random::normal(std::uint64_t index) const {
  const Pair pair(philox(seed_, index / 2, stream_));
  return index % 2 ? pair.second() : pair.first();
}

Tensor Random::uniform(const Shape& shape, real low, real high) const {
  Tensor result(shape);
  real* values = result.data();
  parallel_for(result.size(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      values[i] = static_cast<real>(low + (static_cast<double>(high) - low) * uniform(static_cast<std::uint64_t>(i)));
  });
  return result;
}

Tensor Random::normal(const Shape& shape, real mean, real deviation) const {
  Tensor result(shape);
  real* values = result.data();
  parallel_for(result.size(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 2) {  // begin is even
      const Pair pair(philox(seed_, static_cast<std::uint64_t>(i) / 2, stream_));
      values[i] = static_cast<real>(mean + deviation * pair.first());
      if (i + 1 < end) values[i + 1] = static_cast<real>(mean + deviation * pair.second());
    }
  });
  return result;
}

std::vector<std::int64_t> Random::permutation(std::int64_t n) const {
  require(n >= 0, "[permutation] the number of elements must not be negative: ", n);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto j = static_cast<std::int64_t>(uniform(static_cast<std::uint64_t>(i)) * static_cast<double>(i + 1));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  return order;
}

std::vector<std::int64_t> Random::subset(std::int64_t n, std::int64_t count) const {
  require(count >= 0 && count <= n, "[subset] there must be between 0 and ", n, " elements: ", count);
  std::unordered_set<std::int64_t> chosen;
  for (std::int64_t last = n - count; last < n; ++last) {
    const double draw = uniform(static_cast<std::uint64_t>(last - (n - count)));
    if (!chosen.insert(static_cast<std::int64_t>(draw * static_cast<double>(last + 1))).second) chosen.insert(last);
  }
  std::vector<std::int64_t> elements(chosen.begin(), chosen.end());
  std::sort(elements.begin(), elements.end());
  return elements;
}

}  // namespace engine
