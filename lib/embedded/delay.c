/* Delayed messages: see delay.h. Called when messages are put, and by timers of message time. */
#include "lib/embedded/delay.h"

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/properties_edit.h"
#include "lib/embedded/timer_messages.h"

struct scheduled {
    struct link in_data;
    struct timer timer;
    struct broker_data *data;
    int64_t commit_log_offset; /* of the waiting record */
};

static void fire(struct timer *timer);

/* MessageStoreConfig.messageDelayLevel */
static const int32_t LEVEL_SECONDS[DELAY_LEVELS] = {
    1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200};

int32_t delay_level_of(const struct mqc_message *message)
{
    int32_t level = 0;
    struct slice text = properties_find(message->properties, PROPERTY_DELAY);
    if (!text.data || !slice_to_int32(text, &level) || level < 0) return 0;
    return level > DELAY_LEVELS ? DELAY_LEVELS : level;
}

int64_t delay_level_ms(int32_t level)
{
    if (level > DELAY_LEVELS) level = DELAY_LEVELS;
    return level < 1 ? 0 : LEVEL_SECONDS[level - 1] * INT64_C(1000);
}

struct record *delay_put(struct broker_data *data, struct topic *topic, struct mqc_message *message)
{
    int32_t level = delay_level_of(message);
    int64_t due = cluster_message_time(data->cluster) + delay_level_ms(level);
    char queue_id[HEADER_NUMBER_BYTES];
    struct buffer properties;
    buffer_init(&properties);
    const struct property_change changes[] = {
        {TIMER_DELIVER_MS, SLICE_ABSENT},
        {TIMER_DELAY_SEC, SLICE_ABSENT},
        {TIMER_DELAY_MS, SLICE_ABSENT},
        {PROPERTY_REAL_TOPIC, slice_text(topic->name)},
        {PROPERTY_REAL_QUEUE_ID, slice_of(queue_id, decimal_write(queue_id, message->queue_id))},
    };
    properties_edit(&properties, message->properties, changes, 5);
    message->properties = buffer_slice(&properties);
    struct record *record = NULL;
    if (!properties.failed) record = delay_put_until(data, DELAY_TOPIC, level - 1, due, message);
    buffer_done(&properties);
    message->properties = SLICE_ABSENT;
    return record;
}

struct record *delay_put_until(struct broker_data *data, const char *waiting_topic,
                               int32_t waiting_queue, int64_t due_unix_ms,
                               struct mqc_message *message)
{
    struct topic *topic = message_store_topic(&data->store, slice_text(waiting_topic));
    struct scheduled *scheduled = memory_allocate_zero(1, sizeof *scheduled);
    if (!topic || !scheduled) goto failed;
    message->queue_id = waiting_queue;
    message->stored_unix_ms = cluster_message_time(data->cluster);
    struct record *record = message_store_append(&data->store, topic, message);
    if (!record) goto failed;
    scheduled->timer.fire = fire;
    scheduled->data = data;
    scheduled->commit_log_offset = record->commit_log_offset;
    if (!timer_set(&data->cluster->schedule, &scheduled->timer, due_unix_ms)) goto failed;
    list_append(&data->scheduled, &scheduled->in_data);
    return record;
failed:
    memory_free(scheduled);
    return NULL;
}

static void scheduled_free(struct scheduled *scheduled)
{
    timer_cancel(&scheduled->data->cluster->schedule, &scheduled->timer);
    list_remove(&scheduled->in_data);
    memory_free(scheduled);
}

/* ScheduleMessageService.messageTimeUp, TimerMessageStore.convert: with its REAL_ properties still.
 */
static void deliver(struct broker_data *data, const struct mqc_message *waiting)
{
    int32_t queue_id = -1;
    struct slice name = properties_find(waiting->properties, PROPERTY_REAL_TOPIC);
    struct slice queue = properties_find(waiting->properties, PROPERTY_REAL_QUEUE_ID);
    struct topic *topic = message_store_topic(&data->store, name);
    if (!topic || !queue.data || !slice_to_int32(queue, &queue_id)) return;
    if (!topic_queue(topic, queue_id)) return; /* deleted meanwhile */
    char came[HEADER_NUMBER_BYTES], goes[HEADER_NUMBER_BYTES];
    int64_t came_ms = waiting->stored_unix_ms / TIMER_PRECISION_MS * TIMER_PRECISION_MS;
    const struct property_change times[] = {
        {TIMER_ENQUEUE_MS, slice_of(came, decimal_write(came, came_ms))},
        {TIMER_DEQUEUE_MS,
         slice_of(goes, decimal_write(goes, cluster_message_time(data->cluster)))},
    };
    bool is_timer = properties_find(waiting->properties, TIMER_OUT_MS).data != NULL;
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, waiting->properties, times, is_timer ? 2 : 0);
    struct mqc_message message = *waiting;
    message.queue_id = queue_id;
    message.properties = buffer_slice(&properties);
    if (!properties.failed) broker_store(data, topic, &message);
    buffer_done(&properties);
}

static bool master_is_up(const struct broker_data *data)
{
    return cluster_find_broker(data->cluster, slice_text(data->name), 0) != NULL;
}

static void fire(struct timer *timer)
{
    struct scheduled *scheduled = CONTAINER_OF(timer, struct scheduled, timer);
    struct broker_data *data = scheduled->data;
    if (!master_is_up(data)) return; /* delay_resume will find it */
    const struct record *record = message_store_find(&data->store, scheduled->commit_log_offset);
    struct message_block *block = record ? record_decode(record) : NULL;
    scheduled_free(scheduled);
    if (block) deliver(data, &block->messages[0]);
    message_block_unref(block);
}

void delay_cancel(struct broker_data *data, const char *waiting_topic,
                  bool (*matches)(struct slice properties, const void *arg), const void *arg)
{
    LIST_EACH_SAFE(&data->scheduled, link)
    {
        struct scheduled *scheduled = CONTAINER_OF(link, struct scheduled, in_data);
        const struct record *record =
            message_store_find(&data->store, scheduled->commit_log_offset);
        if (record && strcmp(record->topic->name, waiting_topic) == 0 &&
            matches(record_properties(record), arg))
            scheduled_free(scheduled);
    }
}

void delay_resume(struct broker_data *data)
{
    if (!master_is_up(data)) return;
    LIST_EACH(&data->scheduled, link)
    {
        struct scheduled *scheduled = CONTAINER_OF(link, struct scheduled, in_data);
        if (scheduled->timer.place == 0)
            timer_set(&data->cluster->schedule, &scheduled->timer, scheduled->timer.due_ms);
    }
}

void delay_forget_all(struct broker_data *data)
{
    LIST_EACH_SAFE(&data->scheduled, link)
    scheduled_free(CONTAINER_OF(link, struct scheduled, in_data));
}
