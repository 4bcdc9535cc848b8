/* See outcomes.h. */
#include "test/contract/outcomes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct outcomes {
    pthread_mutex_t lock; /* guards all of it */
    pthread_cond_t changed;
    int calls, accepted, awaited;
    struct outcome each[];
};

struct outcomes *outcomes_new(int count)
{
    struct outcomes *outcomes =
        calloc(1, sizeof *outcomes + (size_t)count * sizeof outcomes->each[0]);
    ck_assert_ptr_nonnull(outcomes);
    pthread_mutex_init(&outcomes->lock, NULL);
    pthread_cond_init(&outcomes->changed, NULL);
    for (int i = 0; i < count; i++) outcomes->each[i].all = outcomes;
    return outcomes;
}

void outcomes_free(struct outcomes *outcomes)
{
    pthread_cond_destroy(&outcomes->changed);
    pthread_mutex_destroy(&outcomes->lock);
    free(outcomes);
}

struct outcome *outcome_of(struct outcomes *outcomes, int number)
{
    return &outcomes->each[number];
}

void outcome_take(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct outcome *outcome = arg;
    ck_assert(!result != !error);
    if (result) outcome->result = *result;
    outcome_note(outcome, result != NULL, error);
}

void send_numbered(mqc_producer *producer, const char *topic, struct outcomes *outcomes, int number,
                   const mqc_send_options *options)
{
    mqc_error error;
    mqc_message *message = numbered_message(topic, number);
    ck_ok(mqc_producer_send_async(producer, message, options, outcome_take,
                                  outcome_of(outcomes, number), &error));
    mqc_message_free(message);
}

mqc_message *numbered_message(const char *topic, int number)
{
    char body[32];
    int size = snprintf(body, sizeof body, "m%d", number);
    return mqc_message_new(topic, body, (size_t)size);
}

void outcome_note(struct outcome *outcome, bool accepted, const mqc_error *error)
{
    struct outcomes *outcomes = outcome->all;
    pthread_mutex_lock(&outcomes->lock);
    outcome->calls++;
    outcome->accepted = accepted;
    if (error) outcome->error = *error;
    outcomes->calls++;
    outcomes->accepted += accepted;
    pthread_cond_broadcast(&outcomes->changed);
    pthread_mutex_unlock(&outcomes->lock);
}

static bool all_came(void *arg)
{
    struct outcomes *outcomes = arg;
    return outcomes_count(outcomes) >= outcomes->awaited;
}

void outcomes_await(struct outcomes *outcomes, int count)
{
    outcomes->awaited = count;
    contract_await("the callbacks", all_came, outcomes);
}

int outcomes_count(struct outcomes *outcomes)
{
    pthread_mutex_lock(&outcomes->lock);
    int calls = outcomes->calls;
    pthread_mutex_unlock(&outcomes->lock);
    return calls;
}

int outcomes_accepted(struct outcomes *outcomes)
{
    pthread_mutex_lock(&outcomes->lock);
    int accepted = outcomes->accepted;
    pthread_mutex_unlock(&outcomes->lock);
    return accepted;
}
