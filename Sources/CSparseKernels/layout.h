#pragma once
#include "sparse_kernels.h"

/* Where the parts of a stored row lie. */

static inline size_t groups_of(size_t columns) { return columns / GAMBIT_GROUP + (columns % GAMBIT_GROUP != 0); }

/// Whether codes are nibbles: of 0 to 15, so that these types have minima.
static inline int has_nibbles(gambit_type type) {
  return type == GAMBIT_Q4 || type == GAMBIT_HIGH_NIBBLES || type == GAMBIT_LOW_NIBBLES;
}
static inline int is_quantised(gambit_type type) { return type == GAMBIT_INT8 || has_nibbles(type); }

/// Whether minima are stored behind the scales. Those of other nibbles are made of the scales.
static inline int stores_minima(gambit_type type) { return type == GAMBIT_Q4; }

/// What one step of a code is worth, and the value of code 0 where minima are not stored, both in scales.
static inline float step_in_scales(gambit_type type) { return type == GAMBIT_HIGH_NIBBLES ? 16 : 1; }
static inline float minimum_in_scales(gambit_type type) { return type == GAMBIT_HIGH_NIBBLES ? -120.5f : -7.5f; }

/// Bytes of a group's codes; of quantised types only.
static inline size_t code_bytes(gambit_type type) { return has_nibbles(type) ? GAMBIT_GROUP / 2 : GAMBIT_GROUP; }

static inline size_t row_bytes(size_t columns, gambit_type type) {
  const size_t groups = groups_of(columns);
  switch (type) {
    case GAMBIT_F32: return columns * sizeof(float);
    case GAMBIT_F16:
    case GAMBIT_BF16: return columns * sizeof(uint16_t);
    case GAMBIT_HIGH_BYTES:
    case GAMBIT_LOW_BYTES: return columns;
    case GAMBIT_INT8:
    case GAMBIT_Q4: return (groups * (code_bytes(type) + (stores_minima(type) ? 4 : 2)) + 63) / 64 * 64;
    default: return groups * (code_bytes(type) + 2);
  }
}

/// The float16 scales of a quantised row, one a group. Stored minima follow them.
static inline const uint16_t *scales_of(const char *row, size_t groups, gambit_type type) {
  return (const uint16_t *)(const void *)(row + groups * code_bytes(type));
}

/// What two ranges that overlap have in common.
static inline gambit_range common(gambit_range a, gambit_range b) {
  return (gambit_range){a.first > b.first ? a.first : b.first, a.end < b.end ? a.end : b.end};
}
