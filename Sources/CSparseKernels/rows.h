#pragma once
#include "layout.h"

/* What all families share: rows of any type times a vector. Included after one of the vector headers;
   `type` is a constant wherever these are inlined, so that no loop asks for it. */

INLINE const char *row_of(const gambit_matrix *w, size_t row, gambit_type type) {
  return (const char *)w->elements + row * row_bytes(w->columns, type);
}

INLINE size_t bytes_of(gambit_type type) { return type == GAMBIT_F32 ? sizeof(float) : sizeof(uint16_t); }

/// Elements `i ..< i + LANES` of a row.
INLINE vector load(const char *row, size_t i, gambit_type type) {
  const char *p = row + i * bytes_of(type);
  switch (type) {
    case GAMBIT_F32: return load_f32((const float *)p);
    case GAMBIT_F16: return load_f16((const uint16_t *)p);
    default: return load_bf16((const uint16_t *)p);
  }
}

/// Elements `i ..< i + count` of a row, and zeros; `count` is less than LANES.
INLINE vector load_some(const char *row, size_t i, size_t count, gambit_type type) {
  const char *p = row + i * bytes_of(type);
  switch (type) {
    case GAMBIT_F32: return load_some_f32((const float *)p, count);
    case GAMBIT_F16: return load_some_f16((const uint16_t *)p, count);
    default: return load_some_bf16((const uint16_t *)p, count);
  }
}

/// Calls an inline function with the element type of a matrix as a constant last argument.
#define WITH_TYPE_OF(w, function, ...)                                  \
  switch ((w)->type) {                                                  \
    case GAMBIT_F32: function(w, __VA_ARGS__, GAMBIT_F32); break;       \
    case GAMBIT_F16: function(w, __VA_ARGS__, GAMBIT_F16); break;       \
    case GAMBIT_BF16: function(w, __VA_ARGS__, GAMBIT_BF16); break;     \
    case GAMBIT_INT8: function(w, __VA_ARGS__, GAMBIT_INT8); break;     \
    case GAMBIT_Q4: function(w, __VA_ARGS__, GAMBIT_Q4); break;         \
  }

/// Rows at a time: as many sums in flight as the latency of a fused multiply-add needs. Measured on a
/// Zen 3, eight rows with a sum each also keep memory busier than four with two.
enum { ROWS = 8 };

/// Asks for where the reading of a row will begin: the processor's own prefetching follows a row well,
/// but finds the next listed one only after its first misses. On the same Zen 3 two lines gain up to a
/// tenth, more lines lose again.
INLINE void ask_for(const char *row, size_t first, size_t end) {
  for (size_t at = first; at < first + 2 * 64 && at < end; at += 64) __builtin_prefetch(row + at);
}

/// y[r] ← Σ_c rows[r][c] · x[c] for `count` rows of floats, at most ROWS and a constant.
INLINE void float_dots(const char *const *rows, int count, const float *x, size_t columns, float *y, gambit_type type) {
  vector sums[ROWS];
  for (int r = 0; r < count; r++) sums[r] = zero();
  size_t c = 0;
  for (; c + LANES <= columns; c += LANES) {
    const vector part = load_f32(x + c);
    for (int r = 0; r < count; r++) sums[r] = fused(load(rows[r], c, type), part, sums[r]);
  }
  if (c < columns) {
    const vector part = load_some_f32(x + c, columns - c);
    for (int r = 0; r < count; r++) sums[r] = fused(load_some(rows[r], c, columns - c, type), part, sums[r]);
  }
  for (int r = 0; r < count; r++) y[r] = total(sums[r]);
}
