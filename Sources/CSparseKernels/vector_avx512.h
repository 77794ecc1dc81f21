#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/* Sixteen floats a vector: AVX-512 F, BW and VL, all of x86-64-v4. Masked lanes are not accessed, so
   they cannot fault. */

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef __m512 vector;
enum { LANES = 16 };

INLINE vector zero(void) { return _mm512_setzero_ps(); }
INLINE vector spread(float x) { return _mm512_set1_ps(x); }
INLINE vector plus(vector a, vector b) { return _mm512_add_ps(a, b); }
INLINE vector minus(vector a, vector b) { return _mm512_sub_ps(a, b); }
INLINE vector times(vector a, vector b) { return _mm512_mul_ps(a, b); }
INLINE vector fused(vector a, vector b, vector sum) { return _mm512_fmadd_ps(a, b, sum); }
INLINE float total(vector x) { return _mm512_reduce_add_ps(x); }

INLINE vector from_f16(__m256i halves) { return _mm512_cvtph_ps(halves); }
INLINE vector from_bf16(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

INLINE vector load_f32(const float *p) { return _mm512_loadu_ps(p); }
INLINE vector load_f16(const uint16_t *p) { return from_f16(_mm256_loadu_si256((const __m256i *)p)); }
INLINE vector load_bf16(const uint16_t *p) { return from_bf16(_mm256_loadu_si256((const __m256i *)p)); }

INLINE __m256i load_bytes(const char *p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
}
INLINE vector with_low_bytes(__m256i high, __m256i low) {
  return from_f16(_mm256_or_si256(_mm256_slli_epi16(high, 8), low));
}
/// Halves of which there are both bytes, and those of which there is the high one, with the middle of the low ones.
INLINE vector load_both_bytes(const char *high, const char *low) {
  return with_low_bytes(load_bytes(high), load_bytes(low));
}
INLINE vector load_high_bytes(const char *p) { return with_low_bytes(load_bytes(p), _mm256_set1_epi16(128)); }
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

/// Lists from `first` on the lanes with |x| ≥ threshold, and returns how many: writes all lanes of both arrays.
#define KEEPS_LANES
INLINE size_t keep_lanes(vector x, vector thresholds, uint32_t first, uint32_t *channels, float *values) {
  const __m512i numbers = _mm512_add_epi32(
    _mm512_set1_epi32((int)first), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const __mmask16 kept = _mm512_cmp_ps_mask(_mm512_abs_ps(x), thresholds, _CMP_GE_OQ);
  _mm512_storeu_si512(channels, _mm512_maskz_compress_epi32(kept, numbers));
  _mm512_storeu_ps(values, _mm512_maskz_compress_ps(kept, x));
  return (size_t)__builtin_popcount(kept);
}

/// Codes of 8 bits as floats.
INLINE vector load_int8(const char *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

// What nibbles.h needs: a register of their codes, and a value of each group in the four lanes that hold its codes.

typedef __m512i words;

INLINE words load_words(const char *p) { return _mm512_loadu_si512((const void *)p); }
INLINE words load_some_words(const char *p, size_t groups) {
  return _mm512_maskz_loadu_epi32(mask(4 * groups), (const void *)p);
}
/// Of each lane the upper sixteen bits, where the lower are.
INLINE words upper_halves(words w) { return _mm512_srli_epi32(w, 16); }
/// The nibble at a place, 0 to 3, of each lane's lower half: code · 16^place.
INLINE vector nibble(words w, int place) {
  return _mm512_cvtepi32_ps(_mm512_and_si512(w, _mm512_set1_epi32(15 << 4 * place)));
}

INLINE vector fours_of_halves(long long halves) {
  const __m256i order = _mm256_setr_epi8(
    0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
  return _mm512_cvtph_ps(_mm256_shuffle_epi8(_mm256_set1_epi64x(halves), order));
}
INLINE vector load_fours(const uint16_t *p) {
  long long halves;
  memcpy(&halves, p, sizeof halves);
  return fours_of_halves(halves);
}
INLINE vector load_some_fours(const uint16_t *p, size_t groups) {
  return fours_of_halves(_mm_cvtsi128_si64(_mm_maskz_loadu_epi16((__mmask8)mask(groups), (const void *)p)));
}

/// Four floats of each group, the first group's at p.
INLINE vector gather_fours(const float *p) {
  vector x = _mm512_castps128_ps512(_mm_loadu_ps(p));
  x = _mm512_insertf32x4(x, _mm_loadu_ps(p + 32), 1);
  x = _mm512_insertf32x4(x, _mm_loadu_ps(p + 64), 2);
  return _mm512_insertf32x4(x, _mm_loadu_ps(p + 96), 3);
}
INLINE void scatter_fours(float *p, vector x) {
  _mm_storeu_ps(p, _mm512_castps512_ps128(x));
  _mm_storeu_ps(p + 32, _mm512_extractf32x4_ps(x, 1));
  _mm_storeu_ps(p + 64, _mm512_extractf32x4_ps(x, 2));
  _mm_storeu_ps(p + 96, _mm512_extractf32x4_ps(x, 3));
}

/// Swaps which vector of four with which of its lane's four floats.
INLINE void transpose_fours(vector *x) {
  const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(x[0], x[1]));
  const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(x[0], x[1]));
  const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(x[2], x[3]));
  const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(x[2], x[3]));
  x[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
  x[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
  x[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
  x[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
}
