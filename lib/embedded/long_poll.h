/* Requests that wait for a message: held pulls, pops and notifications
 * (PullRequestHoldService.java, PopLongPollingService.java). A held request keeps its frame and is
 * handled again when a message arrives that it wants, or when its time is over. Under the cluster's
 * lock. */
#ifndef EMBEDDED_LONG_POLL_H
#define EMBEDDED_LONG_POLL_H

#include "lib/embedded/broker.h"
#include "lib/embedded/message_filter.h"
#include "lib/embedded/request.h"

/* Why a held request is handled again. */
enum wake_reason { WAKE_ARRIVED, WAKE_TIMEOUT };

typedef void long_poll_handler(struct request *request, enum wake_reason reason);

struct long_poll {
    struct topic *topic;
    int32_t queue_id;              /* -1: any of the topic's */
    struct message_filter *filter; /* taken over when it is held */
    bool retries_too;              /* also woken by long_poll_retry_arrived */
    int64_t timeout_ms;
    long_poll_handler *handle;
};

/* Holds the request, which is then answered later. False: no memory; then nothing was taken. */
bool long_poll_hold(struct request *request, const struct long_poll *poll);

/* A message was stored: those who want it are woken. */
void long_poll_arrived(const struct record *record);

/* A message is to be popped again by a group: pops that wait at its topic look for it. */
void long_poll_retry_arrived(struct topic *topic);

/* How many requests wait at a topic's queue (-1: at any of its queues). */
int32_t long_poll_count(const struct topic *topic, int32_t queue_id);

/* Handles again all that waited at a topic, whose list was moved away from it. */
void long_poll_release(struct link *waiting);
void long_poll_forget_all(struct broker_data *data); /* nobody is answered */

#endif
