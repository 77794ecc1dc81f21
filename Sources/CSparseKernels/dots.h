#pragma once
#include "quantised_dots.h"
#include "rows.h"

/* Rows times a vector, in the order of a list: what all kernels whose rows are outputs share. */

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` rows, at most ROWS and a constant. A row's sum does not
/// depend on which others run beside it.
INLINE void dots(
  const char *const *rows, int count, const gambit_input *x, size_t columns, float *y, gambit_type type, int rounded) {
  if (type == GAMBIT_INT8 || type == GAMBIT_Q4)
    quantised_dots(rows, count, x, columns, y, type, rounded);
  else
    float_dots(rows, count, x->x, columns, y, type);
}

/// Rows in the order in which they are read: those that `numbers` lists, or all from 0 where it is NULL, each
/// from the first matrix or, where its byte in `from_second` is set, from the second.
typedef struct {
  const gambit_matrix *first;
  const gambit_matrix *second;
  const uint8_t *from_second;
  const uint32_t *numbers;
  size_t count;
} row_list;

INLINE const char *listed_row(const row_list *list, size_t k, gambit_type type) {
  const size_t row = list->numbers ? list->numbers[k] : k;
  return row_of(list->from_second && list->from_second[row] ? list->second : list->first, row, type);
}

INLINE void list_dots_of(
  const row_list *list, const gambit_input *x, gambit_range range, float *y, gambit_type type, int rounded) {
  const size_t columns = list->first->columns, bytes = row_bytes(columns, type);
  size_t k = range.first;
  for (; k + ROWS <= range.end; k += ROWS) {
    const char *rows[ROWS];
    for (size_t i = 0; i < ROWS; i++) rows[i] = listed_row(list, k + i, type);
    for (size_t next = k + ROWS; next < list->count && next < k + 2 * ROWS; next++)
      ask_for(listed_row(list, next, type), 0, bytes);
    dots(rows, ROWS, x, columns, y + (k - range.first), type, rounded);
  }
  for (; k < range.end; k++) {
    const char *row = listed_row(list, k, type);
    dots(&row, 1, x, columns, y + (k - range.first), type, rounded);
  }
}

/// y[k − range.first] ← row k of the list · x, for the rows of a range of it.
TARGET static void list_dots(const row_list *list, const gambit_input *x, gambit_range range, float *y) {
  switch (list->first->type) {
    case GAMBIT_F32: return list_dots_of(list, x, range, y, GAMBIT_F32, 0);
    case GAMBIT_F16: return list_dots_of(list, x, range, y, GAMBIT_F16, 0);
    case GAMBIT_BF16: return list_dots_of(list, x, range, y, GAMBIT_BF16, 0);
    case GAMBIT_INT8:
      if (x->codes) return list_dots_of(list, x, range, y, GAMBIT_INT8, 1);
      return list_dots_of(list, x, range, y, GAMBIT_INT8, 0);
    case GAMBIT_Q4:
      if (x->codes) return list_dots_of(list, x, range, y, GAMBIT_Q4, 1);
      return list_dots_of(list, x, range, y, GAMBIT_Q4, 0);
  }
}
