/* Forks and random numbers; any thread. Public entry points ask for the fork generation, everything
 * that needs jitter or a starting point asks for a random number. */
#include "lib/base/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/clock.h"

static atomic_uint generation;
static pthread_once_t registration = PTHREAD_ONCE_INIT;

/* One state a thread; seeded anew in a child, or parent and child would draw the same numbers. */
static _Thread_local struct {
    uint64_t state;
    unsigned generation;
    bool seeded;
} random_source;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void register_handler(void)
{
    /* Fails only without memory; forks are then not noticed, which is no reason to stop. */
    (void)pthread_atfork(NULL, NULL, count_fork);
}

unsigned process_fork_generation(void)
{
    pthread_once(&registration, register_handler);
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

static uint64_t seed(void)
{
    uint64_t value;
    if (getentropy(&value, sizeof value) == 0) return value;
    /* A kernel without it: the address differs by thread and run. */
    return (uint64_t)clock_unix_us() ^ (uint64_t)clock_now_us() << 20 ^ (uint64_t)getpid() << 44 ^
           (uint64_t)(uintptr_t)&random_source;
}

/* splitmix64 */
uint64_t random_u64(void)
{
    unsigned now = process_fork_generation();
    if (!random_source.seeded || random_source.generation != now) {
        random_source.state = seed();
        random_source.generation = now;
        random_source.seeded = true;
    }
    uint64_t z = random_source.state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint32_t random_below(uint32_t bound)
{
    if (bound == 0) return 0;
    uint32_t uneven = -bound % bound; /* so many products would come up once too often */
    uint64_t product;
    do {
        product = (random_u64() >> 32) * bound;
    } while ((uint32_t)product < uneven);
    return (uint32_t)(product >> 32);
}
