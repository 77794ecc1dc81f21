#pragma once
#include "dots.h"

/* W x with one row an output, where only listed outputs are wanted. */

/// Channels at a time: their sums stay in the first-level cache.
enum { BLOCK = 64 };

TARGET static void vmmsp(
  const gambit_matrix *w, const gambit_input *x, const uint32_t *outputs, const float *g, size_t count, float *y) {
  const row_list list = {.first = w, .numbers = outputs, .count = count};
  for (size_t k = 0; k < count; k += BLOCK) {
    const size_t height = count - k < BLOCK ? count - k : BLOCK;
    float sums[BLOCK];
    list_dots(&list, x, (gambit_range){k, k + height}, sums);
    for (size_t i = 0; i < height; i++) y[k + i] = g[k + i] * sums[i];
  }
}
