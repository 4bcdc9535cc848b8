/* Keeps what the callbacks of asynchronous sends say, one place a send, so that a test can wait for
 * them and count them:
 *
 *   mqc_producer_send_async(…, outcome_take, outcome_of(outcomes, i), &error) */
#ifndef CONTRACT_OUTCOMES_H
#define CONTRACT_OUTCOMES_H

#include "test/contract/contract.h"

struct outcomes;

struct outcome {
    struct outcomes *all;
    int calls;
    bool accepted;
    mqc_send_result result; /* when accepted */
    mqc_error error;        /* when not */
};

struct outcomes *outcomes_new(int count);
void outcomes_free(struct outcomes *outcomes);

/* The place of the send of this number; to be read when its callback has come. */
struct outcome *outcome_of(struct outcomes *outcomes, int number);
mqc_sent outcome_take;

/* Sends the message "m<number>", whose outcome is that of this number. */
void send_numbered(mqc_producer *producer, const char *topic, struct outcomes *outcomes, int number,
                   const mqc_send_options *options);
mqc_message *numbered_message(const char *topic, int number);

/* For callbacks of other kinds: notes one. */
void outcome_note(struct outcome *outcome, bool accepted, const mqc_error *error);

/* Waits until so many callbacks have come; how many there are by now. */
void outcomes_await(struct outcomes *outcomes, int count);
int outcomes_count(struct outcomes *outcomes);
int outcomes_accepted(struct outcomes *outcomes);

#endif
