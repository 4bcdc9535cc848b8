/* See storm.h. */
#include "test/contract/storm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BODY_MOST = 3000 };

enum fate { SENDING, ACKNOWLEDGED, FAILED, PERHAPS };

struct shot {
    struct storm *storm;
    enum fate fate;
    int calls;       /* of its callback */
    int stored;      /* how often it was found */
    mqc_error error; /* when not acknowledged */
    bool taken;      /* for asynchronous sending: a callback is to come */
};

struct sender {
    struct storm *storm;
    pthread_t thread;
    int number;
};

struct storm {
    mqc_producer *producer;
    const char *topic;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int rounds, begun;
    int halves; /* of rounds, that may be sent */
    int ended, awaited;
    bool over;
    struct sender senders[STORM_THREADS];
    struct shot shots[];
};

static void *send_rounds(void *arg);

struct storm *storm_new(mqc_producer *producer, const char *topic, int rounds)
{
    size_t count = (size_t)rounds * STORM_ROUND;
    struct storm *storm = calloc(1, sizeof *storm + count * sizeof storm->shots[0]);
    ck_assert_ptr_nonnull(storm);
    storm->producer = producer;
    storm->topic = topic;
    storm->rounds = rounds;
    pthread_mutex_init(&storm->lock, NULL);
    pthread_cond_init(&storm->changed, NULL);
    for (size_t i = 0; i < count; i++) storm->shots[i].storm = storm;
    for (int i = 0; i < STORM_THREADS; i++) {
        storm->senders[i] = (struct sender){.storm = storm, .number = i};
        pthread_create(&storm->senders[i].thread, NULL, send_rounds, &storm->senders[i]);
    }
    return storm;
}

void storm_free(struct storm *storm)
{
    pthread_cond_destroy(&storm->changed);
    pthread_mutex_destroy(&storm->lock);
    free(storm);
}

/* ---- sending ---- */

static void end(struct shot *shot, bool acknowledged, const mqc_error *error, int calls)
{
    struct storm *storm = shot->storm;
    pthread_mutex_lock(&storm->lock);
    shot->fate = acknowledged ? ACKNOWLEDGED : error->maybe_done ? PERHAPS : FAILED;
    shot->calls += calls;
    if (!acknowledged) shot->error = *error;
    if (++storm->ended == storm->awaited) pthread_cond_broadcast(&storm->changed);
    pthread_mutex_unlock(&storm->lock);
}

static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    end(arg, result != NULL, error, 1);
}

static void send_one(struct storm *storm, int index, bool async)
{
    char body[BODY_MOST + 32];
    mqc_error error = {.status = MQC_OK};
    struct shot *shot = &storm->shots[index];
    int size = snprintf(body, sizeof body, "%d:", index);
    size_t more = (size_t)index * 7919 % BODY_MOST; /* of many sizes */
    memset(body + size, 'a' + index % 26, more);
    mqc_message *message = mqc_message_new(storm->topic, body, (size_t)size + more);
    mqc_status status;
    if (async) {
        shot->taken = true;
        status = mqc_producer_send_async(storm->producer, message, NULL, sent, shot, &error);
        if (status != MQC_OK) shot->taken = false;
    } else {
        status = mqc_producer_send(storm->producer, message, NULL, NULL, &error);
    }
    mqc_message_free(message);
    if (!async || status != MQC_OK) end(shot, status == MQC_OK, &error, 0);
}

/* Waits until this half of a round may be sent; false when all is over. */
static bool may_send(struct storm *storm, int half)
{
    pthread_mutex_lock(&storm->lock);
    while (storm->halves <= half && !storm->over) pthread_cond_wait(&storm->changed, &storm->lock);
    bool may = storm->halves > half;
    pthread_mutex_unlock(&storm->lock);
    return may;
}

static void *send_rounds(void *arg)
{
    enum { HALF = STORM_SENDS / 2 };
    struct sender *sender = arg;
    for (int half = 0; may_send(sender->storm, half); half++) {
        int first = half / 2 * STORM_ROUND + sender->number * STORM_SENDS + half % 2 * HALF;
        for (int i = 0; i < HALF; i++) send_one(sender->storm, first + i, sender->number % 2 == 1);
    }
    return NULL;
}

void storm_begin_round(struct storm *storm)
{
    pthread_mutex_lock(&storm->lock);
    ck_assert_int_lt(storm->begun, storm->rounds);
    storm->halves = 2 * storm->begun++ + 1;
    storm->ended = 0;
    pthread_cond_broadcast(&storm->changed);
    pthread_mutex_unlock(&storm->lock);
}

void storm_go_on(struct storm *storm)
{
    pthread_mutex_lock(&storm->lock);
    storm->halves = 2 * storm->begun;
    pthread_cond_broadcast(&storm->changed);
    pthread_mutex_unlock(&storm->lock);
}

void storm_await(struct storm *storm, int ended)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += CONTRACT_WAIT_MS / 1000;
    int waited = 0;
    pthread_mutex_lock(&storm->lock);
    storm->awaited = ended;
    while (storm->ended < ended && waited == 0)
        waited = pthread_cond_timedwait(&storm->changed, &storm->lock, &deadline);
    int so_many = storm->ended;
    pthread_mutex_unlock(&storm->lock);
    ck_assert_msg(so_many >= ended, "of %d sends %d have ended", ended, so_many);
}

/* ---- the account ---- */

static bool count_stored(const mqc_message *message, void *arg)
{
    struct storm *storm = arg;
    mqc_view body = mqc_message_body(message);
    char text[16];
    snprintf(text, sizeof text, "%.*s", (int)body.size, (const char *)body.data);
    int index = atoi(text);
    size_t prefix = strcspn(text, ":") + 1;
    ck_assert_int_lt(index, storm->rounds * STORM_ROUND);
    ck_assert_uint_eq(body.size - prefix, (size_t)index * 7919 % BODY_MOST);
    storm->shots[index].stored++;
    return true;
}

/* Brokers show what they have stored a moment later. */
static bool all_are_stored(void *arg)
{
    struct storm *storm = arg;
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    int lost = 0, count = storm->begun * STORM_ROUND;
    for (int i = 0; i < count; i++) storm->shots[i].stored = 0;
    mqc_message_range range = {.topic = storm->topic};
    ck_ok(mqc_admin_each_message(admin, &range, count_stored, storm, &error));
    for (int i = 0; i < count; i++)
        lost += storm->shots[i].fate == ACKNOWLEDGED && storm->shots[i].stored == 0;
    mqc_admin_free(admin);
    return lost == 0;
}

struct storm_totals storm_check(struct storm *storm)
{
    struct storm_totals totals = {0};
    pthread_mutex_lock(&storm->lock);
    storm->over = true;
    pthread_cond_broadcast(&storm->changed);
    pthread_mutex_unlock(&storm->lock);
    for (int i = 0; i < STORM_THREADS; i++) pthread_join(storm->senders[i].thread, NULL);
    contract_await("all that was acknowledged", all_are_stored, storm);
    for (int i = 0; i < storm->begun * STORM_ROUND; i++) {
        const struct shot *shot = &storm->shots[i];
        ck_assert_msg(shot->calls == shot->taken, "message %d: %d callbacks", i, shot->calls);
        ck_assert_int_ne(shot->fate, SENDING);
        totals.acknowledged += shot->fate == ACKNOWLEDGED;
        totals.failed += shot->fate == FAILED;
        totals.perhaps += shot->fate == PERHAPS;
        if (shot->fate == FAILED)
            ck_assert_msg(shot->stored == 0, "message %d is stored and was said not to be: %s", i,
                          shot->error.text);
    }
    return totals;
}
