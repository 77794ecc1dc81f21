#pragma once
#include <dlfcn.h>
#include <dnnl.h>

/// Debian's oneDNN starts a team of OpenMP threads for every product. Gambit runs one sequence a
/// thread, so each calling thread asks for a team of one. OpenMP is oneDNN's dependency, not ours:
/// the symbol is looked up among what oneDNN brought along, and is absent in builds without it.
static inline void gambit_onednn_single_thread(void) {
  static __thread int done;
  if (done) return;
  done = 1;
  void (*set_threads)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (set_threads) set_threads(1);
}
