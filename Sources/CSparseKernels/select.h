#pragma once
#include "sparse_kernels.h"

/// Lists as `offset + i` those of x[0 ..< count] with |x| ≥ threshold. Returns how many. The entry after
/// the list is overwritten whether it is kept or not, since a branch would be mispredicted every other time.
static inline size_t select_from(
  const float *x, gambit_thresholds thresholds, size_t count, size_t offset, gambit_kept kept) {
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    kept.channels[n] = (uint32_t)(offset + i);
    kept.values[n] = x[i];
    n += __builtin_fabsf(x[i]) >= thresholds.values[i * thresholds.step];
  }
  return n;
}
