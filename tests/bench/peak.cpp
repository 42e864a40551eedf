#include "tests/bench/peak.h"

#include <algorithm>

#include "tests/bench/timing.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bench {

namespace {

using engine::simd::Level;

// Enough independent sums to cover a multiply-add's latency of 4 or 5 cycles on two units.
constexpr int chains = 12;
// They start apart, or a compiler would see that they are one.
constexpr float starts[chains] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

// Each runs `rounds` rounds of chains multiply-adds and returns something that depends on all of them.
#if defined(__x86_64__)

float baseline(std::int64_t rounds) {
  __m128 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm_set1_ps(starts[i]);
  const __m128 a = _mm_set1_ps(0.5f), b = _mm_set1_ps(0.25f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (__m128& sum : sums) sum = _mm_add_ps(_mm_mul_ps(sum, a), b);
  }
  for (const __m128& sum : sums) sums[0] = _mm_add_ps(sums[0], sum);
  return _mm_cvtss_f32(sums[0]);
}

[[gnu::target("avx2,fma")]] float avx2(std::int64_t rounds) {
  __m256 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm256_set1_ps(starts[i]);
  const __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(0.25f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  }
  for (const __m256& sum : sums) sums[0] = _mm256_add_ps(sums[0], sum);
  return _mm256_cvtss_f32(sums[0]);
}

[[gnu::target("avx512f")]] float avx512(std::int64_t rounds) {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_ps(starts[i]);
  const __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(0.25f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  }
  for (const __m512& sum : sums) sums[0] = _mm512_add_ps(sums[0], sum);
  return _mm512_cvtss_f32(sums[0]);
}

// Unrolled at once, so that the sums become registers, and without the intrinsic, around which GCC 12 would copy them.
[[gnu::target("avx512f,avx512vnni")]] float vnni(std::int64_t rounds) {
  __m512i sums[chains];
#pragma GCC unroll 12
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_epi32(static_cast<int>(starts[i]));
  const __m512i a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(2);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) asm("vpdpbusd %2, %1, %0" : "+v"(sums[i]) : "v"(a), "v"(b));
  }
#pragma GCC unroll 12
  for (int i = 1; i < chains; ++i) sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  return static_cast<float>(_mm512_cvtsi512_si32(sums[0]));
}

#elif defined(__aarch64__)

float neon(std::int64_t rounds) {
  float32x4_t sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = vdupq_n_f32(starts[i]);
  const float32x4_t a = vdupq_n_f32(0.5f), b = vdupq_n_f32(0.25f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (float32x4_t& sum : sums) sum = vfmaq_f32(b, sum, a);
  }
  for (const float32x4_t& sum : sums) sums[0] = vaddq_f32(sums[0], sum);
  return vgetq_lane_f32(sums[0], 0);
}

#endif

struct Loop {
  float (*run)(std::int64_t rounds);
  int lanes;  // multiply-adds in an instruction
};

Loop loop_of(Level level) {
#if defined(__x86_64__)
  if (level == Level::vnni) return {vnni, 64};
  if (level == Level::avx512) return {avx512, 16};
  if (level == Level::avx2) return {avx2, 8};
  return {baseline, 4};
#else
  static_cast<void>(level);
  return {neon, 4};
#endif
}

}  // namespace

double peak_gops(Level level, int threads) {
  const Loop loop = loop_of(level);
  constexpr std::int64_t rounds = 10'000'000;
  volatile float sink = 0;
  // The best of several: the highest rate is the property of the machine, all else is disturbance.
  double best = 0;
  for (int repetition = 0; repetition < 5; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
#pragma omp parallel num_threads(threads)
    {
      const float result = loop.run(rounds);
#pragma omp critical
      sink = sink + result;
    }
    best = std::max(best, 2.0 * rounds * chains * loop.lanes * threads / seconds_since(start) / 1e9);
  }
  return best;
}

}  // namespace bench
