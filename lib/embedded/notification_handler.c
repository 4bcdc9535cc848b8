/* NOTIFICATION: whether a pop would find something, waiting for it (NotificationProcessor.java). On
 * the I/O thread; also called again for those that poll. */
#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/pop_handler.h"
#include "lib/embedded/pop_order.h"

enum { POLL_MAX_MS = 3600000 };

static void handle(struct request *request, bool may_hold);

void notification_handle(struct request *request)
{
    handle(request, true);
}

static void handle_again(struct request *request, enum wake_reason reason)
{
    handle(request, reason == WAKE_ARRIVED);
}

/* What is being looked for. */
struct look {
    const struct broker_data *data;
    const struct notification_header *header;
    const struct group *group; /* NULL: it never consumed */
};

static bool queue_has_more(const struct look *look, const struct topic *topic, int32_t queue_id)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    const struct notification_header *header = look->header;
    struct pop_key key = {header->consumer_group, header->topic, queue_id, 0};
    if (!queue || (header->orderly && pop_order_blocks(look->data, &key, header->attempt_id)))
        return false;
    return pop_first_offset(look->group, topic, queue_id, 0) < store_queue_max_offset(queue);
}

static bool topic_has_more(const struct look *look, const struct topic *topic, int32_t queue_id)
{
    if (queue_id >= 0) return queue_has_more(look, topic, queue_id);
    for (int32_t i = 0; topic && i < topic->read_queues; i++)
        if (queue_has_more(look, topic, i)) return true;
    return false;
}

static bool has_more(const struct broker_data *data, const struct notification_header *header,
                     const struct topic *topic)
{
    struct look look = {data, header, groups_find(&data->groups, header->consumer_group)};
    if (topic_has_more(&look, topic, header->queue_id)) return true;
    for (int form = 0; form <= 1; form++) {
        const struct topic *retry =
            pop_find_retry_topic(data, header->consumer_group, header->topic, form != 0);
        if (topic_has_more(&look, retry, -1)) return true;
    }
    return false;
}

static bool hold(struct request *request, const struct notification_header *header,
                 struct topic *topic)
{
    struct message_filter everything = {0};
    struct long_poll poll = {
        .topic = topic,
        .queue_id = header->queue_id,
        .filter = &everything,
        .retries_too = true,
        .handle = handle_again,
    };
    if (header->poll_time_ms <= 0 || header->poll_time_ms > POLL_MAX_MS ||
        header->born_timestamp < 0 || header->born_timestamp > INT64_MAX - POLL_MAX_MS)
        return false;
    int64_t born = header->born_timestamp ? header->born_timestamp : clock_unix_ms();
    poll.timeout_ms = born + header->poll_time_ms - clock_unix_ms();
    return poll.timeout_ms > 0 && poll.timeout_ms <= POLL_MAX_MS && long_poll_hold(request, &poll);
}

static void handle(struct request *request, bool may_hold)
{
    struct notification_header header;
    if (!request_header(request, &notification_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    struct topic *topic = message_store_topic(&data->store, header.topic);
    if (!pop_check_names(request, header.topic, header.consumer_group, header.queue_id)) return;
    struct notification_response_header answer = {.has_message = has_more(data, &header, topic)};
    if (answer.has_message || !may_hold || !hold(request, &header, topic))
        request_answer(
            request, &(struct answer){.layout = &notification_response_layout, .header = &answer});
}
