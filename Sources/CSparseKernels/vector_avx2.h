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
INLINE vector plus(vector a, vector b) { return _mm256_add_ps(a, b); }
INLINE vector minus(vector a, vector b) { return _mm256_sub_ps(a, b); }
INLINE vector times(vector a, vector b) { return _mm256_mul_ps(a, b); }
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

INLINE __m128i load_bytes(const char *p) { return _mm_loadl_epi64((const __m128i *)(const void *)p); }
/// Halves of which there are both bytes, and those of which there is the high one, with the middle of the low ones.
INLINE vector load_both_bytes(const char *high, const char *low) {
  return from_f16(_mm_unpacklo_epi8(load_bytes(low), load_bytes(high)));
}
INLINE vector load_high_bytes(const char *p) {
  return from_f16(_mm_unpacklo_epi8(_mm_set1_epi8((char)128), load_bytes(p)));
}
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

/// Codes of 8 bits as floats.
INLINE vector load_int8(const char *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

// What nibbles.h needs: a register of their codes, and a value of each group in the four lanes that hold its codes.

typedef __m256i words;

INLINE words load_words(const char *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
INLINE words load_some_words(const char *p, size_t groups) {
  (void)groups;  // One: two fill a register.
  return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
}
/// Of each lane the upper sixteen bits, where the lower are.
INLINE words upper_halves(words w) { return _mm256_srli_epi32(w, 16); }
/// The nibble at a place, 0 to 3, of each lane's lower half: code · 16^place.
INLINE vector nibble(words w, int place) {
  return _mm256_cvtepi32_ps(_mm256_and_si256(w, _mm256_set1_epi32(15 << 4 * place)));
}

INLINE vector fours_of_halves(int halves) {
  return _mm256_cvtph_ps(
    _mm_shuffle_epi8(_mm_cvtsi32_si128(halves), _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3)));
}
INLINE vector load_fours(const uint16_t *p) {
  int halves;
  memcpy(&halves, p, sizeof halves);
  return fours_of_halves(halves);
}
INLINE vector load_some_fours(const uint16_t *p, size_t groups) {
  (void)groups;
  return fours_of_halves(*p);
}

/// Four floats of each group, the first group's at p.
INLINE vector gather_fours(const float *p) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 32), 1);
}
INLINE void scatter_fours(float *p, vector x) {
  _mm_storeu_ps(p, _mm256_castps256_ps128(x));
  _mm_storeu_ps(p + 32, _mm256_extractf128_ps(x, 1));
}

/// Swaps which vector of four with which of its lane's four floats.
INLINE void transpose_fours(vector *x) {
  const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(x[0], x[1]));
  const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(x[0], x[1]));
  const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(x[2], x[3]));
  const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(x[2], x[3]));
  x[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
  x[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
  x[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
  x[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
}
