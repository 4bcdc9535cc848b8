/* Batches: messages that an application makes out of the input go into bodies of requests and,
 * stored as they are, must come out of a pull's answer again. The input is a list of messages, each
 * the sizes of its body and of a property's name and value, and these. */
#include "lib/base/memory.h"
#include "lib/producer/batch_parts.h"
#include "lib/protocol/message.h"
#include "lib/protocol/sys_flag.h"
#include "test/fuzz/fuzz.h"

enum { MESSAGES_MOST = 32, BODY_UNIT = 8 };

struct input {
    const uint8_t *at;
    size_t left;
};

static struct slice take(struct input *input, size_t size)
{
    if (size > input->left) size = input->left;
    struct slice taken = slice_of(input->at, size);
    input->at += size;
    input->left -= size;
    return taken;
}

static uint8_t take_byte(struct input *input)
{
    struct slice byte = take(input, 1);
    return byte.size > 0 ? (uint8_t)*byte.data : 0;
}

static mqc_message *take_message(struct input *input)
{
    size_t body_size = (size_t)take_byte(input) * BODY_UNIT, name_size = take_byte(input) % 16;
    struct slice body = take(input, body_size);
    char *name = slice_duplicate(take(input, name_size));
    char *value = slice_duplicate(take(input, take_byte(input)));
    mqc_message *message = mqc_message_new("orders", body.data, body.size);
    if (message && name && value) message_put_property(message, name, value, NULL);
    memory_free(name);
    memory_free(value);
    return message;
}

static bool is_there(const char *name, const char *value, void *arg)
{
    const struct mqc_message *stored = arg;
    FUZZ_HOLDS(slice_is(message_property(stored, name), value));
    return true;
}

/* As a broker that keeps batches whole stores one. */
static void check_part(const struct batch_parts *parts, struct slice body)
{
    struct mqc_message record = {.body = body,
                                 .stored_topic = SLICE_LITERAL("orders"),
                                 .sys_flag = MESSAGE_FLAG_NEED_UNWRAP | MESSAGE_FLAG_INNER_BATCH};
    struct message_block *block = NULL;
    struct buffer answer;
    buffer_init(&answer);
    message_record_encode(&record, &answer);
    FUZZ_HOLDS(!answer.failed);
    FUZZ_HOLDS(message_block_decode(NULL, buffer_slice(&answer), &block, NULL) == MQC_OK);
    FUZZ_HOLDS(block && block->count == parts->next - parts->first);
    for (size_t i = 0; i < block->count; i++) {
        const mqc_message *message = parts->messages[parts->first + i];
        mqc_view sent = mqc_message_body(message), stored = mqc_message_body(&block->messages[i]);
        FUZZ_HOLDS(slice_equal(slice_of(sent.data, sent.size), slice_of(stored.data, stored.size)));
        mqc_message_each_property(message, is_there, &block->messages[i]);
    }
    message_block_unref(block);
    buffer_done(&answer);
}

static void check_batch(const mqc_message *const *messages, size_t count, size_t limit)
{
    struct batch_parts parts = {
        .messages = messages, .count = count, .limit = limit, .request = -1};
    struct buffer body;
    buffer_init(&body);
    if (batch_parts_check(&parts, NULL, NULL) == MQC_OK) {
        while (!batch_parts_done(&parts)) {
            buffer_clear(&body);
            FUZZ_HOLDS(batch_parts_encode(&parts, &body, NULL) == MQC_OK);
            FUZZ_HOLDS(body.size <= limit && parts.next > parts.first);
            check_part(&parts, buffer_slice(&body));
        }
    }
    buffer_done(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    mqc_message *messages[MESSAGES_MOST];
    size_t count = 0, limit = 64 + (size_t)take_byte(&input) * 64;
    while (input.left > 0 && count < MESSAGES_MOST) {
        messages[count] = take_message(&input);
        if (!messages[count]) break;
        count++;
    }
    check_batch((const mqc_message *const *)messages, count, limit);
    for (size_t i = 0; i < count; i++) mqc_message_free(messages[i]);
    return 0;
}
