#pragma once
#include "rows.h"

/* Quantised rows times a rounded vector, or those of 8 bits times an exact one: Σ_groups scale · (Σ code · x) +
   minimum · (Σ x). */

/// Rows at a time, and groups whose scales are read together.
enum { QUANTISED_ROWS = 4, GROUPS = 8 };

/// Σ code · x of a group, in eight parts: exact integers or, of 8-bit codes, floats.
INLINE eight group_products(const char *codes, const gambit_input *x, size_t group, gambit_type type, int rounded) {
  if (rounded) {
    const int8_t *part = x->codes + group * GAMBIT_GROUP;
    return has_nibbles(type) ? nibble_products(codes, part) : int8_products(codes, part);
  }
  const float *part = x->x + group * GAMBIT_GROUP;
  eight sum = eight_zeros();
  for (int i = 0; i < GAMBIT_GROUP / 8; i++)
    sum = fused_eight(int8_values(codes, i), load_eight(part + 8 * i), sum);
  return sum;
}

/// Values `first ..< first + count` of a group each, and zeros up to GROUPS of them.
INLINE eight group_values(const uint16_t *halves, size_t first, size_t count) {
  return count == GROUPS ? eight_halves(halves + first) : halves_before(halves + first + count, count);
}

/// Of groups `first ..< first + some`, at most GROUPS: what one step of a code is worth, and what code 0 is, where codes
/// are nibbles. Zeros beyond them.
typedef struct {
  eight steps;
  eight minima;
} group_terms;

INLINE group_terms terms_of(const char *row, size_t groups, size_t first, size_t some, gambit_type type) {
  const uint16_t *stored = scales_of(row, groups, type);
  const eight scales = group_values(stored, first, some);
  group_terms terms = {scales, eight_zeros()};
  if (step_in_scales(type) != 1) terms.steps = multiplied(scales, eight_of(step_in_scales(type)));
  if (stores_minima(type))
    terms.minima = group_values(stored + groups, first, some);
  else if (has_nibbles(type))
    terms.minima = multiplied(scales, eight_of(minimum_in_scales(type)));
  return terms;
}

/// Where each row's stream will be, of groups `all`, CODES_AHEAD bytes after group `first`. Asks for scales and
/// stored minima, of which a line lasts for 32 groups.
INLINE void find_ahead(
  const row_block *block, int count, size_t groups, gambit_range all, size_t first, const char **ahead,
  gambit_type type) {
  const size_t size = code_bytes(type), start = all.first * size, bytes = (all.end - all.first) * size;
  for (int r = 0; r < count; r++)
    ahead[r] = place_ahead(
      block->rows[r] + start, block->next[r] + start, (first - all.first) * size, bytes, CODES_AHEAD);
  if ((first - all.first) % 32) return;
  const int is_last = first + 32 >= all.end;
  const size_t scales = groups * size + 2 * (is_last ? all.first : first + 32);
  for (int r = 0; r < count; r++) {
    const char *row = is_last ? block->next[r] : block->rows[r];
    __builtin_prefetch(row + scales);
    if (stores_minima(type)) __builtin_prefetch(row + scales + 2 * groups);
  }
}

/// Asks for codes ahead where group i of GROUPS begins a line: all of them at once would have to wait for each other.
INLINE void ask_for_codes(const char *const *ahead, int count, size_t i, gambit_type type) {
  if (i * code_bytes(type) % 64) return;
  for (int r = 0; r < count; r++) __builtin_prefetch(ahead[r] + i * code_bytes(type));
}

/// sums[r] ← sums[r] + Σ rows[r] · x over groups `first ..< first + some`, at most GROUPS.
INLINE void add_group_dots(
  const row_block *block, int count, const gambit_input *x, size_t groups, size_t first, size_t some, eight *sums,
  gambit_type type, int rounded) {
  const size_t size = code_bytes(type);
  float scales[QUANTISED_ROWS][GROUPS];
  const char *ahead[QUANTISED_ROWS];
  find_ahead(block, count, groups, (gambit_range){0, groups}, first, ahead, type);
  for (int r = 0; r < count; r++) {
    const group_terms own = terms_of(block->rows[r], groups, first, some, type);
    store_eight(scales[r], rounded ? multiplied(own.steps, load_eight(x->scales + first)) : own.steps);
    if (has_nibbles(type)) sums[r] = fused_eight(own.minima, load_eight(x->sums + first), sums[r]);
  }
  size_t i = 0;
#ifdef PAIRED_GROUPS
  if (has_nibbles(type) && rounded) {
    float unzipped_scales[QUANTISED_ROWS][GROUPS];
    for (int r = 0; r < count; r++) store_eight(unzipped_scales[r], unzipped(load_eight(scales[r])));
    for (; i + 1 < some; i += 2) {
      ask_for_codes(ahead, count, i, type);
      const paired_x part = pair_of_x(x->codes + (first + i) * GAMBIT_GROUP);
      for (int r = 0; r < count; r++)
        sums[r] = fused_eight(
          nibble_pair_products(block->rows[r] + (first + i) * size, part), two_of(unzipped_scales[r], i / 2), sums[r]);
    }
  }
#endif
  for (; i < some; i++) {
    ask_for_codes(ahead, count, i, type);
    for (int r = 0; r < count; r++) {
      const char *codes = block->rows[r] + (first + i) * size;
      sums[r] = fused_eight(group_products(codes, x, first + i, type, rounded), eight_of(scales[r][i]), sums[r]);
    }
  }
}

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` quantised rows, at most QUANTISED_ROWS and a constant.
INLINE void quantised_dots(
  const row_block *block, int count, const gambit_input *x, size_t columns, float *y, gambit_type type, int rounded) {
  const size_t groups = groups_of(columns);
  eight sums[QUANTISED_ROWS];
  for (int r = 0; r < count; r++) sums[r] = eight_zeros();
  size_t first = 0;
  for (; first + GROUPS <= groups; first += GROUPS)
    add_group_dots(block, count, x, groups, first, GROUPS, sums, type, rounded);
  if (first < groups) add_group_dots(block, count, x, groups, first, groups - first, sums, type, rounded);
  for (int r = 0; r < count; r++) y[r] = total_of_eight(sums[r]);
}
