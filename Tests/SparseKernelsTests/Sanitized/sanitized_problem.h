#pragma once
#include "sparse_kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Random problems in memory of exactly the size needed, and what rounding may do to their solutions. */

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t random_bits(void) { /* xorshift64*, Vigna 2016 */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}
static size_t below(size_t count) { return random_bits() % count; }
static float uniform(void) { return (float)(int32_t)random_bits() * 0x1p-31f; }

static void *exactly(size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory) exit(2);
  return memory;
}

static float *uniforms(size_t count) {
  float *x = exactly(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = uniform();
  return x;
}

static float *copy_of(const float *x, size_t count) {
  float *copy = exactly(count * sizeof *copy);
  memcpy(copy, x, count * sizeof *copy);
  return copy;
}

static float *magnitudes_of(const float *x, size_t count) {
  float *copy = copy_of(x, count);
  for (size_t i = 0; i < count; i++) copy[i] = fabsf(copy[i]);
  return copy;
}

/// Random bits of a float of magnitude below 2, one in `odd` of them infinite or not a number, `odd` 0: none.
static uint32_t float_bits(uint32_t infinity, uint32_t sign, size_t odd) {
  uint32_t bits = random_bits() & (infinity >> 1 | infinity >> 2 | (sign - 1 - infinity) | sign);
  if (odd && below(odd) == 0) bits |= infinity;
  return bits;
}

/// Halves as floats.
static float *floats_of(const uint16_t *halves, size_t count) {
  float *x = exactly(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = 0;
  const uint32_t zero = 0;
  const float one = 1;
  const gambit_listed list = {{.elements = halves, .rows = 1, .columns = count, .type = GAMBIT_F16}, &zero, &one, 1};
  gambit_kernels_for(GAMBIT_SCALAR)->spvmm(&list, 1, 0, x, (gambit_range){0, count});
  return x;
}

/// Random halves in two planes of bytes, all of them finite.
static void store_bytes(gambit_matrix *w, gambit_matrix *bound) {
  const size_t count = w->rows * w->columns;
  uint8_t *high = exactly(count), *low = exactly(count);
  uint16_t *halves = exactly(2 * count), *middles = exactly(2 * count);
  for (size_t i = 0; i < count; i++) {
    halves[i] = (uint16_t)float_bits(0x7c00u, 0x8000u, 0);
    high[i] = (uint8_t)(halves[i] >> 8), low[i] = (uint8_t)halves[i];
    middles[i] = (uint16_t)(high[i] << 8 | 128);
  }
  float *whole = floats_of(halves, count), *alone = floats_of(middles, count);
  for (size_t i = 0; i < count; i++)
    alone[i] = fabsf(w->type == GAMBIT_HIGH_BYTES ? alone[i] : whole[i] - alone[i]);
  w->elements = w->type == GAMBIT_HIGH_BYTES ? high : low;
  if (w->type == GAMBIT_HIGH_BYTES) free(low);
  else w->high = high;
  bound->elements = alone, bound->type = GAMBIT_F32;
  free(halves), free(middles), free(whole);
}

/// Of a plane's rows, in floats: the magnitude of code · scale and of the minimum together.
static void store_nibble_bound(const gambit_matrix *w, gambit_matrix *bound) {
  const size_t groups = (w->columns + 31) / 32;
  float *magnitudes = exactly(w->rows * w->columns * sizeof *magnitudes);
  for (size_t r = 0; r < w->rows; r++) {
    const uint8_t *row = (const uint8_t *)w->elements + r * groups * 18;
    float *scales = floats_of((const uint16_t *)(const void *)(row + groups * 16), groups);
    for (size_t c = 0; c < w->columns; c++) {
      const int code = row[c / 32 * 16 + c % 16] >> (c % 32 < 16 ? 0 : 4) & 15;
      const float size = w->type == GAMBIT_HIGH_NIBBLES ? 16 * (float)code + 120.5f : (float)code + 7.5f;
      magnitudes[r * w->columns + c] = size * fabsf(scales[c / 32]);
    }
    free(scales);
  }
  bound->elements = magnitudes, bound->type = GAMBIT_F32;
}

/// A random matrix, and one of its elements' magnitudes or more: for Q4 that of code · scale and of the minimum.
static void store(gambit_matrix *w, gambit_matrix *bound, size_t odd) {
  const size_t groups = (w->columns + 31) / 32, count = w->rows * w->columns;
  if (w->type == GAMBIT_F32) {
    uint32_t *own = exactly(4 * count), *unsigned_ones = exactly(4 * count);
    for (size_t i = 0; i < count; i++)
      unsigned_ones[i] = (own[i] = float_bits(0x7f800000u, 0x80000000u, odd)) & 0x7fffffffu;
    w->elements = own, bound->elements = unsigned_ones;
  } else if (w->type == GAMBIT_F16 || w->type == GAMBIT_BF16) {
    uint16_t *own = exactly(2 * count), *unsigned_ones = exactly(2 * count);
    for (size_t i = 0; i < count; i++) {
      own[i] = (uint16_t)float_bits(w->type == GAMBIT_F16 ? 0x7c00u : 0x7f80u, 0x8000u, odd);
      unsigned_ones[i] = own[i] & 0x7fffu;
    }
    w->elements = own, bound->elements = unsigned_ones;
  } else if (w->type == GAMBIT_HIGH_BYTES || w->type == GAMBIT_LOW_BYTES) {
    store_bytes(w, bound);
  } else {
    const int is_int8 = w->type == GAMBIT_INT8;
    const int is_plane = w->type == GAMBIT_HIGH_NIBBLES || w->type == GAMBIT_LOW_NIBBLES;
    const size_t codes = groups * (is_int8 ? 32 : 16), halves = groups * (w->type == GAMBIT_Q4 ? 2 : 1);
    const size_t record = is_plane ? codes + 2 * halves : (codes + 2 * halves + 63) / 64 * 64;
    char *own = exactly(w->rows * record);
    memset(own, 0, w->rows * record);
    for (size_t r = 0; r < w->rows; r++) {
      char *row = own + r * record;
      for (size_t c = 0; c < w->columns; c++) {
        if (is_int8) row[c] = (char)(int8_t)((int)below(255) - 127);
        else row[c / 32 * 16 + c % 16] = (char)(row[c / 32 * 16 + c % 16] | (int)below(16) << (c % 32 < 16 ? 0 : 4));
      }
      for (size_t h = 0; h < halves; h++) {
        uint16_t half = (uint16_t)float_bits(0x7c00u, 0x8000u, odd);
        half |= (half & 0x7c00u) == 0x7c00u; /* an infinite scale makes of a group what the order of sums decides */
        memcpy(row + codes + 2 * h, &half, 2);
      }
    }
    w->elements = own;
    if (is_plane) {
      store_nibble_bound(w, bound);
      return;
    }
    char *unsigned_ones = exactly(w->rows * record);
    memcpy(unsigned_ones, own, w->rows * record);
    for (size_t r = 0; r < w->rows; r++) {
      char *row = unsigned_ones + r * record;
      for (size_t c = 0; c < codes && is_int8; c++) row[c] = (char)abs((int8_t)row[c]);
      for (size_t h = 0; h < halves; h++) row[codes + 2 * h + 1] &= 0x7f;
    }
    bound->elements = unsigned_ones;
  }
}

/// A vector of `columns` with what quantised matrices need of it.
static gambit_input input_of(const gambit_kernels *k, float *x, size_t columns, int rounded) {
  const size_t groups = (columns + 31) / 32, padded = GAMBIT_GROUPS_PADDED(groups);
  float *whole = exactly(groups * 32 * 4), *scales = exactly(padded * 4), *sums = exactly(padded * 4);
  for (size_t i = 0; i < groups * 32; i++) whole[i] = i < columns ? x[i] : 0;
  for (size_t g = 0; g < padded; g++) scales[g] = sums[g] = 0;
  int8_t *codes = rounded ? exactly(groups * 32) : 0;
  float *ordered = rounded ? 0 : exactly(GAMBIT_ORDERED(groups) * 4);
  k->quantise(whole, groups, codes, scales, sums, ordered);
  free(x);
  return (gambit_input){whole, codes, scales, sums, ordered};
}

typedef struct {
  gambit_matrix w;
  gambit_matrix bound; /* no element smaller than w's magnitudes */
  gambit_input x;
  gambit_input x_bound; /* like bound */
  uint32_t *listed;     /* rows kept, with values g */
  float *g;
  float *g_bound;
  size_t count;
  size_t odd;
} problem;

static problem problem_of(
  const gambit_kernels *k, size_t rows, size_t columns, gambit_type type, int rounded, size_t odd) {
  problem p = {
    .w = {.rows = rows, .columns = columns, .type = type}, .bound = {.rows = rows, .columns = columns, .type = type},
    .odd = odd};
  store(&p.w, &p.bound, odd);
  float *x = uniforms(columns);
  if (odd && columns && below(2)) x[below(columns)] = below(2) ? NAN : INFINITY;
  float *magnitudes = magnitudes_of(x, columns);
  p.x = input_of(k, x, columns, rounded);
  p.x_bound = input_of(k, magnitudes, columns, rounded);

  const size_t density = below(5);
  for (size_t r = 0; r < rows; r++) p.count += density == 4 || (density && below(4) < density);
  p.listed = exactly(p.count * sizeof *p.listed);
  for (size_t i = 0, r = 0; i < p.count; r++) /* each of the rest with what chance fills the list */
    if (below(rows - r) < p.count - i) p.listed[i++] = (uint32_t)r;
  p.g = uniforms(p.count);
  p.g_bound = magnitudes_of(p.g, p.count);
  return p;
}

static void free_problem(const problem *p) {
  free((void *)p->w.elements), free((void *)p->w.high), free((void *)p->bound.elements);
  const gambit_input inputs[] = {p->x, p->x_bound};
  for (int i = 0; i < 2; i++)
    free((void *)inputs[i].x), free((void *)inputs[i].codes), free((void *)inputs[i].scales),
      free((void *)inputs[i].sums), free((void *)inputs[i].ordered);
  free(p->listed), free(p->g), free(p->g_bound);
}

static void expect_near(
  const char *what, const float *got, const float *twin, const float *magnitude, size_t count, size_t terms) {
  for (size_t i = 0; i < count; i++) {
    const float allowed = 4 * (float)(terms + 2) * 0x1p-24f * magnitude[i] + 1e-37f;
    if (got[i] == twin[i] || (isnan(got[i]) && isnan(twin[i])) || fabsf(got[i] - twin[i]) <= allowed) continue;
    printf("%s: element %zu of %zu is %g, its twin %g\n", what, i, count, (double)got[i], (double)twin[i]);
    exit(1);
  }
}
