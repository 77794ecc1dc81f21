#pragma once
#include "nibbles.h"
#include "quantised_dots.h"

/* Rows of 4-bit codes times an exact vector, which was put in the order of codes once for all rows. */

/// Floats of a chunk of x in that order: its elements, and a quarter of each group's sum in each of the group's lanes.
enum { ORDERED_CHUNK = (NIBBLES + 1) * LANES };

/// Puts x, of `groups` groups whose sums are known, in the order of codes.
INLINE void order_input(const float *x, const float *sums, size_t groups, float *ordered) {
  for (size_t group = 0; group < groups; group += CHUNK, ordered += ORDERED_CHUNK) {
    const size_t some = groups - group < CHUNK ? groups - group : CHUNK;
    float chunk[CHUNK_COLUMNS] = {0}, quarters[LANES] = {0};
    memcpy(chunk, x + group * GAMBIT_GROUP, some * GAMBIT_GROUP * sizeof *x);
    for (size_t l = 0; l < 4 * some; l++) quarters[l] = sums[group + l / 4] / 4;
    vector parts[NIBBLES];
    order_chunk(chunk, nibble_inverses, parts);
    for (int k = 0; k < NIBBLES; k++) store(ordered + k * LANES, parts[k]);
    memcpy(ordered + NIBBLES * LANES, quarters, sizeof quarters);
  }
}

/// sums[r] ← sums[r] + rows[r] · x, in steps, over the chunk at `group`. Minima that follow from scales are part of what a
/// scale is multiplied with.
INLINE void add_chunk_dots(
  const row_block *block, int count, const float *ordered, size_t groups, size_t group, vector *sums,
  gambit_type type) {
  const vector quarters = load_f32(ordered + NIBBLES * LANES);
  const vector minima =
    stores_minima(type) ? zero() : times(quarters, spread(minimum_in_scales(type) / step_in_scales(type)));
  for (int r = 0; r < count; r++) {
    const uint16_t *scales = scales_of(block->rows[r], groups, type);
    vector values[NIBBLES], product = minima;
    spread_nibbles(chunk_codes(block->rows[r], groups, group), values);
    for (int k = 0; k < NIBBLES; k++) product = fused(values[k], load_f32(ordered + k * LANES), product);
    sums[r] = fused(chunk_values(scales, groups, group), product, sums[r]);
    if (stores_minima(type)) sums[r] = fused(chunk_values(scales + groups, groups, group), quarters, sums[r]);
  }
}

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` rows of 4-bit codes, at most QUANTISED_ROWS and a constant.
INLINE void nibble_dots(
  const row_block *block, int count, const float *ordered, size_t columns, float *y, gambit_type type) {
  const size_t groups = groups_of(columns);
  vector sums[QUANTISED_ROWS];
  for (int r = 0; r < count; r++) sums[r] = zero();
  // Of short rows the next one that is asked for; of long ones further on, at last a little of what lies behind them.
  const size_t size = code_bytes(type), bytes = groups * size;
  const char *ahead[QUANTISED_ROWS];
  for (int r = 0; r < count; r++) {
    ahead[r] = bytes > CODES_AHEAD ? block->rows[r] + CODES_AHEAD : block->next[r];
    __builtin_prefetch(block->next[r] + row_bytes(columns, type) - 1);
  }
  size_t group = 0;
  for (; group + CHUNK <= groups; group += CHUNK, ordered += ORDERED_CHUNK) {
    if (group * size % 64 == 0)
      for (int r = 0; r < count; r++) __builtin_prefetch(ahead[r] + group * size);
    add_chunk_dots(block, count, ordered, groups, group, sums, type);
  }
  if (group < groups) add_chunk_dots(block, count, ordered, groups, group, sums, type);
  for (int r = 0; r < count; r++) y[r] = step_in_scales(type) * total(sums[r]);
}
