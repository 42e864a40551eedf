#include <cstdlib>
#include <string_view>

#include "engine/error.h"
#include "engine/simd/levels.h"

namespace engine::simd {

namespace {

constexpr Level all_levels[] = {Level::baseline, Level::avx2, Level::avx512, Level::vnni, Level::neon};

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

bool has_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
#endif

Level level_of(std::string_view wanted) {
  for (Level level : all_levels)
    if (wanted == name(level)) return level;
  fail("[SEMIDUAL_SIMD] the environment variable must be baseline, avx2, avx512, vnni or neon: ", wanted);
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
      if constexpr (in_float) return has_vnni() ? &vnni_kernels : nullptr;
      return nullptr;
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
  if constexpr (in_float)
    if (level == Level::vnni && has_vnni() && __builtin_cpu_supports("avx512bf16")) return &avx512_bf16_kernels;
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
    case Level::neon:
      return "neon";
  }
  return "";
}

}  // namespace engine::simd
