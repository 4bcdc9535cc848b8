/* POP_MESSAGE, POLLING_INFO (PopMessageProcessor.java). On the I/O thread; also called again for
 * those that poll. */
#include "lib/embedded/pop_handler.h"

#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/pop_order.h"

enum { LATE_MS = 500, POLL_MAX_MS = 3600000, READ = 4, REVIVE_QUEUES = 8 };

static bool check(struct pop *pop);
static void try_pop(struct pop *pop, bool may_hold);
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

static bool is_late(const struct pop_message_header *header)
{
    return header->born_timestamp != 0 &&
           clock_unix_ms() - header->born_timestamp - header->poll_time_ms > LATE_MS;
}

static void handle(struct request *request, bool first_time, bool may_hold)
{
    struct pop pop = {.request = request, .now = cluster_message_time(request->cluster)};
    if (!request_header(request, &pop_message_layout, &pop.header)) return;
    if (first_time && is_late(&pop.header)) {
        request_refuse(request, RESPONSE_POLLING_TIMEOUT,
                       "the broker[%s] pop message is timeout too much", EMBEDDED_HOST);
        return;
    }
    if (!check(&pop)) return;
    buffer_init(&pop.records);
    buffer_init(&pop.starts);
    buffer_init(&pop.offsets);
    buffer_init(&pop.order_counts);
    try_pop(&pop, may_hold);
    buffer_done(&pop.order_counts);
    buffer_done(&pop.offsets);
    buffer_done(&pop.starts);
    buffer_done(&pop.records);
    message_filter_done(&pop.filter);
}

void pop_handle(struct request *request)
{
    handle(request, true, true);
}

bool pop_check_names(struct request *request, struct slice topic_name, struct slice group_name,
                     int32_t queue_id)
{
    struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, topic_name);
    const struct group *group = topic ? groups_get(&data->groups, group_name) : NULL;
    if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(topic_name));
    else if (!(topic->permission & READ))
        request_refuse(request, RESPONSE_NO_PERMISSION,
                       "the topic[%s] peeking message is forbidden", topic->name);
    else if (queue_id >= topic->read_queues)
        request_refuse(request, RESPONSE_INVALID_PARAMETER,
                       "queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] "
                       "consumer:[/%s]",
                       (int)queue_id, topic->name, (int)topic->read_queues,
                       request->connection->peer);
    else if (!group)
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "subscription group [%.*s] does not exist, " FAQ_HINT,
                       SLICE_FORMAT(group_name));
    else if (!group->consume_enable)
        request_refuse(request, RESPONSE_NO_PERMISSION, "subscription group no permission, %s",
                       group->name);
    else
        return true;
    return false;
}

/* False when it is refused. */
static bool check(struct pop *pop)
{
    struct request *request = pop->request;
    const struct pop_message_header *header = &pop->header;
    if (header->max_messages > POP_MAX_MESSAGES || header->max_messages < 1 ||
        header->invisible_time_ms < 0 || header->invisible_time_ms > INT32_MAX) {
        request_refuse(request, RESPONSE_INVALID_PARAMETER,
                       "the broker[%s] pop message's num is greater than %d", EMBEDDED_HOST,
                       POP_MAX_MESSAGES);
        return false;
    }
    if (!pop_check_names(request, header->topic, header->consumer_group, header->queue_id))
        return false;
    pop->topic = message_store_topic(&request->broker->data->store, header->topic);
    pop->group = groups_find(&request->broker->data->groups, header->consumer_group);
    if (message_filter_parse(header->topic, header->expression, header->expression_type,
                             &pop->filter, NULL) == MQC_OK)
        return true;
    message_filter_done(&pop->filter);
    request_refuse(request, RESPONSE_SUBSCRIPTION_PARSE_FAILED,
                   "parse the consumer's subscription failed");
    return false;
}

/* ---- the answer ---- */

static void try_pop(struct pop *pop, bool may_hold)
{
    struct request *request = pop->request;
    struct long_poll poll = {.topic = pop->topic,
                             .queue_id = pop->header.queue_id,
                             .filter = &pop->filter,
                             .retries_too = true,
                             .handle = pop_again};
    struct pop_state *state = &request->broker->data->pop;
    pop->revive_queue_id =
        pop->header.orderly ? POP_ORDER_QUEUE_ID : (int32_t)(state->pops % REVIVE_QUEUES);
    pop_take(pop);
    if (pop->records.failed || pop->starts.failed || pop->offsets.failed ||
        pop->order_counts.failed)
        request_no_memory(request);
    else if (pop->found > 0)
        answer_pop(pop, RESPONSE_SUCCESS, "FOUND");
    else if (!may_hold || pop->header.poll_time_ms <= 0 ||
             !hold(request, &poll, pop->header.born_timestamp, pop->header.poll_time_ms))
        answer_pop(pop, RESPONSE_POLLING_TIMEOUT, "NO_MESSAGE_IN_QUEUE");
}

/* Of a text that was never written: empty, not absent. */
static struct slice text_of(const struct buffer *buffer)
{
    return buffer->size > 0 ? buffer_slice(buffer) : SLICE_LITERAL("");
}

static void answer_pop(struct pop *pop, int32_t code, const char *remark)
{
    struct pop_message_response_header header = {
        .pop_timestamp = pop->now,
        .invisible_time_ms = pop->header.invisible_time_ms,
        .revive_queue_id = pop->revive_queue_id,
        .rest_count = pop->rest,
        .start_offsets = text_of(&pop->starts),
        .message_offsets = text_of(&pop->offsets),
    };
    if (pop->header.orderly) header.order_counts = text_of(&pop->order_counts);
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
