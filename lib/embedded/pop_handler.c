/* POP_MESSAGE, NOTIFICATION, POLLING_INFO (PopMessageProcessor.java, NotificationProcessor.java).
 * On the I/O thread; also called again for those that poll. Ordered pops are not supported. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/properties_edit.h"
#include "lib/embedded/pull_handler.h"
#include "lib/protocol/names.h"

enum { POP_MAX = 32, BYTES_MAX = 8 << 20, LATE_MS = 500, POLL_MAX_MS = 3600000, READ = 4 };

/* One pop while it is being done. */
struct pop {
    struct request *request;
    struct pop_message_header header;
    struct group *group;
    struct topic *topic;
    struct message_filter filter;
    int64_t now; /* message time */
    int32_t found;
    int64_t rest;
    struct buffer records, starts, offsets;
};

static bool check(struct pop *pop);
static void pop_all(struct pop *pop);
static void answer_pop(struct pop *pop, int32_t code, const char *remark);

/* ---- the request ---- */

static bool hold(struct request *request, const struct long_poll *model, int64_t born,
                 int64_t poll_ms)
{
    struct long_poll poll = *model;
    if (poll_ms > POLL_MAX_MS) poll_ms = POLL_MAX_MS;
    poll.timeout_ms = born > 0 ? born + poll_ms - clock_unix_ms() : poll_ms;
    return poll.timeout_ms > 0 && poll.timeout_ms <= POLL_MAX_MS + LATE_MS &&
           long_poll_hold(request, &poll);
}

static void handle(struct request *request, bool first_time, bool may_hold);

static void pop_again(struct request *request, enum wake_reason reason)
{
    handle(request, false, reason == WAKE_ARRIVED);
}

static void handle(struct request *request, bool first_time, bool may_hold)
{
    struct pop pop = {.request = request, .now = cluster_message_time(request->cluster)};
    if (!request_header(request, &pop_message_layout, &pop.header)) return;
    if (first_time &&
        clock_unix_ms() - pop.header.born_timestamp - pop.header.poll_time_ms > LATE_MS) {
        request_refuse(request, RESPONSE_POLLING_TIMEOUT,
                       "the broker[%s] pop message is timeout too much", EMBEDDED_HOST);
        return;
    }
    if (!check(&pop)) return;
    buffer_init(&pop.records);
    buffer_init(&pop.starts);
    buffer_init(&pop.offsets);
    pop_all(&pop);
    struct long_poll poll = {.topic = pop.topic,
                             .queue_id = pop.header.queue_id,
                             .filter = &pop.filter,
                             .retries_too = true,
                             .handle = pop_again};
    if (pop.records.failed || pop.starts.failed || pop.offsets.failed)
        request_no_memory(request);
    else if (pop.found > 0)
        answer_pop(&pop, RESPONSE_SUCCESS, "FOUND");
    else if (!may_hold || pop.header.poll_time_ms <= 0 ||
             !hold(request, &poll, pop.header.born_timestamp, pop.header.poll_time_ms))
        answer_pop(&pop, RESPONSE_POLLING_TIMEOUT, "NO_MESSAGE_IN_QUEUE");
    buffer_done(&pop.offsets);
    buffer_done(&pop.starts);
    buffer_done(&pop.records);
    message_filter_done(&pop.filter);
}

void pop_handle(struct request *request)
{
    handle(request, true, true);
}

static bool check_names(struct pop *pop)
{
    struct request *request = pop->request;
    const struct pop_message_header *header = &pop->header;
    pop->topic = message_store_topic(&request->broker->data->store, header->topic);
    pop->group =
        pop->topic ? groups_get(&request->broker->data->groups, header->consumer_group) : NULL;
    if (!pop->topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(header->topic));
    else if (!(pop->topic->permission & READ))
        request_refuse(request, RESPONSE_NO_PERMISSION,
                       "the topic[%s] peeking message is forbidden", pop->topic->name);
    else if (header->queue_id >= pop->topic->read_queues)
        request_refuse(request, RESPONSE_INVALID_PARAMETER,
                       "queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] "
                       "consumer:[/%s]",
                       (int)header->queue_id, pop->topic->name, (int)pop->topic->read_queues,
                       request->connection->peer);
    else if (!pop->group)
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "subscription group [%.*s] does not exist, " FAQ_HINT,
                       SLICE_FORMAT(header->consumer_group));
    else if (!pop->group->consume_enable)
        request_refuse(request, RESPONSE_NO_PERMISSION, "subscription group no permission, %s",
                       pop->group->name);
    else
        return true;
    return false;
}

/* False when it is refused. */
static bool check(struct pop *pop)
{
    struct request *request = pop->request;
    const struct pop_message_header *header = &pop->header;
    if (header->orderly) {
        request_refuse(request, RESPONSE_REQUEST_CODE_NOT_SUPPORTED,
                       "the embedded broker does not support ordered pops");
        return false;
    }
    if (header->max_messages > POP_MAX || header->max_messages < 1 ||
        header->invisible_time_ms < 0 || header->invisible_time_ms > INT32_MAX) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "the broker[%s] pop message's num is greater than %d", EMBEDDED_HOST,
                       POP_MAX);
        return false;
    }
    if (!check_names(pop)) return false;
    if (message_filter_parse(header->topic, header->expression, header->expression_type,
                             &pop->filter, NULL) == MQC_OK)
        return true;
    message_filter_done(&pop->filter);
    request_refuse(request, RESPONSE_SUBSCRIPTION_PARSE_FAILED,
                   "parse the consumer's subscription failed");
    return false;
}

/* ---- popping ---- */

/* Where a group begins in a queue (PopMessageProcessor.getInitOffset). */
static int64_t first_offset(const struct pop *pop, const struct topic *topic, int32_t queue_id)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    int64_t max = store_queue_max_offset(queue);
    int64_t offset = group_offset(pop->group, slice_text(topic->name), queue_id);
    if (offset < 0) {
        bool from_start = pop->header.init_mode == 0 || topic != pop->topic ||
                          (queue->min_offset <= 0 && queue->count > 0);
        offset = from_start ? queue->min_offset : max > 0 ? max - 1 : 0;
    }
    if (offset < queue->min_offset) offset = queue->min_offset;
    return offset > max ? max : offset;
}

/* A retried message as the application is to see it, with the receipt it is acknowledged by. */
static void put_retried(struct pop *pop, const struct record *record)
{
    char receipt[256];
    struct message_block *block = record_decode(record);
    if (!block) return;
    struct mqc_message message = block->messages[0];
    snprintf(receipt, sizeof receipt, "%lld %lld %lld 0 1 %s %d %lld",
             (long long)record->queue_offset, (long long)pop->now,
             (long long)pop->header.invisible_time_ms, pop->request->broker->data->name,
             (int)record->queue_id, (long long)record->queue_offset);
    const struct property_change change = {"POP_CK", slice_text(receipt)};
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message.properties, &change, 1);
    message.properties = buffer_slice(&properties);
    message.stored_topic = slice_text(pop->topic->name);
    if (properties.failed) pop->records.failed = true;
    message_record_encode(&message, &pop->records);
    buffer_done(&properties);
    message_block_unref(block);
}

static bool take(struct pop *pop, const struct record *record)
{
    struct pop_key key = {slice_text(pop->group->name), slice_text(record->topic->name),
                          record->queue_id, record->queue_offset};
    if (!pop_hide(pop->request->broker->data, &key, pop->now + pop->header.invisible_time_ms))
        return false;
    if (record->topic == pop->topic)
        buffer_put_slice(&pop->records, record_bytes(record));
    else
        put_retried(pop, record);
    pop->found++;
    return true;
}

static void pop_queue(struct pop *pop, struct topic *topic, int32_t queue_id)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    int64_t offset = first_offset(pop, topic, queue_id), begin = offset;
    int flag = topic == pop->topic ? 0 : 1;
    int32_t before = pop->found;
    const struct record *record;
    while (pop->found < pop->header.max_messages && pop->records.size < BYTES_MAX &&
           (record = store_queue_at(queue, offset))) {
        offset++;
        if (flag == 0 && !message_filter_accepts(&pop->filter, record)) continue;
        bool first = pop->found == before;
        if (!take(pop, record)) {
            pop->records.failed = true;
            return;
        }
        if (first) {
            const char *between = pop->starts.size > 0 ? ";" : "";
            buffer_put_format(&pop->starts, "%s%d %d %lld", between, flag, (int)queue_id,
                              (long long)begin);
            buffer_put_format(&pop->offsets, "%s%d %d ", between, flag, (int)queue_id);
        }
        buffer_put_format(&pop->offsets, "%s%lld", first ? "" : ",",
                          (long long)record->queue_offset);
    }
    if (offset != begin || group_offset(pop->group, slice_text(topic->name), queue_id) < 0)
        group_set_offset(pop->group, slice_text(topic->name), queue_id, topic->queue_count, offset);
    pop->rest += store_queue_max_offset(queue) - offset;
}

static void pop_all(struct pop *pop)
{
    char name[POP_TOPIC_BYTES];
    pop_retry_topic(slice_text(pop->group->name), slice_text(pop->topic->name), name);
    struct topic *retry = message_store_topic(&pop->request->broker->data->store, slice_text(name));
    for (int32_t i = 0; retry && i < retry->read_queues; i++) pop_queue(pop, retry, i);
    if (pop->header.queue_id >= 0) {
        pop_queue(pop, pop->topic, pop->header.queue_id);
        return;
    }
    for (int32_t i = 0; i < pop->topic->read_queues; i++) pop_queue(pop, pop->topic, i);
}

static void answer_pop(struct pop *pop, int32_t code, const char *remark)
{
    struct pop_message_response_header header = {
        .pop_timestamp = pop->now,
        .invisible_time_ms = pop->header.invisible_time_ms,
        .rest_count = pop->rest,
    };
    if (pop->found > 0) {
        header.start_offsets = buffer_slice(&pop->starts);
        header.message_offsets = buffer_slice(&pop->offsets);
    }
    request_answer(
        pop->request,
        &(struct answer){.code = code,
                         .remark = slice_text(remark),
                         .layout = &pop_message_response_layout,
                         .header = &header,
                         .body = pop->found > 0 ? buffer_slice(&pop->records) : SLICE_ABSENT});
}

/* POLLING_INFO */
void pop_handle_polling_info(struct request *request)
{
    struct polling_info_header header;
    if (!request_header(request, &polling_info_layout, &header)) return;
    const struct topic *topic = message_store_topic(&request->broker->data->store, header.topic);
    if (!topic) {
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(header.topic));
        return;
    }
    struct polling_info_response_header answer = {.polling_count =
                                                      long_poll_count(topic, header.queue_id)};
    request_answer(request,
                   &(struct answer){.layout = &polling_info_response_layout, .header = &answer});
}
