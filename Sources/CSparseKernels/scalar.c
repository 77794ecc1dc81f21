#include "kernels.h"
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

static float element(const gambit_matrix *w, size_t row, size_t column) {
  const size_t i = row * w->columns + column;
  switch (w->type) {
    case GAMBIT_F32: return ((const float *)w->elements)[i];
    case GAMBIT_F16: return from_f16(((const uint16_t *)w->elements)[i]);
    default: return from_bits((uint32_t)((const uint16_t *)w->elements)[i] << 16);
  }
}

static float dot(const gambit_matrix *w, size_t row, const float *x) {
  float sum = 0;
  for (size_t c = 0; c < w->columns; c++) sum += element(w, row, c) * x[c];
  return sum;
}

static float activated(float x, gambit_activation activation) {
  if (activation == GAMBIT_SILU) return x / (1 + expf(-x));
  return x / 2 * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
}

static void gemv(const gambit_matrix *w, const float *x, float *y, gambit_range rows) {
  for (size_t r = rows.first; r < rows.end; r++) y[r] = dot(w, r, x);
}

static void spvmm(
  const gambit_matrix *w, const uint32_t *inputs, const float *values, size_t count, float *y, gambit_range columns) {
  for (size_t k = 0; k < count; k++)
    for (size_t c = columns.first; c < columns.end; c++) y[c] += values[k] * element(w, inputs[k], c);
}

static void vmmsp(
  const gambit_matrix *w, const float *x, const uint32_t *outputs, const float *g, size_t count, float *y) {
  for (size_t k = 0; k < count; k++) y[k] = g[k] * dot(w, outputs[k], x);
}

static size_t gate(
  const gambit_matrix *w, const float *x, gambit_activation activation, gambit_thresholds thresholds,
  gambit_kept kept, gambit_range rows) {
  size_t count = 0;
  for (size_t r = rows.first; r < rows.end; r++) {
    const float g = activated(dot(w, r, x), activation);
    if (!(fabsf(g) >= thresholds.values[r * thresholds.step])) continue;
    kept.channels[count] = (uint32_t)r;
    kept.values[count++] = g;
  }
  return count;
}

const gambit_kernels gambit_scalar_kernels = {gemv, spvmm, vmmsp, gate};
