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
  int64_t energy[BLOCK], sum[BLOCK];
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
      energy[t] = nearest(wide * wide * scale);
      sum[t] = nearest(wide * scale);
    }
    for (size_t t = 0; t < count; t++) {
      const double x = (double)a[t], y = (double)b[t];
      gate_absolute += nearest(__builtin_fabs(x) * scale);
      gate_square += nearest(x * x * scale);
      up_absolute += nearest(__builtin_fabs(y) * scale);
      up_square += nearest(y * y * scale);
    }
    for (size_t t = 0; t < count; t++) {
      gambit_cell *cell = gate + gate_bin[t];
      cell->count += 1;
      cell->energy += energy[t];
      cell->sum += sum[t];
      cell = up + up_bin[t];
      cell->count += 1;
      cell->energy += energy[t];
      cell->sum += sum[t];
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
