/* What a pull brings: stored messages, their properties, their compressed bodies. */
#include <mqclient/message.h>

#include "lib/protocol/message.h"
#include "test/fuzz/fuzz.h"

static bool visit(const char *name, const char *value, void *arg)
{
    size_t *seen = arg;
    *seen += strlen(name) + strlen(value);
    return true;
}

static void read_message(struct mqc_message *message)
{
    size_t seen = 0;
    message_inflate(message, true, NULL);
    message_restore_topic(message, NULL);
    mqc_view body = mqc_message_body(message);
    FUZZ_HOLDS(body.size == 0 || body.data);
    mqc_message_each_property(message, visit, &seen);
    mqc_message_id(message);
    mqc_message_offset_id(message);
    mqc_message_tag(message);
    mqc_message_keys(message);
    mqc_message_born_host(message);
    mqc_message_stored_host(message);
    FUZZ_HOLDS(mqc_message_topic(message));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct message_block *block;
    if (message_block_decode(NULL, slice_of(bytes, size), &block, NULL) != MQC_OK || !block)
        return 0;
    for (size_t i = 0; i < block->count; i++) read_message(&block->messages[i]);
    message_block_unref(block);
    return 0;
}
