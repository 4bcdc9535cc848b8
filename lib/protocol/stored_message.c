/* Stored messages as bytes: the records of a pull's answer, and how a broker writes them
 * (MessageDecoder.java, MessageVersion.java). Pure functions over bytes; called by the consumer on
 * the thread that received the answer, and by the embedded broker. */
#include <zlib.h>

#include "lib/base/cursor.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

#define MAGIC_V1     0xDAA320A7U /* one byte for the topic's length */
#define MAGIC_V2     0xDAA320ABU /* two bytes */
#define MAGIC_FILLER 0xCBD43194U /* nothing but the end of a commit log file */

enum {
    TOPIC_V1_MAX_BYTES = 127, /* Java's byte is signed */
    FLAG_UNWRAPPED = MESSAGE_FLAG_NEED_UNWRAP | MESSAGE_FLAG_INNER_BATCH
};

/* Goes through the records of one answer. */
struct record_reader {
    struct cursor rest;
    const uint8_t *begin;
    mqc_error *error;
};

struct block_size {
    size_t messages;
    size_t topic_bytes;
};

static mqc_status measure(struct slice records, struct block_size *size, mqc_error *error);
static void fill(struct message_block *block, struct slice records);
static mqc_status next_record(struct record_reader *reader, struct mqc_message *message, bool *end);
static bool next_inner(struct cursor *batch, struct mqc_message *message);
static bool is_inner_batch(const struct mqc_message *record);

mqc_status message_block_decode(struct frame *frame, struct slice records,
                                struct message_block **out, mqc_error *error)
{
    *out = NULL;
    struct block_size size;
    mqc_status status = measure(records, &size, error);
    if (status != MQC_OK || size.messages == 0) return status;
    struct message_block *block;
    block =
        memory_allocate(sizeof *block + size.messages * sizeof *block->messages + size.topic_bytes);
    if (!block) return error_no_memory(error);
    message_block_init(block, size.messages);
    block->frame = frame ? frame_ref(frame) : NULL;
    fill(block, records);
    *out = block;
    return MQC_OK;
}

static struct record_reader reader_of(struct slice records, mqc_error *error)
{
    struct cursor cursor = cursor_of(records);
    return (struct record_reader){cursor, cursor.at, error};
}

static mqc_status damaged(const struct record_reader *reader, const uint8_t *at, const char *what)
{
    return error_set(reader->error, MQC_BAD_FRAME, "stored message at byte %zu: %s",
                     (size_t)(at - reader->begin), what);
}

/* Counts messages and checks every one. */
static mqc_status measure(struct slice records, struct block_size *size, mqc_error *error)
{
    *size = (struct block_size){0};
    struct slice topic = SLICE_ABSENT;
    struct record_reader reader = reader_of(records, error);
    for (;;) {
        struct mqc_message record;
        bool end;
        const uint8_t *start = reader.rest.at;
        mqc_status status = next_record(&reader, &record, &end);
        if (status != MQC_OK || end) return status;
        if (!slice_equal(topic, record.stored_topic))
            size->topic_bytes += record.stored_topic.size + 1;
        topic = record.stored_topic;
        if (!is_inner_batch(&record)) {
            size->messages++;
            continue;
        }
        /* Nobody writes such: clients never compress a batch. */
        if (record.sys_flag & MESSAGE_FLAG_COMPRESSED)
            return damaged(&reader, start, "a batch that is compressed");
        struct cursor batch = cursor_of(record.body);
        while (next_inner(&batch, &record)) size->messages++;
        if (batch.failed) return damaged(&reader, start, "a damaged batch inside");
    }
}

/* What measure() has found to be sound, so that nothing can fail here. */
static void fill(struct message_block *block, struct slice records)
{
    struct mqc_message *place = block->messages;
    struct mqc_message *behind = block->messages + block->count;
    char *topic_place = (char *)behind;
    struct slice topic = SLICE_ABSENT;
    const char *topic_text = NULL;
    struct record_reader reader = reader_of(records, NULL);
    struct mqc_message record;
    bool end;
    while (next_record(&reader, &record, &end) == MQC_OK && !end) {
        if (!slice_equal(topic, record.stored_topic)) {
            topic = record.stored_topic;
            memcpy(topic_place, topic.data, topic.size);
            topic_place[topic.size] = '\0';
            topic_text = topic_place;
            topic_place += topic.size + 1;
        }
        record.topic = topic_text;
        record.block = block;
        if (!is_inner_batch(&record)) {
            *place++ = record;
            continue;
        }
        struct cursor batch = cursor_of(record.body);
        record.sys_flag &= ~FLAG_UNWRAPPED;
        for (; next_inner(&batch, &record); record.queue_offset++) *place++ = record;
    }
}

static bool is_inner_batch(const struct mqc_message *record)
{
    return (record->sys_flag & FLAG_UNWRAPPED) == FLAG_UNWRAPPED;
}

static void read_host(struct cursor *in, bool ipv6, struct host *host)
{
    size_t bytes = ipv6 ? 16 : 4;
    const uint8_t *address = cursor_skip(in, bytes);
    host->ipv6 = ipv6;
    if (address) memcpy(host->address, address, bytes);
    host->port = cursor_i32(in);
}

/* What follows size and magic. */
static void read_record(struct cursor *in, bool v2, struct mqc_message *message)
{
    *message = (struct mqc_message){0};
    message->body_crc = cursor_u32(in);
    message->queue_id = cursor_i32(in);
    message->flag = cursor_i32(in);
    message->queue_offset = cursor_i64(in);
    message->commit_log_offset = cursor_i64(in);
    message->sys_flag = cursor_i32(in);
    message->born_unix_ms = cursor_i64(in);
    read_host(in, (message->sys_flag & MESSAGE_FLAG_BORN_HOST_V6) != 0, &message->born_host);
    message->stored_unix_ms = cursor_i64(in);
    read_host(in, (message->sys_flag & MESSAGE_FLAG_STORE_HOST_V6) != 0, &message->store_host);
    message->reconsume_times = cursor_i32(in);
    message->prepared_transaction_offset = cursor_i64(in);
    message->body = cursor_slice(in, cursor_i32(in));
    message->stored_topic = cursor_slice(in, v2 ? (int16_t)cursor_u16(in) : (int8_t)cursor_u8(in));
    message->properties = cursor_slice(in, (int16_t)cursor_u16(in));
}

static mqc_status next_record(struct record_reader *reader, struct mqc_message *message, bool *end)
{
    struct cursor *rest = &reader->rest;
    const uint8_t *start = rest->at;
    *end = cursor_left(rest) == 0;
    if (*end) return MQC_OK;
    struct cursor head = *rest;
    int32_t size = cursor_i32(&head);
    uint32_t magic = cursor_u32(&head);
    if (head.failed) return damaged(reader, start, "cut off");
    *end = magic == MAGIC_FILLER;
    if (*end) return MQC_OK;
    if (magic != MAGIC_V1 && magic != MAGIC_V2)
        return damaged(reader, start, "unknown magic number");
    struct cursor record = cursor_of(cursor_slice(rest, size));
    cursor_skip(&record, 8);
    if (record.failed) return damaged(reader, start, "cut off, or its size is wrong");
    read_record(&record, magic == MAGIC_V2, message);
    if (record.failed) return damaged(reader, start, "its parts do not fit into its size");
    if (cursor_left(&record) > 0) return damaged(reader, start, "its parts do not fill its size");
    if (message->stored_topic.size == 0) return damaged(reader, start, "no topic");
    return MQC_OK;
}

/* One message of a batch (MessageDecoder.encodeMessage): false at the end and for damage. */
static bool next_inner(struct cursor *batch, struct mqc_message *message)
{
    if (batch->failed || cursor_left(batch) == 0) return false;
    struct cursor head = *batch;
    struct cursor in = cursor_of(cursor_slice(batch, cursor_i32(&head)));
    cursor_skip(&in, 8); /* its size; a magic number that is always 0 */
    message->body_crc = cursor_u32(&in);
    message->flag = cursor_i32(&in);
    message->body = cursor_slice(&in, cursor_i32(&in));
    message->properties = cursor_slice(&in, (int16_t)cursor_u16(&in));
    if (in.failed || cursor_left(&in) > 0) batch->failed = true;
    return !batch->failed;
}

static void write_host(struct buffer *out, const struct host *host)
{
    buffer_put(out, host->address, host->ipv6 ? 16 : 4);
    buffer_put_32(out, (uint32_t)host->port);
}

void message_record_encode(const struct mqc_message *message, struct buffer *out)
{
    size_t start = out->size;
    bool v2 = message->stored_topic.size > TOPIC_V1_MAX_BYTES;
    int32_t sys_flag =
        message->sys_flag & ~(MESSAGE_FLAG_BORN_HOST_V6 | MESSAGE_FLAG_STORE_HOST_V6);
    if (message->born_host.ipv6) sys_flag |= MESSAGE_FLAG_BORN_HOST_V6;
    if (message->store_host.ipv6) sys_flag |= MESSAGE_FLAG_STORE_HOST_V6;
    uLong crc = crc32_z(0, (const Bytef *)message->body.data, message->body.size);
    if (message->stored_topic.size > INT16_MAX || message->properties.size > PROPERTIES_MAX_BYTES ||
        message->body.size > INT32_MAX)
        out->failed = true;
    buffer_put_32(out, 0); /* size, below */
    buffer_put_32(out, v2 ? MAGIC_V2 : MAGIC_V1);
    buffer_put_32(out, (uint32_t)crc & INT32_MAX);
    buffer_put_32(out, (uint32_t)message->queue_id);
    buffer_put_32(out, (uint32_t)message->flag);
    buffer_put_64(out, (uint64_t)message->queue_offset);
    buffer_put_64(out, (uint64_t)message->commit_log_offset);
    buffer_put_32(out, (uint32_t)sys_flag);
    buffer_put_64(out, (uint64_t)message->born_unix_ms);
    write_host(out, &message->born_host);
    buffer_put_64(out, (uint64_t)message->stored_unix_ms);
    write_host(out, &message->store_host);
    buffer_put_32(out, (uint32_t)message->reconsume_times);
    buffer_put_64(out, (uint64_t)message->prepared_transaction_offset);
    buffer_put_32(out, (uint32_t)message->body.size);
    buffer_put_slice(out, message->body);
    if (v2)
        buffer_put_16(out, (uint16_t)message->stored_topic.size);
    else
        buffer_put_8(out, (uint8_t)message->stored_topic.size);
    buffer_put_slice(out, message->stored_topic);
    buffer_put_16(out, (uint16_t)message->properties.size);
    buffer_put_slice(out, message->properties);
    buffer_patch_32(out, start, (uint32_t)(out->size - start));
}
