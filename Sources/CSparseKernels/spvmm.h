#pragma once
#include "int8_spvmm.h"
#include "nibble_spvmm.h"
#include "row_list.h"

/* Σ_k x_k · row_k with one row an input, where only listed inputs are read. */

/// y[c] ← y[c] + Σ_r values[r] · rows[r][c] for `count` rows of floats, at most ROWS and a constant. `asks` says
/// whether to ask ahead.
INLINE void add_float_rows(
  const row_block *block, const float *values, int count, float *y, gambit_range columns, gambit_type type, int asks) {
  const size_t size = bytes_of(type), line = 64 / size;
  const size_t start = columns.first * size, bytes = (columns.end - columns.first) * size;
  vector x[ROWS];
  for (int r = 0; r < count; r++) x[r] = spread(values[r]);
  size_t c = columns.first;
  for (; c + LANES <= columns.end; c += LANES) {
    if (asks && (c - columns.first) % line == 0)
      for (int r = 0; r < count; r++)
        __builtin_prefetch(
          place_ahead(block->rows[r] + start, block->next[r] + start, c * size - start, bytes, FLOATS_AHEAD));
    vector sum = load_f32(y + c);
    for (int r = 0; r < count; r++) sum = fused(load(block, r, c, type), x[r], sum);
    store(y + c, sum);
  }
  if (c < columns.end) {
    const size_t rest = columns.end - c;
    vector sum = load_some_f32(y + c, rest);
    for (int r = 0; r < count; r++) sum = fused(load_some(block, r, c, rest, type), x[r], sum);
    store_some(y + c, sum, rest);
  }
}

INLINE void add_rows(
  const row_block *rows, const float *values, int count, float *y, size_t width, gambit_range columns,
  gambit_type type, int asks) {
  if (type == GAMBIT_INT8)
    add_int8_rows(rows, values, count, y, width, columns);
  else
    add_float_rows(rows, values, count, y, columns, type, asks);
}

INLINE void spvmm_of(
  const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y, gambit_range columns,
  gambit_type type, int asks) {
  const row_list list = {.first = w, .numbers = inputs};
  const size_t stride = stream_length(count, ROWS), ahead = rows_ahead(&list, ROWS, type);
  for (size_t k = 0; k < stride; k++) {
    const row_block block = block_of(&list, 0, k, stride, ROWS, ahead, type);
    float own[ROWS];
    for (size_t r = 0; r < ROWS; r++) own[r] = values[k + r * stride];
    add_rows(&block, own, ROWS, y, w->columns, columns, type, asks);
  }
  const size_t first = ROWS * stride, rest = count - first;
  for (size_t k = 0; k < rest; k++) {
    const row_block block = block_of(&list, first, k, rest, 1, ahead, type);
    add_rows(&block, values + first + k, 1, y, w->columns, columns, type, asks);
  }
}

TARGET static void add_list(const gambit_listed *l, float *y, gambit_range columns) {
  const row_list list = {.first = &l->w, .numbers = l->inputs};
  const int asks = should_ask(&list, (gambit_range){0, l->count}, l->w.type);
#define WITH_TYPE(type) \
  case type: \
    return asks ? spvmm_of(&l->w, l->inputs, l->values, l->count, y, columns, type, 1) \
                : spvmm_of(&l->w, l->inputs, l->values, l->count, y, columns, type, 0)
  switch (l->w.type) {
    WITH_TYPE(GAMBIT_F32);
    WITH_TYPE(GAMBIT_F16);
    WITH_TYPE(GAMBIT_BF16);
    WITH_TYPE(GAMBIT_HIGH_BYTES);
    WITH_TYPE(GAMBIT_LOW_BYTES);
    default: return spvmm_of(&l->w, l->inputs, l->values, l->count, y, columns, GAMBIT_INT8, 0);
  }
#undef WITH_TYPE
}

TARGET static void spvmm(
  const gambit_listed *lists, size_t count, size_t upcoming, float *y, gambit_range columns) {
  const gambit_listed *const end = lists + count, *const last = end + upcoming;
  for (const gambit_listed *list = lists; list < end && columns.first < columns.end; list++) {
    if (!has_nibbles(list->w.type)) {
      add_list(list, y, columns);
      continue;
    }
    const gambit_listed *const first = list;
    while (list + 1 < end && has_nibbles(list[1].w.type)) list++;
    nibble_spvmm(first, list + 1, last, y, columns);
  }
}
