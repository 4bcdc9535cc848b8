/* Finding the place of an attempt: the topic's queues (DefaultMQProducerImpl.tryToFindTopicPublish-
 * Info), one of them, and its broker's address. On sending threads; sender_place_known also on the
 * reading thread. */
#include "lib/producer/sender.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/producer/order_key.h"
#include "lib/producer/queue_choice.h"
#include "lib/protocol/message.h"

static mqc_status publish_queues(struct sender *sender, const char *topic, int64_t deadline_ms,
                                 struct topic_queues **out, mqc_error *error);
static mqc_status refresh_queues(struct sender *sender, const char *topic, int64_t deadline_ms,
                                 struct topic_queues **queues, mqc_error *error);
static mqc_status no_route(const char *topic, const struct topic_queues *queues, mqc_error *error);
static void use_vip_channel(const struct sender *sender, struct send_place *place);
static mqc_status keep_names(struct sender *sender, const mqc_message_queue *queue,
                             mqc_message_queue *out, mqc_error *error);

mqc_status sender_place(struct sender *sender, const mqc_message *message,
                        const mqc_send_options *options, const char *avoid, int64_t deadline_ms,
                        struct send_place *place, mqc_error *error)
{
    place->queue.broker_name = NULL;
    place->began_ms = sender->faults ? clock_now_ms() : 0;
    const mqc_message_queue *chosen = options ? options->queue : NULL;
    struct topic_queues *queues = NULL;
    mqc_status status = MQC_OK;
    if (!chosen) {
        status = publish_queues(sender, message->topic, deadline_ms, &queues, error);
        if (status == MQC_OK && options && options->select)
            status = queue_choice_select(options, queues->publish, queues->publish_count, message,
                                         &chosen, error);
        else if (status == MQC_OK && options && options->order_key)
            chosen =
                &queues->publish[order_key_queue(order_key_of(options), queues->publish_count)];
        else if (status == MQC_OK)
            chosen = queue_choice_next(queues->publish, queues->publish_count, message->topic,
                                       avoid, sender->faults);
    }
    if (status == MQC_OK) status = keep_names(sender, chosen, &place->queue, error);
    topic_queues_unref(queues);
    if (status != MQC_OK) return status;
    status = client_instance_queue_master(sender->instance, &place->queue, deadline_ms,
                                          place->address, error);
    if (status == MQC_OK) use_vip_channel(sender, place);
    return status;
}

mqc_status sender_place_known(struct sender *sender, const char *topic, const char *avoid,
                              struct send_place *place, mqc_error *error)
{
    place->queue.broker_name = NULL;
    place->began_ms = sender->faults ? clock_now_ms() : 0;
    struct route_table *routes = client_instance_routes(sender->instance);
    struct topic_queues *queues = route_table_get(routes, topic);
    if (!queues || queues->publish_count == 0) {
        mqc_status status = no_route(topic, queues, error);
        topic_queues_unref(queues);
        return status;
    }
    const mqc_message_queue *chosen =
        queue_choice_next(queues->publish, queues->publish_count, topic, avoid, sender->faults);
    mqc_status status = keep_names(sender, chosen, &place->queue, error);
    topic_queues_unref(queues);
    return status == MQC_OK ? sender_address_known(sender, place, error) : status;
}

mqc_status sender_address_known(struct sender *sender, struct send_place *place, mqc_error *error)
{
    struct route_table *routes = client_instance_routes(sender->instance);
    /* Never an address that is not known: NULL would mean a name server to Java. */
    const char *host = route_table_host(routes, place->queue.topic, place->queue.broker_name,
                                        place->queue.queue_id);
    if (route_table_master(routes, host, place->address)) {
        use_vip_channel(sender, place);
        return MQC_OK;
    }
    error_set(error, MQC_NO_ROUTE, "The broker[%.127s] not exist", place->queue.broker_name);
    error_mark_retryable(error);
    return MQC_NO_ROUTE;
}

/* MixAll.brokerVIPChannel: brokers listen for sends on their port less two as well. */
static void use_vip_channel(const struct sender *sender, struct send_place *place)
{
    struct address address;
    if (!client_instance_options(sender->instance)->vip_channel) return;
    if (address_parse(slice_text(place->address), &address, NULL) != MQC_OK || address.port <= 2)
        return;
    address.port = (uint16_t)(address.port - 2);
    address_format(&address, place->address);
}

bool sender_may_retry(const mqc_error *failure)
{
    switch (failure->status) {
    case MQC_NO_CONNECTION:
    case MQC_TIMEOUT:
    case MQC_NO_ROUTE:
    case MQC_BAD_FRAME:
    case MQC_BUSY: return true;
    case MQC_REFUSED: {
        enum response_judgement judgement = response_judge(failure->broker_code);
        /* JUDGE_DONE: stored, but not as well as asked for. */
        return judgement != JUDGE_GIVE_UP;
    }
    default: return false;
    }
}

void sender_learn(struct sender *sender, const struct send_place *place, const mqc_error *failure)
{
    if (!sender->faults) return;
    enum fault_outcome outcome = FAULT_ANSWERED;
    if (failure) {
        /* Of what is wrong with the message or with us the broker is innocent. */
        if (!sender_may_retry(failure)) return;
        outcome = failure->status == MQC_REFUSED ? FAULT_REFUSED : FAULT_UNREACHABLE;
    }
    fault_table_learn(sender->faults, &place->queue, outcome, clock_now_ms() - place->began_ms);
}

int64_t sender_attempt_deadline(const struct sender *sender, int64_t deadline_ms)
{
    int64_t cap_ms = clock_deadline_ms(sender->attempt_timeout_ms);
    return cap_ms < deadline_ms ? cap_ms : deadline_ms;
}

/* Queues to publish to, at least one, counted up. */
static mqc_status publish_queues(struct sender *sender, const char *topic, int64_t deadline_ms,
                                 struct topic_queues **out, mqc_error *error)
{
    mqc_error failure;
    struct topic_queues *queues = NULL;
    mqc_status status =
        client_instance_queues(sender->instance, topic, deadline_ms, &queues, &failure);
    if (status == MQC_OK && queues->publish_count == 0)
        status = refresh_queues(sender, topic, deadline_ms, &queues, &failure);
    if (status == MQC_NO_ROUTE) {
        status = client_instance_update_route(
            sender->instance, topic, sender->origin.create_topic_key,
            sender->origin.default_topic_queues, deadline_ms, &failure);
        if (status == MQC_OK)
            queues = route_table_get(client_instance_routes(sender->instance), topic);
        if (status == MQC_NO_ROUTE || (status == MQC_OK && !queues))
            status = no_route(topic, NULL, &failure);
    }
    if (status == MQC_OK && queues->publish_count == 0) status = no_route(topic, queues, &failure);
    if (status == MQC_OK) {
        *out = queues;
        return MQC_OK;
    }
    topic_queues_unref(queues);
    if (error) *error = failure;
    return status;
}

/* The route that is known has no queue to write to: perhaps the name server knows better by now. */
static mqc_status refresh_queues(struct sender *sender, const char *topic, int64_t deadline_ms,
                                 struct topic_queues **queues, mqc_error *error)
{
    mqc_status status =
        client_instance_update_route(sender->instance, topic, NULL, 0, deadline_ms, error);
    struct topic_queues *fresh =
        status == MQC_OK ? route_table_get(client_instance_routes(sender->instance), topic) : NULL;
    if (fresh || status == MQC_NO_ROUTE) {
        topic_queues_unref(*queues);
        *queues = fresh;
    }
    return status;
}

static mqc_status no_route(const char *topic, const struct topic_queues *queues, mqc_error *error)
{
    if (queues)
        error_set(error, MQC_NO_ROUTE,
                  "No route info of this topic: %.127s: it has no queue to write to, its brokers "
                  "are down or do not let it be written to",
                  topic);
    else
        error_set(error, MQC_NO_ROUTE,
                  "No route info of this topic: %.127s: create it with \"mqc topic create -t "
                  "%.127s\", or set autoCreateTopicEnable=true on the brokers",
                  topic, topic);
    error_mark_retryable(error);
    return MQC_NO_ROUTE;
}

static mqc_status keep_names(struct sender *sender, const mqc_message_queue *queue,
                             mqc_message_queue *out, mqc_error *error)
{
    const char *topic = intern_name(sender->names, slice_text(queue->topic));
    const char *broker_name =
        topic ? intern_name(sender->names, slice_text(queue->broker_name)) : NULL;
    if (!broker_name) return error_no_memory(error);
    *out = (mqc_message_queue){topic, broker_name, queue->queue_id};
    return MQC_OK;
}
