/* Writing properties straight to where they go out from: a send's content or a batch's body. Runs
 * on sending threads; allocates nothing. */
#include "lib/producer/send_properties.h"

#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

#define WAIT_TRUE "true"

static size_t put(char *out, struct slice name, struct slice value);
static bool takes(const mqc_message *message, bool retried, struct slice name, struct slice value,
                  struct send_marks *marks);
static void note(struct send_marks *marks, struct slice name, struct slice value);
static void keep_id(struct send_marks *marks, struct slice id);

size_t send_properties_room(const mqc_message *message)
{
    /* All of the message's, perhaps without its last separator, and the two that may be added. */
    return message->properties.size + 1 + sizeof PROPERTY_UNIQUE_KEY + MESSAGE_ID_BYTES + 1 +
           sizeof PROPERTY_WAIT + sizeof WAIT_TRUE + 1;
}

size_t send_properties_write(const mqc_message *message, char *out, struct send_marks *marks)
{
    bool retried = names_is_retry_topic(slice_text(message->topic));
    bool as_they_are = message->block->built && !retried;
    bool waits = false;
    size_t size = 0;
    marks->unique_id[0] = '\0';
    marks->reconsume_times = 0;
    marks->max_reconsume_times = -1;
    marks->prepared = marks->is_reply = false;
    struct slice rest = message->properties;
    if (as_they_are && rest.size > 0) {
        memcpy(out, rest.data, rest.size);
        size = rest.size;
    }
    struct slice name, value;
    while (properties_next(&rest, &name, &value)) {
        if (slice_is(name, PROPERTY_WAIT)) waits = message->block->built;
        if (as_they_are) {
            note(marks, name, value);
        } else if (takes(message, retried, name, value, marks)) {
            size += put(out + size, name, value);
        }
    }
    if (!marks->unique_id[0]) {
        message_id_make(marks->unique_id);
        size += put(out + size, SLICE_LITERAL(PROPERTY_UNIQUE_KEY), slice_text(marks->unique_id));
    }
    if (!waits) size += put(out + size, SLICE_LITERAL(PROPERTY_WAIT), SLICE_LITERAL(WAIT_TRUE));
    return size;
}

/* Whether a property goes out as one; remembers those that mean something to the sender. */
static bool takes(const mqc_message *message, bool retried, struct slice name, struct slice value,
                  struct send_marks *marks)
{
    if (!properties_name_is_reserved(name)) return true;
    if (!message->block->built)
        return slice_is(name, PROPERTY_KEYS) || slice_is(name, PROPERTY_TAGS);
    note(marks, name, value);
    if (retried && slice_is(name, PROPERTY_RECONSUME_TIME))
        return !slice_to_int32(value, &marks->reconsume_times);
    if (retried && slice_is(name, PROPERTY_MAX_RECONSUME_TIMES))
        return !slice_to_int32(value, &marks->max_reconsume_times);
    return true;
}

static void note(struct send_marks *marks, struct slice name, struct slice value)
{
    if (slice_is(name, PROPERTY_UNIQUE_KEY))
        keep_id(marks, value);
    else if (slice_is(name, PROPERTY_TRANSACTION_PREPARED))
        marks->prepared = slice_to_bool(value);
    else if (slice_is(name, PROPERTY_MESSAGE_TYPE))
        marks->is_reply = slice_is(value, MESSAGE_TYPE_REPLY);
}

static void keep_id(struct send_marks *marks, struct slice id)
{
    size_t size = id.size < MESSAGE_ID_BYTES ? id.size : MESSAGE_ID_BYTES - 1;
    memcpy(marks->unique_id, id.data, size);
    marks->unique_id[size] = '\0';
}

static size_t put(char *out, struct slice name, struct slice value)
{
    memcpy(out, name.data, name.size);
    out[name.size] = 1;
    memcpy(out + name.size + 1, value.data, value.size);
    out[name.size + 1 + value.size] = 2;
    return name.size + value.size + 2;
}
