#pragma once
#include "rows.h"

/* Which rows are read, and in which order. */

/// Those that `numbers` lists in ascending order, or all from 0 where it is NULL, each from the first matrix or, where
/// its byte in `from_second` is set, from the second. Where they are `paired`, numbers count pairs of rows, which the
/// list has one after the other: entry k is row k % 2 of pair k / 2.
typedef struct {
  const gambit_matrix *first;
  const gambit_matrix *second;
  const uint8_t *from_second;
  const uint32_t *numbers;
  int paired;
} row_list;

/// Which row entry k of a list is.
INLINE size_t row_number(const row_list *list, size_t k) {
  if (!list->numbers) return k;
  return list->paired ? 2 * (size_t)list->numbers[k / 2] + k % 2 : list->numbers[k];
}

INLINE const gambit_matrix *matrix_with(const row_list *list, size_t row) {
  return list->from_second && list->from_second[row] ? list->second : list->first;
}

INLINE const char *listed_row(const row_list *list, size_t k, gambit_type type) {
  const size_t row = row_number(list, k);
  return row_of(matrix_with(list, row), row, type);
}

/// The high bytes of what entry k has the low ones of.
INLINE const char *high_row(const row_list *list, size_t k, gambit_type type) {
  if (type != GAMBIT_LOW_BYTES) return 0;
  const size_t row = row_number(list, k);
  return (const char *)matrix_with(list, row)->high + row * row_bytes(list->first->columns, type);
}

/// Rows in each stream of a list. Where there are many the number is odd: streams that lie a power of two apart share
/// sets of the caches, which cost a seventh of the speed of 2048 × 8192 in 8 bits.
INLINE size_t stream_length(size_t count, size_t streams) {
  const size_t length = count / streams;
  return length > 64 ? (length - 1) | 1 : length;
}

/// How far ahead, in rows, all streams together ask for memory: far enough that DRAM answers in time, within what the
/// first-level cache holds. Measured on a Zen 5 on rows of 324 bytes, that ask four streams eight rows ahead instead of
/// one: 29 GB/s instead of 14, of 33 that plain reading brings; with 60% of the rows kept 22 instead of 15.
enum { BYTES_IN_FLIGHT = 10368 };
INLINE size_t rows_ahead(const row_list *list, size_t streams, gambit_type type) {
  const size_t rows = BYTES_IN_FLIGHT / (streams * row_bytes(list->first->columns, type) + 1);
  return rows ? rows : 1;
}

/// Row k of each of `streams` streams that are `stride` rows apart, and the row `ahead` after it.
INLINE row_block block_of(
  const row_list *list, size_t first, size_t k, size_t stride, size_t streams, size_t ahead, gambit_type type) {
  row_block block;
  for (size_t r = 0; r < streams; r++) {
    const size_t at = first + k + r * stride;
    block.rows[r] = listed_row(list, at, type);
    block.next[r] = k + ahead < stride ? listed_row(list, at + ahead, type) : block.rows[r];
    block.high[r] = high_row(list, at, type);
  }
  return block;
}

/// Asks for the first `ahead` rows of each stream.
INLINE void ask_for_first(
  const row_list *list, size_t first, size_t stride, size_t streams, size_t ahead, gambit_type type) {
  const size_t bytes = row_bytes(list->first->columns, type), some = ahead < stride ? ahead : stride;
  for (size_t k = 0; k < some; k++)
    for (size_t r = 0; r < streams; r++) {
      const char *row = listed_row(list, first + k + r * stride, type);
      for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
    }
}

/// Whether streams of floats should ask ahead: halves, where rows are skipped. Measured on a Zen 3 with half of the rows
/// kept, of the bandwidth of plain reading: 1536 × 576 in f16 57% instead of 49%, 576 × 1536 76% instead of 68%; f32
/// gains nothing, and where nothing is skipped the processor does better alone.
INLINE int should_ask(const row_list *list, gambit_range range, gambit_type type) {
  const size_t count = range.end - range.first;
  if (!count || type == GAMBIT_F32) return 0;
  if (!list->numbers) return list->from_second != 0;
  return row_number(list, range.end - 1) - row_number(list, range.first) >= count;
}
