/* Popped messages and their revival: see pop_state.h. Called by the pop handlers and by timers of
 * message time. */
#include "lib/embedded/pop_state.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/pop_order.h"
#include "lib/embedded/properties_edit.h"
#include "lib/protocol/names.h"

#define FIRST_POP_TIME "1ST_POP_TIME"

struct popped {
    struct link in_state;
    struct timer timer;
    struct broker_data *data;
    char *key; /* in the map */
    char *group, *topic;
    int32_t queue_id;
    int64_t offset;
    int64_t popped_unix_ms;
};

static void revive(struct timer *timer);

void pop_state_init(struct pop_state *pop)
{
    list_init(&pop->popped);
    map_init(&pop->by_key);
    map_init(&pop->orders);
}

void pop_state_done(struct pop_state *pop)
{
    map_done(&pop->by_key);
    map_done(&pop->orders);
}

void pop_retry_topic(struct slice group, struct slice topic, bool second_form,
                     char out[POP_TOPIC_BYTES])
{
    snprintf(out, POP_TOPIC_BYTES, "%s%.*s%c%.*s", NAME_RETRY_PREFIX, SLICE_FORMAT(group),
             second_form ? '+' : '_', SLICE_FORMAT(topic));
}

static void popped_free(struct popped *popped)
{
    timer_cancel(&popped->data->cluster->schedule, &popped->timer);
    list_remove(&popped->in_state);
    if (popped->key && map_get(&popped->data->pop.by_key, slice_text(popped->key)) == popped)
        map_remove(&popped->data->pop.by_key, slice_text(popped->key));
    memory_free(popped->key);
    memory_free(popped->group);
    memory_free(popped->topic);
    memory_free(popped);
}

/* The map's key; memory_free by the caller. NULL: no memory. */
static char *key_text(const struct pop_key *key)
{
    struct buffer text;
    buffer_init(&text);
    buffer_put_format(&text, "%d %lld ", (int)key->queue_id, (long long)key->offset);
    buffer_put_slice(&text, key->group);
    buffer_put_8(&text, ' ');
    buffer_put_slice(&text, key->topic);
    char *taken = buffer_take(&text);
    buffer_done(&text);
    return taken;
}

static struct popped *popped_find(const struct broker_data *data, const struct pop_key *key)
{
    char *text = key_text(key);
    struct popped *popped = text ? map_get(&data->pop.by_key, slice_text(text)) : NULL;
    memory_free(text);
    return popped;
}

static struct popped *popped_new(struct broker_data *data, const struct pop_key *key)
{
    if (data->pop.by_key.count >= POPPED_MAX) return NULL;
    struct popped *popped = memory_allocate_zero(1, sizeof *popped);
    if (!popped) return NULL;
    list_append(&data->pop.popped, &popped->in_state);
    popped->data = data;
    popped->timer.fire = revive;
    popped->key = key_text(key);
    popped->group = slice_duplicate(key->group);
    popped->topic = slice_duplicate(key->topic);
    popped->queue_id = key->queue_id;
    popped->offset = key->offset;
    popped->popped_unix_ms = cluster_message_time(data->cluster);
    if (popped->key && popped->group && popped->topic &&
        map_put(&data->pop.by_key, slice_text(popped->key), popped, NULL))
        return popped;
    popped_free(popped);
    return NULL;
}

bool pop_hide(struct broker_data *data, const struct pop_key *key, int64_t until_unix_ms)
{
    struct popped *popped = popped_find(data, key);
    if (!popped) popped = popped_new(data, key);
    if (!popped) return false;
    if (timer_set(&data->cluster->schedule, &popped->timer, until_unix_ms)) return true;
    popped_free(popped);
    return false;
}

void pop_acknowledge(struct broker_data *data, const struct pop_key *key)
{
    struct popped *popped = popped_find(data, key);
    if (popped) popped_free(popped);
}

/* ---- coming again ---- */

/* The topic whose pops look into the retry topic; `name` is a retry topic of the group. */
static struct topic *polled_topic(const struct broker_data *data, const char *group,
                                  const char *name)
{
    size_t prefix = strlen(NAME_RETRY_PREFIX) + strlen(group) + 1;
    return strlen(name) > prefix ? message_store_topic(&data->store, slice_text(name + prefix))
                                 : NULL;
}

/* PopReviveService.reviveRetry: a message of a retry topic goes back to the same. */
static void store_again(const struct popped *popped, const struct mqc_message *from)
{
    struct broker_data *data = popped->data;
    char name[POP_TOPIC_BYTES], time[HEADER_NUMBER_BYTES];
    if (names_is_retry_topic(slice_text(popped->topic)))
        snprintf(name, sizeof name, "%s", popped->topic);
    else
        pop_retry_topic(slice_text(popped->group), slice_text(popped->topic),
                        data->settings.retry_topic_v2, name);
    struct topic *topic = broker_topic_for_retry(data, slice_text(name), 1);
    if (!topic) return;
    struct slice first = properties_find(from->properties, FIRST_POP_TIME);
    if (!first.data) first = slice_of(time, decimal_write(time, popped->popped_unix_ms));
    const struct property_change change = {FIRST_POP_TIME, first};
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, from->properties, &change, 1);
    struct mqc_message message = *from;
    message.properties = buffer_slice(&properties);
    message.queue_id = 0;
    message.reconsume_times++;
    if (!properties.failed && broker_store(data, topic, &message)) {
        struct topic *polled = polled_topic(data, popped->group, name);
        if (polled) long_poll_retry_arrived(polled);
    }
    buffer_done(&properties);
}

static void revive(struct timer *timer)
{
    struct popped *popped = CONTAINER_OF(timer, struct popped, timer);
    struct broker_data *data = popped->data;
    if (!cluster_find_broker(data->cluster, slice_text(data->name), 0)) return;
    const struct topic *topic = message_store_topic(&data->store, slice_text(popped->topic));
    const struct store_queue *queue = topic ? topic_queue(topic, popped->queue_id) : NULL;
    const struct record *record = queue ? store_queue_at(queue, popped->offset) : NULL;
    struct message_block *block = record ? record_decode(record) : NULL;
    if (block) store_again(popped, &block->messages[0]);
    message_block_unref(block);
    popped_free(popped);
}

void pop_resume(struct broker_data *data)
{
    LIST_EACH(&data->pop.popped, link)
    {
        struct popped *popped = CONTAINER_OF(link, struct popped, in_state);
        if (popped->timer.place == 0)
            timer_set(&data->cluster->schedule, &popped->timer, popped->timer.due_ms);
    }
}

void pop_forget_topic(struct broker_data *data, const char *topic)
{
    LIST_EACH_SAFE(&data->pop.popped, link)
    {
        struct popped *popped = CONTAINER_OF(link, struct popped, in_state);
        if (strcmp(popped->topic, topic) == 0) popped_free(popped);
    }
    pop_order_forget_topic(data, topic);
}

void pop_forget_all(struct broker_data *data)
{
    LIST_EACH_SAFE(&data->pop.popped, link)
    popped_free(CONTAINER_OF(link, struct popped, in_state));
    pop_order_forget_all(data);
}
