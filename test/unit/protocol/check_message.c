/* The message object and its public functions. */
#include "lib/protocol/message.h"

#include <pthread.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

START_TEST(new_message_copies)
{
    char topic[] = "orders", body[] = {'h', 0, 'i'};
    mqc_message *message = mqc_message_new(topic, body, 3);
    topic[0] = body[0] = 'X';
    ck_assert_str_eq(mqc_message_topic(message), "orders");
    mqc_view view = mqc_message_body(message);
    ck_assert_uint_eq(view.size, 3);
    ck_assert_int_eq(memcmp(view.data, "h\0i", 3), 0);
    assert_slice(message->stored_topic, "orders");
    ck_assert_ptr_null(mqc_message_tag(message));
    ck_assert_ptr_null(mqc_message_keys(message));
    ck_assert_ptr_null(mqc_message_property(message, "x"));
    ck_assert_ptr_null(mqc_message_property(message, NULL));
    ck_assert_ptr_null(mqc_message_id(message));
    ck_assert_ptr_null(mqc_message_offset_id(message));
    ck_assert_ptr_null(mqc_message_broker_name(message));
    ck_assert_ptr_null(mqc_message_born_host(message));
    ck_assert_ptr_null(mqc_message_stored_host(message));
    ck_assert_int_eq(mqc_message_queue_id(message), -1);
    ck_assert_int_eq(mqc_message_queue_offset(message), -1);
    ck_assert_int_eq(mqc_message_born_unix_ms(message), 0);
    ck_assert_int_eq(mqc_message_stored_unix_ms(message), 0);
    ck_assert_int_eq(mqc_message_reconsume_times(message), 0);
    mqc_message_free(message);
    mqc_message_free(NULL);
}
END_TEST

START_TEST(absent_topic_and_body_are_empty)
{
    mqc_message *message = mqc_message_new(NULL, NULL, 5);
    ck_assert_str_eq(mqc_message_topic(message), "");
    ck_assert_uint_eq(mqc_message_body(message).size, 0);
    mqc_message_free(message);
    ck_assert_ptr_null(mqc_message_new("t", "x", SIZE_MAX - 3));
}
END_TEST

START_TEST(properties_are_set_replaced_and_removed)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_property(message, "colour", "blue", &error), &error);
    assert_ok(mqc_message_set_tag(message, "first", &error), &error);
    assert_ok(mqc_message_set_keys(message, "k1 k2", &error), &error);
    assert_slice(message->properties, "colour\1blue\2TAGS\1first\2KEYS\1k1 k2\2");
    ck_assert_str_eq(mqc_message_tag(message), "first");
    ck_assert_str_eq(mqc_message_keys(message), "k1 k2");
    ck_assert_str_eq(mqc_message_property(message, "colour"), "blue");
    assert_slice(message_property(message, "colour"), "blue");

    assert_ok(mqc_message_set_property(message, "colour", "a much longer red", &error), &error);
    ck_assert_str_eq(mqc_message_property(message, "colour"), "a much longer red");
    ck_assert_str_eq(mqc_message_tag(message), "first");
    assert_ok(mqc_message_set_tag(message, NULL, &error), &error);
    assert_ok(mqc_message_set_keys(message, "k", &error), &error);
    ck_assert_ptr_null(mqc_message_tag(message));
    assert_slice(message->properties, "colour\1a much longer red\2KEYS\1k\2");
    assert_ok(mqc_message_set_keys(message, NULL, &error), &error);
    assert_ok(message_put_property(message, "colour", NULL, &error), &error);
    ck_assert_uint_eq(message->properties.size, 0);
    mqc_message_free(message);
}
END_TEST

START_TEST(a_value_may_come_from_the_message_itself)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_property(message, "a", "value of a", &error), &error);
    assert_ok(mqc_message_set_property(message, "b", mqc_message_property(message, "a"), &error),
              &error);
    ck_assert_str_eq(mqc_message_property(message, "b"), "value of a");
    mqc_message_free(message);
}
END_TEST

START_TEST(flag)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    mqc_message_set_flag(message, -7);
    ck_assert_int_eq(mqc_message_flag(message), -7);
    mqc_message_free(message);
}
END_TEST

START_TEST(bad_arguments)
{
    const struct {
        const char *name, *value, *text;
    } bad[] = {{NULL, "v", "name is empty"},     {"", "v", "name is empty"},
               {"n", NULL, "n is empty"},        {"n", "", "n is empty"},
               {"n\1", "v", "byte 1 or 2"},      {"n", "v\2", "byte 1 or 2"},
               {"TAGS", "v", "set_tag"},         {"KEYS", "v", "set_keys"},
               {"DELAY", "v", "set_delay"},      {"UNIQ_KEY", "v", "another name"},
               {"TRAN_MSG", "v", "another name"}};
    mqc_message *message = mqc_message_new("t", "b", 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(mqc_message_set_property(message, bad[i].name, bad[i].value, &error),
                         MQC_BAD_ARGUMENT);
        ck_assert_msg(strstr(error.text, bad[i].text) != NULL, "%zu: %s", i, error.text);
    }
    ck_assert_int_eq(mqc_message_set_tag(message, "a || b", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_tag(message, "", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_tag(message, "a\1b", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_keys(message, "", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_keys(message, "\2", NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_property(NULL, "n", "v", &error), MQC_BAD_ARGUMENT);
    ck_assert_uint_eq(message->properties.size, 0);
    mqc_message_free(message);
}
END_TEST

START_TEST(properties_have_a_limit)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    static char value[PROPERTIES_MAX_BYTES + 10];
    memset(value, 'v', sizeof value - 1);
    value[PROPERTIES_MAX_BYTES - 3] = '\0'; /* "n", two separators and the value fill it */
    assert_ok(mqc_message_set_property(message, "n", value, &error), &error);
    ck_assert_uint_eq(message->properties.size, PROPERTIES_MAX_BYTES);
    ck_assert_int_eq(mqc_message_set_property(message, "m", "v", &error), MQC_TOO_BIG);
    ck_assert_ptr_nonnull(strstr(error.text, "32767"));
    value[PROPERTIES_MAX_BYTES - 3] = 'v';
    value[PROPERTIES_MAX_BYTES - 2] = '\0';
    ck_assert_int_eq(mqc_message_set_property(message, "n", value, &error), MQC_TOO_BIG);
    ck_assert_uint_eq(strlen(mqc_message_property(message, "n")), PROPERTIES_MAX_BYTES - 3);
    assert_ok(mqc_message_set_property(message, "n", "w", &error), &error);
    assert_slice(message->properties, "n\1w\2");
    mqc_message_free(message);
}
END_TEST

struct visited {
    char text[100];
    int left;
};

static bool visit(const char *name, const char *value, void *arg)
{
    struct visited *visited = arg;
    size_t size = strlen(visited->text);
    snprintf(visited->text + size, sizeof visited->text - size, "%s=%s;", name, value);
    return --visited->left > 0;
}

START_TEST(each_property_is_visited)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    struct visited visited = {.left = 9};
    mqc_message_each_property(message, visit, &visited);
    ck_assert_str_eq(visited.text, "");
    mqc_message_set_property(message, "a", "1", NULL);
    mqc_message_set_property(message, "b", "2", NULL);
    mqc_message_set_property(message, "c", "3", NULL);
    mqc_message_each_property(message, visit, &visited);
    ck_assert_str_eq(visited.text, "a=1;b=2;c=3;");
    visited = (struct visited){.left = 2};
    mqc_message_each_property(message, visit, &visited);
    ck_assert_str_eq(visited.text, "a=1;b=2;");
    mqc_message_free(message);
}
END_TEST

START_TEST(references)
{
    long live = memory_live_blocks();
    mqc_message *message = mqc_message_new("t", "b", 1);
    mqc_message_set_tag(message, "a", NULL);
    mqc_message *again = mqc_message_ref(message);
    ck_assert_ptr_eq(again, message);
    ck_assert_str_eq(mqc_message_tag(message), "a");
    mqc_message_free(message);
    ck_assert_str_eq(mqc_message_tag(again), "a");
    mqc_message_free(again);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

/* One received message from a record written here. */
static struct message_block *received(const char *properties)
{
    struct buffer records;
    buffer_init(&records);
    mqc_message *source = mqc_message_new("%RETRY%group", "body", 4);
    source->properties = slice_text(properties);
    source->queue_offset = 5;
    source->store_host = (struct host){.address = {127, 0, 0, 1}, .port = 10911};
    source->born_host = (struct host){.address = {10, 0, 0, 9}, .port = 1234};
    source->commit_log_offset = 0x1234;
    message_record_encode(source, &records);
    mqc_message_free(source);
    struct frame *frame = frame_copy(buffer_slice(&records));
    buffer_done(&records);
    struct message_block *block;
    assert_ok(message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, &error),
              &error);
    frame_unref(frame); /* the block keeps it */
    return block;
}

START_TEST(received_message_is_read_only)
{
    struct message_block *block = received("TAGS\1a\2");
    mqc_message *message = &block->messages[0];
    ck_assert_int_eq(mqc_message_set_property(message, "a", "b", &error), MQC_WRONG_STATE);
    ck_assert_int_eq(mqc_message_set_tag(message, "b", &error), MQC_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(error.text, "make a new one"));
    mqc_message_set_flag(message, 3);
    ck_assert_int_eq(mqc_message_flag(message), 0);
    ck_assert_str_eq(mqc_message_tag(message), "a");
    message_block_unref(block);
}
END_TEST

START_TEST(received_message_has_ids_and_hosts)
{
    struct message_block *block = received("TAGS\1a\2UNIQ_KEY\1C0A8\2TAGS\1b\2x\1y");
    mqc_message *message = &block->messages[0];
    ck_assert_str_eq(mqc_message_id(message), "C0A8");
    ck_assert_str_eq(mqc_message_offset_id(message), "7F00000100002A9F0000000000001234");
    ck_assert_str_eq(mqc_message_born_host(message), "10.0.0.9:1234");
    ck_assert_str_eq(mqc_message_stored_host(message), "127.0.0.1:10911");
    ck_assert_str_eq(mqc_message_tag(message), "b");
    ck_assert_str_eq(mqc_message_property(message, "x"), "y");
    ck_assert_ptr_eq(mqc_message_tag(message), mqc_message_tag(message));
    message_block_unref(block);

    block = received("");
    ck_assert_str_eq(mqc_message_id(block->messages), "7F00000100002A9F0000000000001234");
    message_block_unref(block);
}
END_TEST

START_TEST(retry_topic_is_restored)
{
    struct message_block *block = received("RETRY_TOPIC\1orders\2");
    mqc_message *message = &block->messages[0];
    ck_assert_str_eq(mqc_message_topic(message), "%RETRY%group");
    memory_fail_from(1);
    ck_assert_int_eq(message_restore_topic(message, &error), MQC_NO_MEMORY);
    memory_fail_from(0);
    ck_assert_str_eq(mqc_message_topic(message), "%RETRY%group");
    assert_ok(message_restore_topic(message, &error), &error);
    ck_assert_str_eq(mqc_message_topic(message), "orders");
    assert_slice(message->stored_topic, "%RETRY%group");
    message_block_unref(block);

    block = received("RETRY_TOPIC\1%RETRY%group+orders\2"); /* it was popped once */
    assert_ok(message_restore_topic(block->messages, &error), &error);
    ck_assert_str_eq(mqc_message_topic(block->messages), "orders");
    message_block_unref(block);

    block = received("TAGS\1a\2");
    assert_ok(message_restore_topic(block->messages, &error), &error);
    ck_assert_str_eq(mqc_message_topic(block->messages), "%RETRY%group");
    message_block_unref(block);
}
END_TEST

static void *read_texts(void *arg)
{
    const mqc_message *message = arg;
    bool good = strcmp(mqc_message_tag(message), "a") == 0 &&
                strcmp(mqc_message_id(message), "C0A8") == 0 &&
                strcmp(mqc_message_stored_host(message), "127.0.0.1:10911") == 0;
    return good ? arg : NULL;
}

START_TEST(many_threads_read_one_message)
{
    enum { ROUNDS = 200, THREADS = 4 };
    long live = memory_live_blocks();
    for (int round = 0; round < ROUNDS; round++) {
        struct message_block *block = received("TAGS\1a\2UNIQ_KEY\1C0A8\2");
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, read_texts, &block->messages[0]), 0);
        for (int i = 0; i < THREADS; i++) {
            void *good;
            pthread_join(threads[i], &good);
            ck_assert_ptr_nonnull(good);
        }
        message_block_unref(block);
    }
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(no_memory_changes_nothing)
{
    long live = memory_live_blocks();
    memory_fail_from(1);
    ck_assert_ptr_null(mqc_message_new("t", "b", 1));
    memory_fail_from(0);
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_tag(message, "a", &error), &error);
    char large[1000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memory_fail_from(1);
    ck_assert_int_eq(mqc_message_set_property(message, "x", large, &error), MQC_NO_MEMORY);
    ck_assert_int_eq(mqc_message_set_tag(message, large, &error), MQC_NO_MEMORY);
    ck_assert_ptr_null(mqc_message_tag(message));
    ck_assert_ptr_null(mqc_message_id(message));
    memory_fail_from(0);
    ck_assert_str_eq(mqc_message_tag(message), "a");
    ck_assert_ptr_null(mqc_message_property(message, "x"));
    assert_ok(mqc_message_set_property(message, "x", large, &error), &error);
    ck_assert_str_eq(mqc_message_property(message, "x"), large);
    mqc_message_free(message);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("message");
    UNIT_CASE(s, "building", new_message_copies, absent_topic_and_body_are_empty,
              properties_are_set_replaced_and_removed, a_value_may_come_from_the_message_itself,
              flag, bad_arguments, properties_have_a_limit, each_property_is_visited, references,
              no_memory_changes_nothing);
    UNIT_CASE(s, "received", received_message_is_read_only, received_message_has_ids_and_hosts,
              retry_topic_is_restored, many_threads_read_one_message);
    return s;
}
TEST_MAIN(suite)
