/* How the instance sees a consumer: its part of heartbeats, rebalancing, storing offsets, and what
 * brokers ask of the group. The instance holds the role while it calls, so that none of this runs
 * after the consumer has left. */
#include "lib/base/clock.h"
#include "lib/consumer/consumer.h"
#include "services/service.h"

static mqc_status describe(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error);
static enum rebalance_result rebalance(struct client_role *role);
static void persist_offsets(struct client_role *role);
static void request(struct client_role *role, struct client_request *request);

const struct client_role_type CONSUMER_ROLE_TYPE = {
    .kind = CLIENT_ROLE_CONSUMER,
    .describe = describe,
    .rebalance = rebalance,
    .persist_offsets = persist_offsets,
    .request = request,
    .tell_stats = consumer_tell_stats,
    .sample_stats = consumer_sample_stats,
};

static struct consumer *consumer_of(struct client_role *role)
{
    return CONTAINER_OF(role, struct consumer, role);
}

/* Also while starting and stopping. */
static mqc_status describe(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error)
{
    static const char *const FROM[] = {
        [MQC_FROM_LAST] = "CONSUME_FROM_LAST_OFFSET",
        [MQC_FROM_FIRST] = "CONSUME_FROM_FIRST_OFFSET",
        [MQC_FROM_TIME] = "CONSUME_FROM_TIMESTAMP",
    };
    struct consumer *consumer = consumer_of(role);
    *out = (struct heartbeat_consumer){
        .group = consumer->group,
        .consume_type = consumer->kind->consume_type,
        .message_model =
            consumer->settings.model == MQC_BROADCASTING ? "BROADCASTING" : "CLUSTERING",
        .consume_from = FROM[consumer->settings.from],
    };
    if (atomic_load(&consumer->unlisted)) return MQC_OK;
    return subscriptions_copy(&consumer->subscriptions, &out->subscriptions,
                              &out->subscription_count, error);
}

/* Also while paused: queues that belong to others now must not wait for us. */
static enum rebalance_result rebalance(struct client_role *role)
{
    struct consumer *consumer = consumer_of(role);
    /* Brokers do not know of us before the first heartbeat; start wakes us after it. */
    if (!consumer_running(consumer) || !atomic_load(&consumer->announced)) return REBALANCE_NOTHING;
    struct service_work work = {
        .what = "divides queues", .group = consumer->group, .since_ms = clock_now_ms()};
    service_work_begins(&work);
    bool balanced = consumer_rebalance(consumer);
    service_work_ends();
    return balanced ? REBALANCE_BALANCED : REBALANCE_UNBALANCED;
}

static void persist_offsets(struct client_role *role)
{
    struct consumer *consumer = consumer_of(role);
    if (!consumer_running(consumer)) return;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        /* Of a queue that is dropped, whoever dropped it sees to the offset. */
        if (!process_queue_dropped(&queues[i]->messages)) offset_record_persist(queues[i]->offset);
    }
    consumer_queues_release(queues, count);
    offset_store_flush(consumer->offsets);
}

static void request(struct client_role *role, struct client_request *request)
{
    consumer_request(consumer_of(role), request);
}
