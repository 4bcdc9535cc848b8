/* Tickets of popped messages; pure functions, called by the consumer's pop loop. */
#include "lib/protocol/pop_ticket.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/protocol/names.h"

static bool is_topic(const char *flag_text, enum pop_topic topic);
static bool find(struct slice list, enum pop_topic topic, int32_t queue_id, struct slice *rest);

mqc_status pop_ticket_parse(struct slice text, struct pop_ticket *out, mqc_error *error)
{
    struct slice rest = text, words[8];
    int64_t numbers[8] = {0};
    size_t count = 0;
    while (count < 8 && rest.data) words[count++] = slice_split(&rest, " ");
    bool good = count == 8 && !rest.data;
    for (size_t i = 0; good && i < 8; i++) /* 5 is the broker's name */
        good = i == 5 || slice_to_int64(words[i], &numbers[i]);
    good = good && numbers[3] >= 0 && numbers[3] <= INT32_MAX && numbers[4] >= 0 &&
           numbers[4] <= POP_TOPIC_RETRY_2 && numbers[6] >= 0 && numbers[6] <= INT32_MAX;
    if (!good)
        return error_set(error, MQC_BAD_FRAME, "POP_CK \"%.*s\" is not of eight known parts",
                         text.size < 100 ? (int)text.size : 100, text.data ? text.data : "");
    *out = (struct pop_ticket){.begin = numbers[0],
                               .popped_unix_ms = numbers[1],
                               .invisible_ms = numbers[2],
                               .revive_queue_id = (int32_t)numbers[3],
                               .topic = (enum pop_topic)numbers[4],
                               .queue_id = (int32_t)numbers[6],
                               .offset = numbers[7]};
    return MQC_OK;
}

bool pop_ticket_format(const struct pop_ticket *ticket, const char *broker_name,
                       char out[POP_TICKET_BYTES])
{
    int size =
        snprintf(out, POP_TICKET_BYTES, "%lld %lld %lld %d %d %s %d %lld", (long long)ticket->begin,
                 (long long)ticket->popped_unix_ms, (long long)ticket->invisible_ms,
                 (int)ticket->revive_queue_id, (int)ticket->topic, broker_name,
                 (int)ticket->queue_id, (long long)ticket->offset);
    return size > 0 && size < POP_TICKET_BYTES;
}

enum pop_topic pop_topic_of(struct slice stored_topic, struct slice topic)
{
    size_t size = topic.size;
    if (!names_is_retry_topic(stored_topic) || stored_topic.size <= size || size == 0)
        return POP_TOPIC_ITSELF;
    const char *end = stored_topic.data + (stored_topic.size - size);
    if (memcmp(end, topic.data, size) != 0) return POP_TOPIC_ITSELF;
    return end[-1] == '+' ? POP_TOPIC_RETRY_2 : end[-1] == '_' ? POP_TOPIC_RETRY : POP_TOPIC_ITSELF;
}

bool pop_topic_name(enum pop_topic kind, const char *group, const char *topic, char *out,
                    size_t room)
{
    int size = kind == POP_TOPIC_ITSELF ? snprintf(out, room, "%s", topic)
                                        : snprintf(out, room, "%s%s%c%s", NAME_RETRY_PREFIX, group,
                                                   kind == POP_TOPIC_RETRY_2 ? '+' : '_', topic);
    return size > 0 && (size_t)size < room;
}

const char *pop_topic_origin(const char *topic, struct slice retry_topic)
{
    if (!slice_begins_with(slice_text(topic), "%RETRY%") || retry_topic.size == 0) return NULL;
    if (strncmp(topic, retry_topic.data, retry_topic.size) != 0) return NULL;
    const char *end = topic + retry_topic.size;
    return (*end == '_' || *end == '+') && end[1] ? end + 1 : NULL;
}

int32_t pop_list_order_count(struct slice list, enum pop_topic topic, int32_t queue_id,
                             int64_t offset)
{
    char by_offset[64], by_queue[16];
    int32_t count = 0, of_queue = 0;
    snprintf(by_offset, sizeof by_offset, "qo%d%%%lld", (int)queue_id, (long long)offset);
    snprintf(by_queue, sizeof by_queue, "%d", (int)queue_id);
    while (list.data) {
        int32_t flag, number;
        struct slice item = slice_split(&list, ";");
        if (!slice_to_int32(slice_split(&item, " "), &flag) || flag != (int32_t)topic) continue;
        struct slice key = slice_split(&item, " ");
        if (!item.data || !slice_to_int32(item, &number) || number < 0) continue;
        if (slice_is(key, by_offset)) count = number;
        if (slice_is(key, by_queue)) of_queue = number;
    }
    return count > 0 ? count : of_queue;
}

int64_t pop_list_begin(struct slice list, enum pop_topic topic, int32_t queue_id)
{
    struct slice rest;
    int64_t begin;
    return find(list, topic, queue_id, &rest) && slice_to_int64(rest, &begin) ? begin : -1;
}

int64_t pop_list_offset(struct slice list, enum pop_topic topic, int32_t queue_id, size_t index)
{
    struct slice rest, word = SLICE_ABSENT;
    int64_t offset;
    if (!find(list, topic, queue_id, &rest)) return -1;
    for (size_t i = 0; i <= index; i++) {
        if (!rest.data) return -1;
        word = slice_split(&rest, ",");
    }
    return slice_to_int64(word, &offset) ? offset : -1;
}

/* What stands behind the flag and the queue. */
static bool find(struct slice list, enum pop_topic topic, int32_t queue_id, struct slice *rest)
{
    while (list.data) {
        struct slice item = slice_split(&list, ";");
        struct slice flag = slice_split(&item, " ");
        int64_t number;
        if (flag.size != 1 || !is_topic(flag.data, topic) || !item.data ||
            !slice_to_int64(slice_split(&item, " "), &number) || number != queue_id || !item.data)
            continue;
        *rest = item;
        return true;
    }
    return false;
}

static bool is_topic(const char *flag_text, enum pop_topic topic)
{
    return *flag_text == (char)('0' + (int)topic);
}
