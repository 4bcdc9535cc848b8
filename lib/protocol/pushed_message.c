/* The message that a broker pushes to the client whose request it replies to: its parts are in the
 * header of PUSH_REPLY_MESSAGE_TO_CLIENT (ClientRemotingProcessor.receiveReplyMessage). On the
 * reading thread; pure. */
#include <arpa/inet.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/headers.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

enum { ARRIVAL_BYTES = sizeof PROPERTY_ARRIVE_TIME + HEADER_NUMBER_BYTES + 2 };

static struct host host_of(struct slice text);
static size_t add_arrival(char *properties, size_t size);

mqc_status message_of_push(struct frame *frame, const struct push_reply_message_header *header,
                           struct slice body, struct mqc_message **out, mqc_error *error)
{
    struct message_block *block;
    struct slice topic = header->topic, properties = header->properties;
    block = memory_allocate(sizeof *block + sizeof **out + topic.size + 1 + properties.size +
                            ARRIVAL_BYTES);
    if (!block) return error_no_memory(error);
    message_block_init(block, 1);
    block->frame = frame_ref(frame);
    struct mqc_message *message = block->messages;
    /* The header's texts may be the command's own memory. */
    char *topic_copy = (char *)(message + 1);
    char *properties_copy = topic_copy + topic.size + 1;
    if (topic.size > 0) memcpy(topic_copy, topic.data, topic.size);
    topic_copy[topic.size] = '\0';
    if (properties.size > 0) memcpy(properties_copy, properties.data, properties.size);
    *message = (struct mqc_message){
        .block = block,
        .topic = topic_copy,
        .stored_topic = slice_of(topic_copy, topic.size),
        .properties = slice_of(properties_copy, add_arrival(properties_copy, properties.size)),
        .body = body,
        .queue_id = header->queue_id,
        .flag = header->flag,
        .sys_flag = header->sys_flag,
        .reconsume_times = header->reconsume_times,
        .queue_offset = -1,
        .commit_log_offset = -1,
        .born_unix_ms = header->born_timestamp,
        .stored_unix_ms = header->store_timestamp,
        .born_host = host_of(header->born_host),
        .store_host = host_of(header->store_host),
    };
    *out = message;
    return MQC_OK;
}

/* When the reply came, as a property like the others; returns their size with it. */
static size_t add_arrival(char *properties, size_t size)
{
    if (size > 0 && properties[size - 1] != 2) properties[size++] = 2;
    memcpy(properties + size, PROPERTY_ARRIVE_TIME, sizeof PROPERTY_ARRIVE_TIME - 1);
    size += sizeof PROPERTY_ARRIVE_TIME - 1;
    properties[size++] = 1;
    size += decimal_write(properties + size, clock_unix_ms());
    properties[size++] = 2;
    return size;
}

/* "1.2.3.4:5", "[::1]:5", and "::1:5" as Java writes it; all zero for anything else. */
static struct host host_of(struct slice text)
{
    struct host host = {0};
    char address[HOST_TEXT_BYTES];
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':') colon--;
    struct slice name = slice_of(text.data, colon > 0 ? colon - 1 : 0);
    if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
        name = slice_of(name.data + 1, name.size - 2);
    if (name.size == 0 || name.size >= sizeof address ||
        !slice_to_int32(slice_of(text.data + colon, text.size - colon), &host.port))
        return (struct host){0};
    memcpy(address, name.data, name.size);
    address[name.size] = '\0';
    if (inet_pton(AF_INET, address, host.address) == 1) return host;
    host.ipv6 = inet_pton(AF_INET6, address, host.address) == 1;
    return host.ipv6 ? host : (struct host){0};
}
