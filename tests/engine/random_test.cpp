#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "engine/random.h"

using namespace engine;

namespace {

constexpr std::uint64_t draws = 200000;

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

Moments moments(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  std::array<double, 3> central{};  // orders 2, 3, 4
  for (double value : x)
    for (int order = 2; order <= 4; ++order)
      central[static_cast<std::size_t>(order - 2)] += std::pow(value - mean, order) / n;
  const double deviation = std::sqrt(central[0]);
  return {mean, central[0], central[1] / std::pow(deviation, 3), central[2] / std::pow(deviation, 4)};
}

template <class Draw>
std::vector<double> collect(const Draw& draw) {
  std::vector<double> x(draws);
  for (std::uint64_t i = 0; i < draws; ++i) x[i] = draw(i);
  return x;
}

double correlation(const std::vector<double>& x, const std::vector<double>& y, std::size_t lag = 0) {
  const Moments a = moments(x), b = moments(y);
  double sum = 0;
  for (std::size_t i = 0; i + lag < x.size(); ++i) sum += (x[i] - a.mean) * (y[i + lag] - b.mean);
  return sum / static_cast<double>(x.size()) / std::sqrt(a.variance * b.variance);
}

// Pearson's statistic of counts that are equally likely.
double chi_square(const std::vector<double>& counts) {
  const double expected = std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double sum = 0;
  for (double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Five standard deviations of the mean of `draws` numbers of deviation one: seeds are fixed, so this never flickers.
const double five_sigma = 5 / std::sqrt(static_cast<double>(draws));

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("philox gives the published words (Random123's kat_vectors, philox4x32 10)") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox(0, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox(~0ull, ~0ull, ~0ull) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // The counter's words are 243f6a88 85a308d3 13198a2e 03707344, the key's a4093822 299f31d0, lowest first.
  CHECK(philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draws are philox words at their address: seed is the key, the stream the counter's upper half") {
  const Random random(0xfedcba9876543210, 5);
  for (std::uint64_t i : {0ull, 1ull, 2ull, 3ull, 4ull, 1000003ull, 1ull << 40})
    CHECK(random.bits(i) == philox(0xfedcba9876543210, i / 4, 5)[i % 4]);
}

TEST_CASE("uniform draws have the moments and the spread of the uniform distribution") {
  const Random random(1, 2);
  const std::vector<double> x = collect([&](std::uint64_t i) { return random.uniform(i); });
  CHECK(*std::min_element(x.begin(), x.end()) >= 0);
  CHECK(*std::max_element(x.begin(), x.end()) < 1);
  const Moments got = moments(x);
  CHECK(std::abs(got.mean - 0.5) < five_sigma * std::sqrt(1.0 / 12));
  CHECK(std::abs(got.variance - 1.0 / 12) < five_sigma * std::sqrt(1.0 / 180));
  std::vector<double> counts(100, 0);
  for (double value : x) ++counts[static_cast<std::size_t>(value * 100)];
  CHECK(chi_square(counts) < 99 + 5 * std::sqrt(2 * 99.0));
  CHECK(std::abs(correlation(x, x, 1)) < five_sigma);
  CHECK(std::abs(correlation(x, x, 2)) < five_sigma);
}

TEST_CASE("normal draws have the moments of the normal distribution") {
  const Random random(1, 3);
  const std::vector<double> x = collect([&](std::uint64_t i) { return random.normal(i); });
  const Moments got = moments(x);
  CHECK(std::abs(got.mean) < five_sigma);
  CHECK(std::abs(got.variance - 1) < five_sigma * std::sqrt(2.0));
  CHECK(std::abs(got.skewness) < five_sigma * std::sqrt(6.0));
  CHECK(std::abs(got.kurtosis - 3) < five_sigma * std::sqrt(24.0));
  // The share of draws below -2, -1, 0, 1, 2.
  for (double bound : {-2.0, -1.0, 0.0, 1.0, 2.0}) {
    const double share = 0.5 * std::erfc(-bound / std::sqrt(2.0));
    const auto below = std::count_if(x.begin(), x.end(), [&](double value) { return value < bound; });
    CHECK(std::abs(static_cast<double>(below) / static_cast<double>(draws) - share) < five_sigma / 2);
  }
  CHECK(std::abs(correlation(x, x, 1)) < five_sigma);  // both numbers of a Box-Muller pair among them
}

TEST_CASE("streams and seeds are independent, and draws do not depend on each other's order") {
  const Random first(1, 0), second(1, 1), other_seed(2, 0), same(1, 0);
  const auto uniform = [](const Random& random) {
    return collect([&random](std::uint64_t i) { return random.uniform(i); });
  };
  const std::vector<double> x = uniform(first);
  CHECK(std::abs(correlation(x, uniform(second))) < five_sigma);
  CHECK(std::abs(correlation(x, uniform(other_seed))) < five_sigma);
  for (std::uint64_t i = draws; i-- > draws - 100;) CHECK(same.uniform(i) == x[i]);
}

TEST_CASE("tensors hold the draws in order, scaled, whatever the number of threads") {
  const Random random(3, 4);
  const int before = threads();
  set_threads(1);
  const Tensor uniform = random.uniform({101, 97}, -2, 3), normal = random.normal({101, 97}, 10, 2);
  set_threads(2);
  CHECK(same_bits(uniform, random.uniform({101, 97}, -2, 3)));
  CHECK(same_bits(normal, random.normal({101, 97}, 10, 2)));
  set_threads(before);
  CHECK(uniform.shape() == Shape{101, 97});
  for (std::int64_t i : {0, 1, 5000, 9796}) {
    const auto index = static_cast<std::uint64_t>(i);
    CHECK(uniform.data()[i] == static_cast<real>(-2 + 5 * random.uniform(index)));
    CHECK(normal.data()[i] == static_cast<real>(10 + 2 * random.normal(index)));
  }
  for (real value : uniform.values()) CHECK((value >= -2 && value <= 3));
  CHECK(random.uniform({0, 5}, 0, 1).size() == 0);
}

TEST_CASE("a permutation has each element once") {
  const Random random(5, 6);
  for (std::int64_t n : {0, 1, 2, 3, 17, 60000}) {
    std::vector<std::int64_t> order = random.permutation(n);
    CHECK(order == Random(5, 6).permutation(n));
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> wanted(static_cast<std::size_t>(n));
    std::iota(wanted.begin(), wanted.end(), std::int64_t{0});
    CHECK(order == wanted);
  }
  CHECK_THROWS_WITH_AS(random.permutation(-1), "[permutation] the number of elements must not be negative: -1", Error);
}

TEST_CASE("a subset has as many elements as asked, in increasing order") {
  const Random random(5, 6);
  for (const auto& [n, count] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 0}, {1, 0}, {1, 1}, {10, 3}, {1000, 1000}, {std::int64_t{1} << 40, 500}}) {
    const std::vector<std::int64_t> elements = random.subset(n, count);
    CHECK(elements == Random(5, 6).subset(n, count));
    CHECK(static_cast<std::int64_t>(elements.size()) == count);
    CHECK(std::adjacent_find(elements.begin(), elements.end(), std::greater_equal<>()) == elements.end());
    if (count > 0) CHECK((elements.front() >= 0 && elements.back() < n));
  }
  CHECK_THROWS_WITH_AS(random.subset(3, 4), "[subset] there must be between 0 and 3 elements: 4", Error);
  CHECK_THROWS_WITH_AS(random.subset(3, -1), "[subset] there must be between 0 and 3 elements: -1", Error);
}

TEST_CASE("the ten pairs of five elements are equally likely") {
  std::map<std::vector<std::int64_t>, double> seen;
  for (std::uint64_t stream = 0; stream < 60000; ++stream) ++seen[Random(7, stream).subset(5, 2)];
  REQUIRE(seen.size() == 10);
  std::vector<double> counts;
  for (const auto& [pair, count] : seen) counts.push_back(count);
  CHECK(chi_square(counts) < 27.9);  // exceeded once in a thousand, at 9 degrees of freedom; the seed is fixed
}

TEST_CASE("the six orders of three elements are equally likely") {
  std::map<std::vector<std::int64_t>, double> seen;
  for (std::uint64_t stream = 0; stream < 60000; ++stream) ++seen[Random(7, stream).permutation(3)];
  REQUIRE(seen.size() == 6);
  std::vector<double> counts;
  for (const auto& [order, count] : seen) counts.push_back(count);
  CHECK(chi_square(counts) < 20.5);  // exceeded once in a thousand, at 5 degrees of freedom; the seed is fixed
}
