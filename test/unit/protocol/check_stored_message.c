/* Records of stored messages as real brokers sent them, whole and damaged. */
#include "lib/base/memory.h"
#include "test/unit/protocol/records.h"

#define WORTH "golden message, long enough to be worth compressing; "

static mqc_error error;

static void assert_body(mqc_message *message, const char *text)
{
    mqc_view body = mqc_message_body(message);
    assert_slice(slice_of(body.data, body.size), text);
}

/* ---- what real brokers sent ---- */

START_TEST(pull_answer_of_5_5_0)
{
    long live = memory_live_blocks();
    struct message_block *block = decode(golden_body("pull_response_found"));
    ck_assert_uint_eq(block->count, 6);
    const char *const bodies[] = {"hello",
                                  "grüße 消息 🚀 message 0",
                                  WORTH WORTH WORTH WORTH,
                                  WORTH WORTH WORTH WORTH,
                                  WORTH WORTH WORTH WORTH,
                                  "no properties"};
    const char *const tags[] = {"first", "java", "zlib", "lz4", "zstd", NULL};
    const int32_t flags[] = {0, 0, 769, 257, 513, 0};
    for (size_t i = 0; i < block->count; i++) {
        mqc_message *message = &block->messages[i];
        assert_ok(message_inflate(message, true, &error), &error);
        assert_body(message, bodies[i]);
        ck_assert_int_eq(message->sys_flag, flags[i]);
        ck_assert_str_eq(mqc_message_topic(message), "golden");
        ck_assert_ptr_eq(mqc_message_topic(message), block->messages[0].topic);
        ck_assert_int_eq(mqc_message_queue_id(message), 0);
        ck_assert_int_eq(mqc_message_queue_offset(message), (int)i);
        ck_assert_pstr_eq(mqc_message_tag(message), tags[i]);
        ck_assert_str_eq(mqc_message_property(message, "CLUSTER"), "DefaultCluster");
        ck_assert_int_eq(memcmp(mqc_message_stored_host(message), "127.0.0.1:27945", 16), 0);
    }
    mqc_message *first = &block->messages[0], *second = &block->messages[1];
    ck_assert_int_eq(mqc_message_flag(first), 7);
    ck_assert_str_eq(mqc_message_id(first), "C0A80001000018B4AAC273E3E4FE0000");
    ck_assert_str_eq(mqc_message_offset_id(first), "7F00000100006D290000000000000000");
    ck_assert_str_eq(mqc_message_keys(first), "k1 k2");
    ck_assert_str_eq(mqc_message_property(first, "colour"), "blue");
    ck_assert_str_eq(mqc_message_born_host(first), "127.0.0.1:56080");
    ck_assert_int_eq(mqc_message_stored_unix_ms(first), 0x1A2085970CA);
    ck_assert_int_eq(mqc_message_born_unix_ms(first), 0x1A207F7A580);
    ck_assert_str_eq(mqc_message_property(second, "utf8"), "grüße 消息 🚀");
    ck_assert_uint_eq(strlen(mqc_message_id(second)), 56);
    message_block_unref(block);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(pull_answer_of_4_9_7)
{
    struct message_block *block = decode(golden_body("pull_response_4_9_7"));
    ck_assert_uint_eq(block->count, 2);
    assert_body(&block->messages[0], "hello");
    assert_body(&block->messages[1], "no properties");
    ck_assert_str_eq(mqc_message_tag(&block->messages[0]), "first");
    ck_assert_str_eq(mqc_message_property(&block->messages[1], "CLUSTER"), "DefaultCluster");
    message_block_unref(block);
}
END_TEST

START_TEST(magic_v2_has_long_topics)
{
    struct message_block *block = decode(golden_body("pull_response_magic_v2"));
    ck_assert_uint_eq(block->count, 1);
    mqc_message *message = &block->messages[0];
    ck_assert_uint_eq(strlen(mqc_message_topic(message)), 142);
    ck_assert_int_eq(memcmp(mqc_message_topic(message), "%RETRY%golden-ggg", 17), 0);
    ck_assert_int_eq(mqc_message_reconsume_times(message), 1);
    assert_body(message, "long topic");
    message_block_unref(block);
}
END_TEST

START_TEST(born_host_may_be_ipv6)
{
    struct message_block *block = decode(golden_body("pull_response_ipv6_born_host"));
    ck_assert_uint_eq(block->count, 1);
    ck_assert_str_eq(mqc_message_born_host(block->messages), "[::1]:49866");
    ck_assert_str_eq(mqc_message_stored_host(block->messages), "127.0.0.1:31785");
    ck_assert_str_eq(mqc_message_tag(block->messages), "first");
    message_block_unref(block);
}
END_TEST

START_TEST(both_hosts_may_be_ipv6)
{
    struct message_block *block = decode(golden_body("pull_response_ipv6_hosts"));
    ck_assert_str_eq(mqc_message_born_host(block->messages), "[::1]:35114");
    ck_assert_str_eq(mqc_message_stored_host(block->messages), "[::1]:26815");
    ck_assert_str_eq(mqc_message_offset_id(block->messages),
                     "00000000000000000000000000000001000068BF0000000000000000");
    message_block_unref(block);
}
END_TEST

START_TEST(retried_message_gets_its_topic_back)
{
    struct message_block *block = decode(golden_body("pull_response_retry_message"));
    mqc_message *message = &block->messages[0];
    ck_assert_str_eq(mqc_message_topic(message), "%RETRY%golden-group");
    assert_ok(message_restore_topic(message, &error), &error);
    ck_assert_str_eq(mqc_message_topic(message), "golden");
    assert_slice(message->stored_topic, "%RETRY%golden-group");
    ck_assert_int_eq(mqc_message_reconsume_times(message), 1);
    message_block_unref(block);
}
END_TEST

START_TEST(dead_letter_keeps_its_topic)
{
    struct message_block *block = decode(golden_body("pull_response_retry_message"));
    mqc_message *message = &block->messages[0];
    message->topic = "%DLQ%golden-group";
    message->stored_topic = slice_text(message->topic);
    assert_ok(message_restore_topic(message, &error), &error);
    ck_assert_str_eq(mqc_message_topic(message), "%DLQ%golden-group");
    message_block_unref(block);
}
END_TEST

static const char *const GOLDEN[] = {"pull_response_found",
                                     "pull_response_4_9_7",
                                     "pull_response_magic_v2",
                                     "pull_response_ipv6_born_host",
                                     "pull_response_retry_message",
                                     "view_message_response",
                                     "check_transaction_state_request",
                                     "consume_message_directly_request",
                                     "pull_response_ipv6_hosts",
                                     "binary_pull_response_found"};
enum { GOLDEN_COUNT = sizeof GOLDEN / sizeof *GOLDEN };

START_TEST(encodes_what_the_broker_wrote)
{
    struct slice records = golden_body(GOLDEN[_i]);
    struct message_block *block = decode(records);
    struct buffer out;
    buffer_init(&out);
    for (size_t i = 0; i < block->count; i++) message_record_encode(&block->messages[i], &out);
    ck_assert(slice_equal(buffer_slice(&out), records));
    buffer_done(&out);
    message_block_unref(block);
}
END_TEST

START_TEST(damaged_records)
{
    struct slice records = golden_body(GOLDEN[_i]);
    damage_each(records, decode_damaged, &records.size);
}
END_TEST

START_TEST(wrong_checksum)
{
    struct slice good = golden_body("view_message_response");
    char *bytes = memory_copy(good.data, good.size);
    char *hello = memmem(bytes, good.size, "hello", 5);
    hello[0] = 'J';
    struct message_block *block = decode(slice_of(bytes, good.size));
    assert_ok(message_inflate(block->messages, false, &error), &error);
    assert_body(block->messages, "Jello");
    ck_assert_int_eq(message_inflate(block->messages, true, &error), MQC_BAD_FRAME);
    ck_assert_ptr_nonnull(strstr(error.text, "3610a686"));
    message_block_unref(block);
    memory_free(bytes);
}
END_TEST

START_TEST(block_keeps_its_frame)
{
    long live = memory_live_blocks();
    struct slice records = golden_body("pull_response_found");
    struct frame *frame = frame_copy(records);
    struct message_block *block;
    memory_fail_from(1);
    ck_assert_int_eq(message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, NULL),
                     MQC_NO_MEMORY);
    memory_fail_from(0);
    assert_ok(message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, &error),
              &error);
    frame_unref(frame);
    mqc_message *kept = mqc_message_ref(&block->messages[3]);
    message_block_unref(block);
    memory_fail_from(1);
    ck_assert_int_eq(message_inflate(kept, true, &error), MQC_NO_MEMORY);
    memory_fail_from(0);
    assert_ok(message_inflate(kept, true, &error), &error);
    assert_ok(message_inflate(kept, true, &error), &error);
    assert_body(kept, WORTH WORTH WORTH WORTH);
    mqc_message_free(kept);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(whole_bodies_go_unless_they_are_kept)
{
    long live = memory_live_blocks();
    struct slice records = golden_body("pull_response_found");
    struct message_block *block;
    assert_ok(message_block_decode(NULL, records, &block, &error), &error);
    mqc_message *message = &block->messages[3];
    long packed = memory_live_blocks();
    assert_ok(message_inflate(message, true, &error), &error);
    message_deflate(message);
    ck_assert_int_eq(memory_live_blocks(), packed);
    message_deflate(message); /* there is nothing to free */
    assert_ok(message_inflate(message, true, &error), &error);
    assert_body(message, WORTH WORTH WORTH WORTH);
    mqc_message *kept = mqc_message_ref(message);
    message_deflate(message);
    assert_body(kept, WORTH WORTH WORTH WORTH);
    message_block_unref(block);
    mqc_message_free(kept);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("stored_message");
    UNIT_CASE(s, "real records", pull_answer_of_5_5_0, pull_answer_of_4_9_7,
              magic_v2_has_long_topics, born_host_may_be_ipv6, both_hosts_may_be_ipv6,
              retried_message_gets_its_topic_back, dead_letter_keeps_its_topic, wrong_checksum,
              block_keeps_its_frame, whole_bodies_go_unless_they_are_kept);
    TCase *golden = tcase_create("each golden answer");
    tcase_set_timeout(golden, 60);
    tcase_add_loop_test(golden, encodes_what_the_broker_wrote, 0, GOLDEN_COUNT);
    tcase_add_loop_test(golden, damaged_records, 0, GOLDEN_COUNT);
    suite_add_tcase(s, golden);
    return s;
}
TEST_MAIN(suite)
