#if defined(__x86_64__)
#include "vector_avx2.h"
#include "quantised_avx2.h"

#include "families.h"

const gambit_kernels gambit_avx2_kernels = KERNELS;
#endif
