#include "sparse_kernels.h"

size_t gambit_select_from(const float *x, float least, gambit_kept kept, gambit_range channels) {
  size_t n = 0;
  for (size_t c = channels.first; c < channels.end; c++) {
    kept.channels[n] = (uint32_t)c;
    kept.values[n] = 1;
    n += x[c] >= least;
  }
  return n;
}

float gambit_greatest(const float *x, gambit_range range) {
  // Several at a time, since each comparison waits for the one before.
  enum { LANES = 16 };
  float lanes[LANES];
  for (size_t r = 0; r < LANES; r++) lanes[r] = -__builtin_inff();
  size_t i = range.first;
  for (; i + LANES <= range.end; i += LANES) {
    for (size_t r = 0; r < LANES; r++) lanes[r] = x[i + r] > lanes[r] ? x[i + r] : lanes[r];
  }
  float greatest = -__builtin_inff();
  for (; i < range.end; i++) greatest = x[i] > greatest ? x[i] : greatest;
  for (size_t r = 0; r < LANES; r++) greatest = lanes[r] > greatest ? lanes[r] : greatest;
  return greatest;
}

size_t gambit_prune(gambit_kept list, size_t count, gambit_thresholds thresholds) {
  size_t n = 0;
  for (size_t k = 0; k < count; k++) {
    const uint32_t channel = list.channels[k];
    const float value = list.values[k];
    list.channels[n] = channel;
    list.values[n] = value;
    n += __builtin_fabsf(value) >= thresholds.values[channel * thresholds.step];
  }
  return n;
}
