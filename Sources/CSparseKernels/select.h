#pragma once
#include "sparse_kernels.h"

/// Lists as `offset + i` those of x[0 ..< count] with |x| ≥ threshold. Returns how many. Entries after the list, as many
/// as there are channels, are overwritten whether they are kept or not, since a branch would be mispredicted every other
/// time.
#ifdef KEEPS_LANES
INLINE
#else
static inline
#endif
size_t select_from(
  const float *x, gambit_thresholds thresholds, size_t count, size_t offset, gambit_kept kept) {
  size_t n = 0, i = 0;
#ifdef KEEPS_LANES
  for (; i + LANES <= count; i += LANES) {
    const float *own = thresholds.values + i * thresholds.step;
    n += keep_lanes(
      load_f32(x + i), thresholds.step ? load_f32(own) : spread(*own), (uint32_t)(offset + i), kept.channels + n,
      kept.values + n);
  }
#endif
  for (; i < count; i++) {
    kept.channels[n] = (uint32_t)(offset + i);
    kept.values[n] = x[i];
    n += __builtin_fabsf(x[i]) >= thresholds.values[i * thresholds.step];
  }
  return n;
}

/// Lists the channels of a range.
#ifdef TARGET
TARGET
#endif
static size_t select_channels(const float *x, gambit_thresholds thresholds, gambit_kept kept, gambit_range channels) {
  const gambit_thresholds own = {thresholds.values + channels.first * thresholds.step, thresholds.step};
  return select_from(x + channels.first, own, channels.end - channels.first, channels.first, kept);
}
