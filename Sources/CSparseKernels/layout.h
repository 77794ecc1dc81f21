#pragma once
#include "sparse_kernels.h"

/* Where the parts of a stored row lie. */

static inline size_t groups_of(size_t columns) { return columns / GAMBIT_GROUP + (columns % GAMBIT_GROUP != 0); }

/// Bytes of a group's codes; of quantised types only.
static inline size_t code_bytes(gambit_type type) { return type == GAMBIT_INT8 ? GAMBIT_GROUP : GAMBIT_GROUP / 2; }

static inline size_t row_bytes(size_t columns, gambit_type type) {
  const size_t groups = groups_of(columns);
  switch (type) {
    case GAMBIT_F32: return columns * sizeof(float);
    case GAMBIT_F16:
    case GAMBIT_BF16: return columns * sizeof(uint16_t);
    case GAMBIT_INT8: return (groups * (code_bytes(type) + 2) + 63) / 64 * 64;
    default: return (groups * (code_bytes(type) + 4) + 63) / 64 * 64;
  }
}

/// The float16 scales of a quantised row, one a group. The minima of GAMBIT_Q4 follow them.
static inline const uint16_t *scales_of(const char *row, size_t groups, gambit_type type) {
  return (const uint16_t *)(const void *)(row + groups * code_bytes(type));
}
