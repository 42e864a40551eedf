#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "apps/library/semidual.h"

inline void demand(bool right) {
  if (!right) std::abort();
}

inline std::size_t room(std::int64_t count) {
  return static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
}

/// What the bytes say, zeros beyond their end.
class Bytes {
 public:
  Bytes(const std::uint8_t* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}
  bool done() const { return at_ == end_; }
  int below(int n) { return done() ? 0 : *at_++ % n; }
  bool seldom() { return below(8) == 7; }
  template <class T, std::size_t N>
  T one_of(const T (&choices)[N]) {
    return choices[below(static_cast<int>(N))];
  }
  std::int64_t size() { return seldom() ? -1 : below(9); }
  std::uint64_t natural() { return one_of<std::uint64_t>({0, 1, 256, 1 << 20, 1ULL << 40, 1ULL << 56, UINT64_MAX}); }
  double number() {
    return one_of(
        {0.0, 1.0, 0.25, -1.0, 1e-3, 1e30, -1e30, 1e300, 1e-300, double{NAN}, double{INFINITY}, 3.0, 0.5, 2.0, 1e9});
  }
  /// Small numbers, or any that the type has.
  template <class T>
  std::vector<T> values(std::int64_t count) {
    std::vector<T> all(room(count));
    const int kind = below(4);
    for (std::size_t k = 0; k < all.size(); ++k)
      all[k] = static_cast<T>(kind == 0 ? 0.5 : kind < 3 ? static_cast<double>(k * k % 7) / 4 : of<T>(number()));
    return all;
  }
  /// All the same and of sum 1, any, or none.
  std::vector<double> weights(std::int64_t count) {
    if (below(2) == 0) return {};
    return seldom() ? values<double>(count) : std::vector<double>(room(count), 1 / static_cast<double>(count));
  }
  /// NULL now and then.
  template <class T>
  T* perhaps(T* pointer) {
    return seldom() ? nullptr : pointer;
  }

 private:
  template <class T>
  static double of(double number) {
    constexpr double most = std::numeric_limits<T>::max();
    return std::isfinite(number) ? std::clamp(number, -most, most) : number;
  }

  const std::uint8_t *at_, *end_;
};

/// An array that a call is given to write to, or NULL.
template <class T>
class Out {
 public:
  Out(Bytes& bytes, std::int64_t count) : values_(room(count)), given_(bytes.perhaps(values_.data())) {
    std::fill_n(reinterpret_cast<unsigned char*>(values_.data()), values_.size() * sizeof(T), untouched);
  }
  operator T*() { return given_; }
  bool given() const { return given_ != nullptr; }
  const std::vector<T>& values() const { return values_; }
  bool written() const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values_.data());
    return std::any_of(bytes, bytes + values_.size() * sizeof(T), [](unsigned char byte) { return byte != untouched; });
  }

 private:
  static constexpr unsigned char untouched = 0x5A;
  std::vector<T> values_;
  T* given_;
};

inline void demand_finite(const Out<double>& numbers) {
  if (numbers.given())
    demand(std::ranges::all_of(numbers.values(), [](double number) { return std::isfinite(number); }));
}

/// Whether the call went well; if not, these were not written.
template <class... Outs>
bool well(int status, const Outs&... outs) {
  if (status == SEMIDUAL_OK) return true;
  demand(status == SEMIDUAL_FAILED || status == SEMIDUAL_INVALID || status == SEMIDUAL_STOPPED);
  const std::string why = semidual_last_error();
  demand(!why.empty() && why.find('\n') == why.npos);
  demand(!(outs.written() || ...));
  return false;
}
