#pragma once
#include "activation.h"
#include "vmmsp.h"

/* The low planes of gate and up for the channels that are worth them, added to what their high planes made. A
   channel's two rows lie one after the other, so that a stream goes straight through both. */

TARGET static void refine(
  const gambit_matrix *w, const gambit_input *x, gambit_activation activation, const uint32_t *channels, size_t count,
  float *sums, float *values) {
  const row_list pairs = {.first = w, .numbers = channels, .paired = 1};
  enum { HEIGHT = BLOCK / 2 };
  for (size_t k = 0; k < count; k += HEIGHT) {
    const size_t height = count - k < HEIGHT ? count - k : HEIGHT;
    float more[BLOCK], gates[HEIGHT];
    list_dots(&pairs, x, (gambit_range){2 * k, 2 * (k + height)}, more);
    for (size_t i = 0; i < height; i++) {
      float *own = sums + 2 * (size_t)channels[k + i];
      own[0] += more[2 * i];
      own[1] += more[2 * i + 1];
      gates[i] = own[0];
    }
    activate_all(gates, height, activation);
    for (size_t i = 0; i < height; i++) values[k + i] = gates[i] * sums[2 * (size_t)channels[k + i] + 1];
  }
}
