/* The public API's calls that look into a running cluster: requests, messages, offsets. Visitors
 * run without the lock, on copies. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"

/* ---- requests ---- */

/* The next request kept that has the code and a number above `after`, as a copy; NULL: none. */
static struct logged_request *next_request(struct mqc_embedded *cluster, int code, int64_t after)
{
    struct logged_request *copy = NULL;
    lock_take(&cluster->lock);
    int64_t oldest = cluster->log.count - REQUEST_LOG_MAX;
    if (after < oldest) after = oldest;
    for (int64_t number = after + 1; number <= cluster->log.count && !copy; number++) {
        const struct logged_request *logged = request_log_find(&cluster->log, number);
        if (logged && (code == 0 || logged->what.code == code)) copy = logged_request_copy(logged);
    }
    lock_release(&cluster->lock);
    return copy;
}

size_t mqc_embedded_each_request(mqc_embedded *cluster, int code, int64_t after,
                                 mqc_embedded_request_visitor *visit, void *arg)
{
    size_t count = 0;
    bool more = true;
    struct logged_request *logged;
    while (more && (logged = next_request(cluster, code, after))) {
        after = logged->what.number;
        count++;
        more = visit(&logged->what, arg);
        memory_free(logged);
    }
    return count;
}

int64_t mqc_embedded_request_count(mqc_embedded *cluster, int code)
{
    lock_take(&cluster->lock);
    int64_t count = request_log_count(&cluster->log, code);
    lock_release(&cluster->lock);
    return count;
}

mqc_status mqc_embedded_await_requests(mqc_embedded *cluster, int code, int64_t count,
                                       int timeout_ms, mqc_error *error)
{
    int64_t deadline_ms = clock_deadline_ms(timeout_ms), seen;
    lock_take(&cluster->lock);
    while ((seen = request_log_count(&cluster->log, code)) < count &&
           condition_wait_until(&cluster->progress, &cluster->lock, deadline_ms)) {
    }
    lock_release(&cluster->lock);
    if (seen >= count) return MQC_OK;
    return error_set(error, MQC_TIMEOUT, "%lld requests of code %d came within %d ms, not %lld",
                     (long long)seen, code, timeout_ms, (long long)count);
}

/* ---- messages ---- */

struct copied_message {
    struct message_block *block; /* views into `bytes` */
    char broker_name[BROKER_NAME_BYTES];
    size_t size;
    char bytes[];
};

struct place {
    size_t broker;
    int32_t queue_id;
    int64_t offset;
};

static struct copied_message *copy_record(const struct broker_data *data,
                                          const struct record *record)
{
    struct copied_message *copy = memory_allocate(sizeof *copy + record->size);
    if (!copy) return NULL;
    memcpy(copy->broker_name, data->name, sizeof copy->broker_name);
    memcpy(copy->bytes, record->bytes, record->size);
    copy->size = record->size;
    if (message_block_decode(NULL, slice_of(copy->bytes, copy->size), &copy->block, NULL) == MQC_OK)
        return copy;
    memory_free(copy);
    return NULL;
}

/* The next message of a topic from a place on, which moves behind it; under the lock. */
static const struct record *next_record(const struct mqc_embedded *cluster, struct slice name,
                                        struct place *place)
{
    for (; place->broker < cluster->broker_count; place->broker++, place->queue_id = 0) {
        const struct broker *broker = cluster->brokers[place->broker];
        const struct topic *topic = message_store_topic(&broker->data->store, name);
        if (broker->broker_id != 0 || !topic) continue;
        for (; (size_t)place->queue_id < topic->queue_count; place->queue_id++, place->offset = 0) {
            const struct store_queue *queue = topic_queue(topic, place->queue_id);
            if (place->offset < queue->min_offset) place->offset = queue->min_offset;
            const struct record *record = store_queue_at(queue, place->offset);
            if (!record) continue;
            place->offset++;
            return record;
        }
    }
    return NULL;
}

static void describe(const struct copied_message *copy, const char *topic,
                     mqc_embedded_message *out)
{
    const struct mqc_message *message = &copy->block->messages[0];
    *out = (mqc_embedded_message){
        .topic = topic,
        .broker_name = copy->broker_name,
        .queue_id = message->queue_id,
        .queue_offset = message->queue_offset,
        .commit_log_offset = message->commit_log_offset,
        .stored_unix_ms = message->stored_unix_ms,
        .reconsume_times = message->reconsume_times,
        .body = message->body.data,
        .body_bytes = message->body.size,
        .properties = message->properties.data,
        .properties_bytes = message->properties.size,
    };
}

mqc_status mqc_embedded_each_message(mqc_embedded *cluster, const char *topic,
                                     mqc_embedded_message_visitor *visit, void *arg,
                                     mqc_error *error)
{
    struct place place = {0};
    for (bool more = true; more;) {
        mqc_embedded_message shown;
        lock_take(&cluster->lock);
        const struct record *record = next_record(cluster, slice_text(topic), &place);
        struct copied_message *copy =
            record ? copy_record(cluster->brokers[place.broker]->data, record) : NULL;
        bool failed = record && !copy;
        lock_release(&cluster->lock);
        if (failed) return error_no_memory(error);
        if (!copy) break;
        describe(copy, topic, &shown);
        more = visit(&shown, arg);
        message_block_unref(copy->block);
        memory_free(copy);
    }
    return MQC_OK;
}

int64_t mqc_embedded_message_count(mqc_embedded *cluster, const char *name)
{
    int64_t count = 0;
    lock_take(&cluster->lock);
    LIST_EACH(&cluster->stores, link)
    {
        const struct broker_data *data = CONTAINER_OF(link, struct broker_data, in_cluster);
        const struct topic *topic = message_store_topic(&data->store, slice_text(name));
        if (topic) count += topic->messages;
    }
    lock_release(&cluster->lock);
    return count;
}

/* ---- offsets ---- */

int64_t mqc_embedded_consumer_offset(mqc_embedded *cluster, const char *group_name,
                                     const char *topic, int number, int queue_id)
{
    int64_t offset = OFFSET_NONE;
    lock_take(&cluster->lock);
    const struct broker *broker = cluster_broker(cluster, number);
    const struct group *group =
        broker ? groups_find(&broker->data->groups, slice_text(group_name)) : NULL;
    if (group) offset = group_offset(group, slice_text(topic), queue_id);
    lock_release(&cluster->lock);
    return offset;
}

static int64_t lag_of(const struct mqc_embedded *cluster, struct slice group_name,
                      struct slice topic_name)
{
    int64_t lag = 0;
    LIST_EACH(&cluster->stores, link)
    {
        const struct broker_data *data = CONTAINER_OF(link, struct broker_data, in_cluster);
        const struct group *group = groups_find(&data->groups, group_name);
        const struct topic *topic = message_store_topic(&data->store, topic_name);
        for (size_t i = 0; topic && i < topic->queue_count; i++) {
            const struct store_queue *queue = &topic->queues[i];
            int64_t offset =
                group ? group_offset(group, topic_name, (int32_t)i) : (int64_t)OFFSET_NONE;
            if (offset < queue->min_offset) offset = queue->min_offset;
            int64_t end = store_queue_max_offset(queue);
            if (offset < end) lag += end - offset;
        }
    }
    return lag;
}

int64_t mqc_embedded_lag(mqc_embedded *cluster, const char *group, const char *topic)
{
    lock_take(&cluster->lock);
    int64_t lag = lag_of(cluster, slice_text(group), slice_text(topic));
    lock_release(&cluster->lock);
    return lag;
}

mqc_status mqc_embedded_await_lag(mqc_embedded *cluster, const char *group, const char *topic,
                                  int64_t most, int timeout_ms, mqc_error *error)
{
    int64_t deadline_ms = clock_deadline_ms(timeout_ms), lag;
    lock_take(&cluster->lock);
    while ((lag = lag_of(cluster, slice_text(group), slice_text(topic))) > most &&
           condition_wait_until(&cluster->progress, &cluster->lock, deadline_ms)) {
    }
    lock_release(&cluster->lock);
    if (lag <= most) return MQC_OK;
    return error_set(error, MQC_TIMEOUT,
                     "group \"%s\" is %lld messages of topic \"%s\" behind after %d ms, not %lld",
                     group, (long long)lag, topic, timeout_ms, (long long)most);
}

/* ---- clients ---- */

int mqc_embedded_member_count(mqc_embedded *cluster, int number, const char *group)
{
    int count = 0;
    lock_take(&cluster->lock);
    const struct broker *broker = cluster_broker(cluster, number);
    const struct consumers *consumers =
        broker ? clients_consumers(&broker->clients, slice_text(group)) : NULL;
    if (consumers) LIST_EACH(&consumers->members, link) count++;
    lock_release(&cluster->lock);
    return count;
}

int mqc_embedded_connection_count(mqc_embedded *cluster)
{
    int count = 0;
    lock_take(&cluster->lock);
    LIST_EACH(&cluster->connections, link) count++;
    lock_release(&cluster->lock);
    return count;
}
