/* Timer messages and their recall handles: see timer_messages.h. */
#include "lib/embedded/timer_messages.h"

#include <openssl/evp.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/delay.h"
#include "lib/embedded/properties_edit.h"

const int64_t TIMER_MOST_DELAY_MS = INT64_C(259200000);

static const char TOO_LATE[] =
    "timer message illegal, the delay time should not be bigger than the max delay 259200000ms; "
    "or if set del msg, the delay time should be bigger than the current time";

static bool has(const struct mqc_message *message, const char *name)
{
    return properties_find(message->properties, name).data != NULL;
}

enum timer_message_kind timer_message_kind(const struct mqc_message *message)
{
    if (delay_level_of(message) > 0 || has(message, TIMER_OUT_MS)) return TIMER_NONE;
    return has(message, TIMER_DELIVER_MS) || has(message, TIMER_DELAY_MS) ||
                   has(message, TIMER_DELAY_SEC)
               ? TIMER_WAITS
               : TIMER_NONE;
}

/* When a message is to be delivered; false for what is no number. */
static bool deliver_time(const struct mqc_message *message, int64_t now, int64_t *out)
{
    static const struct {
        const char *name;
        bool relative;
        int64_t unit_ms;
    } ways[] = {
        {TIMER_DELAY_SEC, true, 1000}, {TIMER_DELAY_MS, true, 1}, {TIMER_DELIVER_MS, false, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int64_t value;
        struct slice text = properties_find(message->properties, ways[i].name);
        if (!text.data) continue;
        if (!slice_to_int64(text, &value)) return false;
        if (__builtin_mul_overflow(value, ways[i].unit_ms, &value)) return false;
        return !__builtin_add_overflow(value, ways[i].relative ? now : 0, out);
    }
    return false;
}

/* The slot of the wheel that stands for a time. */
static int64_t slot_of(int64_t due)
{
    return due % TIMER_PRECISION_MS == 0 ? due - TIMER_PRECISION_MS
                                         : due / TIMER_PRECISION_MS * TIMER_PRECISION_MS;
}

/* Stores it in the wheel's topic: until over its slot, or for good when it takes another back. */
static struct record *put_in_slot(struct broker_data *data, struct topic *topic,
                                  struct mqc_message *message, int64_t slot, bool deletes)
{
    char queue_id[HEADER_NUMBER_BYTES], out_ms[HEADER_NUMBER_BYTES];
    const struct property_change changes[] = {
        {TIMER_OUT_MS, slice_of(out_ms, decimal_write(out_ms, slot))},
        {PROPERTY_REAL_TOPIC, slice_text(topic->name)},
        {PROPERTY_REAL_QUEUE_ID, slice_of(queue_id, decimal_write(queue_id, message->queue_id))},
    };
    struct topic *wheel = message_store_topic(&data->store, slice_text(TIMER_TOPIC));
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message->properties, changes, 3);
    message->properties = buffer_slice(&properties);
    message->queue_id = 0;
    struct record *record = NULL;
    if (!properties.failed && wheel)
        record = deletes
                     ? broker_store(data, wheel, message)
                     : delay_put_until(data, TIMER_TOPIC, 0, slot + TIMER_PRECISION_MS, message);
    buffer_done(&properties);
    message->properties = SLICE_ABSENT;
    return record;
}

/* A message that is to be taken back. */
struct target {
    struct slice key; /* topic + '+' + unique key */
    int64_t slot;
};

static bool is_target(struct slice properties, const void *arg)
{
    const struct target *target = arg;
    int64_t slot;
    struct slice topic = properties_find(properties, PROPERTY_REAL_TOPIC);
    struct slice key = properties_find(properties, PROPERTY_UNIQUE_KEY);
    struct slice time = properties_find(properties, TIMER_OUT_MS);
    return topic.data && key.data && time.data && slice_to_int64(time, &slot) &&
           slot == target->slot && target->key.size == topic.size + 1 + key.size &&
           memcmp(target->key.data, topic.data, topic.size) == 0 &&
           target->key.data[topic.size] == '+' &&
           memcmp(target->key.data + topic.size + 1, key.data, key.size) == 0;
}

struct record *timer_message_put(struct broker_data *data, struct topic *topic,
                                 struct mqc_message *message, const char **reason)
{
    int64_t now = cluster_message_time(data->cluster), due;
    struct slice delete_key = properties_find(message->properties, TIMER_DELETE_KEY);
    if (!deliver_time(message, now, &due) || due > now + TIMER_MOST_DELAY_MS ||
        (delete_key.data && due <= now)) {
        if (reason) *reason = TOO_LATE;
        return NULL;
    }
    if (due <= now) return broker_store(data, topic, message);
    struct target target = {delete_key, slot_of(due)};
    if (delete_key.data) delay_cancel(data, TIMER_TOPIC, is_target, &target);
    return put_in_slot(data, topic, message, target.slot, delete_key.data != NULL);
}

bool timer_message_handle(const struct broker_data *data, const struct record *record,
                          struct buffer *out)
{
    int64_t out_ms;
    if (strcmp(record->topic->name, TIMER_TOPIC) != 0) return false;
    struct slice properties = record_properties(record);
    struct slice topic = properties_find(properties, PROPERTY_REAL_TOPIC);
    struct slice key = properties_find(properties, PROPERTY_UNIQUE_KEY);
    struct slice time = properties_find(properties, TIMER_OUT_MS);
    if (!topic.data || !key.data || !time.data || !slice_to_int64(time, &out_ms)) return false;
    struct buffer plain;
    buffer_init(&plain);
    buffer_put_format(&plain, "v1 %.*s %s %lld %.*s", SLICE_FORMAT(topic), data->name,
                      (long long)out_ms + 1, SLICE_FORMAT(key));
    size_t coded = (plain.size + 2) / 3 * 4;
    char *place = plain.failed ? NULL : buffer_reserve(out, coded + 1);
    if (place) {
        EVP_EncodeBlock((unsigned char *)place, (const unsigned char *)plain.data, (int)plain.size);
        for (size_t i = 0; i < coded; i++)
            place[i] = (char)(place[i] == '+' ? '-' : place[i] == '/' ? '_' : place[i]);
        buffer_commit(out, coded);
    }
    buffer_done(&plain);
    return place != NULL;
}
