/* SEND_MESSAGE and SEND_MESSAGE_V2 (SendMessageProcessor.java, AbstractSendMessageProcessor.java).
 * On the I/O thread. */
#include "lib/embedded/send_handler.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/process.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/properties_edit.h"
#include "lib/embedded/timer_messages.h"
#include "lib/embedded/transactions.h"
#include "lib/protocol/names.h"
#include "lib/protocol/sys_flag.h"

const char SEND_ILLEGAL[] =
    "the message is illegal, maybe msg body or properties length not matched. msg body length "
    "limit 4194304B, msg properties length limit 32KB.";

#define PRIORITY "_SYS_MSG_PRIORITY_"

static bool check(struct send *send);
static bool redirect_dead_letter(struct send *send);
static void send_single(struct send *send);

/* ---- the request ---- */

static void header_from_long(const struct send_message_long_header *from,
                             struct send_message_header *to)
{
    *to = (struct send_message_header){
        .producer_group = from->producer_group,
        .topic = from->topic,
        .default_topic = from->default_topic,
        .default_topic_queues = from->default_topic_queues,
        .queue_id = from->queue_id,
        .sys_flag = from->sys_flag,
        .born_timestamp = from->born_timestamp,
        .flag = from->flag,
        .properties = from->properties,
        .reconsume_times = from->reconsume_times,
        .unit_mode = from->unit_mode,
        .max_reconsume_times = from->max_reconsume_times,
        .batch = from->batch,
        .broker_name = from->broker_name,
    };
}

bool send_header(struct request *request, struct send_message_header *out)
{
    int32_t code = request->command->code;
    if (code != REQUEST_SEND_MESSAGE && code != REQUEST_SEND_REPLY_MESSAGE)
        return request_header(request, &send_message_layout, out);
    struct send_message_long_header header;
    if (!request_header(request, &send_message_long_layout, &header)) return false;
    header_from_long(&header, out);
    return true;
}

void send_handle(struct request *request)
{
    struct send send = {.request = request};
    if (request->broker->broker_id != 0) {
        request_refuse(request, RESPONSE_SYSTEM_BUSY,
                       "[REJECTREQUEST]system busy, start flow control for a while");
        return;
    }
    if (!send_header(request, &send.header)) return;
    if (request->command->body.size == 0) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "java.lang.NullPointerException: Cannot read the array length because the "
                       "return value of "
                       "\"org.apache.rocketmq.remoting.protocol.RemotingCommand.getBody()\" is "
                       "null");
        return;
    }
    buffer_init(&send.properties);
    if (check(&send)) {
        if (send.header.batch)
            send_batch(&send);
        else
            send_single(&send);
    }
    buffer_done(&send.properties);
}

/* ---- answers ---- */

static const struct command_field SEND_FIELDS[] = {
    {{"MSG_REGION", 10}, {EMBEDDED_REGION, sizeof EMBEDDED_REGION - 1}},
    {{"TRACE_ON", 8}, {"true", 4}},
};

void send_refuse(const struct send *send, int32_t code, const char *format, ...)
{
    char remark[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(remark, sizeof remark, format, arguments);
    va_end(arguments);
    request_answer(send->request, &(struct answer){.code = code,
                                                   .remark = slice_text(remark),
                                                   .extra = SEND_FIELDS,
                                                   .extra_count = 2});
}

void send_answer(const struct send *send, struct slice ids, const struct record *first)
{
    struct buffer handle;
    buffer_init(&handle);
    struct send_message_response_header answer = {
        .message_id = ids,
        .queue_id = send->queue_id,
        .queue_offset = first->queue_offset,
        .transaction_id = properties_find(buffer_slice(&send->properties), PROPERTY_UNIQUE_KEY),
        .region = SLICE_LITERAL(EMBEDDED_REGION),
        .trace_on = SLICE_LITERAL("true"),
    };
    if (timer_message_handle(send->request->broker->data, first, &handle))
        answer.recall_handle = buffer_slice(&handle);
    request_answer(send->request,
                   &(struct answer){.layout = &send_message_response_layout, .header = &answer});
    buffer_done(&handle);
}

/* ---- checks ---- */

/* TopicValidator.NOT_ALLOWED_SEND_TOPIC_SET */
static bool is_forbidden(struct slice topic)
{
    static const char *const forbidden[] = {
        "SCHEDULE_TOPIC_XXXX",        "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC",          "OFFSET_MOVED_EVENT"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (slice_is(topic, forbidden[i])) return true;
    return false;
}

/* AbstractSendMessageProcessor.msgCheck; finds topic and queue. False when it is refused. */
static bool check(struct send *send)
{
    const struct send_message_header *header = &send->header;
    char text[512];
    const char *fault = broker_topic_name_fault(header->topic, text, sizeof text);
    if (fault) {
        send_refuse(send, RESPONSE_INVALID_PARAMETER, "%s", fault);
        return false;
    }
    if (is_forbidden(header->topic)) {
        send_refuse(send, RESPONSE_NO_PERMISSION, "Sending message to topic[%.*s] is forbidden.",
                    SLICE_FORMAT(header->topic));
        return false;
    }
    send->topic = broker_topic_for_send(send->request->broker, header->topic, header->default_topic,
                                        header->default_topic_queues);
    if (!send->topic) {
        send_refuse(send, RESPONSE_TOPIC_NOT_EXIST,
                    "topic[%.*s] not exist, apply first please!" FAQ_HINT,
                    SLICE_FORMAT(header->topic));
        return false;
    }
    int32_t queues = send->topic->write_queues > send->topic->read_queues
                         ? send->topic->write_queues
                         : send->topic->read_queues;
    send->queue_id = header->queue_id;
    if (send->queue_id < 0 && send->topic->write_queues > 0)
        send->queue_id = (int32_t)random_below((uint32_t)send->topic->write_queues);
    if (send->queue_id >= 0 && send->queue_id < queues) return true;
    send_refuse(send, RESPONSE_INVALID_PARAMETER,
                "request queueId[%d] is illegal, TopicConfig [topicName=%s, readQueueNums=%d, "
                "writeQueueNums=%d, perm=%d] Producer: %s",
                (int)send->queue_id, send->topic->name, (int)send->topic->read_queues,
                (int)send->topic->write_queues, (int)send->topic->permission,
                send->request->connection->peer);
    return false;
}

/* ---- the message ---- */

/* TopicMessageType.parseFromMessageProperty: a priority counts for messages of no other kind. */
static bool is_of_another_kind(struct slice properties)
{
    static const char *const others[] = {PROPERTY_DELAY, TIMER_DELIVER_MS, TIMER_DELAY_SEC,
                                         TIMER_DELAY_MS, "__SHARDINGKEY"};
    struct slice prepared = properties_find(properties, PROPERTY_TRANSACTION_PREPARED);
    if (prepared.data && slice_to_bool(prepared)) return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (properties_find(properties, others[i]).data) return true;
    return false;
}

/* A priority is a queue: the highest are in the last one. */
static void apply_priority(struct send *send)
{
    int32_t priority;
    struct slice text = properties_find(send->header.properties, PRIORITY);
    if (!text.data || !slice_to_int32(text, &priority) || priority < 0) return;
    send->no_priority = is_of_another_kind(send->header.properties);
    if (send->no_priority) return;
    int32_t last = send->topic->write_queues > 0 ? send->topic->write_queues - 1 : 0;
    send->queue_id = priority < last ? priority : last;
}

/* What the broker puts before the sender's properties, and what it does not take from him. */
static void put_properties(struct send *send)
{
    struct slice given = send->header.properties;
    struct slice key = properties_find(given, PROPERTY_UNIQUE_KEY);
    char made[MESSAGE_ID_BYTES];
    if (key.size == 0) {
        message_id_make(made);
        key = slice_text(made);
    }
    struct buffer *out = &send->properties;
    properties_put_text(out, "MSG_REGION", EMBEDDED_REGION);
    properties_put(out, slice_text(PROPERTY_UNIQUE_KEY), key);
    properties_put_text(out, "CLUSTER", send->request->cluster->name);
    properties_put_text(out, "TRACE_ON", "true");
    const struct property_change own[] = {
        {"MSG_REGION", SLICE_ABSENT}, {PROPERTY_UNIQUE_KEY, SLICE_ABSENT},
        {"CLUSTER", SLICE_ABSENT},    {"TRACE_ON", SLICE_ABSENT},
        {"POP_CK", SLICE_ABSENT},     {PROPERTY_DELAY, SLICE_LITERAL("-1")},
        {PRIORITY, SLICE_ABSENT},
    };
    struct property_change changes[sizeof own / sizeof *own];
    size_t count = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i].name, PROPERTY_DELAY) == 0 && !send->dead_letter) continue;
        if (strcmp(own[i].name, PRIORITY) == 0 && !send->no_priority) continue;
        changes[count++] = own[i];
    }
    properties_edit(out, given, changes, count);
}

struct mqc_message send_message_of(const struct send *send)
{
    const struct send_message_header *header = &send->header;
    enum { NOT_FROM_CLIENTS = MESSAGE_FLAG_NEED_UNWRAP | MESSAGE_FLAG_INNER_BATCH };
    return (struct mqc_message){
        .stored_topic = slice_text(send->topic->name),
        .properties = buffer_slice(&send->properties),
        .body = send->request->command->body,
        .queue_id = send->queue_id,
        .flag = header->flag,
        .sys_flag = header->sys_flag & ~NOT_FROM_CLIENTS,
        .reconsume_times = header->reconsume_times,
        .born_unix_ms = header->born_timestamp,
        .born_host = send->request->connection->peer_host,
        .store_host = send->request->broker->host,
    };
}

static struct record *store(struct send *send, struct mqc_message *message, const char **reason)
{
    struct slice prepared = properties_find(message->properties, PROPERTY_TRANSACTION_PREPARED);
    if (prepared.data && slice_to_bool(prepared))
        return transaction_prepare(send->request->broker, send->topic, message);
    return broker_put(send->request->broker->data, send->topic, message, reason);
}

static void send_single(struct send *send)
{
    if (!redirect_dead_letter(send)) return;
    if (!send->dead_letter) apply_priority(send);
    put_properties(send);
    struct mqc_message message = send_message_of(send);
    if (message.body.size > MESSAGE_BODY_MAX_BYTES ||
        message.properties.size > PROPERTIES_MAX_BYTES ||
        send->header.properties.size > PROPERTIES_MAX_BYTES) {
        send_refuse(send, RESPONSE_MESSAGE_ILLEGAL, "%s", SEND_ILLEGAL);
        return;
    }
    const char *reason = NULL;
    const struct record *record = send->properties.failed ? NULL : store(send, &message, &reason);
    if (!record) {
        send_refuse(send, reason ? RESPONSE_MESSAGE_ILLEGAL : RESPONSE_SYSTEM_ERROR, "%s",
                    reason ? reason : "the embedded broker is out of memory");
        return;
    }
    char id[MESSAGE_ID_BYTES];
    offset_id_make(&send->request->broker->host, record->commit_log_offset, id);
    send_answer(send, slice_text(id), record);
}

/* SendMessageProcessor.handleRetryAndDLQ: a message that a client itself sends to its retry topic
 * goes to the dead letters when it was tried too often, or when the group holds locks. */
static bool redirect_dead_letter(struct send *send)
{
    enum { PREFIX = sizeof NAME_RETRY_PREFIX - 1 };
    struct broker_data *data = send->request->broker->data;
    if (!names_is_retry_topic(send->header.topic)) return true;
    struct slice group_name =
        slice_of(send->header.topic.data + PREFIX, send->header.topic.size - PREFIX);
    const struct group *group = groups_get(&data->groups, group_name);
    if (!group) {
        send_refuse(send, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                    "subscription group not exist, %.*s " FAQ_HINT, SLICE_FORMAT(group_name));
        return false;
    }
    int32_t most = send->header.max_reconsume_times >= 0 ? send->header.max_reconsume_times
                                                         : group->retry_max_times;
    if (send->header.reconsume_times <= most &&
        !locks_any(&data->locks, group_name, cluster_message_time(send->request->cluster)))
        return true;
    char name[NAME_BYTES * 2];
    snprintf(name, sizeof name, "%s%s", NAME_DEAD_LETTER_PREFIX, group->name);
    struct topic *dead = broker_topic_for_retry(data, slice_text(name), 1);
    if (!dead) {
        send_refuse(send, RESPONSE_SYSTEM_ERROR, "topic[%s] not exist", name);
        return false;
    }
    send->topic = dead;
    send->queue_id = 0;
    send->dead_letter = true;
    return true;
}
