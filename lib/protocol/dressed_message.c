/* A message with properties of its own over another's topic and body: what transactions and
 * requests send instead of the application's message, which stays as it is. On the sending thread.
 */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

static bool is_the_senders(const struct mqc_message *message, struct slice name);
static void copy_properties(struct mqc_message *to, const struct mqc_message *from);

struct mqc_message *message_dressed(const struct mqc_message *message, mqc_error *error)
{
    struct message_block *block = memory_allocate(sizeof *block + sizeof *message);
    if (!block) {
        error_no_memory(error);
        return NULL;
    }
    message_block_init(block, 1);
    message_block_ref(message->block);
    block->built = true;
    block->base = message->block;
    mqc_view body = mqc_message_body(message);
    struct mqc_message *dressed = block->messages;
    *dressed = (struct mqc_message){
        .block = block,
        .topic = message->topic,
        .stored_topic = slice_text(message->topic),
        .body = slice_of(body.data, body.size),
        .flag = message->flag,
        .queue_id = -1,
        .queue_offset = -1,
        .commit_log_offset = -1,
    };
    buffer_init(&dressed->building);
    dressed->building.limit = PROPERTIES_MAX_BYTES;
    copy_properties(dressed, message);
    if (!dressed->building.failed) return dressed;
    mqc_message_free(dressed);
    error_no_memory(error);
    return NULL;
}

/* Pair by pair, so that each is whole. */
static void copy_properties(struct mqc_message *to, const struct mqc_message *from)
{
    struct slice rest = from->properties;
    struct slice name, value;
    while (properties_next(&rest, &name, &value)) {
        if (is_the_senders(from, name)) properties_put(&to->building, name, value);
    }
    to->properties = buffer_slice(&to->building);
}

static bool is_the_senders(const struct mqc_message *message, struct slice name)
{
    return message->block->built || !properties_name_is_reserved(name) ||
           slice_is(name, PROPERTY_KEYS) || slice_is(name, PROPERTY_TAGS);
}
