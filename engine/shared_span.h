#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace engine {

/// Numbers that are read by many, wherever they lie: copies share them, and the last of them frees them.
template <class T>
class SharedSpan {
 public:
  SharedSpan() = default;
  SharedSpan(std::vector<T> values) {
    const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    *this = {*owner, owner};
  }
  /// Values that stay as they are for as long as there is the owner.
  SharedSpan(std::span<const T> values, std::shared_ptr<const void> owner)
      : values_(values), owner_(std::move(owner)) {}

  const T* data() const { return values_.data(); }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  const T& operator[](std::size_t i) const { return values_[i]; }

  /// Some of them, which keep all of them.
  SharedSpan subspan(std::size_t first, std::size_t count) const { return {values_.subspan(first, count), owner_}; }
  /// The same memory as numbers of another type, which it must be aligned for.
  template <class U>
  SharedSpan<U> as() const {
    return {std::span(reinterpret_cast<const U*>(data()), size() * sizeof(T) / sizeof(U)), owner_};
  }

  /// Whether a range holds the same numbers.
  template <class Range>
  bool operator==(const Range& other) const {
    return std::ranges::equal(values_, other);
  }

 private:
  std::span<const T> values_;
  std::shared_ptr<const void> owner_;
};

}  // namespace engine
