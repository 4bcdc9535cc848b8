/* What a consumer is subscribed to: one entry a topic. Any thread; readers get counted, immutable
 * entries, so that filtering a batch of messages holds no lock. */
#ifndef CONSUMER_SUBSCRIPTIONS_H
#define CONSUMER_SUBSCRIPTIONS_H

#include "lib/base/lock.h"
#include "lib/base/map.h"
#include "lib/base/reference.h"
#include "lib/protocol/subscription.h"

/* `data.version` is that of the last change of the filter: what pulls name, so that a broker that
 * has not heard of the change yet refuses them. */
struct topic_subscription {
    struct reference references;
    struct subscription data;
};
void topic_subscription_unref(struct topic_subscription *entry); /* NULL is fine */

struct subscriptions {
    struct lock lock;  /* guards everything below */
    struct map topics; /* name → struct topic_subscription, one reference each */
    int64_t version;   /* what heartbeats name: grows with each change of filters or of queues */
};

void subscriptions_init(struct subscriptions *subscriptions);
void subscriptions_done(struct subscriptions *subscriptions);

/* Adds a topic or replaces its filter, with a version above all earlier ones. *replaced (may be
 * NULL) says which. MQC_BAD_ARGUMENT for a topic or filter that cannot be. */
mqc_status subscriptions_put(struct subscriptions *subscriptions, const char *topic,
                             const char *filter, bool *replaced, mqc_error *error);

/* The same for a subscription of any kind, which is the table's then; on failure, too. */
mqc_status subscriptions_put_data(struct subscriptions *subscriptions, struct subscription *data,
                                  bool *replaced, mqc_error *error);

/* False when there is no such topic. */
bool subscriptions_remove(struct subscriptions *subscriptions, const char *topic);

/* Counted up; NULL when there is no such topic. */
struct topic_subscription *subscriptions_get(struct subscriptions *subscriptions,
                                             const char *topic);
bool subscriptions_has(struct subscriptions *subscriptions, const char *topic);

/* The queues have changed: heartbeats get a new version (RebalancePushImpl.messageQueueChanged). */
void subscriptions_touch(struct subscriptions *subscriptions);

/* All entries, counted up, in an array for memory_free; subscriptions_release does both. */
mqc_status subscriptions_list(struct subscriptions *subscriptions, struct topic_subscription ***out,
                              size_t *count, mqc_error *error);
void subscriptions_release(struct topic_subscription **list, size_t count);

/* Copies for a heartbeat or the running info: release with subscription_done and memory_free. */
mqc_status subscriptions_copy(struct subscriptions *subscriptions, struct subscription **out,
                              size_t *count, mqc_error *error);

#endif
