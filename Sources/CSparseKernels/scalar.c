#include "kernels.h"
#include "layout.h"
#include "select.h"
#include <math.h>
#include <string.h>

/* The plain twins of all kernels: one loop an index, one element a time. Where the vector kernels'
   results differ by more than rounding, these are right. */

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// Sign, five bits of exponent (bias 15), ten of fraction.
static float from_f16(uint16_t half) {
  const uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
  if (exponent == 0) return copysignf((float)fraction * 0x1p-24f, from_bits(sign));
  return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/// The low byte that a high one stands for alone.
enum { MIDDLE = 128 };
static float from_bytes(uint8_t high, uint8_t low) { return from_f16((uint16_t)(high << 8 | low)); }

static const char *row_of(const gambit_matrix *w, size_t row) {
  return (const char *)w->elements + row * row_bytes(w->columns, w->type);
}

/// Of types that are not quantised.
static float element(const gambit_matrix *w, size_t row, size_t column) {
  const void *elements = row_of(w, row);
  switch (w->type) {
    case GAMBIT_F32: return ((const float *)elements)[column];
    case GAMBIT_F16: return from_f16(((const uint16_t *)elements)[column]);
    case GAMBIT_HIGH_BYTES: return from_bytes(((const uint8_t *)elements)[column], MIDDLE);
    case GAMBIT_LOW_BYTES: {
      const size_t place = row * w->columns + column;
      const uint8_t high = ((const uint8_t *)w->high)[place];
      return from_bytes(high, ((const uint8_t *)elements)[column]) - from_bytes(high, MIDDLE);
    }
    default: return from_bits((uint32_t)((const uint16_t *)elements)[column] << 16);
  }
}

/// Of quantised types, before step and minimum.
static int code(const gambit_matrix *w, size_t row, size_t column) {
  const size_t group = column / GAMBIT_GROUP, i = column % GAMBIT_GROUP;
  const char *codes = row_of(w, row) + group * code_bytes(w->type);
  if (!has_nibbles(w->type)) return ((const int8_t *)codes)[i];
  return ((const uint8_t *)codes)[i % 16] >> (i < 16 ? 0 : 4) & 15;
}

static float scale(const gambit_matrix *w, size_t row, size_t group) {
  return from_f16(scales_of(row_of(w, row), groups_of(w->columns), w->type)[group]);
}

/// What one step of a code is worth.
static float step(const gambit_matrix *w, size_t row, size_t group) {
  return step_in_scales(w->type) * scale(w, row, group);
}

/// What code 0 is, where codes are nibbles.
static float minimum(const gambit_matrix *w, size_t row, size_t group) {
  if (!stores_minima(w->type)) return minimum_in_scales(w->type) * scale(w, row, group);
  return from_f16(scales_of(row_of(w, row), groups_of(w->columns), w->type)[groups_of(w->columns) + group]);
}

/// Σ_groups step · Σ code · x + minimum · Σ x
static float quantised_dot(const gambit_matrix *w, size_t row, const gambit_input *x) {
  float sum = 0;
  for (size_t g = 0; g < groups_of(w->columns); g++) {
    float exact = 0;
    int32_t rounded = 0;
    for (size_t c = g * GAMBIT_GROUP; c < w->columns && c < (g + 1) * GAMBIT_GROUP; c++) {
      if (x->codes) rounded += code(w, row, c) * x->codes[c];
      else exact += (float)code(w, row, c) * x->x[c];
    }
    sum += x->codes ? step(w, row, g) * x->scales[g] * (float)rounded : step(w, row, g) * exact;
    if (has_nibbles(w->type)) sum += minimum(w, row, g) * x->sums[g];
  }
  return sum;
}

static float dot(const gambit_matrix *w, size_t row, const gambit_input *x) {
  if (is_quantised(w->type)) return quantised_dot(w, row, x);
  float sum = 0;
  for (size_t c = 0; c < w->columns; c++) sum += element(w, row, c) * x->x[c];
  return sum;
}

static float activated(float x, gambit_activation activation) {
  if (activation == GAMBIT_SILU) return x / (1 + expf(-x));
  return x / 2 * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
}

static void gemv(const gambit_matrix *w, const gambit_input *x, float *y, gambit_range rows) {
  for (size_t r = rows.first; r < rows.end; r++) y[r] = dot(w, r, x);
}

static void add_listed(
  const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y, gambit_range columns) {
  for (size_t k = 0; k < count; k++)
    for (size_t c = columns.first; c < columns.end; c++) {
      const size_t r = inputs[k], g = c / GAMBIT_GROUP;
      if (!is_quantised(w->type)) y[c] += values[k] * element(w, r, c);
      else y[c] += values[k] * step(w, r, g) * (float)code(w, r, c);
      if (has_nibbles(w->type)) y[c] += values[k] * minimum(w, r, g);
    }
}

static void spvmm(const gambit_listed *lists, size_t count, size_t upcoming, float *y, gambit_range columns) {
  (void)upcoming;
  for (const gambit_listed *l = lists; l < lists + count; l++)
    add_listed(&l->w, l->inputs, l->values, l->count, y, columns);
}

static void vmmsp(
  const gambit_matrix *w, const gambit_input *x, const uint32_t *outputs, const float *g, size_t count, float *y) {
  for (size_t k = 0; k < count; k++) y[k] = g[k] * dot(w, outputs[k], x);
}

static float factor(const gambit_factors *factors, size_t channel, const gambit_input *x, int of_up) {
  if (of_up) return dot(&factors->up, channel, x);
  return activated(dot(&factors->gate, channel, x), factors->activation);
}

static size_t decide(
  const gambit_factors *factors, const gambit_input *x, gambit_thresholds thresholds, gambit_kept kept,
  gambit_range channels) {
  size_t count = 0;
  for (size_t c = channels.first; c < channels.end; c++) {
    const float deciding = factor(factors, c, x, factors->up_decides && factors->up_decides[c]);
    if (!(fabsf(deciding) >= thresholds.values[c * thresholds.step])) continue;
    kept.channels[count] = (uint32_t)c;
    kept.values[count++] = deciding;
  }
  return count;
}

static void complete(
  const gambit_factors *factors, const gambit_input *x, const uint32_t *channels, const float *deciding, size_t count,
  float *products) {
  for (size_t k = 0; k < count; k++) {
    const size_t c = channels[k];
    products[k] = deciding[k] * factor(factors, c, x, !(factors->up_decides && factors->up_decides[c]));
  }
}

static void refine(
  const gambit_matrix *w, const gambit_input *x, gambit_activation activation, const uint32_t *channels, size_t count,
  float *sums, float *values) {
  for (size_t k = 0; k < count; k++) {
    const size_t gate = 2 * (size_t)channels[k], up = gate + 1;
    sums[gate] += dot(w, gate, x);
    sums[up] += dot(w, up, x);
    values[k] = activated(sums[gate], activation) * sums[up];
  }
}

/// The order of codes is nothing to one element a time.
static void quantise(
  const float *x, size_t groups, int8_t *codes, float *scales, float *sums, float *ordered) {
  (void)ordered;
  for (size_t g = 0; g < groups; g++) {
    const float *group = x + g * GAMBIT_GROUP;
    float largest = 0, sum = 0;
    int finite = 1, code_sum = 0;
    for (int i = 0; i < GAMBIT_GROUP; i++) {
      largest = fmaxf(largest, fabsf(group[i]));
      finite &= isfinite(group[i]) != 0;
      sum += group[i];
    }
    sums[g] = sum;
    if (!codes) continue;
    scales[g] = finite ? largest / 127 : NAN;
    const float inverse = 127 / largest < INFINITY ? 127 / largest : 0;
    for (int i = 0; i < GAMBIT_GROUP; i++) {
      const int rounded = finite ? (int)rintf(group[i] * inverse) : 0;
      codes[g * GAMBIT_GROUP + (size_t)i] = (int8_t)rounded;
      code_sum += rounded;
    }
    sums[g] = (float)code_sum * scales[g];
  }
}

static void attend(
  const float *q, gambit_cached keys, gambit_cached values, size_t positions, size_t width, float scale, float *scores,
  float *out) {
  float top = -INFINITY, total = 0;
  for (size_t p = 0; p < positions; p++) {
    scores[p] = 0;
    for (size_t i = 0; i < width; i++) scores[p] += keys.first[p * keys.stride + i] * q[i];
    if (scores[p] > top) top = scores[p];
  }
  for (size_t p = 0; p < positions; p++) total += scores[p] = expf((scores[p] - top) * scale);
  for (size_t p = 0; p < positions; p++) scores[p] /= total;
  for (size_t i = 0; i < width; i++) {
    out[i] = 0;
    for (size_t p = 0; p < positions; p++) out[i] += scores[p] * values.first[p * values.stride + i];
  }
}

static uint64_t sum_bytes(const uint8_t *bytes, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += bytes[i];
  return sum;
}

const gambit_kernels gambit_scalar_kernels = {
  gemv, spvmm, vmmsp, select_channels, decide, complete, refine, quantise, attend, sum_bytes};
