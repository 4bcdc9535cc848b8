/* Durations counted by size, log-linear as in HdrHistogram: exact to 16 µs, then 16 steps an
 * octave, so that what is read is wrong by 1/32 at most. Fixed memory; any thread may record at any
 * time without a lock, and reading sees each value once, though not all of one moment. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 4,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
    HISTOGRAM_VALUE_BITS = 36, /* 19 hours; what is longer counts as that */
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS
};

struct histogram {
    _Atomic uint64_t sum_us;
    _Atomic uint64_t max_us;
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* What one holds at a moment; several are added up. */
struct histogram_copy {
    uint64_t count, sum_us, max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Three atomic operations, two of them that write; zeros are an empty one. Negative counts as 0. */
static inline void histogram_record(struct histogram *histogram, int64_t us);

void histogram_add_to(const struct histogram *histogram, struct histogram_copy *copy);
void histogram_copy_add(struct histogram_copy *copy, const struct histogram_copy *more);
/* The value that so many of a thousand are not above; 0 of an empty one. */
uint64_t histogram_copy_at(const struct histogram_copy *copy, unsigned per_mille);

static inline unsigned histogram_bucket(uint64_t us)
{
    if (us < HISTOGRAM_STEPS) return (unsigned)us;
    if (us >> HISTOGRAM_VALUE_BITS) return HISTOGRAM_BUCKETS - 1;
    unsigned shift = 63 - (unsigned)__builtin_clzll(us) - HISTOGRAM_STEP_BITS;
    return (shift + 1) * HISTOGRAM_STEPS + (unsigned)((us >> shift) & (HISTOGRAM_STEPS - 1));
}

static inline void histogram_record(struct histogram *histogram, int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    atomic_fetch_add_explicit(&histogram->buckets[histogram_bucket(value)], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, value, memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&histogram->max_us, memory_order_relaxed);
    while (value > max &&
           !atomic_compare_exchange_weak_explicit(&histogram->max_us, &max, value,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

#endif
