#pragma once
#include "sparse_kernels.h"

/* One table an instruction set; those of other architectures do not exist. */
extern const gambit_kernels gambit_scalar_kernels;
#if defined(__x86_64__)
extern const gambit_kernels gambit_avx2_kernels;
extern const gambit_kernels gambit_avx512_kernels;
#elif defined(__aarch64__)
extern const gambit_kernels gambit_neon_kernels;
#endif
