/* Every kernel on random shapes, beside its scalar twin, in memory of exactly the size needed: built by
   scripts/sanitize-kernels with the address and undefined-behaviour sanitizers. Prints what it ran;
   exits with 1 at the first difference beyond rounding. */
#include "sanitized_problem.h"

static void check_products(const gambit_kernels *k, const gambit_kernels *twin, const problem *p) {
  const size_t rows = p->w.rows, columns = p->w.columns, count = p->count, half = rows / 2;
  float *y = uniforms(rows), *z = uniforms(rows), *m = uniforms(rows);
  k->gemv(&p->w, &p->x, y, (gambit_range){0, half});
  k->gemv(&p->w, &p->x, y, (gambit_range){half, rows});
  twin->gemv(&p->w, &p->x, z, (gambit_range){0, rows});
  twin->gemv(&p->bound, &p->x_bound, m, (gambit_range){0, rows});
  expect_near("gemv", y, z, m, rows, 2 * columns);
  free(y), free(z), free(m);

  float *a = copy_of(p->g, count), *b = uniforms(count), *c = uniforms(count);
  k->vmmsp(&p->w, &p->x, p->listed, a, count, a); /* in place */
  twin->vmmsp(&p->w, &p->x, p->listed, p->g, count, b);
  twin->vmmsp(&p->bound, &p->x_bound, p->listed, p->g_bound, count, c);
  expect_near("vmmsp", a, b, c, count, 2 * columns);
  free(a), free(b), free(c);

  const size_t cut = below(columns + 1);
  float *q = copy_of(p->x.x, columns), *r = copy_of(p->x.x, columns), *n = copy_of(p->x_bound.x, columns);
  /* Two lists at once, of which the second is upcoming for the first; then both, a part of the columns at a time. */
  const size_t first = below(count + 1);
  const gambit_listed lists[] = {
    {p->w, p->listed, p->g, first}, {p->w, p->listed + first, p->g + first, count - first}};
  const gambit_listed bounds = {p->bound, p->listed, p->g_bound, count};
  k->spvmm(lists, 1, 1, q, (gambit_range){0, cut});
  k->spvmm(lists + 1, 1, 0, q, (gambit_range){0, cut});
  k->spvmm(lists, 2, 0, q, (gambit_range){cut, columns});
  twin->spvmm(lists, 2, 0, r, (gambit_range){0, columns});
  twin->spvmm(&bounds, 1, 0, n, (gambit_range){0, columns});
  expect_near("spvmm", q, r, n, columns, 2 * count);
  free(q), free(r), free(n);
}

/// Both factors, deciding and other, of channels whose source differs, and the second cut.
static void check_factors(const gambit_kernels *k, const gambit_kernels *twin, const problem *p, int sourced) {
  const size_t rows = p->w.rows, columns = p->w.columns;
  const problem up = problem_of(k, rows, columns, p->w.type, p->x.codes != 0, p->odd);
  uint8_t *source = exactly(rows);
  for (size_t r = 0; r < rows; r++) source[r] = (uint8_t)(random_bits() & 1);
  const gambit_factors factors = {p->w, up.w, sourced ? source : 0, rows % 2 ? GAMBIT_SILU : GAMBIT_GELU_TANH};

  float *thresholds = exactly(rows * sizeof *thresholds);
  gambit_kept kept = {exactly(4 * rows), uniforms(rows)}, expected = {exactly(4 * rows), uniforms(rows)};
  const float none = 0;
  /* All that are numbers, then thresholds so far from them that rounding decides nothing. */
  const size_t numbers =
    twin->decide(&factors, &p->x, (gambit_thresholds){&none, 0}, expected, (gambit_range){0, rows});
  for (size_t r = 0; r < rows; r++) thresholds[r] = 0;
  for (size_t i = 0; i < numbers; i++) {
    const float size = fabsf(expected.values[i]);
    thresholds[expected.channels[i]] = below(2) ? size * 0.9f - 0.01f : size * 1.1f + 0.01f;
  }
  const gambit_thresholds own = {thresholds, 1};
  const size_t first = below(rows + 1);
  const gambit_range range = {first, rows};
  const gambit_kept part = {kept.channels + first, kept.values + first};
  const size_t count = k->decide(&factors, &p->x, own, part, range);
  const size_t twins = twin->decide(&factors, &p->x, own, expected, range);
  if (count != twins || memcmp(part.channels, expected.channels, 4 * count)) {
    printf("decide keeps %zu channels, its twin %zu, or not the same\n", count, twins);
    exit(1);
  }
  /* Both other factors are multiplied with the twin's deciding ones. What an activation makes of rounding stays
     below 1.13 times as much; its own rounding is of its argument. */
  float *products = uniforms(count), *twin_products = uniforms(count), *bounds = uniforms(count);
  k->complete(&factors, &p->x, expected.channels, expected.values, count, products);
  twin->complete(&factors, &p->x, expected.channels, expected.values, count, twin_products);
  float *gate_bounds = uniforms(rows), *up_bounds = uniforms(rows);
  twin->gemv(&p->bound, &p->x_bound, gate_bounds, (gambit_range){0, rows});
  twin->gemv(&up.bound, &p->x_bound, up_bounds, (gambit_range){0, rows});
  for (size_t i = 0; i < count; i++) {
    const size_t c = expected.channels[i];
    const float row = sourced && source[c] ? gate_bounds[c] : up_bounds[c];
    bounds[i] = fabsf(expected.values[i]) * (1.2f * row + 1);
  }
  expect_near("complete", products, twin_products, bounds, count, 2 * columns + 20);

  const size_t left = gambit_prune(part, count, own);
  if (left != count) printf("what was kept is kept again\n"), exit(1);
  free(source), free(thresholds), free(products), free(twin_products), free(bounds);
  free(gate_bounds), free(up_bounds);
  free(kept.channels), free(kept.values), free(expected.channels), free(expected.values);
  free_problem(&up);
}

/// Rows as those of gate and up in turn: what refining adds for some channels, and how they are graded by it.
static void check_grades(const gambit_kernels *k, const gambit_kernels *twin, const problem *p) {
  const size_t channels = p->w.rows / 2;
  const gambit_activation activation = channels % 2 ? GAMBIT_SILU : GAMBIT_GELU_TANH;
  uint32_t *listed = exactly(4 * channels);
  size_t count = 0;
  for (size_t c = 0; c < channels; c++)
    if (below(3)) listed[count++] = (uint32_t)c;
  float *sums = uniforms(2 * channels), *twin_sums = copy_of(sums, 2 * channels);
  float *bounds = magnitudes_of(sums, 2 * channels), *product_bounds = uniforms(count);
  float *values = uniforms(count), *twin_values = uniforms(count), *bound_values = uniforms(count);
  k->refine(&p->w, &p->x, activation, listed, count, sums, values);
  twin->refine(&p->w, &p->x, activation, listed, count, twin_sums, twin_values);
  twin->refine(&p->bound, &p->x_bound, activation, listed, count, bounds, bound_values);
  expect_near("refined sum", sums, twin_sums, bounds, 2 * channels, 2 * p->w.columns);
  for (size_t i = 0; i < count; i++)
    product_bounds[i] = (1.2f * bounds[2 * listed[i]] + 1) * (bounds[2 * listed[i] + 1] + 1);
  expect_near("refined product", values, twin_values, product_bounds, count, 4 * p->w.columns + 20);

  const size_t first = below(channels + 1), height = channels - first;
  gambit_kept half = {exactly(4 * height), uniforms(height)}, full = {exactly(4 * height), uniforms(height)};
  const float low = 0.1f, high = 0.4f;
  const gambit_graded graded = gambit_grade(
    sums, NULL, activation, (gambit_thresholds){&low, 0}, (gambit_thresholds){&high, 0}, half, full,
    (gambit_range){first, channels});
  int right = graded.half + graded.full <= height;
  for (size_t i = 0; i < graded.half; i++) right &= fabsf(half.values[i]) >= low && fabsf(half.values[i]) < high;
  for (size_t i = 0; i < graded.full; i++) right &= fabsf(full.values[i]) >= high;
  if (!right) printf("channels are graded wrongly\n"), exit(1);
  free(listed), free(sums), free(twin_sums), free(bounds), free(product_bounds);
  free(values), free(twin_values), free(bound_values);
  free(half.channels), free(half.values), free(full.channels), free(full.values);
}

static void check_rounding(const gambit_kernels *k, const gambit_kernels *twin, size_t groups) {
  float *x = uniforms(groups * GAMBIT_GROUP);
  int8_t *codes[2];
  float *scales[2], *sums[2];
  for (size_t i = 0; i < groups * GAMBIT_GROUP; i++)
    if (below(200) == 0) x[i] = below(2) ? NAN : below(2) ? INFINITY : 1e-42f;
  for (int i = 0; i < 2; i++) {
    codes[i] = exactly(groups * GAMBIT_GROUP), scales[i] = uniforms(groups), sums[i] = uniforms(groups);
    (i ? twin : k)->quantise(x, groups, codes[i], scales[i], sums[i], 0);
  }
  int same = !memcmp(codes[0], codes[1], groups * GAMBIT_GROUP);
  for (size_t g = 0; g < groups; g++) {
    same &= scales[0][g] == scales[1][g] || (isnan(scales[0][g]) && isnan(scales[1][g]));
    same &= sums[0][g] == sums[1][g] || (isnan(sums[0][g]) && isnan(sums[1][g]));
  }
  if (!same) printf("quantise differs from its twin\n"), exit(1);
  for (int i = 0; i < 2; i++) free(codes[i]), free(scales[i]), free(sums[i]);
  free(x);
}

static void check_selection(const gambit_kernels *k, const gambit_kernels *twin, size_t channels) {
  const size_t first = below(channels + 1), height = channels - first;
  float *x = uniforms(channels), *thresholds = magnitudes_of(x, channels);
  for (size_t c = 0; c < channels; c++)
    if (below(3) == 0) thresholds[c] += below(2) ? 0.1f : -0.1f;
  for (size_t c = 0; c < channels; c++)
    if (below(50) == 0) x[c] = below(2) ? NAN : -INFINITY;
  const gambit_thresholds own = {thresholds, below(2)};
  gambit_kept kept = {exactly(4 * height), uniforms(height)}, expected = {exactly(4 * height), uniforms(height)};
  const size_t count = k->select(x, own, kept, (gambit_range){first, channels});
  const size_t twins = twin->select(x, own, expected, (gambit_range){first, channels});
  if (count != twins || memcmp(kept.channels, expected.channels, 4 * count) ||
      memcmp(kept.values, expected.values, 4 * count))
    printf("select keeps %zu channels, its twin %zu, or not the same\n", count, twins), exit(1);
  free(x), free(thresholds), free(kept.channels), free(kept.values), free(expected.channels), free(expected.values);
}

static void check_attention(const gambit_kernels *k, const gambit_kernels *twin, size_t positions, size_t width) {
  const size_t stride = width + below(9), count = positions ? (positions - 1) * stride + width : 0;
  float *q = uniforms(width), *keys = uniforms(count), *values = uniforms(count), *ones = exactly(4 * positions);
  float *scores = uniforms(positions), *twin_scores = uniforms(positions);
  float *out = uniforms(width), *twin_out = uniforms(width), *bound = exactly(4 * width);
  for (size_t p = 0; p < positions; p++) ones[p] = 1;
  for (size_t i = 0; i < width; i++) bound[i] = 1;
  const gambit_cached cached_keys = {keys, stride}, cached_values = {values, stride};
  k->attend(q, cached_keys, cached_values, positions, width, 0.5f, scores, out);
  twin->attend(q, cached_keys, cached_values, positions, width, 0.5f, twin_scores, twin_out);
  expect_near("scores", scores, twin_scores, ones, positions, width + 20);
  expect_near("attend", out, twin_out, bound, width, positions + width + 20);
  free(q), free(keys), free(values), free(ones), free(scores), free(twin_scores);
  free(out), free(twin_out), free(bound);
}

static void check_reading(const gambit_kernels *k, const gambit_kernels *twin, size_t count) {
  uint8_t *bytes = exactly(count);
  for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)random_bits();
  if (k->sum_bytes(bytes, count) != twin->sum_bytes(bytes, count)) printf("bytes of %zu\n", count), exit(1);
  free(bytes);
}

int main(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512", "neon"};
  const gambit_kernels *twin = gambit_kernels_for(GAMBIT_SCALAR);
  for (int set = GAMBIT_SCALAR; set <= GAMBIT_NEON; set++) {
    const gambit_kernels *k = gambit_kernels_for((gambit_instruction_set)set);
    if (!k) continue;
    int shapes = 0;
    for (; shapes < 500; shapes++) {
      const size_t rows = below(shapes % 3 ? 40 : 300), columns = below(shapes % 3 == 1 ? 40 : 300);
      const gambit_type type = (gambit_type)(shapes % 9);
      const int rounded = shapes % 2;
      const problem p = problem_of(k, rows, columns, type, rounded, shapes % 5 ? 0 : columns * 4 + 1);
      check_products(k, twin, &p);
      check_factors(k, twin, &p, shapes % 11 != 0);
      check_grades(k, twin, &p);
      free_problem(&p);
      check_rounding(k, twin, below(20));
      check_selection(k, twin, 1 + below(200));
      check_attention(k, twin, below(50), below(130));
      check_reading(k, twin, below(shapes % 50 ? 2000 : 300000));
    }
    printf("%s: %d random shapes like the scalar twin\n", names[set], shapes);
  }
  return 0;
}
