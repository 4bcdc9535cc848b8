/* Giving a message back for another delivery (consumerSendMessageBack): the broker that stored it
 * copies it to the group's retry topic, or to the dead letter queue after the last time. Blocks: on
 * worker and callback threads only. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/consumer/consumer.h"
#include "lib/producer/inner_producer.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

enum { SEND_BACK_MS = 5000, SEND_MS = 3000, FIRST_LEVEL = 3, LAST_LEVEL = 18 };

struct copying {
    struct mqc_message *copy;
    mqc_status status;
    mqc_error *error;
};

static mqc_status ask_broker(struct consumer *consumer, struct client_instance *instance,
                             const struct mqc_message *message, int level, mqc_error *error);
static mqc_status make_copy(const struct consumer *consumer, const struct mqc_message *message,
                            struct mqc_message **out, mqc_error *error);
static void look_for_retry_topic(struct consumer *consumer, struct client_instance *instance);
static bool copy_property(const char *name, const char *value, void *arg);

mqc_status consumer_send_back(struct consumer *consumer, struct client_instance *instance,
                              struct mqc_message *message, int level, mqc_error *error)
{
    mqc_error why;
    /* Who has a queue of a static topic now may be another one than who has the message. */
    if (strncmp(message->broker_name, STATIC_BROKER_PREFIX, sizeof STATIC_BROKER_PREFIX - 1) == 0)
        return consumer_send_copy(consumer, instance, message, error);
    mqc_status status = ask_broker(consumer, instance, message, level, &why);
    if (status == MQC_OK) {
        look_for_retry_topic(consumer, instance);
        return MQC_OK;
    }
    log_warn(
        LOG_CONSUMER,
        "group=%s topic=%s broker=%s queue=%d offset=%lld not sent back by its broker, sending "
        "a copy to the retry topic: %s",
        consumer->group, message->topic, message->broker_name, (int)message->queue_id,
        (long long)message->queue_offset, why.text);
    return consumer_send_copy(consumer, instance, message, error);
}

mqc_status consumer_send_copy(struct consumer *consumer, struct client_instance *instance,
                              struct mqc_message *message, mqc_error *error)
{
    struct mqc_message *copy = NULL;
    mqc_status status = make_copy(consumer, message, &copy, error);
    if (status != MQC_OK) return status;
    status = inner_producer_send(instance, copy, consumer_deadline(consumer, SEND_MS), error);
    mqc_message_free(copy);
    if (status == MQC_OK) look_for_retry_topic(consumer, instance);
    return status;
}

/* A group's first message that is sent back makes its retry topic: it is looked for again now, not
 * at the next refresh of routes. */
static void look_for_retry_topic(struct consumer *consumer, struct client_instance *instance)
{
    struct topic_queues *queues =
        route_table_get(client_instance_routes(instance), consumer->retry_topic);
    if (!queues) {
        atomic_store(&consumer->missing_passes, 0);
        client_instance_wake_rebalance(instance);
    }
    topic_queues_unref(queues);
}

/* CONSUMER_SEND_MSG_BACK (36) to the master of the broker that has the message. */
static mqc_status ask_broker(struct consumer *consumer, struct client_instance *instance,
                             const struct mqc_message *message, int level, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES], topic[NAME_BYTES];
    int64_t deadline_ms = consumer_deadline(consumer, SEND_BACK_MS);
    /* The route is that of the topic it was pulled from: %RETRY%group for a retried message. */
    if (message->stored_topic.size >= sizeof topic)
        return error_set(error, MQC_BAD_FRAME, "topic of %zu bytes", message->stored_topic.size);
    memcpy(topic, message->stored_topic.data, message->stored_topic.size);
    topic[message->stored_topic.size] = '\0';
    mqc_status status =
        client_instance_master(instance, topic, message->broker_name, deadline_ms, address, error);
    if (status != MQC_OK) return status;
    struct consumer_send_message_back_header header;
    header_init(&consumer_send_message_back_layout, &header);
    header.commit_log_offset = message->commit_log_offset;
    header.consumer_group = slice_text(consumer->group);
    header.delay_level = level;
    header.origin_message_id = slice_text(mqc_message_id(message));
    header.origin_topic = slice_text(message->topic);
    header.max_reconsume_times = consumer->settings.max_reconsume_times;
    header.broker_name = slice_text(message->broker_name);
    return client_api_send_back(client_instance_api(instance), address, &header, deadline_ms,
                                error);
}

/* The message as an ordinary one to the retry topic (sendMessageBackAsNormalMessage). */
static mqc_status make_copy(const struct consumer *consumer, const struct mqc_message *message,
                            struct mqc_message **out, mqc_error *error)
{
    if ((message->sys_flag & MESSAGE_FLAG_COMPRESSED) && message->body.size > 0 &&
        !message->inflated.data)
        return error_set(error, MQC_BAD_FRAME, "its body cannot be decompressed");
    mqc_view body = mqc_message_body(message);
    struct copying copying = {mqc_message_new(consumer->retry_topic, body.data, body.size), MQC_OK,
                              error};
    if (!copying.copy) return error_no_memory(error);
    mqc_message_set_flag(copying.copy, message->flag);
    mqc_message_each_property(message, copy_property, &copying);
    const char *origin = mqc_message_property(message, PROPERTY_ORIGIN_MESSAGE_ID);
    int level =
        message->reconsume_times < LAST_LEVEL ? FIRST_LEVEL + message->reconsume_times : LAST_LEVEL;
    char times[12], most[12], delay[12];
    snprintf(times, sizeof times, "%d", (int)message->reconsume_times + 1);
    snprintf(most, sizeof most, "%d", consumer->settings.max_reconsume_times);
    snprintf(delay, sizeof delay, "%d", level < LAST_LEVEL ? level : LAST_LEVEL);
    copy_property(PROPERTY_ORIGIN_MESSAGE_ID, origin ? origin : mqc_message_id(message), &copying);
    char room[NAME_BYTES]; /* the property is for brokers and consumers: with the namespace */
    struct slice topic =
        namespace_wrap(consumer->client_options.name_space, slice_text(message->topic), room);
    copy_property(PROPERTY_RETRY_TOPIC, topic.data ? topic.data : message->topic, &copying);
    copy_property(PROPERTY_RECONSUME_TIME, times, &copying);
    copy_property(PROPERTY_MAX_RECONSUME_TIMES, most, &copying);
    copy_property(PROPERTY_DELAY, delay, &copying);
    copy_property(PROPERTY_TRANSACTION_PREPARED, NULL, &copying);
    *out = copying.copy;
    if (copying.status != MQC_OK) mqc_message_free(copying.copy);
    return copying.status;
}

static bool copy_property(const char *name, const char *value, void *arg)
{
    struct copying *copying = arg;
    if (copying->status == MQC_OK)
        copying->status = message_put_property(copying->copy, name, value, copying->error);
    return copying->status == MQC_OK;
}
