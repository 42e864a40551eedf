#include "engine/pool.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "engine/error.h"

namespace engine {

struct Buffer::Block {
  std::atomic<std::int64_t> references{1};
  std::size_t capacity = 0;
  int size_class = 0;
  Block* next = nullptr;
};

// Free lists by size class. Classes are a quarter of a power of two apart: at most a fifth of a block is unused.
class Pool {
 public:
  static Pool& instance() {
    static Pool* pool = new Pool;  // never destroyed: buffers of static lifetime may outlive any order of destruction
    return *pool;
  }

  Pool() {
    // So that a process is never forked off while another thread, which is not there, has the lock.
    ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().mutex_.unlock(); });
  }

  Buffer::Block* take(std::size_t bytes) {
    const auto [size_class, capacity] = size_class_of(bytes);
    {
      const std::lock_guard lock(mutex_);
      statistics_.used_bytes += static_cast<std::int64_t>(capacity);
      if (Buffer::Block* block = free_[size_class]) {
        free_[size_class] = block->next;
        block->references = 1;
        return block;
      }
    }
    static_assert(sizeof(Buffer::Block) <= Buffer::head);
    void* memory = std::aligned_alloc(Buffer::head, Buffer::head + capacity);
    if (!memory) {
      const std::lock_guard lock(mutex_);
      statistics_.used_bytes -= static_cast<std::int64_t>(capacity);
      fail("[memory] the system has no ", capacity, " bytes left: use a smaller batch or model");
    }
    {
      const std::lock_guard lock(mutex_);
      ++statistics_.system_allocations;
      statistics_.held_bytes += static_cast<std::int64_t>(capacity);
    }
    auto* block = new (memory) Buffer::Block;
    block->capacity = capacity;
    block->size_class = size_class;
    return block;
  }

  void give(Buffer::Block* block) {
    const std::lock_guard lock(mutex_);
    statistics_.used_bytes -= static_cast<std::int64_t>(block->capacity);
    if (recycles_memory) {
      block->next = free_[block->size_class];
      free_[block->size_class] = block;
    } else {
      statistics_.held_bytes -= static_cast<std::int64_t>(block->capacity);
      std::free(block);
    }
  }

  void trim() {
    const std::lock_guard lock(mutex_);
    for (Buffer::Block*& list : free_)
      while (Buffer::Block* const block = list) {
        list = block->next;
        statistics_.held_bytes -= static_cast<std::int64_t>(block->capacity);
        std::free(block);
      }
  }

  PoolStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  static std::pair<int, std::size_t> size_class_of(std::size_t bytes) {
    if (bytes <= 256) return {0, 256};
    const int power = std::bit_width(bytes - 1) - 1;  // 2^power < bytes <= 2^(power+1)
    const std::size_t step = std::size_t{1} << (power - 2);
    const std::size_t quarters = (bytes - (std::size_t{1} << power) + step - 1) / step;  // 1..4
    return {4 * (power - 8) + static_cast<int>(quarters), (std::size_t{1} << power) + quarters * step};
  }

  std::mutex mutex_;
  std::array<Buffer::Block*, 4 * 64> free_{};
  PoolStatistics statistics_;
};

Buffer::Buffer(std::size_t bytes) : block_(Pool::instance().take(bytes)) {}

Buffer::Buffer(const Buffer& other) : block_(other.block_) {
  if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Buffer& Buffer::operator=(Buffer other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}

Buffer::~Buffer() {
  if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) Pool::instance().give(block_);
}

PoolStatistics pool_statistics() {
  return Pool::instance().statistics();
}

void trim_pool() {
  Pool::instance().trim();
}

}  // namespace engine
