#pragma once
#include <stddef.h>

/* Threads that stay: they spin for a moment between two pieces of work, since a token's next piece comes within
   microseconds, and then sleep. */

typedef struct gambit_pool gambit_pool;

/// Starts `threads` − 1 threads; the one that calls `gambit_pool_run` is the last. NULL where the system refuses
/// memory or a thread.
gambit_pool *gambit_pool_create(size_t threads);

/// Ends the threads. Nothing may be running.
void gambit_pool_destroy(gambit_pool *pool);

/// Calls `body(context, task)` once for each task below `tasks`, from any of the threads, and returns when all calls
/// have. Tasks are taken in order by whoever is free; a thread that the system keeps from running is not waited for
/// unless it holds a task. Only one thread at a time may call this. At most 2²⁰ − 1 tasks.
void gambit_pool_run(gambit_pool *pool, size_t tasks, void (*body)(void *context, size_t task), void *context);
