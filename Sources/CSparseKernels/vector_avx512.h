#pragma once
#include <immintrin.h>
#include <stdint.h>

/* Sixteen floats a vector: AVX-512 F, BW and VL, all of x86-64-v4. Masked lanes are not accessed, so
   they cannot fault. */

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef __m512 vector;
enum { LANES = 16 };

INLINE vector zero(void) { return _mm512_setzero_ps(); }
INLINE vector spread(float x) { return _mm512_set1_ps(x); }
INLINE vector fused(vector a, vector b, vector sum) { return _mm512_fmadd_ps(a, b, sum); }
INLINE float total(vector x) { return _mm512_reduce_add_ps(x); }

INLINE vector from_f16(__m256i halves) { return _mm512_cvtph_ps(halves); }
INLINE vector from_bf16(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

INLINE vector load_f32(const float *p) { return _mm512_loadu_ps(p); }
INLINE vector load_f16(const uint16_t *p) { return from_f16(_mm256_loadu_si256((const __m256i *)p)); }
INLINE vector load_bf16(const uint16_t *p) { return from_bf16(_mm256_loadu_si256((const __m256i *)p)); }
INLINE void store(float *p, vector x) { _mm512_storeu_ps(p, x); }

/// Ones in the first `count` of sixteen lanes.
INLINE __mmask16 mask(size_t count) { return (__mmask16)((1u << count) - 1); }
INLINE vector load_some_f32(const float *p, size_t count) { return _mm512_maskz_loadu_ps(mask(count), p); }
INLINE vector load_some_f16(const uint16_t *p, size_t count) {
  return from_f16(_mm256_maskz_loadu_epi16(mask(count), p));
}
INLINE vector load_some_bf16(const uint16_t *p, size_t count) {
  return from_bf16(_mm256_maskz_loadu_epi16(mask(count), p));
}
INLINE void store_some(float *p, vector x, size_t count) { _mm512_mask_storeu_ps(p, mask(count), x); }

/// Of a group's codes as floats: sixteen bytes for each half, or sixteen bytes whose low nibbles are the first one's.
#define SIXTEEN_CODES
INLINE vector sixteen_bytes(const char *codes, int half) {
  const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(codes + 16 * half));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}
INLINE vector sixteen_nibbles(const char *codes, int half) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)codes));
  return _mm512_cvtepi32_ps(half ? _mm512_srli_epi32(bytes, 4) : _mm512_and_si512(bytes, _mm512_set1_epi32(15)));
}
