/* Held requests: see long_poll.h. */
#include "lib/embedded/long_poll.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"

struct waiter {
    struct link in_topic;
    struct bond bond;
    struct timer timer;
    struct broker *broker;
    struct connection *connection;
    struct frame *frame;
    struct reply reply;
    int32_t queue_id;
    bool retries_too;
    struct message_filter filter;
    long_poll_handler *handle;
};

static void time_is_over(struct timer *timer);
static void connection_lost(struct bond *bond);

bool long_poll_hold(struct request *request, const struct long_poll *poll)
{
    struct waiter *waiter = memory_allocate_zero(1, sizeof *waiter);
    struct frame *frame = frame_copy(request->frame);
    if (!waiter || !frame || request->connection->fd < 0) goto failed;
    waiter->timer.fire = time_is_over;
    if (!timer_set(&request->cluster->held, &waiter->timer, clock_deadline_ms(poll->timeout_ms)))
        goto failed;
    waiter->broker = request->broker;
    waiter->connection = request->connection;
    waiter->frame = frame;
    waiter->reply = request->reply;
    waiter->queue_id = poll->queue_id;
    waiter->retries_too = poll->retries_too;
    waiter->filter = *poll->filter;
    *poll->filter = (struct message_filter){0};
    waiter->handle = poll->handle;
    list_append(&poll->topic->waiting, &waiter->in_topic);
    connection_add_bond(request->connection, &waiter->bond, connection_lost);
    return true;
failed:
    frame_unref(frame);
    memory_free(waiter);
    return false;
}

static void waiter_free(struct waiter *waiter)
{
    list_remove(&waiter->in_topic);
    list_remove(&waiter->bond.in_connection);
    timer_cancel(&waiter->broker->cluster->held, &waiter->timer);
    message_filter_done(&waiter->filter);
    frame_unref(waiter->frame);
    memory_free(waiter);
}

static void connection_lost(struct bond *bond)
{
    waiter_free(CONTAINER_OF(bond, struct waiter, bond));
}

/* Handles the request again; the waiter is gone before, so that the handler may do anything. */
static void wake(struct waiter *waiter, enum wake_reason reason)
{
    struct remoting_command command;
    struct frame *frame = frame_ref(waiter->frame);
    struct request request = {
        .cluster = waiter->broker->cluster,
        .broker = waiter->broker,
        .connection = waiter->connection,
        .command = &command,
        .frame = slice_of(frame->bytes, frame->size),
        .reply = waiter->reply,
    };
    long_poll_handler *handle = waiter->handle;
    waiter_free(waiter);
    if (remoting_command_decode(&command, request.frame, NULL) == MQC_OK) {
        handle(&request, reason);
        remoting_command_done(&command);
    }
    frame_unref(frame);
}

static void time_is_over(struct timer *timer)
{
    wake(CONTAINER_OF(timer, struct waiter, timer), WAKE_TIMEOUT);
}

static bool wants(const struct waiter *waiter, const struct record *record)
{
    if (waiter->queue_id >= 0 && waiter->queue_id != record->queue_id) return false;
    return message_filter_accepts(&waiter->filter, record);
}

/* Waking one may end others, as when its connection breaks: those to be woken are moved first. With
 * no record: all that look for retried messages. */
static void wake_matching(struct topic *topic, const struct record *record)
{
    struct link woken;
    list_init(&woken);
    LIST_EACH_SAFE(&topic->waiting, link)
    {
        struct waiter *waiter = CONTAINER_OF(link, struct waiter, in_topic);
        if (record ? !wants(waiter, record) : !waiter->retries_too) continue;
        list_remove(&waiter->in_topic);
        list_append(&woken, &waiter->in_topic);
    }
    while (!list_empty(&woken))
        wake(CONTAINER_OF(woken.next, struct waiter, in_topic), WAKE_ARRIVED);
}

void long_poll_arrived(const struct record *record)
{
    wake_matching(record->topic, record);
}

void long_poll_retry_arrived(struct topic *topic)
{
    wake_matching(topic, NULL);
}

int32_t long_poll_count(const struct topic *topic, int32_t queue_id)
{
    int32_t count = 0;
    LIST_EACH(&topic->waiting, link)
    {
        const struct waiter *waiter = CONTAINER_OF(link, struct waiter, in_topic);
        if (queue_id < 0 || waiter->queue_id < 0 || waiter->queue_id == queue_id) count++;
    }
    return count;
}

void long_poll_release(struct link *waiting)
{
    while (!list_empty(waiting))
        wake(CONTAINER_OF(waiting->next, struct waiter, in_topic), WAKE_TIMEOUT);
}

void long_poll_forget_all(struct broker_data *data)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&data->store.topics, &position, &entry)) {
        struct topic *topic = entry.value;
        LIST_EACH_SAFE(&topic->waiting, link)
        waiter_free(CONTAINER_OF(link, struct waiter, in_topic));
    }
}
