#pragma once
#include "quantised_dots.h"
#include <string.h>

/* Quantised rows added to a vector: the multiplier of a group is value · step, and what minima add is the same
   for all columns of a group. */

#ifdef SIXTEEN_CODES
INLINE vector code_half(const char *codes, int half, gambit_type type) {
  return has_nibbles(type) ? sixteen_nibbles(codes, half) : sixteen_bytes(codes, half);
}

/// y[0 ..< 32] ← y + Σ_r multipliers[r][i] · codes of group `group` of rows[r] + bias
INLINE void add_group(
  const row_block *block, int count, size_t group, const float (*multipliers)[GROUPS], size_t i, float bias, float *y,
  gambit_type type) {
  vector start = load_f32(y), end = load_f32(y + 16);
  if (has_nibbles(type)) {
    start = _mm512_add_ps(start, spread(bias));
    end = _mm512_add_ps(end, spread(bias));
  }
  for (int r = 0; r < count; r++) {
    const char *codes = block->rows[r] + group * code_bytes(type);
    const vector multiplier = spread(multipliers[r][i]);
    start = fused(code_half(codes, 0, type), multiplier, start);
    end = fused(code_half(codes, 1, type), multiplier, end);
  }
  store(y, start);
  store(y + 16, end);
}
#else
/// y[0 ..< 32] ← y + Σ_r multipliers[r][i] · codes of group `group` of rows[r] + bias
INLINE void add_group(
  const row_block *block, int count, size_t group, const float (*multipliers)[GROUPS], size_t i, float bias, float *y,
  gambit_type type) {
  eight sums[GAMBIT_GROUP / 8];
  for (int j = 0; j < GAMBIT_GROUP / 8; j++) {
    sums[j] = load_eight(y + 8 * j);
    if (has_nibbles(type)) sums[j] = added(sums[j], eight_of(bias));
  }
  for (int r = 0; r < count; r++) {
    const char *codes = block->rows[r] + group * code_bytes(type);
    const eight multiplier = eight_of(multipliers[r][i]);
    for (int j = 0; j < GAMBIT_GROUP / 8; j++)
      sums[j] = fused_eight(code_values(codes, j, type), multiplier, sums[j]);
  }
  for (int j = 0; j < GAMBIT_GROUP / 8; j++) store_eight(y + 8 * j, sums[j]);
}
#endif

/// y[c] ← y[c] + Σ_r values[r] · rows[r][c] for `count` quantised rows of `width` columns, at most ROWS and a
/// constant.
INLINE void add_quantised_rows(
  const row_block *block, const float *values, int count, float *y, size_t width, gambit_range columns,
  gambit_type type) {
  const size_t groups = groups_of(width);
  const gambit_range touched = {columns.first / GAMBIT_GROUP, groups_of(columns.end)};
  for (size_t first = touched.first; first < touched.end; first += GROUPS) {
    const size_t some = touched.end - first < GROUPS ? touched.end - first : GROUPS;
    float multipliers[ROWS][GROUPS], biases[GROUPS];
    eight bias = eight_zeros();
    const char *ahead[ROWS];
    find_ahead(block, count, groups, touched, first, ahead, type);
    for (int r = 0; r < count; r++) {
      const group_terms own = terms_of(block->rows[r], groups, first, some, type);
      const eight value = eight_of(values[r]);
      store_eight(multipliers[r], multiplied(value, own.steps));
      if (has_nibbles(type)) bias = fused_eight(value, own.minima, bias);
    }
    store_eight(biases, bias);
    for (size_t i = 0; i < some; i++) {
      const size_t group = first + i, start = group * GAMBIT_GROUP, end = start + GAMBIT_GROUP;
      ask_for_codes(ahead, count, i, type);
      if (start >= columns.first && end <= columns.end) {
        add_group(block, count, group, multipliers, i, biases[i], y + start, type);
        continue;
      }
      // Some of a group only: its columns are added to beside y.
      const size_t from = start < columns.first ? columns.first : start;
      const size_t to = end < columns.end ? end : columns.end;
      float part[GAMBIT_GROUP] = {0};
      memcpy(part + (from - start), y + from, (to - from) * sizeof *y);
      add_group(block, count, group, multipliers, i, biases[i], part, type);
      memcpy(y + from, part + (from - start), (to - from) * sizeof *y);
    }
  }
}
