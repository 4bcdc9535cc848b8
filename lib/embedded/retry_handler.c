/* CONSUMER_SEND_MSG_BACK: a message that could not be consumed comes again later, or goes to the
 * dead letters (AbstractSendMessageProcessor.consumerSendMsgBack). On the I/O thread. */
#include <stdio.h>

#include "lib/base/process.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/properties_edit.h"
#include "lib/protocol/names.h"

enum { FIRST_RETRY_LEVEL = 3 };

/* A message on its way back. */
struct back {
    struct request *request;
    struct consumer_send_message_back_header header;
    const struct group *group;
    struct topic *topic;
    int32_t queue_id;
    int32_t delay_level;
};

/* Retry or dead letter topic; false: no memory. */
static bool choose_topic(struct back *back, const struct mqc_message *message)
{
    char name[NAME_BYTES * 2];
    const struct consumer_send_message_back_header *header = &back->header;
    int32_t most = header->max_reconsume_times >= 0 ? header->max_reconsume_times
                                                    : back->group->retry_max_times;
    bool dead = message->reconsume_times >= most || header->delay_level < 0;
    int32_t queues = dead ? 1 : back->group->retry_queues;
    snprintf(name, sizeof name, "%s%s", dead ? NAME_DEAD_LETTER_PREFIX : NAME_RETRY_PREFIX,
             back->group->name);
    back->topic = broker_topic_for_retry(back->request->broker->data, slice_text(name), queues);
    back->queue_id = (int32_t)random_below((uint32_t)queues);
    back->delay_level = dead                       ? 0
                        : header->delay_level == 0 ? FIRST_RETRY_LEVEL + message->reconsume_times
                                                   : header->delay_level;
    return back->topic != NULL;
}

static bool store(struct back *back, const struct mqc_message *from)
{
    char origin[MESSAGE_ID_BYTES], level[HEADER_NUMBER_BYTES];
    struct slice origin_id = properties_find(from->properties, PROPERTY_ORIGIN_MESSAGE_ID);
    struct slice retry_topic = properties_find(from->properties, PROPERTY_RETRY_TOPIC);
    if (origin_id.size == 0) {
        offset_id_make(&from->store_host, from->commit_log_offset, origin);
        origin_id = slice_text(origin);
    }
    const struct property_change changes[] = {
        {PROPERTY_RETRY_TOPIC, retry_topic.data ? retry_topic : from->stored_topic},
        {PROPERTY_ORIGIN_MESSAGE_ID, origin_id},
        {PROPERTY_WAIT, SLICE_LITERAL("false")},
        {PROPERTY_DELAY, slice_of(level, decimal_write(level, back->delay_level))},
    };
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, from->properties, changes, sizeof changes / sizeof *changes);
    struct mqc_message message = *from;
    message.properties = buffer_slice(&properties);
    message.queue_id = back->queue_id;
    message.reconsume_times++;
    message.store_host = back->request->broker->host;
    bool stored = !properties.failed &&
                  broker_put(back->request->broker->data, back->topic, &message, NULL) != NULL;
    buffer_done(&properties);
    return stored;
}

void retry_handle_send_back(struct request *request)
{
    struct back back = {.request = request};
    if (!request_header(request, &consumer_send_message_back_layout, &back.header)) return;
    struct broker_data *data = request->broker->data;
    if (!broker_master(request->broker)) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "no master available along with %s",
                       EMBEDDED_HOST);
        return;
    }
    back.group = groups_find(&data->groups, back.header.consumer_group);
    if (!back.group) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "subscription group not exist, %.*s " FAQ_HINT,
                       SLICE_FORMAT(back.header.consumer_group));
        return;
    }
    if (back.group->retry_queues <= 0) {
        request_done(request);
        return;
    }
    const struct record *record = message_store_find(&data->store, back.header.commit_log_offset);
    struct message_block *block = record ? record_decode(record) : NULL;
    if (!block)
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "look message by offset failed, %lld",
                       (long long)back.header.commit_log_offset);
    else if (choose_topic(&back, &block->messages[0]) && store(&back, &block->messages[0]))
        request_done(request);
    else
        request_no_memory(request);
    message_block_unref(block);
}
