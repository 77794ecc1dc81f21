#pragma once
#include "rows.h"

/* W x with one row an output, where only listed outputs are wanted. */

INLINE void vmmsp_of(
  const gambit_matrix *w, const float *x, const uint32_t *outputs, const float *g, size_t count, float *y,
  gambit_type type) {
  size_t k = 0;
  for (; k + ROWS <= count; k += ROWS) {
    const char *rows[ROWS];
    float sums[ROWS];
    for (int i = 0; i < ROWS; i++) rows[i] = row_of(w, outputs[k + (size_t)i], type);
    for (size_t next = k + ROWS; next < count && next < k + 2 * ROWS; next++)
      ask_for(row_of(w, outputs[next], type), (gambit_range){0, w->columns}, type);
    dots(rows, ROWS, x, w->columns, sums, type);
    for (int i = 0; i < ROWS; i++) y[k + (size_t)i] = g[k + (size_t)i] * sums[i];
  }
  for (; k < count; k++) {
    const char *row = row_of(w, outputs[k], type);
    float sum;
    dots(&row, 1, x, w->columns, &sum, type);
    y[k] = g[k] * sum;
  }
}

TARGET static void vmmsp(
  const gambit_matrix *w, const float *x, const uint32_t *outputs, const float *g, size_t count, float *y) {
  WITH_TYPE_OF(w, vmmsp_of, x, outputs, g, count, y)
}
