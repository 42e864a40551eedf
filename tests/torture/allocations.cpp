// Preloaded (LD_PRELOAD) into a process, has an allocation of it fail: the ALLOCATION_AT-th, from 1, since main()
// began, by operator new or std::aligned_alloc, of which tensors are made, with ALLOCATION_OF=tensors by that alone.
// With ALLOCATION_COUNT their number is written to that file at the end.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

std::atomic<long> allocations = 0;
std::atomic<bool> counting = false;

/// Counts an allocation. Whether it is to fail.
bool fails() {
  static const long at = std::getenv("ALLOCATION_AT") ? std::atol(std::getenv("ALLOCATION_AT")) : 0;
  return counting && ++allocations == at;
}

bool tensors_alone() {
  static const bool alone = std::getenv("ALLOCATION_OF") != nullptr;
  return alone;
}

void* allocate(std::size_t size) {
  if (tensors_alone() || !fails())
    if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

void* allocate(std::size_t size, std::size_t alignment) {
  void* memory = nullptr;
  if ((!tensors_alone() && fails()) || ::posix_memalign(&memory, alignment, size) != 0) throw std::bad_alloc();
  return memory;
}

struct AtTheEnd {
  ~AtTheEnd() {
    const char* name = std::getenv("ALLOCATION_COUNT");
    std::FILE* file = name ? std::fopen(name, "w") : nullptr;
    if (!file) return;
    std::fprintf(file, "%ld\n", allocations.load());
    std::fclose(file);
  }
} const at_the_end;

using Main = int(int, char**, char**);
Main* program = nullptr;

int counted(int count, char** arguments, char** environment) {
  counting = true;
  const int code = program(count, arguments, environment);
  counting = false;
  return code;
}

}  // namespace

extern "C" int __libc_start_main(Main* main, int count, char** arguments, void (*init)(), void (*fini)(),
                                 void (*rtld_fini)(), void* stack_end) {
  program = main;
  const auto real = reinterpret_cast<decltype(&__libc_start_main)>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return real(counted, count, arguments, init, fini, rtld_fini, stack_end);
}

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  void* memory = nullptr;
  return fails() || ::posix_memalign(&memory, alignment, size) != 0 ? nullptr : memory;
}
