#pragma once
#include "rows.h"
#include "spvmm.h"
#include "vector_math.h"

/* One attention head over what earlier tokens have left: two passes, scores and then their weighted sum. */

TARGET static void attend(
  const float *q, gambit_cached keys, gambit_cached values, size_t positions, size_t width, float scale, float *scores,
  float *out) {
  const char *rows[ROWS];
  size_t p = 0;
  for (; p + ROWS <= positions; p += ROWS) {
    for (size_t i = 0; i < ROWS; i++) rows[i] = (const char *)(keys.first + (p + i) * keys.stride);
    float_dots(rows, ROWS, q, width, scores + p, GAMBIT_F32);
  }
  for (; p < positions; p++) {
    rows[0] = (const char *)(keys.first + p * keys.stride);
    float_dots(rows, 1, q, width, scores + p, GAMBIT_F32);
  }

  gambit_softmax(scores, positions, scale);

  const gambit_range all = {0, width};
  for (size_t i = 0; i < width; i++) out[i] = 0;
  for (p = 0; p + ROWS <= positions; p += ROWS) {
    for (size_t i = 0; i < ROWS; i++) rows[i] = (const char *)(values.first + (p + i) * values.stride);
    add_float_rows(rows, scores + p, ROWS, out, all, GAMBIT_F32);
  }
  for (; p < positions; p++) {
    rows[0] = (const char *)(values.first + p * values.stride);
    add_float_rows(rows, scores + p, 1, out, all, GAMBIT_F32);
  }
}
