/* Walking and writing the properties of a message in their wire form; pure functions, any thread.
 * Called by the message object, the producer's encoders and the embedded broker. */
#include "lib/protocol/properties.h"

#include <stdlib.h>

enum { NAME_END = 1, PAIR_END = 2 };

/* MessageConst.STRING_HASH_SET, sorted by bytes. */
static const struct slice RESERVED[] = {
    SLICE_LITERAL("1ST_POP_TIME"),
    SLICE_LITERAL("ARRIVE_TIME"),
    SLICE_LITERAL("BORN_TIMESTAMP"),
    SLICE_LITERAL("BUYER_ID"),
    SLICE_LITERAL("CLUSTER"),
    SLICE_LITERAL("CONSUME_START_TIME"),
    SLICE_LITERAL("CORRECTION_FLAG"),
    SLICE_LITERAL("CORRELATION_ID"),
    SLICE_LITERAL("DELAY"),
    SLICE_LITERAL("DLQ_ORIGIN_MESSAGE_ID"),
    SLICE_LITERAL("DLQ_ORIGIN_TOPIC"),
    SLICE_LITERAL("DUP_INFO"),
    SLICE_LITERAL("EXTEND_UNIQ_INFO"),
    SLICE_LITERAL("INNER_MULTI_QUEUE_OFFSET"),
    SLICE_LITERAL("INSTANCE_ID"),
    SLICE_LITERAL("KEYS"),
    SLICE_LITERAL("MAX_OFFSET"),
    SLICE_LITERAL("MAX_RECONSUME_TIMES"),
    SLICE_LITERAL("MIN_OFFSET"),
    SLICE_LITERAL("MQ2_FLAG"),
    SLICE_LITERAL("MSG_REGION"),
    SLICE_LITERAL("MSG_TYPE"),
    SLICE_LITERAL("ORIGIN_MESSAGE_ID"),
    SLICE_LITERAL("PGROUP"),
    SLICE_LITERAL("POP_CK"),
    SLICE_LITERAL("POP_CK_OFFSET"),
    SLICE_LITERAL("PUSH_REPLY_TIME"),
    SLICE_LITERAL("REAL_QID"),
    SLICE_LITERAL("REAL_TOPIC"),
    SLICE_LITERAL("RECONSUME_TIME"),
    SLICE_LITERAL("REPLY_TO_CLIENT"),
    SLICE_LITERAL("RETRY_TOPIC"),
    SLICE_LITERAL("TAGS"),
    SLICE_LITERAL("TIMER_DELAY_LEVEL"),
    SLICE_LITERAL("TIMER_DELAY_MS"),
    SLICE_LITERAL("TIMER_DELAY_SEC"),
    SLICE_LITERAL("TIMER_DELIVER_MS"),
    SLICE_LITERAL("TIMER_DEL_UNIQKEY"),
    SLICE_LITERAL("TIMER_DEQUEUE_MS"),
    SLICE_LITERAL("TIMER_ENQUEUE_MS"),
    SLICE_LITERAL("TIMER_OUT_MS"),
    SLICE_LITERAL("TIMER_ROLL_TIMES"),
    SLICE_LITERAL("TRACE_ON"),
    SLICE_LITERAL("TRANSFER_FLAG"),
    SLICE_LITERAL("TRAN_MSG"),
    SLICE_LITERAL("TRAN_PREPARED_QUEUE_OFFSET"),
    SLICE_LITERAL("TTL"),
    SLICE_LITERAL("UNIQ_KEY"),
    SLICE_LITERAL("WAIT"),
    SLICE_LITERAL("_SYS_MSG_PRIORITY_"),
    SLICE_LITERAL("__BORNHOST"),
    SLICE_LITERAL("__CRC32#"),
};

bool properties_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->size > 0) {
        const char *start = rest->data;
        const char *end = memchr(start, PAIR_END, rest->size);
        size_t size = end ? (size_t)(end - start) : rest->size;
        size_t taken = end ? size + 1 : size;
        *rest = slice_of(start + taken, rest->size - taken);
        const char *middle = size > 0 ? memchr(start, NAME_END, size) : NULL;
        size_t name_size = middle ? (size_t)(middle - start) : 0;
        /* Java drops empty names and empty values alike (string2messageProperties). */
        if (name_size == 0 || name_size + 1 == size) continue;
        *name = slice_of(start, name_size);
        *value = slice_of(middle + 1, size - name_size - 1);
        return true;
    }
    return false;
}

struct slice properties_find(struct slice properties, const char *name)
{
    struct slice wanted = slice_text(name);
    struct slice found = SLICE_ABSENT;
    struct slice key, value;
    /* To the end: Java fills a map, so of a name that occurs twice the last value counts. */
    while (properties_next(&properties, &key, &value)) {
        if (slice_equal(key, wanted)) found = value;
    }
    return found;
}

void properties_put(struct buffer *out, struct slice name, struct slice value)
{
    buffer_put_slice(out, name);
    buffer_put_8(out, NAME_END);
    buffer_put_slice(out, value);
    buffer_put_8(out, PAIR_END);
}

void properties_put_text(struct buffer *out, const char *name, const char *value)
{
    properties_put(out, slice_text(name), slice_text(value));
}

void properties_copy_without(struct buffer *out, struct slice properties, const char *name)
{
    struct slice unwanted = slice_text(name);
    struct slice key, value;
    while (properties_next(&properties, &key, &value)) {
        if (!slice_equal(key, unwanted)) properties_put(out, key, value);
    }
}

static int compare_names(const void *key, const void *member)
{
    const struct slice *a = key, *b = member;
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, common);
    if (order != 0) return order;
    return (a->size > b->size) - (a->size < b->size);
}

bool properties_name_is_reserved(struct slice name)
{
    return name.size > 0 && bsearch(&name, RESERVED, sizeof RESERVED / sizeof *RESERVED,
                                    sizeof *RESERVED, compare_names) != NULL;
}
