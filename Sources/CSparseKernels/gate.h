#pragma once
#include "gemv.h"
#include "select.h"
#include "vector_math.h"

/* The gate projection, its activation and the choice of channels in one step: what is kept goes into
   a list while it is still in the first-level cache, and nothing is scanned twice. The activation is
   the vector mathematics' own, which chooses its instructions by itself. */

enum { GATE_BLOCK = 64 };

TARGET static size_t gate(
  const gambit_matrix *w, const float *x, gambit_activation activation, gambit_thresholds thresholds,
  gambit_kept kept, gambit_range rows) {
  size_t count = 0;
  for (size_t first = rows.first; first < rows.end; first += GATE_BLOCK) {
    const size_t height = rows.end - first < GATE_BLOCK ? rows.end - first : GATE_BLOCK;
    float g[GATE_BLOCK];
    const gambit_matrix block = {
      (const char *)w->elements + first * w->columns * bytes_of(w->type), height, w->columns, w->type};
    gemv(&block, x, g, (gambit_range){0, height});
    if (activation == GAMBIT_SILU)
      gambit_silu(g, height);
    else
      gambit_gelu_tanh(g, height);
    const gambit_thresholds own = {thresholds.values + first * thresholds.step, thresholds.step};
    count += select_from(g, own, height, first, (gambit_kept){kept.channels + count, kept.values + count});
  }
  return count;
}
