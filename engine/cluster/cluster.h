#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace engine {

/// The processes that share one computation, each with a part of its points: the ranks of an MPI communicator, or one
/// process alone. All ranks make the same calls in the same order, but for rank() and size(); alone they do nothing.
class Cluster {
 public:
  /// This process alone.
  Cluster() = default;
  /// The ranks of a communicator, by its Fortran handle (MPI_Comm_c2f); MPI must have been started. Throws Error where
  /// the program was built without MPI.
  explicit Cluster(int communicator);

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool first() const { return rank_ == 0; }
  /// The bytes that this rank has given to the calls so far, and taken from them.
  std::int64_t moved() const { return moved_ ? *moved_ : 0; }

  /// Gives all ranks the values of rank `from`.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void broadcast(std::span<T> values, int from = 0) const {
    if (size_ > 1) broadcast_bytes(std::as_writable_bytes(values), from);
  }
  template <class T>
  requires std::is_arithmetic_v<T> T broadcast(T value, int from = 0)
  const {
    broadcast(std::span(&value, 1), from);
    return value;
  }

  /// Whether it is so on any rank.
  bool any(bool here) const;

  /// Sums in the order in which one process makes them, so that no bit depends on how many ranks there are: the values
  /// go from rank to rank, each continues them by add() of its own part, and all get what the last comes to.
  template <class T, class Add>
  void in_turn(std::span<T> values, const Add& add) const {
    if (rank_ > 0) receive(std::as_writable_bytes(values), rank_ - 1);
    add();
    if (rank_ + 1 < size_) send(std::as_bytes(values), rank_ + 1);
    broadcast(values, size_ - 1);
  }
  template <class T, class Add>
  void in_turn(T& value, const Add& add) const {
    in_turn(std::span(&value, 1), add);
  }

  /// A value, and the number of what has it; -1 for nothing.
  struct Candidate {
    double value = std::numeric_limits<double>::infinity();
    std::int64_t index = -1;
  };
  /// Gives all ranks the least of each place, of equals that of the lowest number; a NaN of any.
  void least(std::span<Candidate> values) const;

  /// Gives all ranks all that any has: in each byte all but one of them have 0, or all the same.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void unite(std::span<T> values) const {
    if (size_ > 1) unite_bytes(std::as_writable_bytes(values));
  }

  /// The values of all ranks, one rank's after the other's.
  template <class T>
  requires std::is_trivially_copyable_v<T> std::vector<T> gather(std::span<const T> values)
  const {
    std::vector<T> all(values.begin(), values.end());
    if (size_ == 1) return all;
    std::int64_t count = std::ssize(all);
    if (!first()) {
      send(std::as_bytes(std::span(&count, 1)), 0);
      send(std::as_bytes(values), 0);
    }
    for (int from = 1; first() && from < size_; ++from) {
      receive(std::as_writable_bytes(std::span(&count, 1)), from);
      all.resize(all.size() + static_cast<std::size_t>(count));
      receive(std::as_writable_bytes(std::span(all).last(static_cast<std::size_t>(count))), from);
    }
    all.resize(static_cast<std::size_t>(broadcast(std::ssize(all))));
    broadcast(std::span(all));
    return all;
  }

  /// Whether all ranks have this text.
  bool alike(std::string text) const;

 private:
  void broadcast_bytes(std::span<std::byte> bytes, int from) const;
  void unite_bytes(std::span<std::byte> bytes) const;
  void send(std::span<const std::byte> bytes, int to) const;
  void receive(std::span<std::byte> bytes, int from) const;

  int communicator_ = 0, rank_ = 0, size_ = 1;
  std::shared_ptr<std::int64_t> moved_;  // shared by copies
};

}  // namespace engine
