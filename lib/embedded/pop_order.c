/* Queues that were popped in order: see pop_order.h. Called by the pop handlers; when the time of
 * what is out is over, those who poll at the topic are woken by a timer of message time. */
#include "lib/embedded/pop_order.h"

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/long_poll.h"

/* One queue of a topic for one group. */
struct order {
    struct timer timer; /* set while messages are out */
    struct broker_data *data;
    char *topic;
    char *attempt_id; /* NULL: none */
    int64_t popped_unix_ms;
    size_t count;
    struct {
        int64_t offset;
        int64_t visible_unix_ms; /* again */
        int32_t taken_before;
        bool done;
    } messages[POP_ORDER_MAX];
};

static void time_is_over(struct timer *timer);

/* The map's key; the group has no space in its name. */
static void put_key(struct buffer *out, const struct pop_key *key)
{
    buffer_init(out);
    buffer_put_format(out, "%d ", (int)key->queue_id);
    buffer_put_slice(out, key->group);
    buffer_put_8(out, ' ');
    buffer_put_slice(out, key->topic);
}

static struct order *order_find(const struct broker_data *data, const struct pop_key *key)
{
    struct buffer text;
    put_key(&text, key);
    struct order *order = text.failed ? NULL : map_get(&data->pop.orders, buffer_slice(&text));
    buffer_done(&text);
    return order;
}

static void order_free(struct order *order)
{
    timer_cancel(&order->data->cluster->schedule, &order->timer);
    memory_free(order->topic);
    memory_free(order->attempt_id);
    memory_free(order);
}

static struct order *order_get(struct broker_data *data, const struct pop_key *key)
{
    struct order *order = order_find(data, key);
    if (order) return order;
    order = memory_allocate_zero(1, sizeof *order);
    if (!order) return NULL;
    struct buffer text;
    put_key(&text, key);
    order->data = data;
    order->timer.fire = time_is_over;
    order->topic = slice_duplicate(key->topic);
    if (!order->topic || text.failed ||
        !map_put(&data->pop.orders, buffer_slice(&text), order, NULL)) {
        order_free(order);
        order = NULL;
    }
    buffer_done(&text);
    return order;
}

void pop_order_forget(struct broker_data *data, const struct pop_key *key)
{
    struct buffer text;
    put_key(&text, key);
    struct order *order = text.failed ? NULL : map_remove(&data->pop.orders, buffer_slice(&text));
    buffer_done(&text);
    if (order) order_free(order);
}

void pop_order_forget_topic(struct broker_data *data, const char *topic)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&data->pop.orders, &position, &entry)) {
        struct order *order = entry.value;
        if (strcmp(order->topic, topic) != 0) continue;
        order->count = 0;
        timer_cancel(&data->cluster->schedule, &order->timer);
    }
}

void pop_order_forget_all(struct broker_data *data)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&data->pop.orders, &position, &entry)) order_free(entry.value);
    map_done(&data->pop.orders);
    map_init(&data->pop.orders);
}

/* ---- blocking ---- */

/* When the first of those that are out may be popped again; false when none is out. */
static bool free_at(const struct order *order, int64_t *unix_ms)
{
    int64_t now = cluster_message_time(order->data->cluster);
    for (size_t i = 0; i < order->count; i++) {
        if (order->messages[i].done || now >= order->messages[i].visible_unix_ms) continue;
        *unix_ms = order->messages[i].visible_unix_ms;
        return true;
    }
    return false;
}

bool pop_order_blocks(const struct broker_data *data, const struct pop_key *key,
                      struct slice attempt_id)
{
    int64_t time;
    const struct order *order = order_find(data, key);
    if (!order) return false;
    if (order->attempt_id && attempt_id.data && slice_is(attempt_id, order->attempt_id))
        return false;
    return free_at(order, &time);
}

/* Without memory those who poll find out at the end of their time. */
static void set_timer(struct order *order)
{
    int64_t time;
    if (free_at(order, &time))
        timer_set(&order->data->cluster->schedule, &order->timer, time);
    else
        timer_cancel(&order->data->cluster->schedule, &order->timer);
}

static void time_is_over(struct timer *timer)
{
    struct order *order = CONTAINER_OF(timer, struct order, timer);
    struct topic *topic = message_store_topic(&order->data->store, slice_text(order->topic));
    set_timer(order);
    if (topic && timer->place == 0) long_poll_retry_arrived(topic);
}

/* ---- taking ---- */

/* How often a message was taken before this time: once more than last time, if it was out then. */
static int32_t taken_before(const struct order *last, int64_t offset, bool same_attempt)
{
    for (size_t i = 0; i < last->count; i++)
        if (last->messages[i].offset == offset)
            return last->messages[i].taken_before + (same_attempt ? 0 : 1);
    return 0;
}

static void put_counts(const struct order *order, const struct pop_key *key, int flag,
                       struct buffer *out)
{
    int32_t least = INT32_MAX;
    for (size_t i = 0; i < order->count; i++) {
        int32_t times = order->messages[i].taken_before;
        if (times < least) least = times;
        if (times > 0)
            buffer_put_format(out, "%s%d qo%d%%%lld %d", out->size ? ";" : "", flag,
                              (int)key->queue_id, (long long)order->messages[i].offset, (int)times);
    }
    buffer_put_format(out, "%s%d %d %d", out->size ? ";" : "", flag, (int)key->queue_id,
                      (int)least);
}

bool pop_order_take(struct broker_data *data, const struct pop_key *key,
                    const struct pop_order_take *take, struct buffer *counts)
{
    struct order *order = order_get(data, key);
    char *attempt_id = slice_duplicate(take->attempt_id);
    if (!order || (take->attempt_id.data && !attempt_id)) {
        memory_free(attempt_id);
        return false;
    }
    const struct order last = *order;
    bool same_attempt = last.attempt_id && attempt_id && strcmp(last.attempt_id, attempt_id) == 0;
    memory_free(order->attempt_id);
    order->attempt_id = attempt_id;
    order->popped_unix_ms = take->popped_unix_ms;
    order->count = take->count;
    for (size_t i = 0; i < take->count; i++) {
        order->messages[i].offset = take->offsets[i];
        order->messages[i].visible_unix_ms = take->popped_unix_ms + take->invisible_ms;
        order->messages[i].taken_before = taken_before(&last, take->offsets[i], same_attempt);
        order->messages[i].done = false;
    }
    put_counts(order, key, take->flag, counts);
    set_timer(order);
    return true;
}

/* ---- what becomes of them ---- */

int64_t pop_order_acknowledge(struct broker_data *data, const struct pop_key *key,
                              int64_t popped_unix_ms)
{
    struct order *order = order_find(data, key);
    if (!order) return key->offset + 1;
    if (popped_unix_ms != order->popped_unix_ms) return POP_ORDER_OUTDATED;
    size_t i = 0;
    while (i < order->count && order->messages[i].offset != key->offset) i++;
    if (i == order->count) return POP_ORDER_UNKNOWN;
    order->messages[i].done = true;
    set_timer(order);
    for (i = 0; i < order->count; i++)
        if (!order->messages[i].done) return order->messages[i].offset;
    return order->messages[order->count - 1].offset + 1;
}

void pop_order_show_at(struct broker_data *data, const struct pop_key *key, int64_t popped_unix_ms,
                       int64_t unix_ms)
{
    struct order *order = order_find(data, key);
    if (!order || popped_unix_ms != order->popped_unix_ms) return;
    for (size_t i = 0; i < order->count; i++)
        if (order->messages[i].offset == key->offset) order->messages[i].visible_unix_ms = unix_ms;
    set_timer(order);
}
