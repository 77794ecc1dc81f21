#pragma once
#include <immintrin.h>
#include <stdint.h>

/* What quantised rows need of a processor with AVX2, FMA and F16C; of one with AVX-512 too, since 256 bits
   at a time keep up with memory. Included after a vector header. */

typedef __m256 eight;

INLINE eight eight_zeros(void) { return _mm256_setzero_ps(); }
INLINE eight eight_of(float x) { return _mm256_set1_ps(x); }
INLINE eight load_eight(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store_eight(float *p, eight x) { _mm256_storeu_ps(p, x); }
INLINE eight added(eight a, eight b) { return _mm256_add_ps(a, b); }
INLINE eight multiplied(eight a, eight b) { return _mm256_mul_ps(a, b); }
INLINE eight fused_eight(eight a, eight b, eight sum) { return _mm256_fmadd_ps(a, b, sum); }

INLINE float total_of_eight(eight x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE eight eight_halves(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

/// The `count` ≤ 8 halves that end at `end`, and zeros. Sixteen bytes before `end` are readable.
INLINE eight halves_before(const uint16_t *end, size_t count) {
  static const uint8_t shift[] = {0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
                                  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128};
  const __m128i order = _mm_loadu_si128((const __m128i *)(const void *)(shift + 2 * (8 - count)));
  return _mm256_cvtph_ps(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(end - 8)), order));
}

// Codes of a group as bytes.

INLINE __m256i int8_codes(const char *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }

/// The low halves of sixteen bytes, then their high halves.
INLINE __m256i nibble_codes(const char *p) {
  const __m256i twice = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
  return _mm256_and_si256(
    _mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4)), _mm256_set1_epi8(15));
}

/// Sums of four neighbouring products each. `unsigned_codes` · x stays below 2¹⁵ for two of them.
INLINE eight byte_products(__m256i unsigned_codes, __m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(unsigned_codes, x);
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// Σ code · x of a group of rounded x, in eight parts. The sign of x moves to the code, so that |x| is found once for
/// all rows.
INLINE eight int8_products(const char *codes, const int8_t *x) {
  const __m256i part = int8_codes((const char *)x);
  return byte_products(_mm256_abs_epi8(part), _mm256_sign_epi8(int8_codes(codes), part));
}
INLINE eight nibble_products(const char *codes, const int8_t *x) {
  return byte_products(nibble_codes(codes), int8_codes((const char *)x));
}

// Two groups of 4 bits at a time take fewer instructions: their first halves side by side, then their second.
#define PAIRED_GROUPS

typedef struct {
  __m256i starts;
  __m256i ends;
} paired_x;

INLINE paired_x pair_of_x(const int8_t *x) {
  const __m256i a = int8_codes((const char *)x), b = int8_codes((const char *)x + 32);
  return (paired_x){_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)};
}

/// Σ code · x of two groups, in four parts each.
INLINE eight nibble_pair_products(const char *codes, paired_x x) {
  const __m256i bytes = int8_codes(codes), low = _mm256_set1_epi8(15);
  const __m256i starts = _mm256_maddubs_epi16(_mm256_and_si256(bytes, low), x.starts);
  const __m256i ends = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low), x.ends);
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(_mm256_add_epi16(starts, ends), _mm256_set1_epi16(1)));
}

/// Entries 0, 2, 4, 6, then 1, 3, 5, 7: what `two_of` takes.
INLINE eight unzipped(eight x) {
  return _mm256_permutevar8x32_ps(x, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

/// Of eight unzipped entries number 2 i four times, then number 2 i + 1. Where i is known compilers make two shuffles
/// across the register of it, which are slow.
INLINE eight two_of(const void *entries, size_t i) {
  return _mm256_permutevar_ps(_mm256_loadu_ps((const float *)entries), _mm256_set1_epi32((int)i));
}

/// Codes 8 i ..< 8 i + 8 of a group.
INLINE eight int8_values(const char *codes, int i) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(codes + 8 * i))));
}

/// Rounds a group of 32 floats to codes, and returns their sum. `*scale` becomes what a code is worth.
INLINE int rounded_group(const float *x, int8_t *codes, float *scale) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  // Magnitudes of floats order like their bits, and those that are not numbers come last.
  for (int i = 0; i < 4; i++)
    largest = _mm256_max_epi32(
      largest, _mm256_and_si256(magnitude, _mm256_castps_si256(_mm256_loadu_ps(x + 8 * i))));
  __m128i top = _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  top = _mm_max_epi32(top, _mm_shuffle_epi32(top, 0x4e));
  top = _mm_max_epi32(top, _mm_shuffle_epi32(top, 0xb1));
  const int finite = _mm_cvtsi128_si32(top) < 0x7f800000;
  const float most = _mm_cvtss_f32(_mm_castsi128_ps(top)), inverse = 127 / most;
  *scale = finite ? most / 127 : __builtin_nanf("");

  const eight factor = _mm256_set1_ps(finite && inverse < __builtin_inff() ? inverse : 0);
  const __m256 keep = _mm256_castsi256_ps(_mm256_set1_epi32(finite ? -1 : 0));
  __m256i wide[4];
  for (int i = 0; i < 4; i++)
    wide[i] = _mm256_cvtps_epi32(_mm256_and_ps(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), factor), keep));
  const __m256i halves = _mm256_packs_epi32(wide[0], wide[1]), more = _mm256_packs_epi32(wide[2], wide[3]);
  // Packing works within halves of the register: put fours of bytes back in order.
  const __m256i bytes = _mm256_permutevar8x32_epi32(
    _mm256_packs_epi16(halves, more), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256((__m256i *)(void *)codes, bytes);
  const __m256i fours = _mm256_madd_epi16(
    _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

// Reading at full speed.

typedef __m256i byte_sums;
INLINE byte_sums no_bytes(void) { return _mm256_setzero_si256(); }
INLINE byte_sums added_bytes(byte_sums sums, const uint8_t *p) {
  const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
}
INLINE uint64_t total_bytes(byte_sums sums) {
  uint64_t parts[4];
  _mm256_storeu_si256((__m256i *)(void *)parts, sums);
  return parts[0] + parts[1] + parts[2] + parts[3];
}
