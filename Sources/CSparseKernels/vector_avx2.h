#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/* Eight floats a vector: AVX2, FMA and F16C, all of x86-64-v3. */

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef __m256 vector;
enum { LANES = 8 };

INLINE vector zero(void) { return _mm256_setzero_ps(); }
INLINE vector spread(float x) { return _mm256_set1_ps(x); }
INLINE vector fused(vector a, vector b, vector sum) { return _mm256_fmadd_ps(a, b, sum); }

INLINE float total(vector x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE vector from_f16(__m128i halves) { return _mm256_cvtph_ps(halves); }
INLINE vector from_bf16(__m128i halves) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

INLINE vector load_f32(const float *p) { return _mm256_loadu_ps(p); }
INLINE vector load_f16(const uint16_t *p) { return from_f16(_mm_loadu_si128((const __m128i *)p)); }
INLINE vector load_bf16(const uint16_t *p) { return from_bf16(_mm_loadu_si128((const __m128i *)p)); }
INLINE void store(float *p, vector x) { _mm256_storeu_ps(p, x); }

/// All ones in the first `count` of eight lanes. A masked lane is not accessed, so it cannot fault.
INLINE __m256i mask(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE __m128i some_halves(const uint16_t *p, size_t count) {
  uint16_t halves[LANES] = {0};
  memcpy(halves, p, count * sizeof *p);
  return _mm_loadu_si128((const __m128i *)halves);
}
INLINE vector load_some_f32(const float *p, size_t count) { return _mm256_maskload_ps(p, mask(count)); }
INLINE vector load_some_f16(const uint16_t *p, size_t count) { return from_f16(some_halves(p, count)); }
INLINE vector load_some_bf16(const uint16_t *p, size_t count) { return from_bf16(some_halves(p, count)); }
INLINE void store_some(float *p, vector x, size_t count) { _mm256_maskstore_ps(p, mask(count), x); }
