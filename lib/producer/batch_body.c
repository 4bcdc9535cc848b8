/* Encoding messages into a batch's body, on sending threads: what a message costs here is most of
 * what it costs at all, so it is copied once and nothing is allocated for it. */
#include "lib/producer/batch_body.h"

#include "lib/base/error.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

enum { HEAD_BYTES = 20, PROPERTIES_LENGTH_BYTES = 2, SHOWN_CHARACTERS = 127 };

static void write_32(char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (char)(value >> (24 - 8 * i));
}

mqc_status batch_message_check(const mqc_message *message, const mqc_message *first,
                               mqc_error *error)
{
    static const struct {
        const char *property, *what;
    } loners[] = {
        {PROPERTY_DELAY, "a delay (DELAY)"},
        {PROPERTY_TIMER_DELAY_SECONDS, "a delay (TIMER_DELAY_SEC)"},
        {PROPERTY_TIMER_DELAY_MS, "a delay (TIMER_DELAY_MS)"},
        {PROPERTY_TIMER_DELIVER_MS, "a time of delivery (TIMER_DELIVER_MS)"},
        {PROPERTY_TRANSACTION_PREPARED, "a transaction (TRAN_MSG)"},
        {PROPERTY_MESSAGE_TYPE, "a type of its own (MSG_TYPE), as replies have"},
        {PROPERTY_CORRELATION_ID, "a reply to wait for (CORRELATION_ID)"},
    };
    /* A received one goes out without them. */
    bool built = message->block->built && message->properties.size > 0;
    for (size_t i = 0; built && i < sizeof loners / sizeof *loners; i++) {
        if (message_property(message, loners[i].property).data)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "it has %s, which brokers do not support in batches: send it alone",
                             loners[i].what);
    }
    if (names_is_retry_topic(slice_text(message->topic)))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "it is for the retry topic %.*s, which takes no batches: send it alone",
                         SHOWN_CHARACTERS, message->topic);
    if (message == first) return MQC_OK;
    if (strcmp(message->topic, first->topic) != 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "it is for topic %.*s, and the first one for %.*s: the messages of a "
                         "batch have one topic",
                         SHOWN_CHARACTERS, message->topic, SHOWN_CHARACTERS, first->topic);
    if (batch_message_waits(message) != batch_message_waits(first))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "it and the first one differ in mqc_message_set_wait_stored: the messages "
                         "of a batch are stored in one way");
    return MQC_OK;
}

bool batch_message_waits(const mqc_message *message)
{
    return !message->block->built || message->properties.size == 0 ||
           !slice_is(message_property(message, PROPERTY_WAIT), "false");
}

size_t batch_message_room(const mqc_message *message)
{
    return HEAD_BYTES + mqc_message_body(message).size + PROPERTIES_LENGTH_BYTES +
           send_properties_room(message);
}

/* total(4) magic(4)=0 crc(4)=0 flag(4) size(4) body size(2) properties */
mqc_status batch_body_append(struct buffer *body, const mqc_message *message,
                             char unique_id[MESSAGE_ID_BYTES], mqc_error *error)
{
    mqc_view bytes = mqc_message_body(message);
    char *place = buffer_reserve(body, batch_message_room(message));
    if (!place) {
        body->failed = false;
        return error_no_memory(error);
    }
    struct send_marks marks;
    char *properties = place + HEAD_BYTES + bytes.size + PROPERTIES_LENGTH_BYTES;
    size_t size = send_properties_write(message, properties, &marks);
    if (size > PROPERTIES_MAX_BYTES)
        return error_set(error, MQC_TOO_BIG,
                         "the message's properties have %zu bytes with its id, at most %d are "
                         "allowed",
                         size, PROPERTIES_MAX_BYTES);
    size_t total = (size_t)(properties - place) + size;
    write_32(place, (uint32_t)total);
    memset(place + 4, 0, 8);
    write_32(place + 12, (uint32_t)message->flag);
    write_32(place + 16, (uint32_t)bytes.size);
    memcpy(place + HEAD_BYTES, bytes.data, bytes.size);
    properties[-2] = (char)(size >> 8);
    properties[-1] = (char)size;
    buffer_commit(body, total);
    if (unique_id) memcpy(unique_id, marks.unique_id, MESSAGE_ID_BYTES);
    return MQC_OK;
}
