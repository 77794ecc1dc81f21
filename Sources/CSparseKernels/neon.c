#if defined(__aarch64__)
#include "vector_neon.h"
#include "quantised_neon.h"

#include "families.h"

const gambit_kernels gambit_neon_kernels = KERNELS;
#endif
