/* Records of stored messages made here: every variant, and damage at chosen places. */
#include "lib/base/memory.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/protocol/records.h"

static mqc_error error;

static void assert_bad(struct slice records, const char *text)
{
    struct message_block *block = (struct message_block *)&error;
    ck_assert_int_eq(message_block_decode(NULL, records, &block, &error), MQC_BAD_FRAME);
    ck_assert_ptr_null(block);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' in '%s'", text, error.text);
}

static void put_sample(struct buffer *out, const char *topic, int32_t sys_flag, struct slice body)
{
    struct mqc_message message = {
        .stored_topic = slice_text(topic),
        .properties = SLICE_LITERAL("TAGS\1a\2"),
        .body = body,
        .queue_id = 3,
        .flag = -2,
        .sys_flag = sys_flag,
        .reconsume_times = 4,
        .queue_offset = INT64_C(0x123456789A),
        .commit_log_offset = INT64_MAX,
        .born_unix_ms = -1,
        .stored_unix_ms = 77,
        .prepared_transaction_offset = INT64_MIN,
        .born_host = {.ipv6 = (sys_flag & MESSAGE_FLAG_BORN_HOST_V6) != 0, .port = 65535},
        .store_host = {.ipv6 = (sys_flag & MESSAGE_FLAG_STORE_HOST_V6) != 0, .port = 1},
    };
    memset(message.born_host.address, 0xB0, message.born_host.ipv6 ? 16 : 4);
    memset(message.store_host.address, 0x50, message.store_host.ipv6 ? 16 : 4);
    message_record_encode(&message, out);
}

START_TEST(decoding_undoes_encoding)
{
    char long_topic[256];
    memset(long_topic, 't', 255);
    long_topic[255] = '\0';
    const char *const topics[] = {"t", long_topic + 128, long_topic + 127, long_topic};
    const int32_t flags[] = {0, 0x10, 0x20, 0x30, MESSAGE_FLAG_COMMIT, 0x40, 0x80};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < sizeof flags / sizeof *flags; j++) {
            struct buffer out;
            buffer_init(&out);
            put_sample(&out, topics[i], flags[j], SLICE_LITERAL("body"));
            ck_assert(!out.failed);
            ck_assert_int_eq((uint8_t)out.data[7], strlen(topics[i]) > 127 ? 0xAB : 0xA7);
            struct message_block *block = decode(buffer_slice(&out));
            ck_assert_uint_eq(block->count, 1);
            const mqc_message *message = &block->messages[0];
            ck_assert_str_eq(message->topic, topics[i]);
            assert_slice(message->stored_topic, topics[i]);
            assert_slice(message->properties, "TAGS\1a\2");
            assert_slice(message->body, "body");
            ck_assert_int_eq(message->queue_id, 3);
            ck_assert_int_eq(message->flag, -2);
            ck_assert_int_eq(message->sys_flag, flags[j]);
            ck_assert_int_eq(message->reconsume_times, 4);
            ck_assert_int_eq(message->queue_offset, INT64_C(0x123456789A));
            ck_assert_int_eq(message->commit_log_offset, INT64_MAX);
            ck_assert_int_eq(message->born_unix_ms, -1);
            ck_assert_int_eq(message->stored_unix_ms, 77);
            ck_assert_int_eq(message->prepared_transaction_offset, INT64_MIN);
            ck_assert_int_eq(message->born_host.ipv6, (flags[j] & 0x10) != 0);
            ck_assert_int_eq(message->born_host.port, 65535);
            ck_assert_uint_eq(message->born_host.address[3], 0xB0);
            ck_assert_uint_eq(message->born_host.address[15], flags[j] & 0x10 ? 0xB0 : 0);
            ck_assert_int_eq(message->store_host.ipv6, (flags[j] & 0x20) != 0);
            ck_assert_int_eq(message->store_host.port, 1);
            ck_assert_uint_eq(message->store_host.address[15], flags[j] & 0x20 ? 0x50 : 0);
            message_block_unref(block);
            buffer_done(&out);
        }
    }
}
END_TEST

START_TEST(topics_differ_within_an_answer)
{
    struct buffer out;
    buffer_init(&out);
    const char *const topics[] = {"a", "a", "bb", "a", "a"};
    for (size_t i = 0; i < 5; i++) put_sample(&out, topics[i], 0, SLICE_LITERAL("x"));
    struct message_block *block = decode(buffer_slice(&out));
    ck_assert_uint_eq(block->count, 5);
    for (size_t i = 0; i < 5; i++) ck_assert_str_eq(block->messages[i].topic, topics[i]);
    ck_assert_ptr_eq(block->messages[0].topic, block->messages[1].topic);
    message_block_unref(block);
    buffer_done(&out);
}
END_TEST

START_TEST(nothing_decodes_to_nothing)
{
    struct message_block *block = (struct message_block *)&error;
    assert_ok(message_block_decode(NULL, SLICE_ABSENT, &block, &error), &error);
    ck_assert_ptr_null(block);
    assert_ok(message_block_decode(NULL, SLICE_LITERAL(""), &block, &error), &error);
    ck_assert_ptr_null(block);
    message_block_unref(NULL);
}
END_TEST

START_TEST(filler_ends_the_records)
{
    struct buffer out;
    buffer_init(&out);
    put_sample(&out, "t", 0, SLICE_LITERAL("x"));
    buffer_put_32(&out, 1000);
    buffer_put_32(&out, 0xCBD43194);
    buffer_put_text(&out, "whatever");
    struct message_block *block = decode(buffer_slice(&out));
    ck_assert_uint_eq(block->count, 1);
    message_block_unref(block);
    buffer_done(&out);
}
END_TEST

static void put_inner(struct buffer *out, int32_t flag, const char *body, const char *properties)
{
    size_t start = out->size;
    for (int i = 0; i < 3; i++) buffer_put_32(out, 0);
    buffer_put_32(out, (uint32_t)flag);
    buffer_put_32(out, (uint32_t)strlen(body));
    buffer_put_text(out, body);
    buffer_put_16(out, (uint16_t)strlen(properties));
    buffer_put_text(out, properties);
    buffer_patch_32(out, start, (uint32_t)(out->size - start));
}

START_TEST(inner_batches_are_unwrapped)
{
    struct buffer batch, out;
    buffer_init(&batch);
    buffer_init(&out);
    put_inner(&batch, 1, "one", "TAGS\1x\2UNIQ_KEY\1u1\2");
    put_inner(&batch, 2, "", "");
    put_inner(&batch, 3, "three", "TAGS\1z");
    put_sample(&out, "t", 0, SLICE_LITERAL("before"));
    put_sample(&out, "t", 0xC0 | MESSAGE_FLAG_BORN_HOST_V6, buffer_slice(&batch));
    put_sample(&out, "t", 0xC0, SLICE_LITERAL(""));
    put_sample(&out, "t", 0, SLICE_LITERAL("after"));
    struct message_block *block = decode(buffer_slice(&out));
    ck_assert_uint_eq(block->count, 5);
    assert_slice(block->messages[0].body, "before");
    assert_slice(block->messages[1].body, "one");
    assert_slice(block->messages[3].body, "three");
    assert_slice(block->messages[4].body, "after");
    for (size_t i = 1; i < 4; i++) {
        mqc_message *message = &block->messages[i];
        ck_assert_int_eq(message->flag, (int)i);
        ck_assert_int_eq(message->queue_offset, INT64_C(0x123456789A) + (int)i - 1);
        ck_assert_int_eq(message->queue_id, 3);
        ck_assert_int_eq(message->sys_flag, MESSAGE_FLAG_BORN_HOST_V6);
        ck_assert_str_eq(message->topic, "t");
        assert_ok(message_inflate(message, true, &error), &error);
    }
    ck_assert_uint_eq(block->messages[2].body.size, 0);
    ck_assert_str_eq(mqc_message_tag(&block->messages[1]), "x");
    ck_assert_str_eq(mqc_message_id(&block->messages[1]), "u1");
    ck_assert_ptr_null(mqc_message_tag(&block->messages[2]));
    ck_assert_str_eq(mqc_message_tag(&block->messages[3]), "z");
    message_block_unref(block);
    size_t whole = out.size;
    damage_each(buffer_slice(&out), decode_damaged, &whole);
    buffer_done(&batch);
    buffer_done(&out);
}
END_TEST

START_TEST(damaged_inner_batches)
{
    struct buffer batch, out;
    buffer_init(&batch);
    buffer_init(&out);
    put_inner(&batch, 1, "one", "");
    put_sample(&out, "t", 0xC0, slice_of(batch.data, batch.size - 1));
    assert_bad(buffer_slice(&out), "a damaged batch inside");
    buffer_clear(&out);
    put_sample(&out, "t", 0xC1, buffer_slice(&batch));
    assert_bad(buffer_slice(&out), "compressed");
    buffer_patch_32(&batch, 0, (uint32_t)batch.size + 4);
    buffer_put_32(&batch, 0);
    buffer_clear(&out);
    put_sample(&out, "t", 0xC0, buffer_slice(&batch));
    assert_bad(buffer_slice(&out), "a damaged batch inside");
    buffer_done(&batch);
    buffer_done(&out);
}
END_TEST

/* Offsets in a record with IPv4 hosts, body "body" and topic "t". */
enum { AT_BODY_SIZE = 84, AT_TOPIC_SIZE = 92, AT_PROPERTIES_SIZE = 94 };

START_TEST(sizes_that_do_not_fit)
{
    struct buffer good;
    buffer_init(&good);
    put_sample(&good, "t", 0, SLICE_LITERAL("body"));
    const struct {
        size_t at;
        int width;
        uint32_t value;
        const char *text;
    } cases[] = {
        {0, 4, 0, "size is wrong"},
        {0, 4, 7, "size is wrong"},
        {0, 4, UINT32_MAX, "size is wrong"},
        {0, 4, INT32_MAX, "size is wrong"},
        {0, 4, (uint32_t)good.size + 1, "size is wrong"},
        {0, 4, (uint32_t)good.size - 1, "do not fit"},
        {4, 4, 0xDAA320A8, "magic"},
        {AT_BODY_SIZE, 4, UINT32_MAX, "do not fit"},
        {AT_BODY_SIZE, 4, 5, "do not fit"},
        {AT_TOPIC_SIZE, 1, 0, "do not f"},
        {AT_TOPIC_SIZE, 1, 0x80, "do not fit"},
        {AT_PROPERTIES_SIZE, 2, 0xFFFF, "do not fit"},
        {AT_PROPERTIES_SIZE, 2, 8, "do not fit"},
        {AT_PROPERTIES_SIZE, 2, 6, "do not fill"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = memory_copy(good.data, good.size);
        for (int j = 0; j < cases[i].width; j++)
            bytes[cases[i].at + (size_t)j] =
                (char)(cases[i].value >> (8 * (cases[i].width - 1 - j)));
        assert_bad(slice_of(bytes, good.size), cases[i].text);
        memory_free(bytes);
    }
    assert_bad(slice_of(good.data, 7), "cut off");
    buffer_put_8(&good, 0);
    assert_bad(buffer_slice(&good), "at byte 103: cut off");
    buffer_done(&good);
}
END_TEST

START_TEST(topic_may_not_be_empty)
{
    struct buffer out;
    buffer_init(&out);
    put_sample(&out, "", 0, SLICE_LITERAL("body"));
    assert_bad(buffer_slice(&out), "no topic");
    buffer_done(&out);
}
END_TEST

START_TEST(too_large_to_encode)
{
    static char properties[PROPERTIES_MAX_BYTES + 1];
    struct mqc_message message = {
        .stored_topic = SLICE_LITERAL("t"),
        .properties = slice_of(properties, sizeof properties),
    };
    struct buffer out;
    buffer_init(&out);
    message_record_encode(&message, &out);
    ck_assert(out.failed);
    buffer_done(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("stored_message_made");
    UNIT_CASE(s, "made records", decoding_undoes_encoding, topics_differ_within_an_answer,
              nothing_decodes_to_nothing, filler_ends_the_records, inner_batches_are_unwrapped,
              damaged_inner_batches, sizes_that_do_not_fit, topic_may_not_be_empty,
              too_large_to_encode);
    return s;
}
TEST_MAIN(suite)
