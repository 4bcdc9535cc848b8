/* PULL_MESSAGE and LITE_PULL_MESSAGE (PullMessageProcessor.java,
 * DefaultPullMessageResultHandler.java). On the I/O thread; also called again for held pulls. */
#include "lib/embedded/pull_handler.h"

#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/protocol/sys_flag.h"

enum {
    MESSAGES_MAX = 1024,
    BYTES_MAX = 8 << 20,
    LOOKED_AT_MAX = 16000, /* maxFilterMessageSize / 20 would be 800; a filter may skip more */
    SUSPEND_MAX_MS = 3600000,
    READ_PERMISSION = 4
};

/* One pull while it is being looked at. */
struct pull {
    struct request *request;
    struct pull_message_header header;
    struct group *group;
    struct topic *topic;
    struct message_filter filter;
};

static bool find_places(struct pull *pull);
static bool find_filter(struct pull *pull);
static void answer_pull(struct pull *pull, bool may_hold);

static void handle(struct request *request, bool may_hold)
{
    struct pull pull = {.request = request};
    if (!request_header(request, &pull_message_layout, &pull.header)) return;
    if (!find_places(&pull) || !find_filter(&pull)) return;
    answer_pull(&pull, may_hold);
    message_filter_done(&pull.filter);
}

/* PullMessageProcessor.rejectRequest */
void pull_handle(struct request *request)
{
    const struct broker *broker = request->broker;
    if (broker->broker_id != 0 && !broker->data->settings.slave_read)
        request_refuse(request, RESPONSE_SYSTEM_BUSY,
                       "[REJECTREQUEST]system busy, start flow control for a while");
    else
        handle(request, true);
}

static void handle_again(struct request *request, enum wake_reason reason)
{
    (void)reason;
    handle(request, false);
}

/* False when it is refused. */
static bool find_places(struct pull *pull)
{
    struct request *request = pull->request;
    const struct pull_message_header *header = &pull->header;
    struct broker_data *data = request->broker->data;
    pull->group = groups_get(&data->groups, header->consumer_group);
    if (!pull->group) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "subscription group [%.*s] does not exist, " FAQ_HINT,
                       SLICE_FORMAT(header->consumer_group));
        return false;
    }
    if (!pull->group->consume_enable) {
        request_refuse(request, RESPONSE_NO_PERMISSION, "subscription group no permission, %s",
                       pull->group->name);
        return false;
    }
    pull->topic = message_store_topic(&data->store, header->topic);
    if (!pull->topic) {
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(header->topic));
        return false;
    }
    if (!(pull->topic->permission & READ_PERMISSION)) {
        request_refuse(request, RESPONSE_NO_PERMISSION,
                       "the topic[%s] pulling message is forbidden", pull->topic->name);
        return false;
    }
    if (header->queue_id < 0 || header->queue_id >= pull->topic->read_queues) {
        request_refuse(request, RESPONSE_INVALID_PARAMETER,
                       "queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] "
                       "consumer:[/%s]",
                       (int)header->queue_id, pull->topic->name, (int)pull->topic->read_queues,
                       request->connection->peer);
        return false;
    }
    return true;
}

/* By the heartbeat's subscription. False when it is refused. */
static bool find_heartbeat_filter(struct pull *pull)
{
    struct request *request = pull->request;
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, pull->header.consumer_group);
    if (!consumers) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_NOT_EXIST,
                       "the consumer's group info not exist" FAQ_HINT);
        return false;
    }
    if (!pull->group->consume_broadcast_enable &&
        strcmp(consumers->message_model, "BROADCASTING") == 0) {
        request_refuse(request, RESPONSE_NO_PERMISSION,
                       "the consumer group[%s] can not consume by broadcast way",
                       pull->group->name);
        return false;
    }
    const struct subscription *subscription =
        map_get(&consumers->subscriptions, pull->header.topic);
    if (!subscription) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_NOT_EXIST,
                       "the consumer's subscription not exist" FAQ_HINT);
        return false;
    }
    if (subscription->version < pull->header.subscription_version) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_NOT_LATEST,
                       "the consumer's subscription not latest");
        return false;
    }
    if (message_filter_of(subscription, &pull->filter, NULL) == MQC_OK) return true;
    message_filter_done(&pull->filter);
    request_refuse(request, RESPONSE_FILTER_DATA_NOT_EXIST,
                   "The broker's consumer filter data is not exist!Your expression may be wrong!");
    return false;
}

static bool find_filter(struct pull *pull)
{
    const struct pull_message_header *header = &pull->header;
    if (!(header->sys_flag & PULL_FLAG_SUBSCRIPTION)) return find_heartbeat_filter(pull);
    if (message_filter_parse(header->topic, header->subscription, header->expression_type,
                             &pull->filter, NULL) == MQC_OK)
        return true;
    message_filter_done(&pull->filter);
    request_refuse(pull->request, RESPONSE_SUBSCRIPTION_PARSE_FAILED,
                   "parse the consumer's subscription failed");
    return false;
}

/* ---- reading ---- */

struct read_result queue_read(const struct store_queue *queue, const struct read_wish *wish,
                              struct buffer *out)
{
    struct read_result result = {
        .min_offset = queue->min_offset,
        .max_offset = store_queue_max_offset(queue),
        .next_offset = wish->offset,
    };
    if (result.max_offset == 0) {
        result.status = READ_QUEUE_EMPTY;
        result.next_offset = 0;
    } else if (wish->offset < result.min_offset) {
        result.status = READ_OFFSET_TOO_SMALL;
        result.next_offset = result.min_offset;
    } else if (wish->offset == result.max_offset) {
        result.status = READ_OFFSET_AT_END;
    } else if (wish->offset > result.max_offset) {
        result.status = READ_OFFSET_BEYOND;
        result.next_offset = result.max_offset;
    } else {
        size_t most = wish->max_messages < 1              ? 1
                      : wish->max_messages > MESSAGES_MAX ? MESSAGES_MAX
                                                          : (size_t)wish->max_messages;
        size_t begin = out->size;
        for (int looked = 0; looked < LOOKED_AT_MAX && result.count < most; looked++) {
            const struct record *record = store_queue_at(queue, result.next_offset);
            if (!record) break;
            size_t size = out->size - begin;
            if (size > 0 && size + record->size > wish->max_bytes) break;
            result.next_offset++;
            if (!message_filter_accepts(wish->filter, record)) continue;
            buffer_put_slice(out, record_bytes(record));
            result.count++;
        }
        result.status = result.count > 0 ? READ_FOUND : READ_NO_MATCH;
    }
    return result;
}

const char *read_status_name(enum read_status status)
{
    switch (status) {
    case READ_FOUND: return "FOUND";
    case READ_NO_MATCH: return "NO_MATCHED_MESSAGE";
    case READ_QUEUE_EMPTY: return "NO_MESSAGE_IN_QUEUE";
    case READ_OFFSET_TOO_SMALL: return "OFFSET_TOO_SMALL";
    case READ_OFFSET_AT_END: return "OFFSET_OVERFLOW_ONE";
    case READ_OFFSET_BEYOND: return "OFFSET_OVERFLOW_BADLY";
    case READ_OFFSET_RESET: return "OFFSET_RESET";
    }
    return "";
}

/* PullMessageProcessor.composeResponseHeader */
static int32_t code_of(const struct read_result *result, int64_t asked_offset)
{
    switch (result->status) {
    case READ_FOUND: return RESPONSE_SUCCESS;
    case READ_NO_MATCH: return RESPONSE_PULL_RETRY_IMMEDIATELY;
    case READ_QUEUE_EMPTY:
        return asked_offset != 0 ? RESPONSE_PULL_OFFSET_MOVED : RESPONSE_PULL_NOT_FOUND;
    case READ_OFFSET_AT_END: return RESPONSE_PULL_NOT_FOUND;
    case READ_OFFSET_TOO_SMALL:
    case READ_OFFSET_BEYOND:
    case READ_OFFSET_RESET: break;
    }
    return RESPONSE_PULL_OFFSET_MOVED;
}

static struct read_result read_or_reset(const struct pull *pull, struct buffer *records)
{
    const struct pull_message_header *header = &pull->header;
    const struct store_queue *queue = topic_queue(pull->topic, header->queue_id);
    int64_t reset = group_take_reset(pull->group, header->topic, header->queue_id);
    if (reset >= 0)
        return (struct read_result){
            .status = READ_OFFSET_RESET,
            .next_offset = reset,
            .min_offset = queue->min_offset,
            .max_offset = store_queue_max_offset(queue),
        };
    struct read_wish wish = {
        .offset = header->queue_offset,
        .max_messages = header->max_messages,
        .max_bytes = header->max_bytes > 0 ? (size_t)header->max_bytes : BYTES_MAX,
        .filter = &pull->filter,
    };
    if (wish.max_bytes > BYTES_MAX) wish.max_bytes = BYTES_MAX;
    return queue_read(queue, &wish, records);
}

/* ---- answering ---- */

/* PullMessageProcessor.tryCommitOffset: a master alone, or who acts as one, and not again when a
 * held pull wakes. */
static void commit(const struct pull *pull, bool first_time)
{
    const struct pull_message_header *header = &pull->header;
    const struct broker *broker = pull->request->broker;
    bool is_master =
        broker->broker_id == 0 || (broker->data->settings.acting_master && !broker_master(broker));
    if (first_time && is_master && header->sys_flag & PULL_FLAG_COMMIT_OFFSET &&
        header->commit_offset >= 0 &&
        group_pending_reset(pull->group, header->topic, header->queue_id) < 0)
        group_set_offset(pull->group, header->topic, header->queue_id, pull->topic->queue_count,
                         header->commit_offset);
}

static bool hold(struct pull *pull)
{
    struct long_poll poll = {
        .topic = pull->topic,
        .queue_id = pull->header.queue_id,
        .filter = &pull->filter,
        .timeout_ms = pull->header.suspend_timeout_ms,
        .handle = handle_again,
    };
    if (poll.timeout_ms > SUSPEND_MAX_MS) poll.timeout_ms = SUSPEND_MAX_MS;
    return poll.timeout_ms > 0 && long_poll_hold(pull->request, &poll);
}

/* All is in memory here: only who has no memory at all, by its settings, says so; as in Java of
 * whatever it has found. */
static bool is_far_behind(const struct pull *pull, const struct read_result *result)
{
    const struct broker_settings *settings = &pull->request->broker->data->settings;
    return settings->slave_read && settings->memory_percent == 0 && result->status == READ_FOUND;
}

static void answer_pull(struct pull *pull, bool may_hold)
{
    struct request *request = pull->request;
    const struct pull_message_header *header = &pull->header;
    struct buffer records;
    buffer_init(&records);
    struct read_result result = read_or_reset(pull, &records);
    int32_t code = code_of(&result, header->queue_offset);
    commit(pull, may_hold);
    group_note_pull(pull->group, header->topic, header->queue_id, pull->topic->queue_count,
                    result.next_offset);
    int64_t suggested = 0;
    /* A slave sends those away who are not far behind (while its master is up). */
    if (is_far_behind(pull, &result))
        suggested = pull->group->broker_when_slow;
    else if (request->broker->broker_id == 0 || !broker_master(request->broker))
        suggested = request->broker->data->settings.slave_read ? pull->group->broker_id : 0;
    else if (code != RESPONSE_SUCCESS)
        code = RESPONSE_PULL_RETRY_IMMEDIATELY;
    bool suspend =
        code == RESPONSE_PULL_NOT_FOUND && may_hold && header->sys_flag & PULL_FLAG_SUSPEND;
    if (records.failed) {
        request_no_memory(request);
    } else if (!suspend || !hold(pull)) {
        struct pull_message_response_header answer;
        header_init(&pull_message_response_layout, &answer);
        answer.next_begin_offset = result.next_offset;
        answer.min_offset = result.min_offset;
        answer.max_offset = result.max_offset;
        answer.topic_sys_flag = pull->topic->sys_flag;
        answer.suggest_broker_id = suggested;
        request_answer(
            request,
            &(struct answer){.code = code,
                             .remark = slice_text(read_status_name(result.status)),
                             .layout = &pull_message_response_layout,
                             .header = &answer,
                             .body = records.size > 0 ? buffer_slice(&records) : SLICE_ABSENT});
    }
    buffer_done(&records);
}
