/* What every kind of send needs: who sends, over which instance, and where a message can go. Used
 * by producers and by the instance's inner producer; not exported to other layers. */
#ifndef PRODUCER_SENDER_H
#define PRODUCER_SENDER_H

#include <stdatomic.h>

#include <mqclient/producer.h>

#include "lib/client/client_instance.h"
#include "lib/producer/fault_table.h"
#include "lib/producer/send_request.h"
#include "lib/producer/send_watch.h"
#include "lib/stats/meters.h"

struct sender {
    struct client_instance *instance; /* set while calls are let in */
    struct intern *names;             /* pool of the strings in results */
    struct send_origin origin;
    int attempt_timeout_ms; /* -1: no cap */
    int max_message_bytes;
    bool retry_not_stored;      /* another broker when the first one has not stored well */
    struct fault_table *faults; /* NULL: slow brokers are not avoided */
    struct send_watch watch;
    struct meters *meters; /* NULL: nothing is counted */
    atomic_bool leaving; /* shutting down with no time left: no pauses and no retries after them */
};

/* Where one attempt goes. The queue's strings are of the sender's pool. */
struct send_place {
    mqc_message_queue queue;
    char address[ADDRESS_TEXT_BYTES];
    int64_t began_ms; /* of the attempt, when faults are counted */
};

/* Chooses the place of the next attempt: the given queue, the selected one or the next in turn,
 * not on broker `avoid` (may be NULL) if that can be helped. Looks routes up as necessary, at most
 * until the deadline. On MQC_NO_ROUTE for a broker without a master place->queue says which one;
 * otherwise its broker name is NULL on failure. */
mqc_status sender_place(struct sender *sender, const mqc_message *message,
                        const mqc_send_options *options, const char *avoid, int64_t deadline_ms,
                        struct send_place *place, mqc_error *error);

/* The same for the retry of an asynchronous send: from what is known, without waiting. */
mqc_status sender_place_known(struct sender *sender, const char *topic, const char *avoid,
                              struct send_place *place, mqc_error *error);

/* The address of the master of place->queue's broker, likewise. */
mqc_status sender_address_known(struct sender *sender, struct send_place *place, mqc_error *error);

/* The retry decision, for sends of all kinds: what the transport lost and what the table in
 * codes.def says may be done by another broker is tried again, all else never (a message that is
 * too large stays so). DefaultMQProducer.retryResponseCodes; Java asks it for synchronous sends
 * alone. */
bool sender_may_retry(const mqc_error *failure);

/* What an attempt came to (NULL: its broker took the message), for the choice of brokers. */
void sender_learn(struct sender *sender, const struct send_place *place, const mqc_error *failure);

/* The end of an attempt that begins now. */
int64_t sender_attempt_deadline(const struct sender *sender, int64_t deadline_ms);

/* Sends synchronously with up to `retries` further attempts; with an order key, unless retries is
 * 0, until the deadline (see mqc_send_options). */
mqc_status sender_send(struct sender *sender, const mqc_message *message,
                       const mqc_send_options *options, int retries, int64_t deadline_ms,
                       mqc_send_result *result, mqc_error *error);
/* The same, and neither hooks nor trace see it. */
mqc_status sender_send_unseen(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int retries, int64_t deadline_ms,
                              mqc_send_result *result, mqc_error *error);

/* The same with a content that is ready, message and options having been checked; `message` is what
 * options->select is shown, and its topic counts. */
mqc_status sender_send_content(struct sender *sender, struct send_content *content,
                               const mqc_message *message, const mqc_send_options *options,
                               int retries, int64_t deadline_ms, mqc_send_result *result,
                               mqc_error *error);

#endif
