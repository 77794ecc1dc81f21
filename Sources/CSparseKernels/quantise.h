#pragma once
#include "nibble_dots.h"

/* A vector rounded to 8 bits a group, or put in the order of 4-bit codes, once for all the rows that it is multiplied
   with. */

TARGET static void quantise(
  const float *x, size_t groups, int8_t *codes, float *scales, float *sums, float *ordered) {
  for (size_t g = 0; g < groups; g++) {
    const float *group = x + g * GAMBIT_GROUP;
    if (codes) {
      const int sum = rounded_group(group, codes + g * GAMBIT_GROUP, scales + g);
      sums[g] = (float)sum * scales[g];
      continue;
    }
    eight sum = eight_zeros();
    for (int i = 0; i < GAMBIT_GROUP / 8; i++) sum = added(sum, load_eight(group + 8 * i));
    sums[g] = total_of_eight(sum);
  }
  if (ordered) order_input(x, sums, groups, ordered);
}
