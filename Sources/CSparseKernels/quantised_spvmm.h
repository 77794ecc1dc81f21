#pragma once
#include "quantised_dots.h"
#include <string.h>

/* Quantised rows added to a vector: the multiplier of a group is value · scale, and what minima add is the same
   for all columns of a group. */

/// y[0 ..< 32] ← y + Σ_r multipliers[r][i] · codes of group `group` of rows[r] + bias
INLINE void add_group(
  const char *const *rows, int count, size_t group, const float (*multipliers)[GROUPS], size_t i, float bias, float *y,
  gambit_type type) {
  eight sums[GAMBIT_GROUP / 8];
  for (int j = 0; j < GAMBIT_GROUP / 8; j++) {
    sums[j] = load_eight(y + 8 * j);
    if (type == GAMBIT_Q4) sums[j] = added(sums[j], eight_of(bias));
  }
  for (int r = 0; r < count; r++) {
    const char *codes = rows[r] + group * code_bytes(type);
    const eight multiplier = eight_of(multipliers[r][i]);
    for (int j = 0; j < GAMBIT_GROUP / 8; j++)
      sums[j] = fused_eight(type == GAMBIT_INT8 ? int8_values(codes, j) : q4_values(codes, j), multiplier, sums[j]);
  }
  for (int j = 0; j < GAMBIT_GROUP / 8; j++) store_eight(y + 8 * j, sums[j]);
}

/// y[c] ← y[c] + Σ_r values[r] · rows[r][c] for `count` quantised rows of `width` columns, at most ROWS and a
/// constant.
INLINE void add_quantised_rows(
  const char *const *rows, const float *values, int count, float *y, size_t width, gambit_range columns,
  gambit_type type) {
  const size_t groups = groups_of(width), end = groups_of(columns.end);
  for (size_t first = columns.first / GAMBIT_GROUP; first < end; first += GROUPS) {
    const size_t some = end - first < GROUPS ? end - first : GROUPS;
    float multipliers[ROWS][GROUPS], biases[GROUPS];
    eight bias = eight_zeros();
    for (int r = 0; r < count; r++) {
      const uint16_t *scales = scales_of(rows[r], groups, type);
      const eight value = eight_of(values[r]);
      store_eight(multipliers[r], multiplied(value, group_values(scales, first, some)));
      if (type == GAMBIT_Q4) bias = fused_eight(value, group_values(scales + groups, first, some), bias);
    }
    store_eight(biases, bias);
    for (size_t i = 0; i < some; i++) {
      const size_t group = first + i, start = group * GAMBIT_GROUP;
      if (start >= columns.first && start + GAMBIT_GROUP <= columns.end) {
        add_group(rows, count, group, multipliers, i, biases[i], y + start, type);
        continue;
      }
      // Some of a group only: its columns are added to beside y.
      const size_t from = start < columns.first ? columns.first : start;
      const size_t to = start + GAMBIT_GROUP < columns.end ? start + GAMBIT_GROUP : columns.end;
      float part[GAMBIT_GROUP] = {0};
      memcpy(part + (from - start), y + from, (to - from) * sizeof *y);
      add_group(rows, count, group, multipliers, i, biases[i], part, type);
      memcpy(y + from, part + (from - start), (to - from) * sizeof *y);
    }
  }
}
