/* Live counters: see meters.h. Any thread counts; the scheduled executor samples; whoever asks
 * reads. */
#include "lib/stats/meters.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"

static const enum statistic OF_PRODUCER[] = {
#define METER(role, id, ...)     OF_PRODUCER_##role(STATISTIC_##id)
#define OF_PRODUCER_PRODUCER(id) id,
#define OF_PRODUCER_CONSUMER(id)
#include "lib/stats/statistics.def"
};
static const enum statistic OF_CONSUMER[] = {
#define METER(role, id, ...) OF_CONSUMER_##role(STATISTIC_##id)
#define OF_CONSUMER_PRODUCER(id)
#define OF_CONSUMER_CONSUMER(id) id,
#include "lib/stats/statistics.def"
};
static const enum statistic TIMES_OF_PRODUCER[] = {
#define TIMER(role, id, ...) OF_PRODUCER_##role(STATISTIC_##id)
#include "lib/stats/statistics.def"
};
static const enum statistic TIMES_OF_CONSUMER[] = {
#define TIMER(role, id, ...) OF_CONSUMER_##role(STATISTIC_##id)
#include "lib/stats/statistics.def"
};

enum { FIRST_CAPACITY = 16 };

static struct meter *_Atomic *place_of(struct meter_table *table, const char *topic,
                                       const char *broker, int queue_id);
static struct meter *add(struct meters *meters, const char *topic, const char *broker,
                         int queue_id);
static bool make_room(struct meters *meters) REQUIRES(meters->lock);
static struct timers *timers_of(struct meters *meters, const char *topic, const char *broker)
    REQUIRES(meters->lock);
static void tell_one(struct meters *meters, const struct meter *meter, struct stat_labels *labels,
                     int64_t now_ms, struct mqc_stats *out) REQUIRES(meters->lock);

/* Under the lock, or when nobody else has them any more. */
static struct meter *next_of(struct meters *meters, size_t *at)
{
    struct meter_table *table = atomic_load(&meters->table);
    while (table && *at < table->capacity) {
        struct meter *meter = atomic_load(&table->places[(*at)++]);
        if (meter) return meter;
    }
    return NULL;
}

#define METERS_EACH(meters, item)                                                                  \
    for (size_t item##_at = 0, item##_more = 1; item##_more; item##_more = 0)                      \
        for (struct meter * item; (item = next_of((meters), &item##_at));)

void meters_init(struct meters *meters, bool of_consumer)
{
    *meters = (struct meters){.of_consumer = of_consumer, .began_ms = clock_now_ms()};
    lock_init(&meters->lock, LOCK_RANK_STATS);
}

void meters_done(struct meters *meters)
{
    METERS_EACH(meters, meter) memory_free(meter);
    for (struct meter_table *smaller, *table = atomic_load(&meters->table); table;) {
        smaller = table->smaller;
        memory_free(table);
        table = smaller;
    }
    for (struct timers *next, *timers = meters->timers; timers; timers = next) {
        next = timers->next;
        memory_free(timers);
    }
    lock_done(&meters->lock);
}

/* ---- finding ---- */

struct meter *meters_of(struct meters *meters, const char *topic, const char *broker, int queue_id)
{
    struct meter_table *table = atomic_load_explicit(&meters->table, memory_order_acquire);
    struct meter *_Atomic *place = place_of(table, topic, broker, queue_id);
    struct meter *meter = place ? atomic_load_explicit(place, memory_order_acquire) : NULL;
    return meter ? meter : add(meters, topic, broker, queue_id);
}

/* Where it is, or belongs: there is always a free place. NULL without a table. */
static struct meter *_Atomic *place_of(struct meter_table *table, const char *topic,
                                       const char *broker, int queue_id)
{
    if (!table) return NULL;
    uint64_t mixed = ((uint64_t)(uintptr_t)topic >> 4) * 0x9E3779B97F4A7C15u;
    mixed ^= ((uint64_t)(uintptr_t)broker >> 4) * 0xC2B2AE3D27D4EB4Fu;
    mixed += (uint64_t)queue_id * 0x165667B19E3779F9u;
    for (size_t at = (size_t)(mixed >> 32);; at++) {
        struct meter *_Atomic *place = &table->places[at & (table->capacity - 1)];
        const struct meter *meter = atomic_load_explicit(place, memory_order_acquire);
        if (!meter ||
            (meter->topic == topic && meter->broker == broker && meter->queue_id == queue_id))
            return place;
    }
}

static struct meter *add(struct meters *meters, const char *topic, const char *broker, int queue_id)
{
    struct meter *meter = NULL;
    lock_take(&meters->lock);
    if (make_room(meters)) {
        struct meter *_Atomic *place =
            place_of(atomic_load(&meters->table), topic, broker, queue_id);
        meter = atomic_load(place); /* somebody else was quicker */
        struct timers *timers = meter ? NULL : timers_of(meters, topic, broker);
        if (timers && (meter = memory_allocate_zero(1, sizeof *meter))) {
            meter->topic = topic;
            meter->broker = broker;
            meter->queue_id = queue_id;
            meter->timers = timers;
            meters->count++;
            atomic_store_explicit(place, meter, memory_order_release);
        }
    }
    lock_release(&meters->lock);
    return meter;
}

/* For one more, with half of the places free. */
static bool make_room(struct meters *meters)
{
    struct meter_table *table = atomic_load(&meters->table);
    if (table && meters->count < table->capacity / 2) return true;
    size_t capacity = table ? table->capacity * 2 : FIRST_CAPACITY;
    struct meter_table *larger =
        memory_allocate_zero(1, sizeof *larger + capacity * sizeof larger->places[0]);
    if (!larger) return false;
    larger->smaller = table;
    larger->capacity = capacity;
    METERS_EACH(meters, meter)
    {
        atomic_store(place_of(larger, meter->topic, meter->broker, meter->queue_id), meter);
    }
    atomic_store_explicit(&meters->table, larger, memory_order_release);
    return true;
}

static struct timers *timers_of(struct meters *meters, const char *topic, const char *broker)
{
    uint32_t mixed = (uint32_t)((uintptr_t)topic >> 4) * 0x9E3779B9u;
    struct timers **chain = &meters->chains[(mixed >> 16) % TIMER_CHAINS], *timers = *chain;
    while (timers && (timers->topic != topic || timers->broker != broker)) timers = timers->chained;
    if (timers) return timers;
    size_t count = meters->of_consumer ? (size_t)CONSUMER_TIMERS : (size_t)PRODUCER_TIMERS;
    timers = memory_allocate_zero(1, sizeof *timers + count * sizeof timers->histograms[0]);
    if (!timers) return NULL;
    timers->next = meters->timers;
    timers->chained = *chain;
    *chain = timers;
    timers->topic = topic;
    timers->broker = broker;
    meters->timers = timers;
    return timers;
}

/* ---- reading ---- */

void meters_sample(struct meters *meters, int64_t now_ms)
{
    lock_take(&meters->lock);
    size_t slot = meters->samples++ % RATE_SAMPLES;
    meters->sampled_ms[slot] = now_ms;
    METERS_EACH(meters, meter)
    {
        for (size_t i = 0; i < METERS_MOST; i++)
            meter->samples[slot][i] = atomic_load_explicit(&meter->values[i], memory_order_relaxed);
    }
    lock_release(&meters->lock);
}

void meters_tell(struct meters *meters, struct stat_labels labels, int64_t now_ms,
                 struct mqc_stats *out)
{
    lock_take(&meters->lock);
    METERS_EACH(meters, meter) tell_one(meters, meter, &labels, now_ms, out);
    const enum statistic *ids = meters->of_consumer ? TIMES_OF_CONSUMER : TIMES_OF_PRODUCER;
    size_t count = meters->of_consumer ? (size_t)CONSUMER_TIMERS : (size_t)PRODUCER_TIMERS;
    labels.queue_id = -1;
    for (const struct timers *timers = meters->timers; timers; timers = timers->next) {
        labels.topic = timers->topic;
        labels.broker = timers->broker;
        if (!timers->broker[0]) continue; /* of failures before there was a broker */
        for (size_t i = 0; i < count; i++)
            snapshot_put_latency(out, ids[i], &labels, &timers->histograms[i]);
    }
    lock_release(&meters->lock);
}

static void tell_one(struct meters *meters, const struct meter *meter, struct stat_labels *labels,
                     int64_t now_ms, struct mqc_stats *out)
{
    const enum statistic *ids = meters->of_consumer ? OF_CONSUMER : OF_PRODUCER;
    size_t count = meters->of_consumer ? (size_t)CONSUMER_METERS : (size_t)PRODUCER_METERS;
    size_t oldest = meters->samples < RATE_SAMPLES ? 0 : meters->samples % RATE_SAMPLES;
    /* What is younger than the oldest sample was 0 then. */
    bool sampled = meters->samples >= RATE_SAMPLES;
    int64_t ms = now_ms - (sampled ? meters->sampled_ms[oldest] : meters->began_ms);
    labels->topic = meter->topic;
    labels->broker = meter->broker;
    labels->queue_id = meter->queue_id;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = atomic_load_explicit(&meter->values[i], memory_order_relaxed);
        uint64_t grown = value - (sampled ? meter->samples[oldest][i] : 0);
        snapshot_put(out, ids[i], labels, (int64_t)value,
                     ms > 0 ? (double)grown * 1000 / (double)ms : 0);
    }
}
