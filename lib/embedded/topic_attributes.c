/* Attributes of topics: see topic_attributes.h. Called by topic_handler.c. */
#include "lib/embedded/topic_attributes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

#define MESSAGE_TYPE "message.type"

static const char *const NAMES[] = {MESSAGE_TYPE, "queue.type", "cleanup.policy", "reserve.time",
                                    "lite.topic.expiration"};
static const char *const MESSAGE_TYPES[] = {"UNSPECIFIED", "MIXED", "TRANSACTION", "PRIORITY",
                                            "FIFO",        "DELAY", "LITE",        "NORMAL"};

static bool is_among(struct slice text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(text, list[i])) return true;
    return false;
}

const char *topic_attributes_fault(struct slice changes, char *text, size_t text_bytes)
{
    while (changes.data) {
        struct slice change = slice_trim(slice_split(&changes, ","));
        if (change.size < 2) continue;
        struct slice value = slice_of(change.data + 1, change.size - 1);
        struct slice name = slice_split(&value, "=");
        if (!is_among(name, NAMES, sizeof NAMES / sizeof *NAMES)) {
            snprintf(text, text_bytes, "unsupported key: %.*s",
                     name.size < 200 ? (int)name.size : 200, name.data);
            return text;
        }
        if (*change.data == '+' && slice_is(name, MESSAGE_TYPE) &&
            !is_among(value, MESSAGE_TYPES, sizeof MESSAGE_TYPES / sizeof *MESSAGE_TYPES))
            return "value is not in set: [UNSPECIFIED, MIXED, TRANSACTION, PRIORITY, FIFO, DELAY, "
                   "LITE, NORMAL]";
    }
    return NULL;
}

char *topic_attributes_merge(const char *old, struct slice changes)
{
    json_t *json = json_loads(old, 0, NULL);
    if (!json) return NULL;
    while (changes.data) {
        struct slice change = slice_trim(slice_split(&changes, ","));
        if (change.size < 2) continue;
        struct slice value = slice_of(change.data + 1, change.size - 1);
        struct slice name = slice_split(&value, "=");
        char *key = slice_duplicate(name);
        if (key && change.data[0] == '+' && value.data)
            json_object_set_new(json, key, json_stringn(value.data, value.size));
        else if (key && change.data[0] == '-')
            json_object_del(json, key);
        memory_free(key);
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    char *copy = memory_duplicate(text);
    free(text);
    json_decref(json);
    return copy;
}
