#include "select.h"

size_t gambit_select(const float *x, gambit_thresholds thresholds, gambit_kept kept, gambit_range channels) {
  const gambit_thresholds own = {thresholds.values + channels.first * thresholds.step, thresholds.step};
  return select_from(x + channels.first, own, channels.end - channels.first, channels.first, kept);
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
