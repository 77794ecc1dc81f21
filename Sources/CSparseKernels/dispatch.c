#include "kernels.h"

const gambit_kernels *gambit_kernels_for(gambit_instruction_set set) {
  switch (set) {
    case GAMBIT_SCALAR: return &gambit_scalar_kernels;
#if defined(__x86_64__)
    // The levels also ask whether the operating system saves the registers.
    case GAMBIT_AVX2: return __builtin_cpu_supports("x86-64-v3") ? &gambit_avx2_kernels : 0;
    case GAMBIT_AVX512: return __builtin_cpu_supports("x86-64-v4") ? &gambit_avx512_kernels : 0;
#elif defined(__aarch64__)
    case GAMBIT_NEON: return &gambit_neon_kernels;
#endif
    default: return 0;
  }
}
