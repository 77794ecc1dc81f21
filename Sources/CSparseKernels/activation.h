#pragma once
#include "sparse_kernels.h"
#include "vector_math.h"

/// x ← activation(x), by the vector mathematics' own functions, which choose their instructions by themselves.
static inline void activate_all(float *x, size_t count, gambit_activation activation) {
  if (activation == GAMBIT_SILU)
    gambit_silu(x, count);
  else
    gambit_gelu_tanh(x, count);
}
