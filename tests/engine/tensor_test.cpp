#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "engine/tensor.h"

using namespace engine;

TEST_CASE("shapes: rank, size, printing and their limits") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{3, 0, 2}.size() == 0);
  CHECK(text(Shape{200, 784}) == "[200, 784]");
  CHECK(text(Shape{}) == "[]");
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_THROWS_WITH_AS((Shape{1, 2, 3, 4, 5, 6, 7}), "[shape] at most 6 axes: 7", Error);
  CHECK_THROWS_WITH_AS((Shape{2, -3}), "[shape] sizes must not be negative: -3", Error);
  Shape six{1, 1, 1, 1, 1, 1};
  CHECK_THROWS_WITH_AS(six.push_back(1), "[shape] at most 6 axes", Error);
}

TEST_CASE("tensors hold their values in rows") {
  const Tensor matrix({2, 3}, {0, 1, 2, 3, 4, 5});
  CHECK(matrix.data()[1 * 3 + 2] == 5);
  CHECK(matrix.rank() == 2);
  CHECK(matrix.dim(0) == 2);
  CHECK(matrix.dim(-1) == 3);
  CHECK(matrix.size() == 6);
  CHECK(matrix.values().size() == 6);
  const Tensor full = Tensor::full({7}, real(2.5)), zeros = Tensor::zeros({7});
  for (real value : full.values()) CHECK(value == real(2.5));
  for (real value : zeros.values()) CHECK(value == 0);
  CHECK(Tensor::scalar(3).item() == 3);
  CHECK(Tensor::scalar(3).rank() == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(matrix.data()) % 64 == 0);
}

TEST_CASE("an undefined tensor has no elements; an empty one is defined") {
  const Tensor undefined;
  CHECK_FALSE(undefined.defined());
  CHECK(undefined.size() == 0);
  CHECK_FALSE(undefined.clone().defined());
  const Tensor empty({0, 5});
  CHECK(empty.defined());
  CHECK(empty.size() == 0);
  CHECK(empty.values().empty());
}

TEST_CASE("copies and reshapes share memory, clones do not") {
  Tensor original({2, 2}, {1, 2, 3, 4});
  Tensor copy = original;
  const Tensor flat = original.reshaped({4}), own = original.clone();
  copy.data()[0] = 9;
  CHECK(original.data()[0] == 9);
  CHECK(flat.data()[0] == 9);
  CHECK(own.data()[0] == 1);
  CHECK(flat.shape() == Shape{4});
  CHECK(own.shape() == Shape{2, 2});
}

TEST_CASE("memory outlives every owner but the last") {
  Tensor kept;
  {
    const Tensor original = Tensor::full({100}, 7);
    kept = original.reshaped({10, 10});
  }
  const Tensor other = Tensor::full({100}, 8);
  CHECK(kept.data() != other.data());
  for (real value : kept.values()) CHECK(value == 7);
  Tensor moved = std::move(kept);
  CHECK(moved.values()[99] == 7);
  moved = Tensor(moved);
  CHECK(moved.values()[99] == 7);
}

TEST_CASE("values, items and reshapes that do not fit are refused") {
  const std::vector<real> three{1, 2, 3};
  CHECK_THROWS_WITH_AS(Tensor({2, 2}, three), "[tensor] one value for each element: 3 values for [2, 2]", Error);
  CHECK_THROWS_WITH_AS(Tensor({3}, three).item(), "[item] the tensor must have one element: [3]", Error);
  CHECK_THROWS_WITH_AS(Tensor().item(), "[item] the tensor must have one element: []", Error);
  CHECK_THROWS_WITH_AS(Tensor({3}, three).reshaped({2, 2}), "[reshape] sizes must agree: [3] to [2, 2]", Error);
}

// A sanitizer would end the program.
TEST_CASE("memory that the system does not have is refused by name, and not counted" *
          doctest::skip(!engine::recycles_memory)) {
  const PoolStatistics before = pool_statistics();
  CHECK_THROWS_WITH_AS(Tensor({std::int64_t{1} << 50, 8}), doctest::Contains("[memory] the system has no "), Error);
  CHECK_THROWS_WITH_AS(Tensor({std::int64_t{1} << 50, 8}), doctest::Contains("use a smaller batch or model"), Error);
  CHECK(pool_statistics().held_bytes == before.held_bytes);
}

TEST_CASE("a loop that repeats its sizes asks the system for nothing" * doctest::skip(!engine::recycles_memory)) {
  const auto steady = [] {
    std::vector<Tensor> live;
    for (std::int64_t size : {1, 63, 64, 65, 1000, 1025, 156800, 60000}) live.push_back(Tensor::zeros({size}));
    const Tensor larger({200, 784}), shared = larger.reshaped({784, 200}), own = shared.clone();
  };
  steady();
  const PoolStatistics before = pool_statistics();
  for (int i = 0; i < 100; ++i) steady();
  CHECK(pool_statistics().system_allocations == before.system_allocations);
  CHECK(pool_statistics().held_bytes == before.held_bytes);
}

TEST_CASE("trimming gives what waits in the pool back to the system, and leaves what is in use") {
  const Tensor kept = Tensor::full({1000}, 3);
  { const Tensor released({4000037}); }
  trim_pool();
  CHECK(pool_statistics().held_bytes == pool_statistics().used_bytes);
  CHECK(kept.data()[999] == 3);
  const std::int64_t before = pool_statistics().system_allocations;
  const Tensor again({4000037});
  CHECK(pool_statistics().system_allocations == before + 1);
}

TEST_CASE("the pool counts what it holds: at most a quarter more than was asked") {
  const PoolStatistics before = pool_statistics();
  std::vector<Tensor> live;
  std::int64_t asked = 0;
  for (std::int64_t size = 3000017; size < 3000027; ++size) {  // a size of no other test
    live.emplace_back(Shape{size});
    asked += size * static_cast<std::int64_t>(sizeof(real));
  }
  const PoolStatistics after = pool_statistics();
  CHECK(after.system_allocations == before.system_allocations + 10);
  CHECK(after.held_bytes - before.held_bytes >= asked);
  CHECK(after.held_bytes - before.held_bytes <= asked + asked / 4);
}
