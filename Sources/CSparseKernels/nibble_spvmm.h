#pragma once
#include "nibbles.h"

/* Rows of 4-bit codes added to a vector, which is kept in the order of codes meanwhile, a strip of it at a time.

   Lists are short, a few rows of one matrix and then some of another, too short for the processor to foresee: memory is
   asked for as many rows ahead as DRAM needs, in whichever list they are. */

/// Chunks of a strip, 8 KiB of floats; rows that are added while a chunk is in registers; rows that memory is asked for
/// ahead. Measured on a Zen 5 on rows of 324 bytes of which 60% are listed: 1536 in eight lists are added at 15 GB/s
/// instead of 10 where eight streams ask one row ahead, 576 in eight lists at 13 instead of 7.
enum { STRIP = 2048 / CHUNK_COLUMNS, ROWS_ADDED = 4, ROWS_AHEAD = 24 };

/// The rows that memory is asked for next, up to the lists' end.
typedef struct {
  const gambit_listed *list;
  const gambit_listed *end;
  size_t next;
} row_cursor;

/// The next row, or `otherwise` where there is none.
INLINE const char *advance(row_cursor *cursor, const char *otherwise) {
  while (cursor->list < cursor->end && cursor->next == cursor->list->count) cursor->list++, cursor->next = 0;
  if (cursor->list == cursor->end) return otherwise;
  return row_of(&cursor->list->w, cursor->list->inputs[cursor->next++], cursor->list->w.type);
}

/// Rows that are added together, and those that memory is asked for meanwhile.
typedef struct {
  const char *rows[ROWS_ADDED];
  const char *ahead[ROWS_ADDED];
  float values[ROWS_ADDED];
} listed_rows;

/// y ← y + Σ_r values[r] · rows[r] over the chunk at `group`, for `count` rows.
INLINE void add_chunk(
  const listed_rows *added, size_t count, size_t groups, size_t group, vector *y, gambit_type type) {
  vector sums[NIBBLES], minima = zero();
  for (int k = 0; k < NIBBLES; k++) sums[k] = y[k];
  for (size_t r = 0; r < count; r++) {
    const char *row = added->rows[r];
    if (group * code_bytes(type) % 64 == 0) __builtin_prefetch(added->ahead[r] + group * code_bytes(type));
    const uint16_t *scales = scales_of(row, groups, type);
    const vector value = spread(added->values[r]), scale = times(chunk_values(scales, groups, group), value);
    if (stores_minima(type))
      minima = fused(chunk_values(scales + groups, groups, group), value, minima);
    else
      minima = plus(minima, scale);
    vector codes[NIBBLES];
    spread_nibbles(chunk_codes(row, groups, group), codes);
    for (int k = 0; k < NIBBLES; k++) sums[k] = fused(codes[k], scale, sums[k]);
  }
  if (!stores_minima(type)) minima = times(minima, spread(minimum_in_scales(type) / step_in_scales(type)));
  for (int k = 0; k < NIBBLES; k++) y[k] = fused(minima, spread(nibble_powers[k]), sums[k]);
}

/// Adds `count` rows of a list, from row k on, to the chunks of a strip. `count` is a constant where it is ROWS_ADDED.
INLINE void add_rows_to_strip(
  const gambit_listed *list, size_t k, size_t count, row_cursor *cursor, gambit_range chunks,
  vector (*strip)[NIBBLES], gambit_type type) {
  const size_t groups = groups_of(list->w.columns), bytes = row_bytes(list->w.columns, type);
  listed_rows added;
  for (size_t r = 0; r < count; r++) {
    added.rows[r] = row_of(&list->w, list->inputs[k + r], type);
    added.values[r] = list->values[k + r] * (stores_minima(type) ? 1 : step_in_scales(type));
    added.ahead[r] = advance(cursor, added.rows[r]);
    __builtin_prefetch(added.ahead[r] + bytes - 1);
  }
  for (size_t chunk = chunks.first; chunk < chunks.end; chunk++)
    add_chunk(&added, count, groups, chunk * CHUNK, strip[chunk - chunks.first], type);
}

INLINE void add_to_strip(
  const gambit_listed *list, row_cursor *cursor, gambit_range chunks, vector (*strip)[NIBBLES], gambit_type type) {
  size_t k = 0;
  for (; k + ROWS_ADDED <= list->count; k += ROWS_ADDED)
    add_rows_to_strip(list, k, ROWS_ADDED, cursor, chunks, strip, type);
  if (k < list->count) add_rows_to_strip(list, k, list->count - k, cursor, chunks, strip, type);
}

/// The part of a chunk that is to be written.
INLINE gambit_range written(size_t chunk, gambit_range columns) {
  return common(columns, (gambit_range){chunk * CHUNK_COLUMNS, (chunk + 1) * CHUNK_COLUMNS});
}

INLINE void add_strip(
  const gambit_listed *lists, const gambit_listed *end, const gambit_listed *last, float *y, gambit_range chunks,
  gambit_range columns) {
  vector strip[STRIP][NIBBLES];
  for (size_t chunk = chunks.first; chunk < chunks.end; chunk++) {
    const gambit_range own = written(chunk, columns);
    float part[CHUNK_COLUMNS] = {0};
    memcpy(part + own.first % CHUNK_COLUMNS, y + own.first, (own.end - own.first) * sizeof *y);
    order_chunk(part, nibble_powers, strip[chunk - chunks.first]);
  }
  row_cursor cursor = {lists, last, 0};
  for (size_t r = 0; r < ROWS_AHEAD; r++) {
    const char *row = advance(&cursor, 0);
    if (!row) break;
    const size_t first = chunks.first * CHUNK * (GAMBIT_GROUP / 2);
    for (size_t i = 0; i < (chunks.end - chunks.first) * CHUNK * (GAMBIT_GROUP / 2 + 2); i += 64)
      __builtin_prefetch(row + first + i);
  }
  for (const gambit_listed *list = lists; list < end; list++)
    switch (list->w.type) {
      case GAMBIT_HIGH_NIBBLES: add_to_strip(list, &cursor, chunks, strip, GAMBIT_HIGH_NIBBLES); break;
      case GAMBIT_LOW_NIBBLES: add_to_strip(list, &cursor, chunks, strip, GAMBIT_LOW_NIBBLES); break;
      default: add_to_strip(list, &cursor, chunks, strip, GAMBIT_Q4);
    }
  for (size_t chunk = chunks.first; chunk < chunks.end; chunk++) {
    const gambit_range own = written(chunk, columns);
    float part[CHUNK_COLUMNS];
    restore_chunk(strip[chunk - chunks.first], nibble_inverses, part);
    memcpy(y + own.first, part + own.first % CHUNK_COLUMNS, (own.end - own.first) * sizeof *y);
  }
}

/// y[c] ← y[c] + Σ_k values[k] · w[inputs[k], c] of all lists before `end`, for the columns of a range that is not empty.
/// Of those before `last` memory is asked for.
TARGET static void nibble_spvmm(
  const gambit_listed *lists, const gambit_listed *end, const gambit_listed *last, float *y, gambit_range columns) {
  const gambit_range touched = {columns.first / CHUNK_COLUMNS, (columns.end + CHUNK_COLUMNS - 1) / CHUNK_COLUMNS};
  for (size_t chunk = touched.first; chunk < touched.end; chunk += STRIP)
    add_strip(lists, end, last, y, common(touched, (gambit_range){chunk, chunk + STRIP}), columns);
}
