#include "worker_pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* One word says which run this is, how many tasks it has and which is next: whoever takes a task does so by one
   compare-and-swap, and can never take one of a run that is over. A run's other fields are written before the word
   and read after a task was taken, while the run cannot end. */

enum { TASK_BITS = 20 };
#define TASK_MASK ((UINT64_C(1) << TASK_BITS) - 1)

struct gambit_pool {
  _Alignas(64) _Atomic uint64_t state;  // run : 24, tasks : 20, next : 20
  _Alignas(64) _Atomic size_t done;
  _Alignas(64) void (*body)(void *, size_t);
  void *context;
  _Atomic bool ends;
  _Atomic size_t sleepers;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  size_t count;
  pthread_t threads[];
};

/// Pauses before a thread without work goes to sleep: about a tenth of a millisecond, longer than what one thread
/// does alone between two pieces of work of a token.
enum { SPINS = 3000 };

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static inline bool has_work(uint64_t state) { return (state & TASK_MASK) < (state >> TASK_BITS & TASK_MASK); }

/// Takes and does tasks until there are none.
static void work(gambit_pool *pool) {
  uint64_t state = atomic_load_explicit(&pool->state, memory_order_acquire);
  while (has_work(state)) {
    if (!atomic_compare_exchange_weak_explicit(
          &pool->state, &state, state + 1, memory_order_acq_rel, memory_order_acquire))
      continue;
    pool->body(pool->context, (size_t)(state & TASK_MASK));
    atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
    state = atomic_load_explicit(&pool->state, memory_order_acquire);
  }
}

static void sleep_until_work(gambit_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  // Sequentially consistent on both sides: either this thread sees the new run, or its owner sees a sleeper.
  atomic_fetch_add(&pool->sleepers, 1);
  while (!has_work(atomic_load(&pool->state)) && !atomic_load(&pool->ends))
    pthread_cond_wait(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
}

static void *thread_main(void *argument) {
  gambit_pool *pool = argument;
  while (!atomic_load_explicit(&pool->ends, memory_order_relaxed)) {
    int spins = 0;
    while (!has_work(atomic_load_explicit(&pool->state, memory_order_relaxed)) && ++spins < SPINS) pause_briefly();
    if (spins == SPINS) sleep_until_work(pool);
    work(pool);
  }
  return NULL;
}

gambit_pool *gambit_pool_create(size_t threads) {
  const size_t others = threads > 1 ? threads - 1 : 0;
  const size_t size = (sizeof(gambit_pool) + others * sizeof(pthread_t) + 63) & ~(size_t)63;
  gambit_pool *pool = aligned_alloc(64, size);
  if (!pool) return NULL;
  atomic_init(&pool->state, 0);
  atomic_init(&pool->done, 0);
  atomic_init(&pool->ends, false);
  atomic_init(&pool->sleepers, 0);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  for (pool->count = 0; pool->count < others; pool->count++) {
    if (pthread_create(&pool->threads[pool->count], NULL, thread_main, pool)) {
      gambit_pool_destroy(pool);
      return NULL;
    }
  }
  return pool;
}

void gambit_pool_destroy(gambit_pool *pool) {
  atomic_store(&pool->ends, true);
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < pool->count; i++) pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

void gambit_pool_run(gambit_pool *pool, size_t tasks, void (*body)(void *, size_t), void *context) {
  if (pool->count == 0 || tasks < 2) {
    for (size_t task = 0; task < tasks; task++) body(context, task);
    return;
  }
  pool->body = body;
  pool->context = context;
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  const uint64_t run = (atomic_load_explicit(&pool->state, memory_order_relaxed) >> 2 * TASK_BITS) + 1;
  atomic_store(&pool->state, run << 2 * TASK_BITS | (uint64_t)tasks << TASK_BITS);
  if (atomic_load(&pool->sleepers) > 0) {
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
  }
  work(pool);
  for (int spins = 0; atomic_load_explicit(&pool->done, memory_order_acquire) < tasks; spins++) {
    // On a machine with more to do than cores, the other thread may need this one's.
    if (spins < SPINS) pause_briefly(); else sched_yield();
  }
}
