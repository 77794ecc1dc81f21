#include "select.h"

size_t gambit_select(const float *x, gambit_thresholds thresholds, gambit_kept kept, gambit_range channels) {
  const gambit_thresholds own = {thresholds.values + channels.first * thresholds.step, thresholds.step};
  return select_from(x + channels.first, own, channels.end - channels.first, channels.first, kept);
}
