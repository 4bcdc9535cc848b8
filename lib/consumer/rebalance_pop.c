/* Dividing by the broker: which places of a topic this member is to pop, and what becomes of the
 * retry topics when it is to pull (RebalanceImpl's getRebalanceResultFromBroker,
 * updateMessageQueueAssignment). Rebalance service. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/client/client_pop.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"

struct places {
    struct consumer *consumer;
    const char *topic;
    mqc_message_queue *list;
    size_t count, capacity;
    bool pulled, failed;
};

static void add(struct slice broker_name, int32_t queue_id, bool pop, void *arg)
{
    struct places *places = arg;
    if (!pop) places->pulled = true;
    if (!pop || places->failed) return;
    const char *topic = intern_name(&places->consumer->names, slice_text(places->topic));
    const char *broker = intern_name(&places->consumer->names, broker_name);
    places->failed =
        !topic || !broker ||
        !memory_reserve(&places->list, &places->capacity, places->count + 1, sizeof *places->list);
    if (!places->failed)
        places->list[places->count++] = (mqc_message_queue){topic, broker, queue_id};
}

mqc_status consumer_pop_places(struct consumer *consumer, struct client_instance *instance,
                               const char *topic, int64_t deadline_ms, mqc_message_queue **list,
                               size_t *count, bool *pulled, mqc_error *error)
{
    struct places places = {.consumer = consumer, .topic = topic};
    bool known = false;
    mqc_status status = client_pop_assignment(instance, topic, consumer->group, deadline_ms, add,
                                              &places, &known, error);
    if (status == MQC_OK && places.failed) status = error_no_memory(error);
    if (status == MQC_OK && !known)
        status = error_set(error, MQC_NOT_FOUND, "the broker does not know how to divide it yet");
    if (status != MQC_OK) {
        memory_free(places.list);
        return status;
    }
    *pulled = places.pulled;
    *list = places.list;
    *count = places.count;
    return MQC_OK;
}

/* Java knows the first form only, whatever the broker is set to. */
bool consumer_follow_pop_retries(struct consumer *consumer, const char *topic, bool pulled)
{
    char room[NAME_BYTES], wrapped[NAME_BYTES], name[2 * NAME_BYTES];
    bool changed = false;
    /* Behind the group comes the topic as brokers name it. */
    struct slice wire =
        namespace_wrap(consumer->client_options.name_space, slice_text(topic), room);
    if (!wire.data || wire.size >= sizeof wrapped) return false;
    memcpy(wrapped, wire.data, wire.size);
    wrapped[wire.size] = '\0';
    for (enum pop_topic kind = POP_TOPIC_RETRY; kind <= POP_TOPIC_RETRY_2; kind++) {
        struct subscription data;
        if (!pop_topic_name(kind, consumer->group, wrapped, name, sizeof name)) continue;
        bool has = subscriptions_has(&consumer->subscriptions, name);
        if (!pulled && has)
            changed = subscriptions_remove(&consumer->subscriptions, name) || changed;
        else if (pulled && !has && subscription_make(name, "*", 0, &data, NULL) == MQC_OK &&
                 subscriptions_put_data(&consumer->subscriptions, &data, NULL, NULL) == MQC_OK)
            changed = true;
    }
    return changed;
}
