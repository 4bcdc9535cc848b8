/* The message object: building, reading, counting. A message is built on one thread and then read
 * by any; those of a pull's answer are made by stored_message.c on the consumer's side. */
#include "lib/protocol/message.h"

#include <zlib.h>

#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/compression.h"
#include "lib/protocol/message_texts.h"
#include "lib/protocol/names.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/pop_ticket.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

static mqc_status check_buildable(const mqc_message *message, mqc_error *error);
static mqc_status check_text(const char *what, const char *text, mqc_error *error);
static void remove_property(struct buffer *properties, struct slice name);

/* ---- life ---- */

mqc_message *mqc_message_new(const char *topic, const void *body, size_t body_bytes)
{
    size_t topic_bytes = topic ? strlen(topic) : 0;
    if (!body) body_bytes = 0;
    size_t bytes = sizeof(struct message_block) + sizeof(struct mqc_message) + topic_bytes + 1;
    struct message_block *block;
    if (body_bytes > SIZE_MAX - bytes || !(block = memory_allocate(bytes + body_bytes)))
        return NULL;
    message_block_init(block, 1);
    block->built = true;
    struct mqc_message *message = block->messages;
    char *topic_copy = (char *)(message + 1);
    char *body_copy = topic_copy + topic_bytes + 1;
    if (topic_bytes > 0) memcpy(topic_copy, topic, topic_bytes);
    topic_copy[topic_bytes] = '\0';
    if (body_bytes > 0) memcpy(body_copy, body, body_bytes);
    *message = (struct mqc_message){
        .block = block,
        .topic = topic_copy,
        .stored_topic = slice_of(topic_copy, topic_bytes),
        .body = slice_of(body_copy, body_bytes),
        .queue_id = -1,
        .queue_offset = -1,
        .commit_log_offset = -1,
    };
    buffer_init(&message->building);
    message->building.limit = PROPERTIES_MAX_BYTES;
    return message;
}

void message_block_ref(struct message_block *block)
{
    reference_take(&block->references);
}

void message_block_unref(struct message_block *block)
{
    if (!block || !reference_drop(&block->references)) return;
    for (size_t i = 0; i < block->count; i++) {
        struct mqc_message *message = &block->messages[i];
        message_texts_discard(message);
        memory_free((void *)(uintptr_t)message->inflated.data);
        buffer_done(&message->building);
    }
    frame_unref(block->frame);
    struct message_block *base = block->base;
    memory_free(block);
    message_block_unref(base);
}

mqc_message *mqc_message_ref(const mqc_message *message)
{
    mqc_message *kept = (mqc_message *)(uintptr_t)message; /* counted, so the holder may free it */
    message_block_ref(message->block);
    atomic_store(&kept->kept, true);
    return kept;
}

void mqc_message_free(mqc_message *message)
{
    if (message) message_block_unref(message->block);
}

/* ---- building ---- */

mqc_status message_put_property(struct mqc_message *message, const char *name, const char *value,
                                mqc_error *error)
{
    mqc_status status = check_buildable(message, error);
    if (status == MQC_OK) status = check_text("property name", name, error);
    if (status == MQC_OK && value) status = check_text(name, value, error);
    if (status != MQC_OK) return status;
    struct buffer *properties = &message->building;
    struct slice old = properties_find(buffer_slice(properties), name);
    size_t old_bytes = old.data ? strlen(name) + old.size + 2 : 0;
    size_t new_bytes = value ? strlen(name) + strlen(value) + 2 : 0;
    size_t total = properties->size - old_bytes + new_bytes;
    if (total > PROPERTIES_MAX_BYTES)
        return error_set(error, MQC_TOO_BIG,
                         "property %.100s: the properties of a message would have %zu bytes, at "
                         "most %d are allowed",
                         name, total, PROPERTIES_MAX_BYTES);
    /* First the memory, so that a failure changes nothing. */
    if (new_bytes > old_bytes && !buffer_reserve(properties, new_bytes - old_bytes)) {
        properties->failed = false;
        return error_no_memory(error);
    }
    if (old.data) remove_property(properties, slice_text(name));
    if (value) properties_put_text(properties, name, value);
    message->properties = buffer_slice(properties);
    message_texts_discard(message);
    return MQC_OK;
}

static mqc_status check_buildable(const mqc_message *message, mqc_error *error)
{
    if (!message) return error_set(error, MQC_BAD_ARGUMENT, "message is NULL");
    if (!message->block->built)
        return error_set(error, MQC_WRONG_STATE,
                         "a received message cannot be changed: make a new one of its parts");
    return MQC_OK;
}

/* What may be the name or the value of a property; `what` says which in the error. */
static mqc_status check_text(const char *what, const char *text, mqc_error *error)
{
    if (!text || !*text)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%.100s is empty: it needs at least one character", what);
    if (strpbrk(text, "\1\2"))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%.100s contains a byte 1 or 2, which separate properties", what);
    return MQC_OK;
}

/* In place: a built message has every name once, and every pair is whole. */
static void remove_property(struct buffer *properties, struct slice name)
{
    struct slice rest = buffer_slice(properties);
    struct slice key, value;
    while (properties_next(&rest, &key, &value)) {
        if (!slice_equal(key, name)) continue;
        size_t at = (size_t)(key.data - properties->data);
        memmove(properties->data + at, rest.data, rest.size);
        buffer_truncate(properties, at + rest.size);
        return;
    }
}

mqc_status mqc_message_set_property(mqc_message *message, const char *name, const char *value,
                                    mqc_error *error)
{
    mqc_status status = check_text("property name", name, error);
    if (status == MQC_OK) status = check_text(name, value, error);
    if (status != MQC_OK) return status;
    if (properties_name_is_reserved(slice_text(name)))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "property %s is one of RocketMQ's own: take another name%s", name,
                         strcmp(name, PROPERTY_TAGS) == 0    ? " or mqc_message_set_tag"
                         : strcmp(name, PROPERTY_KEYS) == 0  ? " or mqc_message_set_keys"
                         : strcmp(name, PROPERTY_DELAY) == 0 ? " or mqc_message_set_delay_level"
                         : strcmp(name, PROPERTY_WAIT) == 0  ? " or mqc_message_set_wait_stored"
                         : strncmp(name, "TIMER_DEL", 9) == 0
                             ? " or mqc_message_set_delay_ms, _delay_seconds or _deliver_at"
                             : "");
    return message_put_property(message, name, value, error);
}

mqc_status mqc_message_set_tag(mqc_message *message, const char *tag, mqc_error *error)
{
    if (tag && strstr(tag, "||"))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tag '%.100s' contains \"||\": a message has one tag only", tag);
    mqc_status status = tag ? check_text("tag", tag, error) : MQC_OK;
    return status == MQC_OK ? message_put_property(message, PROPERTY_TAGS, tag, error) : status;
}

mqc_status mqc_message_set_keys(mqc_message *message, const char *keys, mqc_error *error)
{
    mqc_status status = keys ? check_text("keys", keys, error) : MQC_OK;
    return status == MQC_OK ? message_put_property(message, PROPERTY_KEYS, keys, error) : status;
}

mqc_status mqc_message_set_wait_stored(mqc_message *message, bool wait, mqc_error *error)
{
    return message_put_property(message, PROPERTY_WAIT, wait ? NULL : "false", error);
}

void mqc_message_set_flag(mqc_message *message, int32_t flag)
{
    if (message && message->block->built) message->flag = flag;
}

/* ---- what a consumer does with a received message before the application sees it ---- */

mqc_status message_inflate(struct mqc_message *message, bool check_crc, mqc_error *error)
{
    struct slice body = message->body;
    /* Messages of a batch carry no checksum but 0. */
    if (check_crc && message->body_crc != 0) {
        uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)body.data, body.size) & INT32_MAX;
        if (crc != message->body_crc)
            return error_set(error, MQC_BAD_FRAME,
                             "message at offset %lld of queue %d: checksum of its body is %08x, "
                             "should be %08x",
                             (long long)message->queue_offset, (int)message->queue_id,
                             (unsigned)crc, (unsigned)message->body_crc);
    }
    if (!(message->sys_flag & MESSAGE_FLAG_COMPRESSED) || body.size == 0 || message->inflated.data)
        return MQC_OK;
    struct buffer out;
    buffer_init(&out);
    mqc_status status = compression_inflate(compression_of_sys_flag(message->sys_flag), body,
                                            INFLATED_MAX_BYTES, &out, error);
    size_t size = out.size;
    size_t unused = out.capacity - size;
    char *data = status == MQC_OK ? buffer_take(&out) : NULL;
    if (status == MQC_OK && !data) status = error_no_memory(error);
    if (status == MQC_OK) {
        char *fitting = unused > size / 4 ? memory_resize(data, size + 1) : NULL;
        message->inflated = slice_of(fitting ? fitting : data, size);
    }
    buffer_done(&out);
    return status;
}

void message_deflate(struct mqc_message *message)
{
    if (!message->inflated.data || atomic_load(&message->kept)) return;
    memory_free((char *)(uintptr_t)message->inflated.data);
    message->inflated = SLICE_ABSENT;
}

mqc_status message_restore_topic(struct mqc_message *message, mqc_error *error)
{
    if (!names_is_retry_topic(message->stored_topic)) return MQC_OK;
    if (!message_property(message, PROPERTY_RETRY_TOPIC).data) return MQC_OK;
    BUG_IF(message->block->built, "retry topic of a message that was only built");
    const struct message_texts *texts = message_texts_of(message);
    if (!texts) return error_no_memory(error);
    const char *topic = message_texts_property(texts, PROPERTY_RETRY_TOPIC);
    /* Refused when it was pulled from a topic of popped messages that were to be retried. */
    const char *origin = pop_topic_origin(topic, message->stored_topic);
    if (origin) topic = origin;
    char room[NAME_BYTES];
    /* A namespace stands in front of a topic that is none of a group's: the rest of the same text.
     */
    struct slice shown = namespace_unwrap(message->block->name_space, slice_text(topic), room);
    message->topic = shown.data == room ? topic : shown.data;
    return MQC_OK;
}

struct slice message_property(const struct mqc_message *message, const char *name)
{
    return properties_find(message->properties, name);
}

/* ---- reading ---- */

const char *mqc_message_topic(const mqc_message *message)
{
    return message->topic;
}

mqc_view mqc_message_body(const mqc_message *message)
{
    struct slice body = message->inflated.data ? message->inflated : message->body;
    return (mqc_view){body.data, body.size};
}

const char *mqc_message_property(const mqc_message *message, const char *name)
{
    return name ? message_texts_property(message_texts_of(message), name) : NULL;
}

const char *mqc_message_tag(const mqc_message *message)
{
    return mqc_message_property(message, PROPERTY_TAGS);
}

const char *mqc_message_keys(const mqc_message *message)
{
    return mqc_message_property(message, PROPERTY_KEYS);
}

void mqc_message_each_property(const mqc_message *message, mqc_property_visitor *visit, void *arg)
{
    const struct message_texts *texts = message_texts_of(message);
    for (size_t i = 0; texts && i < texts->count; i++) {
        if (!visit(texts->properties[i].name, texts->properties[i].value, arg)) return;
    }
}

const char *mqc_message_id(const mqc_message *message)
{
    const struct message_texts *texts = message_texts_of(message);
    const char *id = message_texts_property(texts, PROPERTY_UNIQUE_KEY);
    if (id || !texts || message->block->built) return id;
    return texts->offset_id; /* as MessageClientExt.getMsgId */
}

static const char *text_of_received(const mqc_message *message, size_t member_offset)
{
    const struct message_texts *texts = message->block->built ? NULL : message_texts_of(message);
    return texts ? (const char *)texts + member_offset : NULL;
}

const char *mqc_message_offset_id(const mqc_message *message)
{
    return text_of_received(message, offsetof(struct message_texts, offset_id));
}

const char *mqc_message_born_host(const mqc_message *message)
{
    return text_of_received(message, offsetof(struct message_texts, born_host));
}

const char *mqc_message_stored_host(const mqc_message *message)
{
    return text_of_received(message, offsetof(struct message_texts, stored_host));
}

const char *mqc_message_broker_name(const mqc_message *message)
{
    return message->broker_name;
}

int mqc_message_queue_id(const mqc_message *message)
{
    return message->queue_id;
}

int64_t mqc_message_queue_offset(const mqc_message *message)
{
    return message->queue_offset;
}

int64_t mqc_message_born_unix_ms(const mqc_message *message)
{
    return message->born_unix_ms;
}

int64_t mqc_message_stored_unix_ms(const mqc_message *message)
{
    return message->stored_unix_ms;
}

int mqc_message_reconsume_times(const mqc_message *message)
{
    return message->reconsume_times;
}

int32_t mqc_message_flag(const mqc_message *message)
{
    return message->flag;
}
