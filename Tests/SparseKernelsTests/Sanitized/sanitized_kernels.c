/* Every kernel on random shapes, beside its scalar twin, in memory of exactly the size needed: built by
   scripts/sanitize-kernels with the address and undefined-behaviour sanitizers. Prints what it ran;
   exits with 1 at the first difference beyond rounding. */
#include "sparse_kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  void *memory = malloc(size);
  if (!memory) exit(2);
  return memory;
}

static float *uniforms(size_t count) {
  float *x = exactly(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = uniform();
  return x;
}

/// Random elements of magnitude below 2, one in `odd` of them infinite or not a number, `odd` 0: none.
static void *elements(size_t count, gambit_type type, size_t odd, int absolute) {
  uint32_t *wide = type == GAMBIT_F32 ? exactly(4 * count) : 0;
  uint16_t *half = type == GAMBIT_F32 ? 0 : exactly(2 * count);
  const uint32_t infinity = type == GAMBIT_F32 ? 0x7f800000u : type == GAMBIT_F16 ? 0x7c00u : 0x7f80u;
  const uint32_t sign = type == GAMBIT_F32 ? 0x80000000u : 0x8000u;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = random_bits() & (infinity >> 1 | infinity >> 2 | (sign - 1 - infinity) | sign);
    if (odd && below(odd) == 0) bits |= infinity;
    if (absolute) bits &= ~sign;
    if (wide) wide[i] = bits;
    else half[i] = (uint16_t)bits;
  }
  return wide ? (void *)wide : (void *)half;
}

static void expect_near(const char *what, const float *got, const float *twin, const float *magnitude, size_t count,
                        size_t terms) {
  for (size_t i = 0; i < count; i++) {
    const float allowed = 4 * (float)(terms + 2) * 0x1p-24f * magnitude[i] + 1e-37f;
    if (got[i] == twin[i] || (isnan(got[i]) && isnan(twin[i])) || fabsf(got[i] - twin[i]) <= allowed) continue;
    printf("%s: element %zu of %zu is %g, its twin %g\n", what, i, count, (double)got[i], (double)twin[i]);
    exit(1);
  }
}

static void check_products(const gambit_kernels *k, const gambit_kernels *twin, size_t rows, size_t columns,
                           gambit_type type, size_t odd) {
  const uint64_t seed = state;
  void *stored = elements(rows * columns, type, odd, 0);
  state = seed; /* the same numbers without their signs bound what rounding can do */
  void *unsigned_stored = elements(rows * columns, type, odd, 1);
  const gambit_matrix w = {stored, rows, columns, type}, bound = {unsigned_stored, rows, columns, type};

  const size_t density = below(5);
  size_t count = 0;
  for (size_t r = 0; r < rows; r++) count += density == 4 || (density && below(4) < density);
  uint32_t *listed = exactly(count * sizeof *listed);
  for (size_t i = 0, r = 0; i < count; r++) /* each of the rest with what chance fills the list */
    if (below(rows - r) < count - i) listed[i++] = (uint32_t)r;

  float *x = uniforms(columns), *g = uniforms(count), *y = uniforms(rows), *z = uniforms(rows), *m = uniforms(rows);
  float *x_bound = exactly(columns * sizeof *x), *g_bound = exactly(count * sizeof *g);
  for (size_t c = 0; c < columns; c++) x_bound[c] = fabsf(x[c]);
  for (size_t i = 0; i < count; i++) g_bound[i] = fabsf(g[i]);

  const gambit_range half = {0, rows / 2}, rest = {rows / 2, rows}, all = {0, rows};
  k->gemv(&w, x, y, half);
  k->gemv(&w, x, y, rest);
  twin->gemv(&w, x, z, all);
  twin->gemv(&bound, x_bound, m, all);
  expect_near("gemv", y, z, m, rows, columns);

  float *a = uniforms(count), *b = uniforms(count), *c = uniforms(count);
  memcpy(a, g, count * sizeof *a);
  k->vmmsp(&w, x, listed, a, count, a); /* in place */
  twin->vmmsp(&w, x, listed, g, count, b);
  twin->vmmsp(&bound, x_bound, listed, g_bound, count, c);
  expect_near("vmmsp", a, b, c, count, columns);

  const size_t cut = below(columns + 1);
  float *p = exactly(columns * sizeof *p), *q = exactly(columns * sizeof *q), *n = exactly(columns * sizeof *n);
  memcpy(p, x, columns * sizeof *p);
  memcpy(q, x, columns * sizeof *q);
  memcpy(n, x_bound, columns * sizeof *n);
  k->spvmm(&w, listed, g, count, p, (gambit_range){0, cut});
  k->spvmm(&w, listed, g, count, p, (gambit_range){cut, columns});
  twin->spvmm(&w, listed, g, count, q, (gambit_range){0, columns});
  twin->spvmm(&bound, listed, g_bound, count, n, (gambit_range){0, columns});
  expect_near("spvmm", p, q, n, columns, count);

  void *const taken[] = {stored, unsigned_stored, listed, x, g, y, z, m, x_bound, g_bound, a, b, c, p, q, n};
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) free(taken[i]);
}

static void check_gate(const gambit_kernels *k, const gambit_kernels *twin, size_t rows, size_t columns,
                       gambit_type type, size_t odd, gambit_activation activation) {
  void *stored = elements(rows * columns, type, odd, 0);
  const gambit_matrix w = {stored, rows, columns, type};
  float *x = uniforms(columns), *thresholds = exactly(rows * sizeof *thresholds);
  gambit_kept kept = {exactly(4 * rows), uniforms(rows)}, expected = {exactly(4 * rows), uniforms(rows)};
  const float none = 0;

  /* All that are numbers, then thresholds so far from them that rounding decides nothing. */
  const size_t numbers = twin->gate(&w, x, activation, (gambit_thresholds){&none, 0}, expected, (gambit_range){0, rows});
  for (size_t r = 0; r < rows; r++) thresholds[r] = 0;
  for (size_t i = 0; i < numbers; i++) {
    const float size = fabsf(expected.values[i]);
    thresholds[expected.channels[i]] = below(2) ? size * 0.9f - 0.01f : size * 1.1f + 0.01f;
  }
  const gambit_thresholds own = {thresholds, 1};
  const size_t first = below(rows + 1);
  const gambit_range range = {first, rows};
  const size_t count = k->gate(&w, x, activation, own, (gambit_kept){kept.channels + first, kept.values + first}, range);
  const size_t twins = twin->gate(&w, x, activation, own, expected, range);
  if (count != twins || memcmp(kept.channels + first, expected.channels, 4 * count)) {
    printf("gate keeps %zu channels, its twin %zu, or not the same\n", count, twins);
    exit(1);
  }
  free(stored), free(x), free(thresholds);
  free(kept.channels), free(kept.values), free(expected.channels), free(expected.values);
}

int main(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512", "neon"};
  const gambit_kernels *twin = gambit_kernels_for(GAMBIT_SCALAR);
  for (int set = GAMBIT_SCALAR; set <= GAMBIT_NEON; set++) {
    const gambit_kernels *k = gambit_kernels_for((gambit_instruction_set)set);
    if (!k) continue;
    int shapes = 0;
    for (; shapes < 600; shapes++) {
      const size_t rows = 1 + below(shapes % 3 ? 40 : 300), columns = 1 + below(shapes % 3 == 1 ? 40 : 300);
      const gambit_type type = (gambit_type)(shapes % 3);
      const size_t odd = shapes % 5 ? 0 : columns * 4;
      check_products(k, twin, rows, columns, type, odd);
      check_gate(k, twin, rows, columns, type, odd, shapes % 2 ? GAMBIT_SILU : GAMBIT_GELU_TANH);
    }
    printf("%s: %d random shapes like the scalar twin\n", names[set], shapes);
  }
  return 0;
}
