#pragma once
#include "rows.h"

/* W x with one row an output, every row read. */

INLINE void gemv_of(const gambit_matrix *w, const float *x, float *y, gambit_range range, gambit_type type) {
  size_t r = range.first;
  for (; r + ROWS <= range.end; r += ROWS) {
    const char *rows[ROWS];
    for (int i = 0; i < ROWS; i++) rows[i] = row_of(w, r + (size_t)i, type);
    for (size_t next = r + ROWS; next < range.end && next < r + 2 * ROWS; next++)
      ask_for(row_of(w, next, type), (gambit_range){0, w->columns}, type);
    dots(rows, ROWS, x, w->columns, y + r, type);
  }
  for (; r < range.end; r++) {
    const char *row = row_of(w, r, type);
    dots(&row, 1, x, w->columns, y + r, type);
  }
}

TARGET static void gemv(const gambit_matrix *w, const float *x, float *y, gambit_range rows) {
  WITH_TYPE_OF(w, gemv_of, x, y, rows)
}
