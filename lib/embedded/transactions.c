/* Half messages, END_TRANSACTION and the checks with producers (EndTransactionProcessor.java,
 * TransactionalMessageBridge.java, AbstractTransactionalMessageCheckListener.java). */
#include "lib/embedded/transactions.h"

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/properties_edit.h"
#include "lib/protocol/sys_flag.h"

#define CHECK_TIMES    "TRANSACTION_CHECK_TIMES"
#define CHECK_IMMUNITY "CHECK_IMMUNITY_TIME_IN_SECONDS"
#define TRANSACTION_ID "__transactionId__"
#define GAVE_UP_TOPIC  "TRANS_CHECK_MAX_TIME_TOPIC"

/* A transaction that is still open. */
struct half {
    struct link in_data;
    struct timer timer;
    struct broker_data *data;
    int64_t commit_log_offset; /* of the half message as it was stored last */
    int32_t checks;
};

static void check(struct timer *timer);

/* ---- the half message ---- */

/* How long its producer is left alone. */
static int64_t immunity_ms(const struct broker_data *data, const struct mqc_message *message)
{
    int64_t seconds;
    struct slice text = properties_find(message->properties, CHECK_IMMUNITY);
    if (!text.data || !slice_to_int64(text, &seconds) || seconds < 0 || seconds > 1000000)
        return data->settings.transaction_timeout_ms;
    return seconds * 1000;
}

static struct record *store_half(struct broker_data *data, struct mqc_message *message)
{
    struct topic *topic = message_store_topic(&data->store, slice_text(TRANSACTION_HALF_TOPIC));
    message->queue_id = 0;
    return topic ? broker_store(data, topic, message) : NULL;
}

static void half_free(struct half *half)
{
    timer_cancel(&half->data->cluster->schedule, &half->timer);
    list_remove(&half->in_data);
    memory_free(half);
}

static bool half_open(struct broker_data *data, const struct record *record, int64_t first_check)
{
    struct half *half = memory_allocate_zero(1, sizeof *half);
    if (!half) return false;
    half->data = data;
    half->commit_log_offset = record->commit_log_offset;
    half->timer.fire = check;
    list_append(&data->halves, &half->in_data);
    if (timer_set(&data->cluster->schedule, &half->timer, first_check)) return true;
    half_free(half);
    return false;
}

struct record *transaction_prepare(struct broker *broker, struct topic *topic,
                                   struct mqc_message *message)
{
    struct broker_data *data = broker->data;
    char queue_id[HEADER_NUMBER_BYTES];
    int64_t first_check = cluster_message_time(data->cluster) + immunity_ms(data, message);
    const struct property_change changes[] = {
        {TRANSACTION_ID, properties_find(message->properties, PROPERTY_UNIQUE_KEY)},
        {PROPERTY_REAL_TOPIC, slice_text(topic->name)},
        {PROPERTY_REAL_QUEUE_ID, slice_of(queue_id, decimal_write(queue_id, message->queue_id))},
    };
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message->properties, changes, 3);
    message->properties = buffer_slice(&properties);
    message->sys_flag &= ~MESSAGE_FLAG_TRANSACTION;
    struct record *record = properties.failed ? NULL : store_half(data, message);
    if (record && !half_open(data, record, first_check)) record = NULL;
    buffer_done(&properties);
    message->properties = SLICE_ABSENT;
    return record;
}

void transactions_forget_all(struct broker_data *data)
{
    LIST_EACH_SAFE(&data->halves, link) half_free(CONTAINER_OF(link, struct half, in_data));
}

/* ---- its end ---- */

static struct half *half_find(const struct broker_data *data, int64_t commit_log_offset)
{
    LIST_EACH(&data->halves, link)
    {
        struct half *half = CONTAINER_OF(link, struct half, in_data);
        if (half->commit_log_offset == commit_log_offset) return half;
    }
    return NULL;
}

/* EndTransactionProcessor.checkPrepareMessage: NULL, or what does not fit. */
static const char *misfit(const struct mqc_message *message,
                          const struct end_transaction_header *header)
{
    struct slice group = properties_find(message->properties, PROPERTY_PRODUCER_GROUP);
    if (!group.data || !slice_equal(group, header->producer_group))
        return "The producer group wrong";
    if (message->queue_offset != header->transaction_table_offset)
        return "The transaction state table offset wrong";
    if (message->commit_log_offset != header->commit_log_offset)
        return "The commit log offset wrong";
    return NULL;
}

/* The message as consumers are to see it. False: no memory, or its topic is gone. */
static bool commit(struct broker_data *data, const struct mqc_message *half)
{
    static const struct property_change changes[] = {
        {PROPERTY_REAL_TOPIC, {NULL, 0}},
        {PROPERTY_REAL_QUEUE_ID, {NULL, 0}},
        {PROPERTY_WAIT, {"true", 4}},
    };
    int32_t queue_id = -1;
    struct slice name = properties_find(half->properties, PROPERTY_REAL_TOPIC);
    struct slice queue = properties_find(half->properties, PROPERTY_REAL_QUEUE_ID);
    struct topic *topic = message_store_topic(&data->store, name);
    if (!topic || !queue.data || !slice_to_int32(queue, &queue_id)) return false;
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, half->properties, changes, 3);
    struct mqc_message message = *half;
    message.properties = buffer_slice(&properties);
    message.queue_id = queue_id;
    message.sys_flag |= MESSAGE_FLAG_COMMIT;
    message.prepared_transaction_offset = half->commit_log_offset;
    bool stored = !properties.failed && topic_queue(topic, queue_id) &&
                  broker_put(data, topic, &message, NULL) != NULL;
    buffer_done(&properties);
    return stored;
}

static void end(struct request *request, const struct end_transaction_header *header,
                const struct mqc_message *half)
{
    struct broker_data *data = request->broker->data;
    const char *fault = misfit(half, header);
    if (fault) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "%s", fault);
        return;
    }
    if (header->commit_or_rollback == MESSAGE_FLAG_COMMIT && !commit(data, half)) {
        request_no_memory(request);
        return;
    }
    struct half *open = half_find(data, header->commit_log_offset);
    if (open) half_free(open);
    request_done(request);
}

void transaction_handle_end(struct request *request)
{
    struct end_transaction_header header;
    if (!request_header(request, &end_transaction_layout, &header)) return;
    if (request->broker->broker_id != 0) {
        request_answer(request, &(struct answer){.code = RESPONSE_SLAVE_NOT_AVAILABLE});
        return;
    }
    /* Unknown is only logged by the real broker, and never answered. */
    if (header.commit_or_rollback != MESSAGE_FLAG_COMMIT &&
        header.commit_or_rollback != MESSAGE_FLAG_ROLLBACK)
        return;
    struct broker_data *data = request->broker->data;
    const struct record *record = message_store_find(&data->store, header.commit_log_offset);
    struct message_block *block = record ? record_decode(record) : NULL;
    if (block)
        end(request, &header, &block->messages[0]);
    else
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "Find prepared transaction message failed");
    message_block_unref(block);
}

/* RESUME_CHECK_HALF_MESSAGE: one that was given up is asked for again, from the first time. */
void transaction_handle_resume(struct request *request)
{
    static const char failed[] =
        "Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC.";
    struct resume_check_half_message_header header;
    struct host host;
    int64_t offset;
    struct broker_data *data = request->broker->data;
    const struct record *record = NULL;
    if (!request_header(request, &resume_check_half_message_layout, &header)) return;
    if (offset_id_parse(header.message_id, &host, &offset, NULL) == MQC_OK)
        record = message_store_find(&data->store, offset);
    struct message_block *block = record ? record_decode(record) : NULL;
    if (!block) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "%s", failed);
        return;
    }
    const struct property_change change = {CHECK_TIMES, SLICE_LITERAL("0")};
    struct mqc_message message = block->messages[0];
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message.properties, &change, 1);
    message.properties = buffer_slice(&properties);
    int64_t first_check = cluster_message_time(data->cluster) + immunity_ms(data, &message);
    record = properties.failed ? NULL : store_half(data, &message);
    if (record && half_open(data, record, first_check))
        request_done(request);
    else
        request_no_memory(request);
    buffer_done(&properties);
    message_block_unref(block);
}

/* ---- asking the producer ---- */

static struct connection *producer_of(const struct broker_data *data, struct slice group)
{
    const struct broker *master = cluster_find_broker(data->cluster, slice_text(data->name), 0);
    const struct producers *producers = master ? clients_producers(&master->clients, group) : NULL;
    if (!producers || list_empty(&producers->members)) return NULL;
    return CONTAINER_OF(producers->members.next, struct member, in_group)->connection;
}

static void send_check(struct broker_data *data, const struct mqc_message *half)
{
    int32_t queue_id = 0;
    char id[MESSAGE_ID_BYTES];
    struct slice group = properties_find(half->properties, PROPERTY_PRODUCER_GROUP);
    struct connection *connection = group.data ? producer_of(data, group) : NULL;
    if (!connection || connection->fd < 0) return;
    offset_id_make(&half->store_host, half->commit_log_offset, id);
    struct slice key = properties_find(half->properties, PROPERTY_UNIQUE_KEY);
    struct check_transaction_state_header header = {
        .topic = SLICE_LITERAL(TRANSACTION_HALF_TOPIC),
        .transaction_table_offset = half->queue_offset,
        .commit_log_offset = half->commit_log_offset,
        .message_id = key,
        .transaction_id = key,
        .offset_message_id = slice_text(id),
        .broker_name = slice_text(data->name),
    };
    struct mqc_message shown = *half;
    shown.stored_topic = properties_find(half->properties, PROPERTY_REAL_TOPIC);
    struct slice queue = properties_find(half->properties, PROPERTY_REAL_QUEUE_ID);
    if (queue.data && slice_to_int32(queue, &queue_id)) shown.queue_id = queue_id;
    struct buffer body;
    buffer_init(&body);
    message_record_encode(&shown, &body);
    if (!body.failed)
        push_oneway(connection, REQUEST_CHECK_TRANSACTION_STATE, &check_transaction_state_layout,
                    &header, buffer_slice(&body));
    buffer_done(&body);
}

/* Stores the half message anew with one more check: its offsets change each time. */
static bool renew(struct half *half, struct mqc_message *message)
{
    char times[HEADER_NUMBER_BYTES];
    const struct property_change changes[] = {
        {CHECK_TIMES, slice_of(times, decimal_write(times, half->checks))},
        {PROPERTY_WAIT, SLICE_LITERAL("false")},
    };
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message->properties, changes, 2);
    message->properties = buffer_slice(&properties);
    const struct record *record = properties.failed ? NULL : store_half(half->data, message);
    if (record) {
        half->commit_log_offset = record->commit_log_offset;
        send_check(half->data, message);
    }
    buffer_done(&properties);
    return record != NULL;
}

static void give_up(struct broker_data *data, struct mqc_message *message)
{
    struct topic *topic = broker_topic_for_retry(data, slice_text(GAVE_UP_TOPIC), 1);
    message->queue_id = 0;
    if (topic) broker_store(data, topic, message);
}

static void check(struct timer *timer)
{
    struct half *half = CONTAINER_OF(timer, struct half, timer);
    struct broker_data *data = half->data;
    const struct record *record = message_store_find(&data->store, half->commit_log_offset);
    struct message_block *block = record ? record_decode(record) : NULL;
    bool open = block != NULL;
    if (open && cluster_find_broker(data->cluster, slice_text(data->name), 0)) {
        open = ++half->checks <= data->settings.transaction_check_max;
        if (!open)
            give_up(data, &block->messages[0]);
        else
            renew(half, &block->messages[0]);
    }
    int64_t next =
        cluster_message_time(data->cluster) + data->settings.transaction_check_interval_ms;
    if (!open || !timer_set(&data->cluster->schedule, &half->timer, next)) half_free(half);
    message_block_unref(block);
}
