#pragma once
#include "rows.h"

/* Codes of 4 bits without moving one: a register holds those of CHUNK groups, eight in each of its lanes of 32 bits,
   and a mask takes one of each lane to a float where it stands, as code · 16^place. What it meets was divided by that
   power before, which is exact. Shuffling codes apart and converting them takes half as long again.

   Nibble k of lane l is element 32 (l / 4) + 4 (l % 4) + k / 2 + 16 (k % 2) of the chunk: vectors that meet codes are
   kept in that order. */

enum { CHUNK = LANES / 4, NIBBLES = 8, CHUNK_COLUMNS = CHUNK * GAMBIT_GROUP };

/// The powers of 16 that nibbles carry, and what undoes them. The upper four of a lane are moved down first.
static const float nibble_powers[NIBBLES] = {1, 16, 256, 4096, 1, 16, 256, 4096};
static const float nibble_inverses[NIBBLES] = {1, 0x1p-4f, 0x1p-8f, 0x1p-12f, 1, 0x1p-4f, 0x1p-8f, 0x1p-12f};

/// A chunk of 32 · CHUNK floats in the order of codes, each times its factor.
INLINE void order_chunk(const float *x, const float *factors, vector *ordered) {
  for (int half = 0; half < 2; half++) {
    vector fours[4];
    for (int i = 0; i < 4; i++) fours[i] = gather_fours(x + 16 * half + 4 * i);
    transpose_fours(fours);
    for (int i = 0; i < 4; i++) ordered[2 * i + half] = times(fours[i], spread(factors[2 * i + half]));
  }
}

/// Undoes `order_chunk`, with factors of its own.
INLINE void restore_chunk(const vector *ordered, const float *factors, float *x) {
  for (int half = 0; half < 2; half++) {
    vector fours[4];
    for (int i = 0; i < 4; i++) fours[i] = times(ordered[2 * i + half], spread(factors[2 * i + half]));
    transpose_fours(fours);
    for (int i = 0; i < 4; i++) scatter_fours(x + 16 * half + 4 * i, fours[i]);
  }
}

/// The codes of a row's groups from `group` on, and zeros after the row's last.
INLINE words chunk_codes(const char *row, size_t groups, size_t group) {
  const char *codes = row + group * (GAMBIT_GROUP / 2);
  return group + CHUNK <= groups ? load_words(codes) : load_some_words(codes, groups - group);
}

/// A value of each group from `group` on, for all lanes that hold its codes, and zeros after the last.
INLINE vector chunk_values(const uint16_t *values, size_t groups, size_t group) {
  return group + CHUNK <= groups ? load_fours(values + group) : load_some_fours(values + group, groups - group);
}

/// Of each lane the eight nibbles, code · power.
INLINE void spread_nibbles(words codes, vector *values) {
  const words upper = upper_halves(codes);
  for (int k = 0; k < NIBBLES; k++) values[k] = nibble(k < 4 ? codes : upper, k % 4);
}
