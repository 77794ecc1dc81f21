#pragma once
#include "quantised_dots.h"

/* Rows of 8-bit codes added to a vector: the multiplier of a group is value · scale. */

/// y[0 ..< 32] ← y + Σ_r multipliers[r][i] · codes of group `group` of rows[r]
INLINE void add_int8_group(
  const row_block *block, int count, size_t group, const float (*multipliers)[GROUPS], size_t i, float *y) {
  enum { PARTS = GAMBIT_GROUP / LANES };
  vector sums[PARTS];
  for (int j = 0; j < PARTS; j++) sums[j] = load_f32(y + j * LANES);
  for (int r = 0; r < count; r++) {
    const char *codes = block->rows[r] + group * GAMBIT_GROUP;
    const vector multiplier = spread(multipliers[r][i]);
    for (int j = 0; j < PARTS; j++) sums[j] = fused(load_int8(codes + j * LANES), multiplier, sums[j]);
  }
  for (int j = 0; j < PARTS; j++) store(y + j * LANES, sums[j]);
}

/// y[c] ← y[c] + Σ_r values[r] · rows[r][c] for `count` rows of `width` columns, at most ROWS and a constant.
INLINE void add_int8_rows(
  const row_block *block, const float *values, int count, float *y, size_t width, gambit_range columns) {
  const gambit_type type = GAMBIT_INT8;
  const size_t groups = groups_of(width);
  const gambit_range touched = {columns.first / GAMBIT_GROUP, groups_of(columns.end)};
  for (size_t first = touched.first; first < touched.end; first += GROUPS) {
    const size_t some = touched.end - first < GROUPS ? touched.end - first : GROUPS;
    float multipliers[ROWS][GROUPS];
    const char *ahead[ROWS];
    find_ahead(block, count, groups, touched, first, ahead, type);
    for (int r = 0; r < count; r++)
      store_eight(
        multipliers[r], multiplied(eight_of(values[r]), terms_of(block->rows[r], groups, first, some, type).steps));
    for (size_t i = 0; i < some; i++) {
      const size_t group = first + i, start = group * GAMBIT_GROUP, end = start + GAMBIT_GROUP;
      ask_for_codes(ahead, count, i, type);
      if (start >= columns.first && end <= columns.end) {
        add_int8_group(block, count, group, multipliers, i, y + start);
        continue;
      }
      // Some of a group only: its columns are added to beside y.
      const gambit_range own = common(columns, (gambit_range){start, end});
      float part[GAMBIT_GROUP] = {0};
      memcpy(part + (own.first - start), y + own.first, (own.end - own.first) * sizeof *y);
      add_int8_group(block, count, group, multipliers, i, part);
      memcpy(y + own.first, part + (own.first - start), (own.end - own.first) * sizeof *y);
    }
  }
}
