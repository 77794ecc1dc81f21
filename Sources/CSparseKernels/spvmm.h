#pragma once
#include "quantised_spvmm.h"
#include "rows.h"

/* Σ_k x_k · row_k with one row an input, where only listed inputs are read. */

/// y[c] ← y[c] + Σ_r values[r] · rows[r][c] for `count` rows of floats, at most ROWS and a constant.
INLINE void add_float_rows(
  const char *const *rows, const float *values, int count, float *y, gambit_range columns, gambit_type type) {
  vector x[ROWS];
  for (int r = 0; r < count; r++) x[r] = spread(values[r]);
  size_t c = columns.first;
  for (; c + LANES <= columns.end; c += LANES) {
    vector sum = load_f32(y + c);
    for (int r = 0; r < count; r++) sum = fused(load(rows[r], c, type), x[r], sum);
    store(y + c, sum);
  }
  if (c < columns.end) {
    const size_t rest = columns.end - c;
    vector sum = load_some_f32(y + c, rest);
    for (int r = 0; r < count; r++) sum = fused(load_some(rows[r], c, rest, type), x[r], sum);
    store_some(y + c, sum, rest);
  }
}

INLINE void add_rows(
  const char *const *rows, const float *values, int count, float *y, size_t width, gambit_range columns,
  gambit_type type) {
  if (type == GAMBIT_INT8 || type == GAMBIT_Q4)
    add_quantised_rows(rows, values, count, y, width, columns, type);
  else
    add_float_rows(rows, values, count, y, columns, type);
}

INLINE void spvmm_of(
  const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y, gambit_range columns,
  gambit_type type) {
  size_t k = 0;
  for (; k + ROWS <= count; k += ROWS) {
    const char *rows[ROWS];
    for (int i = 0; i < ROWS; i++) rows[i] = row_of(w, inputs[k + (size_t)i], type);
    for (size_t next = k + ROWS; next < count && next < k + 2 * ROWS; next++)
      ask_for(row_of(w, inputs[next], type), row_bytes(columns.first, type), row_bytes(columns.end, type));
    add_rows(rows, values + k, ROWS, y, w->columns, columns, type);
  }
  for (; k < count; k++) {
    const char *row = row_of(w, inputs[k], type);
    add_rows(&row, values + k, 1, y, w->columns, columns, type);
  }
}

TARGET static void spvmm(
  const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y, gambit_range columns) {
  WITH_TYPE_OF(w, spvmm_of, inputs, values, count, y, columns)
}
