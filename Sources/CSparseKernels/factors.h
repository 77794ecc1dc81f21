#pragma once
#include "activation.h"
#include "select.h"
#include "vmmsp.h"
#include <string.h>

/* The two factors of a gated FFN: the deciding one of every channel, with the choice of channels in the same
   step, so that what is kept goes into a list while it is still in the first-level cache and nothing is scanned
   twice; then the other one of the channels kept. */

/// x[i] ← activation(x[i]) where the row that made it is the gate's: those of the list's second matrix, or those
/// that are not. `range` is at most BLOCK of the list.
TARGET static void activate(
  const row_list *list, int gate_is_second, gambit_activation activation, gambit_range range, float *x) {
  const size_t height = range.end - range.first;
  if (gate_is_second && !list->from_second) return;
  float activated[BLOCK];
  memcpy(activated, x, height * sizeof *x);
  activate_all(activated, height, activation);
  for (size_t i = 0; i < height; i++) {
    const size_t channel = row_number(list, range.first + i);
    const int is_second = list->from_second && list->from_second[channel];
    x[i] = is_second == gate_is_second ? activated[i] : x[i];
  }
}

TARGET static size_t decide(
  const gambit_factors *factors, const gambit_input *x, gambit_thresholds thresholds, gambit_kept kept,
  gambit_range channels) {
  const row_list deciding = {
    .first = &factors->gate, .second = &factors->up, .from_second = factors->up_decides};
  size_t count = 0;
  for (size_t first = channels.first; first < channels.end; first += BLOCK) {
    const size_t height = channels.end - first < BLOCK ? channels.end - first : BLOCK;
    const gambit_range range = {first, first + height};
    float values[BLOCK];
    list_dots(&deciding, x, range, values);
    activate(&deciding, 0, factors->activation, range, values);
    const gambit_thresholds own = {thresholds.values + first * thresholds.step, thresholds.step};
    count += select_from(values, own, height, first, (gambit_kept){kept.channels + count, kept.values + count});
  }
  return count;
}

TARGET static void complete(
  const gambit_factors *factors, const gambit_input *x, const uint32_t *channels, const float *deciding, size_t count,
  float *products) {
  const row_list other = {
    .first = &factors->up, .second = &factors->gate, .from_second = factors->up_decides, .numbers = channels};
  for (size_t k = 0; k < count; k += BLOCK) {
    const size_t height = count - k < BLOCK ? count - k : BLOCK;
    const gambit_range range = {k, k + height};
    float values[BLOCK];
    list_dots(&other, x, range, values);
    activate(&other, 1, factors->activation, range, values);
    for (size_t i = 0; i < height; i++) products[k + i] = deciding[k + i] * values[i];
  }
}
