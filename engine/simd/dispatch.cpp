#include <cstdlib>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "engine/error.h"
#include "engine/simd/levels.h"

namespace engine::simd {

namespace {

constexpr Level all_levels[] = {Level::baseline, Level::avx2, Level::avx512, Level::vnni, Level::amx, Level::neon};

#if defined(__x86_64__)
constexpr bool in_float = sizeof(real) == sizeof(float);

// __builtin_cpu_supports also asks whether the operating system saves the registers.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

// In double it would have nothing that avx512 lacks.
bool has_vnni() {
  return in_float && has_avx512() && __builtin_cpu_supports("avx512vnni");
}

bool has_bf16() {
  return has_vnni() && __builtin_cpu_supports("avx512bf16");
}

// clang 14's __builtin_cpu_supports does not know them.
bool cpu_has_tiles() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned bf16 = 1u << 22, tiles = 1u << 24, bytes = 1u << 25, needed = bf16 | tiles | bytes;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & needed) == needed;
}

// The operating system saves tiles for a program that has asked it to, unless there is no room for them.
bool has_amx() {
#if defined(__linux__)
  constexpr long request_state = 0x1023, tiles = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool usable = has_bf16() && cpu_has_tiles() && ::syscall(SYS_arch_prctl, request_state, tiles) == 0;
  return usable;
#else
  return false;
#endif
}

// Made only where the CPU has them: the files of bf16 and of tiles are compiled for such a CPU.
const Kernels* kernels_of_vnni() {
  if (!has_vnni()) return nullptr;
  if constexpr (in_float) {
    static const Kernels kernels = has_bf16() ? with_bf16(vnni_kernels) : vnni_kernels;
    return &kernels;
  }
  return &vnni_kernels;
}

const Kernels* amx_kernels() {
  if (!has_amx()) return nullptr;
  if constexpr (in_float) {
    static const Kernels kernels = with_tiles(vnni_kernels);
    return &kernels;
  }
  return nullptr;
}
#endif

Level level_of(std::string_view wanted) {
  for (Level level : all_levels)
    if (wanted == name(level)) return level;
  fail("[SEMIDUAL_SIMD] the environment variable must be baseline, avx2, avx512, vnni, amx or neon: ", wanted);
}

}  // namespace

const Kernels& kernels_up_to(const char* highest) {
  const Level limit = highest ? level_of(highest) : Level::neon;
  const std::vector<Level> available = levels();
  const Kernels* chosen = kernels_of(available.front());
  for (Level level : available)
    if (level <= limit) chosen = kernels_of(level);
  return *chosen;
}

const Kernels& kernels() {
  static const Kernels& chosen = kernels_up_to(std::getenv("SEMIDUAL_SIMD"));
  return chosen;
}

const Kernels* kernels_of(Level level) {
#if defined(__x86_64__)
  switch (level) {
    case Level::baseline:
      return &baseline_kernels;
    case Level::avx2:
      return has_avx2() ? &avx2_kernels : nullptr;
    case Level::avx512:
      return has_avx512() ? &avx512_kernels : nullptr;
    case Level::vnni:
      return kernels_of_vnni();
    case Level::amx:
      return amx_kernels();
    case Level::neon:
      return nullptr;
  }
  return nullptr;
#else
  return level == Level::neon ? &neon_kernels : nullptr;
#endif
}

const Bf16Kernels* bf16_kernels() {
  static const Bf16Kernels* const chosen = bf16_kernels_of(kernels().level);
  return chosen;
}

const Bf16Kernels* bf16_kernels_of([[maybe_unused]] Level level) {
#if defined(__x86_64__)
  if constexpr (in_float) {
    if (level == Level::vnni && has_bf16()) return &avx512_bf16_kernels;
    if (level == Level::amx && has_amx()) {
      static const Bf16Kernels kernels = with_tiles(avx512_bf16_kernels);
      return &kernels;
    }
  }
#endif
  return nullptr;
}

std::vector<Level> levels() {
  std::vector<Level> available;
  for (Level level : all_levels)
    if (kernels_of(level)) available.push_back(level);
  return available;
}

std::string name(Level level) {
  switch (level) {
    case Level::baseline:
      return "baseline";
    case Level::avx2:
      return "avx2";
    case Level::avx512:
      return "avx512";
    case Level::vnni:
      return "vnni";
    case Level::amx:
      return "amx";
    case Level::neon:
      return "neon";
  }
  return "";
}

}  // namespace engine::simd
