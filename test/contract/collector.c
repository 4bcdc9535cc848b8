/* See collector.h. */
#include "test/contract/collector.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct seat {
    struct collector *collector;
    int number;
};

struct collector {
    pthread_mutex_t lock; /* guards what follows up to the seats */
    pthread_cond_t changed;
    struct received *received;
    size_t count, room;
    struct seat seats[COLLECTOR_SEATS];
    collector_judge *judge;
    void *judge_arg;
};

struct collector *collector_new(void)
{
    return collector_new_judging(NULL, NULL);
}

struct collector *collector_new_judging(collector_judge *judge, void *arg)
{
    struct collector *collector = calloc(1, sizeof *collector);
    ck_assert_ptr_nonnull(collector);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&collector->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&collector->lock, NULL);
    for (int i = 0; i < COLLECTOR_SEATS; i++)
        collector->seats[i] = (struct seat){.collector = collector, .number = i};
    collector->judge = judge;
    collector->judge_arg = arg;
    return collector;
}

void collector_free(struct collector *collector)
{
    for (size_t i = 0; i < collector->count; i++)
        mqc_message_free((mqc_message *)(uintptr_t)collector->received[i].message);
    free(collector->received);
    pthread_cond_destroy(&collector->changed);
    pthread_mutex_destroy(&collector->lock);
    free(collector);
}

void *collector_seat(struct collector *collector, int number)
{
    ck_assert_int_lt(number, COLLECTOR_SEATS);
    return &collector->seats[number];
}

/* Under the lock, on a worker thread, where ck_assert cannot be used. */
static void note(struct collector *collector, const struct received *received)
{
    if (collector->count == collector->room) {
        collector->room = collector->room ? collector->room * 2 : 64;
        collector->received =
            realloc(collector->received, collector->room * sizeof *collector->received);
        if (!collector->received) abort();
    }
    collector->received[collector->count++] = *received;
}

mqc_consume_status collector_listen(mqc_delivery *delivery, void *arg)
{
    struct seat *seat = arg;
    struct collector *collector = seat->collector;
    struct received received = {.seat = seat->number, .batch = mqc_delivery_count(delivery)};
    pthread_mutex_lock(&collector->lock);
    for (size_t i = 0; i < received.batch; i++) {
        received.message = mqc_message_ref(mqc_delivery_at(delivery, i));
        note(collector, &received);
    }
    pthread_cond_broadcast(&collector->changed);
    pthread_mutex_unlock(&collector->lock);
    return collector->judge ? collector->judge(delivery, collector->judge_arg)
                            : MQC_CONSUME_SUCCESS;
}

/* ---- waiting ---- */

static struct timespec in_ms(int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + ms * INT64_C(1000000);
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    return until;
}

void collector_await_until(struct collector *collector, const char *what,
                           collector_condition *holds, void *arg)
{
    int left_ms = CONTRACT_WAIT_MS, slice_ms = contract_slice_ms();
    pthread_mutex_lock(&collector->lock);
    bool held = holds(collector->received, collector->count, arg);
    while (!held && left_ms > 0) {
        struct timespec until = in_ms(slice_ms);
        while (!held && pthread_cond_timedwait(&collector->changed, &collector->lock, &until) == 0)
            held = holds(collector->received, collector->count, arg);
        left_ms -= slice_ms;
        if (held) break;
        pthread_mutex_unlock(&collector->lock);
        contract_slice_over();
        pthread_mutex_lock(&collector->lock);
        held = holds(collector->received, collector->count, arg);
    }
    size_t count = collector->count;
    pthread_mutex_unlock(&collector->lock);
    ck_assert_msg(held, "waited in vain for: %s; %zu messages came", what, count);
}

static bool are_so_many(const struct received *received, size_t count, void *arg)
{
    (void)received;
    return count >= *(size_t *)arg;
}

void collector_await(struct collector *collector, size_t count)
{
    char what[64];
    snprintf(what, sizeof what, "%zu messages", count);
    collector_await_until(collector, what, are_so_many, &count);
}

struct body_search {
    const char *body;
    struct received found;
};

static bool has_body(const struct received *received, size_t count, void *arg)
{
    struct body_search *search = arg;
    for (size_t i = 0; i < count; i++) {
        if (!contract_text_is(received[i].message, search->body)) continue;
        search->found = received[i];
        return true;
    }
    return false;
}

struct received collector_await_body(struct collector *collector, const char *body)
{
    struct body_search search = {.body = body};
    collector_await_until(collector, body, has_body, &search);
    return search.found;
}

/* ---- looking ---- */

size_t collector_count(struct collector *collector)
{
    pthread_mutex_lock(&collector->lock);
    size_t count = collector->count;
    pthread_mutex_unlock(&collector->lock);
    return count;
}

struct received collector_at(struct collector *collector, size_t index)
{
    struct received received = {0};
    pthread_mutex_lock(&collector->lock);
    if (index < collector->count) received = collector->received[index];
    pthread_mutex_unlock(&collector->lock);
    ck_assert_msg(received.message != NULL, "there is no message %zu", index);
    return received;
}

size_t collector_count_body(struct collector *collector, const char *body)
{
    size_t found = 0;
    pthread_mutex_lock(&collector->lock);
    for (size_t i = 0; i < collector->count; i++)
        found += contract_text_is(collector->received[i].message, body);
    pthread_mutex_unlock(&collector->lock);
    return found;
}

size_t collector_count_seat(struct collector *collector, int seat)
{
    size_t found = 0;
    pthread_mutex_lock(&collector->lock);
    for (size_t i = 0; i < collector->count; i++) found += collector->received[i].seat == seat;
    pthread_mutex_unlock(&collector->lock);
    return found;
}

void collector_check_each_once(struct collector *collector, const char *prefix, int count)
{
    char body[128];
    for (int i = 0; i < count; i++) {
        snprintf(body, sizeof body, "%s%d", prefix, i);
        size_t times = collector_count_body(collector, body);
        ck_assert_msg(times == 1, "\"%s\" came %zu times", body, times);
    }
}

void collector_await_each(struct collector *collector, const char *prefix, int count)
{
    char body[128];
    for (int i = 0; i < count; i++) {
        snprintf(body, sizeof body, "%s%d", prefix, i);
        collector_await_body(collector, body);
    }
}
