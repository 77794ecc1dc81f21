#pragma once
#include "layout.h"

/* What all families share: rows of any type times a vector. Included after one of the vector headers;
   `type` is a constant wherever these are inlined, so that no loop asks for it. */

INLINE const char *row_of(const gambit_matrix *w, size_t row, gambit_type type) {
  return (const char *)w->elements + row * row_bytes(w->columns, type);
}

/// Of an element; of types that are not quantised only.
INLINE size_t bytes_of(gambit_type type) {
  switch (type) {
    case GAMBIT_F32: return sizeof(float);
    case GAMBIT_HIGH_BYTES:
    case GAMBIT_LOW_BYTES: return 1;
    default: return sizeof(uint16_t);
  }
}

/// Rows that are read side by side, and the row of each stream that memory is asked for meanwhile.
///
/// A stream is a run of a list: of n rows, stream r reads those from r · n/ROWS on. Rows of a kilobyte are too short
/// for the processor's own prefetching when they are read in order, eight at a time; eight streams that each go
/// straight on for many rows bring what memory can give. Measured on a Zen 3, of the bandwidth of plain reading:
/// 53% and 103% for 1536 × 576 in f16, 82% and 110% in f32, 81% and 105% for 8192 × 2048 in f16.
enum { ROWS = 8 };
typedef struct {
  const char *rows[ROWS];
  const char *next[ROWS];
  /// Of GAMBIT_LOW_BYTES the same rows' high bytes.
  const char *high[ROWS];
} row_block;

/// Elements `i ..< i + LANES` of row r.
INLINE vector load(const row_block *block, int r, size_t i, gambit_type type) {
  const char *p = block->rows[r] + i * bytes_of(type);
  switch (type) {
    case GAMBIT_F32: return load_f32((const float *)p);
    case GAMBIT_F16: return load_f16((const uint16_t *)p);
    case GAMBIT_BF16: return load_bf16((const uint16_t *)p);
    case GAMBIT_HIGH_BYTES: return load_high_bytes(p);
    default: return minus(load_both_bytes(block->high[r] + i, p), load_high_bytes(block->high[r] + i));
  }
}

/// Elements `i ..< i + count` of row r, and what is finite; `count` is less than LANES.
INLINE vector load_some(const row_block *block, int r, size_t i, size_t count, gambit_type type) {
  const char *p = block->rows[r] + i * bytes_of(type);
  char bytes[2][LANES] = {{0}};
  switch (type) {
    case GAMBIT_F32: return load_some_f32((const float *)p, count);
    case GAMBIT_F16: return load_some_f16((const uint16_t *)p, count);
    case GAMBIT_BF16: return load_some_bf16((const uint16_t *)p, count);
    default: break;
  }
  memcpy(bytes[0], p, count);
  if (type == GAMBIT_HIGH_BYTES) return load_high_bytes(bytes[0]);
  memcpy(bytes[1], block->high[r] + i, count);
  return minus(load_both_bytes(bytes[1], bytes[0]), load_high_bytes(bytes[1]));
}

/// How far ahead, in bytes, a stream asks for memory where the processor does not do so by itself.
enum { FLOATS_AHEAD = 512, CODES_AHEAD = 2048 };

/// Where a stream asks for memory `ahead` bytes after byte `at` of a run of `bytes`: in this row's run, or in that of the
/// row that it asks for next.
INLINE const char *place_ahead(const char *run, const char *next, size_t at, size_t bytes, size_t ahead) {
  const size_t there = at + (ahead < bytes ? ahead : bytes);
  return there < bytes ? run + there : next + (there - bytes);
}

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` rows of floats, at most ROWS and a constant. `asks` says whether to ask
/// ahead.
INLINE void float_dots(
  const row_block *block, int count, const float *x, size_t columns, float *y, gambit_type type, int asks) {
  const size_t size = bytes_of(type), line = 64 / size;
  vector sums[ROWS];
  for (int r = 0; r < count; r++) sums[r] = zero();
  size_t c = 0;
  for (; asks && c + line <= columns; c += line) {
    for (int r = 0; r < count; r++)
      __builtin_prefetch(place_ahead(block->rows[r], block->next[r], c * size, columns * size, FLOATS_AHEAD));
    for (size_t i = c; i < c + line; i += LANES) {
      const vector part = load_f32(x + i);
      for (int r = 0; r < count; r++) sums[r] = fused(load(block, r, i, type), part, sums[r]);
    }
  }
  for (; c + LANES <= columns; c += LANES) {
    const vector part = load_f32(x + c);
    for (int r = 0; r < count; r++) sums[r] = fused(load(block, r, c, type), part, sums[r]);
  }
  if (c < columns) {
    const vector part = load_some_f32(x + c, columns - c);
    for (int r = 0; r < count; r++) sums[r] = fused(load_some(block, r, c, columns - c, type), part, sums[r]);
  }
  for (int r = 0; r < count; r++) y[r] = total(sums[r]);
}
