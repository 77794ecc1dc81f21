#pragma once
#include "rows.h"

/* Quantised rows times a vector: Σ_groups scale · (Σ code · x) + minimum · (Σ x). */

/// Groups whose scales are read together.
enum { GROUPS = 8 };

/// Σ code · x of a group, in eight parts: exact integers, or floats.
INLINE eight group_products(const char *codes, const gambit_input *x, size_t group, gambit_type type, int rounded) {
  if (rounded) {
    const int8_t *part = x->codes + group * GAMBIT_GROUP;
    return type == GAMBIT_INT8 ? int8_products(codes, part) : q4_products(codes, part);
  }
  const float *part = x->x + group * GAMBIT_GROUP;
  eight sum = eight_zeros();
  for (int i = 0; i < GAMBIT_GROUP / 8; i++)
    sum = fused_eight(type == GAMBIT_INT8 ? int8_values(codes, i) : q4_values(codes, i), load_eight(part + 8 * i), sum);
  return sum;
}

/// Values `first ..< first + count` of a group each, and zeros up to GROUPS of them.
INLINE eight group_values(const uint16_t *halves, size_t first, size_t count) {
  return count == GROUPS ? eight_halves(halves + first) : halves_before(halves + first + count, count);
}

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` quantised rows, at most ROWS and a constant.
INLINE void quantised_dots(
  const char *const *rows, int count, const gambit_input *x, size_t columns, float *y, gambit_type type, int rounded) {
  const size_t groups = groups_of(columns);
  eight sums[ROWS];
  for (int r = 0; r < count; r++) sums[r] = eight_zeros();
  for (size_t first = 0; first < groups; first += GROUPS) {
    const size_t some = groups - first < GROUPS ? groups - first : GROUPS;
    float scales[ROWS][GROUPS];
    for (int r = 0; r < count; r++) {
      const uint16_t *stored = scales_of(rows[r], groups, type);
      const eight own = group_values(stored, first, some);
      store_eight(scales[r], rounded ? multiplied(own, load_eight(x->scales + first)) : own);
      if (type == GAMBIT_Q4)
        sums[r] = fused_eight(group_values(stored + groups, first, some), load_eight(x->sums + first), sums[r]);
    }
    for (size_t i = 0; i < some; i++)
      for (int r = 0; r < count; r++) {
        const char *codes = rows[r] + (first + i) * code_bytes(type);
        sums[r] = fused_eight(group_products(codes, x, first + i, type, rounded), eight_of(scales[r][i]), sums[r]);
      }
  }
  for (int r = 0; r < count; r++) y[r] = total_of_eight(sums[r]);
}
