/* What brokers and name server tell of themselves: configuration and state (AdminBrokerProcessor,
 * DefaultRequestProcessor). On the I/O thread. */
#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

/* ---- configuration ---- */

static void put_line(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, "%s=%s\n", name, value);
}

void broker_config_handle_get(struct request *request)
{
    const struct broker *broker = request->broker;
    const struct mqc_embedded *cluster = request->cluster;
    struct get_broker_config_response_header header = {
        .version = SLICE_LITERAL("{\"counter\":0,\"stateVersion\":0,\"timestamp\":0}")};
    struct buffer body;
    buffer_init(&body);
    put_line(&body, "brokerClusterName", cluster->name);
    put_line(&body, "brokerName", broker->data->name);
    put_line(&body, "brokerIP1", EMBEDDED_HOST);
    put_line(&body, "namesrvAddr", cluster->name_server_address);
    put_line(&body, "autoCreateTopicEnable", cluster->auto_create_topics ? "true" : "false");
    put_line(&body, "brokerRole", broker->broker_id == 0 ? "ASYNC_MASTER" : "SLAVE");
    buffer_put_format(&body, "brokerId=%lld\nlistenPort=%d\ndefaultTopicQueueNums=%d\n",
                      (long long)broker->broker_id, (int)broker->listener.port,
                      (int)cluster->topic_queues);
    broker_settings_write(&broker->data->settings, &body);
    if (body.failed)
        request_no_memory(request);
    else
        request_answer(request, &(struct answer){.layout = &get_broker_config_response_layout,
                                                 .header = &header,
                                                 .body = buffer_slice(&body)});
    buffer_done(&body);
}

/* Of names that are not in the table the real broker takes no notice either. */
void broker_config_handle_update(struct request *request)
{
    mqc_error error;
    if (broker_settings_read(&request->broker->data->settings, request->command->body, false,
                             &error) == MQC_OK)
        request_done(request);
    else
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "%s", error.text);
}

void name_server_config_handle_get(struct request *request)
{
    struct buffer body;
    buffer_init(&body);
    buffer_put_format(&body, "bindAddress=%s\nlistenPort=%d\n", EMBEDDED_HOST,
                      (int)request->cluster->name_listener.port);
    request_answer_body(request, &body);
    buffer_done(&body);
}

/* There is nothing to configure; as with the real one, unknown names are passed over. */
void name_server_config_handle_update(struct request *request)
{
    request_done(request);
}

/* ---- state ---- */

/* What is the same in every answer: nothing of it is measured. */
static const char *const CONSTANT[] = {
    "brokerActive",
    "true",
    "brokerVersionDesc",
    "V5_5_0",
    "putTps",
    "0.0 0.0 0.0",
    "getFoundTps",
    "0.0 0.0 0.0",
    "getMissTps",
    "0.0 0.0 0.0",
    "getTotalTps",
    "0.0 0.0 0.0",
    "getTransferredTps",
    "0.0 0.0 0.0",
    "msgPutTotalYesterdayMorning",
    "0",
    "msgPutTotalTodayMorning",
    "0",
    "msgGetTotalYesterdayMorning",
    "0",
    "msgGetTotalTodayMorning",
    "0",
    "msgGetTotalTodayNow",
    "0",
    "commitLogDiskRatio",
    "0.0",
    "consumeQueueDiskRatio",
    "0.0",
    "dispatchBehindBytes",
    "0",
    "pageCacheLockTimeMills",
    "0",
    "putMessageEntireTimeMax",
    "0",
    "putMessageFailedTimes",
    "0",
    "getMessageEntireTimeMax",
    "0",
    "remainHowManyDataToFlush",
    "0 B",
    "remainTransientStoreBufferNumbs",
    "0",
    "startAcceptSendRequestTimeStamp",
    "0",
    "sendThreadPoolQueueSize",
    "0",
    "sendThreadPoolQueueCapacity",
    "10000",
    "sendThreadPoolQueueHeadWaitTimeMills",
    "0",
    "pullThreadPoolQueueSize",
    "0",
    "pullThreadPoolQueueCapacity",
    "100000",
    "pullThreadPoolQueueHeadWaitTimeMills",
    "0",
    "litePullThreadPoolQueueSize",
    "0",
    "litePullThreadPoolQueueCapacity",
    "100000",
    "litePullThreadPoolQueueHeadWaitTimeMills",
    "0",
    "queryThreadPoolQueueSize",
    "0",
    "queryThreadPoolQueueCapacity",
    "20000",
    "queryThreadPoolQueueHeadWaitTimeMills",
    "0",
    "ackThreadPoolQueueSize",
    "0",
    "ackThreadPoolQueueCapacity",
    "100000",
    "ackThreadPoolQueueHeadWaitTimeMills",
    "0",
    "EndTransactionQueueSize",
    "0",
    "EndTransactionThreadPoolQueueCapacity",
    "100000",
    "timerReadBehind",
    "0",
    "timerOffsetBehind",
    "0",
    "timerCongestNum",
    "0",
    "timerEnqueueTps",
    "0.0",
    "timerDequeueTps",
    "0.0",
};

static void put_number(struct buffer *out, const char *name, int64_t value)
{
    buffer_put_format(out, "\"%s\":\"%lld\",", name, (long long)value);
}

/* Messages that were put into queues since the start, and the time of the oldest that is left. */
static int64_t count_messages(const struct message_store *store, int64_t *oldest)
{
    int64_t count = 0;
    size_t position = 0;
    struct map_entry entry;
    *oldest = -1;
    while (map_next(&store->topics, &position, &entry)) {
        const struct topic *topic = entry.value;
        for (size_t i = 0; i < topic->queue_count; i++) {
            const struct store_queue *queue = &topic->queues[i];
            const struct record *first = store_queue_at(queue, queue->min_offset);
            count += store_queue_max_offset(queue);
            if (first && (*oldest < 0 || first->stored_unix_ms < *oldest))
                *oldest = first->stored_unix_ms;
        }
    }
    return count;
}

void broker_config_handle_runtime_info(struct request *request)
{
    const struct mqc_embedded *cluster = request->cluster;
    const struct message_store *store = &request->broker->data->store;
    int64_t oldest, count = count_messages(store, &oldest);
    int64_t seconds = (clock_unix_ms() - cluster->start_unix_ms) / 1000;
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"table\":{");
    for (size_t i = 0; i < sizeof CONSTANT / sizeof *CONSTANT; i += 2)
        buffer_put_format(&body, "\"%s\":\"%s\",", CONSTANT[i], CONSTANT[i + 1]);
    put_number(&body, "bootTimestamp", cluster->start_unix_ms);
    put_number(&body, "msgPutTotalTodayNow", count);
    put_number(&body, "putMessageTimesTotal", count);
    put_number(&body, "putMessageSizeTotal", store->next_offset);
    put_number(&body, "putMessageAverageSize", count ? store->next_offset / count : 0);
    put_number(&body, "commitLogMinOffset", 0);
    put_number(&body, "commitLogMaxOffset", store->next_offset);
    put_number(&body, "earliestMessageTimeStamp", oldest);
    buffer_put_format(&body, "\"runtime\":\"[ %d days, %d hours, %d minutes, %d seconds ]\"}}",
                      (int)(seconds / 86400), (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
                      (int)(seconds % 60));
    request_answer_body(request, &body);
    buffer_done(&body);
}

/* VIEW_BROKER_STATS_DATA: rates are not measured. */
void broker_config_handle_stats(struct request *request)
{
    struct view_broker_stats_data_header header;
    if (!request_header(request, &view_broker_stats_data_layout, &header)) return;
    static const char *const names[] = {"TOPIC_PUT_NUMS", "TOPIC_PUT_SIZE",  "GROUP_GET_NUMS",
                                        "GROUP_GET_SIZE", "SNDBCK_PUT_NUMS", "BROKER_PUT_NUMS",
                                        "BROKER_GET_NUMS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!slice_is(header.stats_name, names[i])) continue;
        request_answer(request,
                       &(struct answer){.body = SLICE_LITERAL(
                                            "{\"statsDay\":{\"avgpt\":0.0,\"sum\":0,\"tps\":0.0},"
                                            "\"statsHour\":{\"avgpt\":0.0,\"sum\":0,\"tps\":0.0},"
                                            "\"statsMinute\":{\"avgpt\":0.0,\"sum\":0,"
                                            "\"tps\":0.0}}")});
        return;
    }
    request_refuse(request, RESPONSE_SYSTEM_ERROR, "The stats <%.*s> <%.*s> not exist",
                   SLICE_FORMAT(header.stats_name), SLICE_FORMAT(header.stats_key));
}

/* Clean-ups, which have nothing to do here. */
void broker_config_handle_clean(struct request *request)
{
    request_done(request);
}
