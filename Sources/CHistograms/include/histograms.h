#pragma once
#include <stddef.h>
#include <stdint.h>

/* Histograms over the magnitude of float32 numbers, and fixed-point sums by bin. */

/// Which bin a number falls into: `clamp((bits of |x| >> shift) - first, 0, count - 1)`.
typedef struct {
  uint32_t shift;
  int32_t first;
  int32_t count;
} gambit_bins;

/// One bin of one FFN factor, half a cache line, so that one vector addition changes it. Sums wrap
/// modulo 2^64.
typedef struct {
  int64_t energy;
  int64_t sum;
  int64_t count;
  int64_t unused;
} gambit_cell;

/// Sums over one channel of one FFN factor, of |x| and x².
typedef struct {
  int64_t absolute;
  int64_t square;
} gambit_moments;

/// Counts one channel's tokens: `g` and `u` into the bins of their own magnitudes, each with g·u and
/// (g·u)² in units of 1/`scale`, and g·u into its own bins.
///
/// Nothing is counted, and 0 returned, where |g|, |u| or |g·u| of a token is not below `limit`, or not
/// a number: products with `scale` must stay below 2^51.
int gambit_count_factors(
  const float *g, const float *u, size_t tokens, gambit_bins bins, float limit, double scale, gambit_cell *gate,
  gambit_cell *up, int64_t *product, gambit_moments *gate_moments, gambit_moments *up_moments);

/// Counts `tokens` rows of `width` channels, `stride` apart, into `width` histograms of `bins.count`.
/// Returns the bits of the largest magnitude: those of infinity or more where a number is not finite.
uint32_t gambit_count_magnitudes(
  const float *x, size_t tokens, size_t stride, size_t width, gambit_bins bins, int64_t *counts);

/// out[c · tokens + t] ← x[t · stride + c] for `width` channels: channels become contiguous.
void gambit_gather_channels(float *out, const float *x, size_t tokens, size_t stride, size_t width);
