#include "activation.h"

/// Channels at a time: their products stay in the first-level cache.
enum { BLOCK = 512 };

gambit_graded gambit_grade(
  const float *sums, const float *offsets, gambit_activation activation, gambit_thresholds half, gambit_thresholds full,
  gambit_kept half_list, gambit_kept full_list, gambit_range channels) {
  gambit_graded counts = {0, 0};
  for (size_t first = channels.first; first < channels.end; first += BLOCK) {
    const size_t height = channels.end - first < BLOCK ? channels.end - first : BLOCK;
    float gates[BLOCK], ups[BLOCK];
    for (size_t i = 0; i < height; i++) {
      const size_t gate = 2 * (first + i);
      gates[i] = offsets ? sums[gate] + offsets[gate] : sums[gate];
      ups[i] = offsets ? sums[gate + 1] + offsets[gate + 1] : sums[gate + 1];
    }
    activate_all(gates, height, activation);
    // The entry after a list is overwritten whether it is kept or not, since a branch would often be mispredicted.
    for (size_t i = 0; i < height; i++) {
      const size_t c = first + i;
      const float product = gates[i] * ups[i], size = __builtin_fabsf(product);
      const int is_full = size >= full.values[c * full.step];
      half_list.channels[counts.half] = full_list.channels[counts.full] = (uint32_t)c;
      half_list.values[counts.half] = full_list.values[counts.full] = product;
      counts.half += !is_full & (size >= half.values[c * half.step]);
      counts.full += is_full;
    }
  }
  return counts;
}
