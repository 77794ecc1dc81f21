#include "histograms.h"
#include <string.h>

/* Plain C whose first passes vectorise; on x86-64 Linux each function is compiled once a processor
   generation and the loader picks. All arithmetic is exact or rounds each number once, so that every
   version gives the same bits. */
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#define INLINE static inline __attribute__((always_inline))
#define BLOCK 256 /* tokens whose bins and units fit the first-level cache beside the histograms */

INLINE uint32_t magnitude_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x7fffffffu;
}

INLINE int32_t bin_of(uint32_t magnitude, gambit_bins bins) {
  const int32_t key = (int32_t)(magnitude >> bins.shift) - bins.first;
  const int32_t low = key < 0 ? 0 : key;
  return low < bins.count - 1 ? low : bins.count - 1;
}

/// x to the nearest integer, for |x| below 2^51: adding 1.5 · 2^52 leaves it in the low bits.
INLINE int64_t nearest(double x) {
  const double shifted = x + 6755399441055744.0;
  int64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return bits - 0x4338000000000000;
}

typedef int64_t four __attribute__((vector_size(32)));

INLINE void add_to(gambit_cell *cell, const gambit_cell *change) {
  four a, b;
  memcpy(&a, cell, sizeof a);
  memcpy(&b, change, sizeof b);
  a += b;
  memcpy(cell, &a, sizeof a);
}

/// Asks for what the next channel will change, supposing that it uses the bins that this one does:
/// histograms of all channels together are larger than the caches, and a miss costs as much as ten
/// additions.
INLINE void prefetch_next(const char *row, size_t row_size, size_t cell_size, const int32_t *bin, size_t count) {
  int32_t low = bin[0], high = bin[0];
  for (size_t t = 0; t < count; t++) {
    low = bin[t] < low ? bin[t] : low;
    high = bin[t] > high ? bin[t] : high;
  }
  const char *next = row + row_size;
  for (size_t at = (size_t)low * cell_size; at <= (size_t)high * cell_size; at += 64) __builtin_prefetch(next + at, 1);
}

/// The largest magnitude among factors and products.
INLINE uint32_t largest_of(const float *g, const float *u, size_t tokens) {
  uint32_t largest = 0;
  for (size_t t = 0; t < tokens; t++) {
    const uint32_t a = magnitude_bits(g[t]), b = magnitude_bits(u[t]), p = magnitude_bits(g[t] * u[t]);
    const uint32_t larger = a > b ? a : b;
    const uint32_t most = larger > p ? larger : p;
    largest = most > largest ? most : largest;
  }
  return largest;
}

FOR_EACH_PROCESSOR int gambit_count_factors(
  const float *g, const float *u, size_t tokens, gambit_bins bins, float limit, double scale, gambit_cell *gate,
  gambit_cell *up, int64_t *product, gambit_moments *gate_moments, gambit_moments *up_moments) {
  if (largest_of(g, u, tokens) >= magnitude_bits(limit)) return 0;
  int32_t gate_bin[BLOCK], up_bin[BLOCK], product_bin[BLOCK];
  gambit_cell change[BLOCK];
  for (size_t start = 0; start < tokens; start += BLOCK) {
    const size_t count = tokens - start < BLOCK ? tokens - start : BLOCK;
    const float *a = g + start, *b = u + start;
    int64_t gate_absolute = 0, gate_square = 0, up_absolute = 0, up_square = 0;
    for (size_t t = 0; t < count; t++) {
      const float p = a[t] * b[t];
      gate_bin[t] = bin_of(magnitude_bits(a[t]), bins);
      up_bin[t] = bin_of(magnitude_bits(b[t]), bins);
      product_bin[t] = bin_of(magnitude_bits(p), bins);
    }
    for (size_t t = 0; t < count; t++) {
      const double wide = (double)(a[t] * b[t]);
      change[t] = (gambit_cell){nearest(wide * wide * scale), nearest(wide * scale), 1, 0};
    }
    for (size_t t = 0; t < count; t++) {
      const double x = (double)a[t], y = (double)b[t];
      gate_absolute += nearest(__builtin_fabs(x) * scale);
      gate_square += nearest(x * x * scale);
      up_absolute += nearest(__builtin_fabs(y) * scale);
      up_square += nearest(y * y * scale);
    }
    prefetch_next((const char *)gate, bins.count * sizeof *gate, sizeof *gate, gate_bin, count);
    prefetch_next((const char *)up, bins.count * sizeof *up, sizeof *up, up_bin, count);
    prefetch_next((const char *)product, bins.count * sizeof *product, sizeof *product, product_bin, count);
    for (size_t t = 0; t < count; t++) {
      add_to(gate + gate_bin[t], change + t);
      add_to(up + up_bin[t], change + t);
      product[product_bin[t]] += 1;
    }
    gate_moments->absolute += gate_absolute;
    gate_moments->square += gate_square;
    up_moments->absolute += up_absolute;
    up_moments->square += up_square;
  }
  return 1;
}

FOR_EACH_PROCESSOR uint32_t gambit_count_magnitudes(
  const float *x, size_t tokens, size_t stride, size_t width, gambit_bins bins, int64_t *counts) {
  enum { TILE = 16 }; /* channels: one cache line of a row, and histograms that stay in the second-level cache */
  uint32_t largest[TILE] = {0};
  for (size_t first = 0; first < width; first += TILE) {
    const size_t channels = width - first < TILE ? width - first : TILE;
    int64_t *rows = counts + first * (size_t)bins.count;
    for (size_t t = 0; t < tokens; t++) {
      float values[TILE] = {0};
      uint32_t place[TILE];
      memcpy(values, x + t * stride + first, channels * sizeof(float));
      for (int c = 0; c < TILE; c++) {
        const uint32_t magnitude = magnitude_bits(values[c]);
        largest[c] = magnitude > largest[c] ? magnitude : largest[c];
        place[c] = (uint32_t)(c * bins.count + bin_of(magnitude, bins));
      }
      if (channels == TILE)
        for (int c = 0; c < TILE; c++) rows[place[c]] += 1;
      else
        for (size_t c = 0; c < channels; c++) rows[place[c]] += 1;
    }
  }
  uint32_t top = 0;
  for (int c = 0; c < TILE; c++) top = largest[c] > top ? largest[c] : top;
  return top;
}

typedef float eight __attribute__((vector_size(32)));

/// Exchanges rows and columns of eight by eight numbers in three rounds of shuffles.
INLINE void transpose_eight(float *out, size_t out_stride, const float *x, size_t stride) {
  eight r[8], s[8];
  for (int i = 0; i < 8; i++) memcpy(&r[i], x + (size_t)i * stride, sizeof r[i]);
  for (int i = 0; i < 4; i++) {
    s[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; j++) {
      r[i + j] = __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[i + j + 2] = __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; i++) {
    s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int i = 0; i < 8; i++) memcpy(out + (size_t)i * out_stride, &s[i], sizeof s[i]);
}

FOR_EACH_PROCESSOR void gambit_gather_channels(
  float *out, const float *x, size_t tokens, size_t stride, size_t width) {
  const size_t whole_tokens = tokens & ~(size_t)7, whole_width = width & ~(size_t)7;
  for (size_t t = 0; t < whole_tokens; t += 8)
    for (size_t c = 0; c < whole_width; c += 8)
      transpose_eight(out + c * tokens + t, tokens, x + t * stride + c, stride);
  for (size_t t = 0; t < tokens; t++)
    for (size_t c = t < whole_tokens ? whole_width : 0; c < width; c++) out[c * tokens + t] = x[t * stride + c];
}
