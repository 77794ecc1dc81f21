#pragma once
#include "dots.h"

/* W x with one row an output, every row read. */

TARGET static void gemv(const gambit_matrix *w, const gambit_input *x, float *y, gambit_range rows) {
  const row_list all = {.first = w, .count = rows.end};
  list_dots(&all, x, rows, y + rows.first);
}
