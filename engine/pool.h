#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

/// Whether a released block is taken again. Under an address sanitizer it goes back to the system, so that a use after
/// release is seen.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool recycles_memory = false;
#elif defined(__has_feature)
inline constexpr bool recycles_memory = !__has_feature(address_sanitizer);
#else
inline constexpr bool recycles_memory = true;
#endif

/// A reference to a block of memory from the recycling pool, shared by counting. The block goes back to the pool, not
/// to the system, when the last reference ends, so a loop that repeats the same sizes allocates nothing.
class Buffer {
 public:
  Buffer() = default;
  /// At least `bytes` bytes, 64-byte aligned, contents undefined. Throws Error when the system has no memory.
  explicit Buffer(std::size_t bytes);
  Buffer(const Buffer& other);
  Buffer(Buffer&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
  Buffer& operator=(Buffer other) noexcept;
  ~Buffer();

  void* data() const { return block_ ? reinterpret_cast<std::byte*>(block_) + head : nullptr; }
  explicit operator bool() const { return block_ != nullptr; }

 private:
  struct Block;  // what the pool writes into the head of a block, before the memory itself
  friend class Pool;
  static constexpr std::size_t head = 64;
  Block* block_ = nullptr;
};

/// What the pool has done since the program started.
struct PoolStatistics {
  std::int64_t system_allocations = 0;  ///< blocks asked of the system; constant in a steady loop
  std::int64_t held_bytes = 0;          ///< bytes of all blocks, in use or waiting
  std::int64_t used_bytes = 0;          ///< bytes of the blocks in use
};

PoolStatistics pool_statistics();

/// Gives the blocks that wait in the pool back to the system: for a program that goes on after its largest tensors.
void trim_pool();

}  // namespace engine
