#pragma once
#include "nibble_dots.h"
#include "row_list.h"

/* Rows times a vector: what all kernels whose rows are outputs share. */

/// Rows at a time. Those of quantised types are read in two or three places each.
INLINE size_t streams_of(gambit_type type) { return is_quantised(type) ? QUANTISED_ROWS : ROWS; }

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` rows, a constant. A row's sum does not depend on which others run beside
/// it. `mode`: of quantised rows whether x is rounded, of floats whether to ask ahead.
INLINE void dots(
  const row_block *block, int count, const gambit_input *x, size_t columns, float *y, gambit_type type, int mode) {
  if (has_nibbles(type) && !mode)
    nibble_dots(block, count, x->ordered, columns, y, type);
  else if (is_quantised(type))
    quantised_dots(block, count, x, columns, y, type, mode);
  else
    float_dots(block, count, x->x, columns, y, type, mode);
}

INLINE void list_dots_of(
  const row_list *list, const gambit_input *x, gambit_range range, float *y, gambit_type type, int mode) {
  const size_t columns = list->first->columns, streams = streams_of(type);
  const size_t stride = stream_length(range.end - range.first, streams), ahead = rows_ahead(list, streams, type);
  if (is_quantised(type)) ask_for_first(list, range.first, stride, streams, ahead, type);
  for (size_t k = 0; k < stride; k++) {
    const row_block block = block_of(list, range.first, k, stride, streams, ahead, type);
    float sums[ROWS];
    dots(&block, (int)streams, x, columns, sums, type, mode);
    for (size_t r = 0; r < streams; r++) y[k + r * stride] = sums[r];
  }
  const size_t first = range.first + streams * stride, rest = range.end - first;
  for (size_t k = 0; k < rest; k++) {
    const row_block block = block_of(list, first, k, rest, 1, ahead, type);
    dots(&block, 1, x, columns, y + streams * stride + k, type, mode);
  }
}

/// y[k − range.first] ← row k of the list · x, for the rows of a range of it.
TARGET static void list_dots(const row_list *list, const gambit_input *x, gambit_range range, float *y) {
  const gambit_type type = list->first->type;
  const int mode = is_quantised(type) ? x->codes != 0 : should_ask(list, range, type);
#define IN_MODE_OF(type) \
  case type: return mode ? list_dots_of(list, x, range, y, type, 1) : list_dots_of(list, x, range, y, type, 0)
  switch (type) {
    IN_MODE_OF(GAMBIT_F32);
    IN_MODE_OF(GAMBIT_F16);
    IN_MODE_OF(GAMBIT_BF16);
    IN_MODE_OF(GAMBIT_INT8);
    IN_MODE_OF(GAMBIT_Q4);
    IN_MODE_OF(GAMBIT_HIGH_NIBBLES);
    IN_MODE_OF(GAMBIT_LOW_NIBBLES);
    IN_MODE_OF(GAMBIT_HIGH_BYTES);
    IN_MODE_OF(GAMBIT_LOW_BYTES);
  }
#undef IN_MODE_OF
}
