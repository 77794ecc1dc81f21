// Preloaded before the C library: of the reads of files below GAMBIT_FAILING_FOLDER, the one with the number
// GAMBIT_FAILING_READ fails as those of a broken disk do.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long reads;

static int fails(int descriptor) {
  const char *folder = getenv("GAMBIT_FAILING_FOLDER"), *number = getenv("GAMBIT_FAILING_READ");
  if (!folder || !number) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0 || atomic_fetch_add(&reads, 1) != atol(number)) return 0;
  errno = EIO;
  return 1;
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t read(int descriptor, void *bytes, size_t count) {
  return fails(descriptor) ? -1 : NEXT(read)(descriptor, bytes, count);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
  return fails(descriptor) ? -1 : NEXT(pread)(descriptor, bytes, count, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t offset) {
  return fails(descriptor) ? -1 : NEXT(pread64)(descriptor, bytes, count, offset);
}
