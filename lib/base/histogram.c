/* Reading histograms: see histogram.h. Any thread. */
#include "lib/base/histogram.h"

/* The middle of what a bucket holds. */
static uint64_t bucket_value(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS) return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    uint64_t least = (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << shift;
    return least + (((uint64_t)1 << shift) >> 1);
}

void histogram_add_to(const struct histogram *histogram, struct histogram_copy *copy)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t count = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        copy->buckets[i] += count;
        copy->count += count;
    }
    copy->sum_us += atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&histogram->max_us, memory_order_relaxed);
    if (max > copy->max_us) copy->max_us = max;
}

void histogram_copy_add(struct histogram_copy *copy, const struct histogram_copy *more)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) copy->buckets[i] += more->buckets[i];
    copy->count += more->count;
    copy->sum_us += more->sum_us;
    if (more->max_us > copy->max_us) copy->max_us = more->max_us;
}

uint64_t histogram_copy_at(const struct histogram_copy *copy, unsigned per_mille)
{
    uint64_t wanted = (copy->count * per_mille + 999) / 1000, seen = 0;
    if (copy->count == 0) return 0;
    if (wanted == 0) wanted = 1;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += copy->buckets[i];
        if (seen < wanted) continue;
        uint64_t value = bucket_value(i);
        return value < copy->max_us ? value : copy->max_us;
    }
    return copy->max_us;
}
