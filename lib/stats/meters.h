/* The live counters of one producer or consumer: for each queue a few numbers, for each topic and
 * broker a few histograms. Counting is lock-free and allocates only with the first message of a
 * queue; nothing is ever taken out before the end. */
#ifndef STATS_METERS_H
#define STATS_METERS_H

#include "lib/base/histogram.h"
#include "lib/base/lock.h"
#include "lib/stats/snapshot.h"

enum {
    METERS_MOST = 9,
    TIMER_CHAINS = 128,         /* a power of two: programs have topics by the thousand at most */
    RATE_SAMPLES = 7,           /* so that the oldest is a minute old */
    RATE_SAMPLE_MS = 10 * 1000, /* between two */
};
_Static_assert((int)PRODUCER_METERS <= (int)METERS_MOST && (int)CONSUMER_METERS <= (int)METERS_MOST,
               "METERS_MOST is too small");

/* Durations of a topic's messages at one broker. */
struct timers {
    struct timers *next, *chained;
    const char *topic, *broker;
    struct histogram histograms[];
};

struct meter {
    const char *topic, *broker;
    int queue_id;
    struct timers *timers;
    _Atomic uint64_t values[METERS_MOST];
    uint64_t samples[RATE_SAMPLES][METERS_MOST]; /* guarded by the meters' lock */
};

/* Open addressing; a place is filled once. A table that becomes too small is replaced by a larger
 * one and kept until the end, as somebody may be looking into it. */
struct meter_table {
    struct meter_table *smaller;
    size_t capacity; /* a power of two */
    struct meter *_Atomic places[];
};

struct meters {
    bool of_consumer;
    struct meter_table *_Atomic table; /* NULL: there is no meter yet */
    struct lock lock;                  /* guards adding, and everything below */
    size_t count;
    struct timers *timers; /* all, and by topic: */
    struct timers *chains[TIMER_CHAINS];
    int64_t began_ms;
    int64_t sampled_ms[RATE_SAMPLES]; /* a ring; */
    size_t samples;                   /* so many were taken */
};

void meters_init(struct meters *meters, bool of_consumer);
void meters_done(struct meters *meters);

/* The meter of a queue. Topic and broker are of one pool (intern.h), which outlives the meters:
 * they are compared by place. NULL, which is fine below, when there is no memory. */
struct meter *meters_of(struct meters *meters, const char *topic, const char *broker, int queue_id);

/* Every RATE_SAMPLE_MS, for the rates. */
void meters_sample(struct meters *meters, int64_t now_ms);

/* All of it; labels.client and .group say whose. */
void meters_tell(struct meters *meters, struct stat_labels labels, int64_t now_ms,
                 struct mqc_stats *out);

/* `which` is an enum producer_meter or consumer_meter. */
static inline void meter_add(struct meter *meter, unsigned which, uint64_t count)
{
    if (meter) atomic_fetch_add_explicit(&meter->values[which], count, memory_order_relaxed);
}

static inline void meter_time(struct meter *meter, unsigned which, int64_t us)
{
    if (meter) histogram_record(&meter->timers->histograms[which], us);
}

#endif
