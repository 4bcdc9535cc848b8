/* Timer messages and their recall handles: see timer_messages.h. */
#include "lib/embedded/timer_messages.h"

#include <openssl/evp.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/delay.h"
#include "lib/embedded/properties_edit.h"

#define DELIVER_MS "TIMER_DELIVER_MS"
#define DELAY_MS   "TIMER_DELAY_MS"
#define DELAY_SEC  "TIMER_DELAY_SEC"
#define OUT_MS     "TIMER_OUT_MS"

enum { PRECISION_MS = 1000 };
static const int64_t MOST_DELAY_MS = INT64_C(259200000); /* timerMaxDelaySec: three days */

static const char TOO_LATE[] =
    "timer message illegal, the delay time should not be bigger than the max delay 259200000ms; "
    "or if set del msg, the delay time should be bigger than the current time";

static bool has(const struct mqc_message *message, const char *name)
{
    return properties_find(message->properties, name).data != NULL;
}

enum timer_message_kind timer_message_kind(const struct mqc_message *message)
{
    if (delay_level_of(message) > 0 || has(message, OUT_MS)) return TIMER_NONE;
    return has(message, DELIVER_MS) || has(message, DELAY_MS) || has(message, DELAY_SEC)
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
    } ways[] = {{DELAY_SEC, true, 1000}, {DELAY_MS, true, 1}, {DELIVER_MS, false, 1}};
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

struct record *timer_message_put(struct broker_data *data, struct topic *topic,
                                 struct mqc_message *message, const char **reason)
{
    int64_t now = cluster_message_time(data->cluster), due;
    if (!deliver_time(message, now, &due) || due > now + MOST_DELAY_MS) {
        if (reason) *reason = TOO_LATE;
        return NULL;
    }
    if (due <= now) return broker_store(data, topic, message);
    due = due % PRECISION_MS == 0 ? due - PRECISION_MS : due / PRECISION_MS * PRECISION_MS;
    char queue_id[HEADER_NUMBER_BYTES], out_ms[HEADER_NUMBER_BYTES];
    const struct property_change changes[] = {
        {OUT_MS, slice_of(out_ms, decimal_write(out_ms, due))},
        {PROPERTY_REAL_TOPIC, slice_text(topic->name)},
        {PROPERTY_REAL_QUEUE_ID, slice_of(queue_id, decimal_write(queue_id, message->queue_id))},
    };
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message->properties, changes, 3);
    message->properties = buffer_slice(&properties);
    struct record *record = NULL;
    /* The wheel's slot is over one tick after the time it stands for. */
    if (!properties.failed)
        record = delay_put_until(data, TIMER_TOPIC, 0, due + PRECISION_MS, false, message);
    buffer_done(&properties);
    message->properties = SLICE_ABSENT;
    return record;
}

bool timer_message_handle(const struct broker_data *data, const struct record *record,
                          struct buffer *out)
{
    int64_t out_ms;
    if (strcmp(record->topic->name, TIMER_TOPIC) != 0) return false;
    struct slice properties = record_properties(record);
    struct slice topic = properties_find(properties, PROPERTY_REAL_TOPIC);
    struct slice key = properties_find(properties, PROPERTY_UNIQUE_KEY);
    struct slice time = properties_find(properties, OUT_MS);
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
