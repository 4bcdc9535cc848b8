/* Which brokers must know a producer before it sends: those of the topics it names at its start, so
 * that they can ask it about transactions, and those of a request's cluster, so that each can push
 * the reply (DefaultMQProducerImpl.start, prepareSendRequest). On the application's threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/options.h"
#include "lib/producer/producer_private.h"

static bool knows(struct mqc_producer *producer, const char *topic);
static void look_up_reply_topics(struct client_instance *instance, const struct topic_route *route,
                                 int64_t deadline_ms);

void producer_look_up_topics(struct mqc_producer *producer)
{
    struct client_instance *instance = producer->sender.instance;
    struct slice rest = slice_text(producer->options.topics);
    char topic[NAME_BYTES];
    bool any = false;
    while (options_next_topic(&rest, topic)) {
        mqc_error error;
        any = true;
        if (client_instance_update_route(instance, topic, NULL, 0,
                                         client_instance_request_deadline(instance),
                                         &error) != MQC_OK)
            log_warn(LOG_PRODUCER, "route of topic=%s not found at the start: %s", topic,
                     error.text);
    }
    if (any) client_instance_heartbeat(instance, client_instance_request_deadline(instance));
}

mqc_status producer_expect_replies(struct mqc_producer *producer, const char *topic,
                                   int64_t deadline_ms, mqc_error *error)
{
    struct client_instance *instance = producer->sender.instance;
    if (knows(producer, topic)) return MQC_OK;
    struct topic_queues *queues;
    mqc_status status = client_instance_queues(instance, topic, deadline_ms, &queues, error);
    /* A topic that the first request makes: its brokers are those of the default topic's route. */
    if (status == MQC_NO_ROUTE) {
        status = client_instance_update_route(instance, topic, producer->options.create_topic_key,
                                              producer->options.default_topic_queues, deadline_ms,
                                              error);
        queues = status == MQC_OK ? route_table_get(client_instance_routes(instance), topic) : NULL;
    }
    if (status != MQC_OK) return status;
    if (queues) look_up_reply_topics(instance, queues->route, deadline_ms);
    topic_queues_unref(queues);
    /* Those that do not answer hear of us when they are back: that must not take all the time. */
    int64_t half = clock_now_ms() + clock_left_ms(deadline_ms) / 2;
    if (client_instance_heartbeat(instance, half) == 0) return MQC_OK;
    lock_take(&producer->lock);
    bool kept = map_put(&producer->reply_topics, slice_text(topic), producer, NULL);
    lock_release(&producer->lock);
    return kept ? MQC_OK : error_no_memory(error);
}

static bool knows(struct mqc_producer *producer, const char *topic)
{
    lock_take(&producer->lock);
    bool known = map_get(&producer->reply_topics, slice_text(topic)) != NULL;
    lock_release(&producer->lock);
    return known;
}

/* The one that answers may send its reply to any broker that has the cluster's reply topic. */
static void look_up_reply_topics(struct client_instance *instance, const struct topic_route *route,
                                 int64_t deadline_ms)
{
    char topic[NAME_BYTES], previous[NAME_BYTES] = "";
    for (size_t i = 0; i < route->broker_count; i++) {
        mqc_error error;
        names_reply_topic(slice_text(route->brokers[i].cluster), topic);
        if (strcmp(topic, previous) == 0) continue;
        memcpy(previous, topic, sizeof previous);
        struct topic_queues *known = route_table_get(client_instance_routes(instance), topic);
        if (!known && client_instance_update_route(instance, topic, NULL, 0, deadline_ms, &error))
            log_warn(LOG_PRODUCER, "route of topic=%s not found: %s", topic, error.text);
        topic_queues_unref(known);
    }
}
