/* Tests of lib/producer/send_request.c. */
#include "lib/producer/send_request.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "test/unit/unit.h"

static const struct send_origin ORIGIN = {
    .group = "group", .create_topic_key = "TBW102", .default_topic_queues = 4};
static const mqc_message_queue QUEUE = {"golden", "broker-a", 3};

static void put(mqc_message *message, const char *name, const char *value)
{
    mqc_error error;
    ck_assert_msg(message_put_property(message, name, value, &error) == MQC_OK, "%s", error.text);
}

static void begin(struct send_content *content, const mqc_message *message)
{
    ck_assert_int_eq(send_content_init(content, message, NULL), MQC_OK);
}

static int property_count(struct slice properties)
{
    int count = 0;
    struct slice name, value;
    while (properties_next(&properties, &name, &value)) count++;
    return count;
}

START_TEST(adds_an_id_and_wait)
{
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    struct send_content first, second;
    begin(&first, message);
    begin(&second, message);
    ck_assert_uint_eq(strlen(first.marks.unique_id), 32);
    ck_assert_str_ne(first.marks.unique_id, second.marks.unique_id);
    ck_assert_slice(properties_find(first.properties, "UNIQ_KEY"), first.marks.unique_id);
    ck_assert_slice(properties_find(first.properties, "WAIT"), "true");
    ck_assert_int_eq(property_count(first.properties), 2);
    ck_assert_slice(first.body, "hello");
    ck_assert_uint_eq(message->properties.size, 0); /* unchanged */
    send_content_done(&first);
    send_content_done(&second);
    mqc_message_free(message);
}
END_TEST

START_TEST(keeps_what_the_message_says)
{
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    put(message, "UNIQ_KEY", "my own id");
    put(message, "WAIT", "false");
    put(message, "KEYS", "order-1");
    put(message, "DELAY", "3");
    put(message, "colour", "red");
    struct send_content content;
    begin(&content, message);
    ck_assert_str_eq(content.marks.unique_id, "my own id");
    ck_assert_slice(content.properties, "UNIQ_KEY\1my own id\2WAIT\1false\2KEYS\1order-1\2"
                                        "DELAY\1"
                                        "3\2colour\1red\2");
    send_content_done(&content);
    mqc_message_free(message);
}
END_TEST

START_TEST(large_properties_are_allocated)
{
    char value[5001];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    put(message, "large", value);
    struct send_content content;
    long before = memory_live_blocks();
    begin(&content, message);
    ck_assert_slice(properties_find(content.properties, "large"), value);
    ck_assert_slice(properties_find(content.properties, "UNIQ_KEY"), content.marks.unique_id);
    send_content_done(&content);
    ck_assert_int_eq(memory_live_blocks(), before);
    memory_fail_from(1);
    mqc_error error;
    ck_assert_int_eq(send_content_init(&content, message, &error), MQC_NO_MEMORY);
    memory_fail_from(0);
    mqc_message_free(message);
}
END_TEST

/* Every size around the place where the inline bytes end: the sanitizers watch the border. */
START_TEST(every_size_fits)
{
    char value[SEND_PROPERTIES_INLINE_BYTES + 1];
    for (size_t bytes = SEND_PROPERTIES_INLINE_BYTES - 200; bytes < sizeof value; bytes++) {
        memset(value, 'v', bytes);
        value[bytes - 1] = '\0';
        mqc_message *message = mqc_message_new("golden", "hello", 5);
        put(message, "p", value);
        struct send_content content;
        begin(&content, message);
        if (!content.allocated)
            ck_assert_uint_le(content.properties.size, SEND_PROPERTIES_INLINE_BYTES);
        ck_assert_int_eq(property_count(content.properties), 3);
        send_content_done(&content);
        mqc_message_free(message);
    }
}
END_TEST

START_TEST(nothing_is_allocated_for_ordinary_messages)
{
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    put(message, "KEYS", "order-1");
    memory_fail_from(1);
    struct send_content content;
    mqc_status status = send_content_init(&content, message, NULL);
    memory_fail_from(0);
    ck_assert_int_eq(status, MQC_OK);
    send_content_done(&content);
    mqc_message_free(message);
}
END_TEST

static void begin_retried(struct send_content *content, const char *topic, const char *times)
{
    mqc_message *message = mqc_message_new(topic, "hello", 5);
    put(message, "RECONSUME_TIME", times);
    put(message, "MAX_RECONSUME_TIMES", "16");
    put(message, "RETRY_TOPIC", "orders");
    begin(content, message);
    ck_assert_slice(properties_find(content->properties, "RETRY_TOPIC"), "orders");
    mqc_message_free(message);
}

START_TEST(of_retried_messages_the_times_move_to_the_header)
{
    struct send_content content;
    begin_retried(&content, "%RETRY%g", "2");
    ck_assert_int_eq(content.marks.reconsume_times, 2);
    ck_assert_int_eq(content.marks.max_reconsume_times, 16);
    ck_assert_ptr_null(properties_find(content.properties, "RECONSUME_TIME").data);
    ck_assert_ptr_null(properties_find(content.properties, "MAX_RECONSUME_TIMES").data);
    begin_retried(&content, "%RETRY%g", "many"); /* no number: left where it is */
    ck_assert_int_eq(content.marks.reconsume_times, 0);
    ck_assert_slice(properties_find(content.properties, "RECONSUME_TIME"), "many");
    begin_retried(&content, "orders", "2");
    ck_assert_int_eq(content.marks.reconsume_times, 0);
    ck_assert_int_eq(content.marks.max_reconsume_times, -1);
    ck_assert_slice(properties_find(content.properties, "RECONSUME_TIME"), "2");
}
END_TEST

/* A message that a consumer received and sends on: with what its sender had said, no more. */
START_TEST(a_received_message_is_sent_on)
{
    mqc_message *original = mqc_message_new("golden", "hello", 5);
    struct buffer record;
    buffer_init(&record);
    original->properties = slice_text("UNIQ_KEY\1old\2TAGS\1java\2KEYS\1k\2MIN_OFFSET\1"
                                      "0\2"
                                      "colour\1red\2WAIT\1true\2CLUSTER\1c\2last\1one");
    message_record_encode(original, &record);
    struct message_block *block = NULL;
    ck_assert_int_eq(message_block_decode(NULL, buffer_slice(&record), &block, NULL), MQC_OK);
    struct send_content content;
    begin(&content, &block->messages[0]);
    ck_assert_slice(content.body, "hello");
    ck_assert_str_eq(content.topic, "golden");
    ck_assert_str_ne(content.marks.unique_id, "old");
    ck_assert(slice_begins_with(content.properties,
                                "TAGS\1java\2KEYS\1k\2colour\1red\2last\1one\2UNIQ_KEY\1"));
    ck_assert_int_eq(property_count(content.properties), 6);
    send_content_done(&content);
    message_block_unref(block);
    buffer_done(&record);
    original->properties = SLICE_ABSENT;
    mqc_message_free(original);
}
END_TEST

START_TEST(the_header_is_complete)
{
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    mqc_message_set_flag(message, 7);
    struct send_content content;
    begin(&content, message);
    struct send_message_header header;
    struct command_to_send request;
    int64_t before = clock_unix_ms();
    send_request_make(&content, &ORIGIN, &QUEUE, &header, &request);
    ck_assert_int_eq(request.code, 310);
    ck_assert_ptr_eq(request.header, &header);
    ck_assert_slice(request.body, "hello");
    ck_assert_slice(header.producer_group, "group");
    ck_assert_slice(header.topic, "golden");
    ck_assert_slice(header.default_topic, "TBW102");
    ck_assert_int_eq(header.default_topic_queues, 4);
    ck_assert_int_eq(header.queue_id, 3);
    ck_assert_int_eq(header.sys_flag, 0);
    ck_assert(header.born_timestamp >= before && header.born_timestamp <= clock_unix_ms());
    ck_assert_int_eq(header.flag, 7);
    ck_assert_int_eq(header.reconsume_times, 0);
    ck_assert(!header.unit_mode && !header.batch);
    ck_assert_int_eq(header.max_reconsume_times, -1);
    ck_assert_slice(header.broker_name, "broker-a");
    send_content_done(&content);
    mqc_message_free(message);
}
END_TEST

/* What a Java producer wrote for the same message, but for time and id. */
START_TEST(as_the_java_client_says_it)
{
    struct remoting_command java;
    ck_assert_int_eq(remoting_command_decode(&java, golden_bytes("java_send_request"), NULL),
                     MQC_OK);
    struct send_message_header expected, header;
    ck_assert_int_eq(header_decode(&send_message_layout, &java, &expected, NULL), MQC_OK);
    char *body = slice_duplicate(java.body);
    mqc_message *message = mqc_message_new("golden", body, java.body.size);
    struct slice rest = expected.properties, name, value;
    while (properties_next(&rest, &name, &value)) {
        char *name_text = slice_duplicate(name), *value_text = slice_duplicate(value);
        if (!slice_is(name, "WAIT")) put(message, name_text, value_text);
        memory_free(name_text);
        memory_free(value_text);
    }
    struct send_content content;
    begin(&content, message);
    mqc_message_queue queue = {"golden", "broker-a", expected.queue_id};
    struct send_origin origin = ORIGIN;
    origin.group = "java-peer";
    struct command_to_send request;
    send_request_make(&content, &origin, &queue, &header, &request);
    ck_assert_int_eq(java.code, request.code);
    ck_assert(slice_equal(java.body, request.body));
    ck_assert_int_eq(property_count(expected.properties), property_count(header.properties));
    header.born_timestamp = expected.born_timestamp;
    header.properties = expected.properties;
    for (size_t i = 0; i < send_message_layout.count; i++) {
        const struct header_field *field = &send_message_layout.fields()[i];
        char number[2][HEADER_NUMBER_BYTES];
        struct slice ours = SLICE_ABSENT, theirs = SLICE_ABSENT;
        header_field_value(field, &header, number[0], &ours);
        header_field_value(field, &expected, number[1], &theirs);
        ck_assert_msg(slice_equal(ours, theirs), "field %s", field->name);
    }
    send_content_done(&content);
    mqc_message_free(message);
    memory_free(body);
    remoting_command_done(&java);
}
END_TEST

static mqc_status read_answer(const char *golden, int32_t code, mqc_send_result *result,
                              mqc_error *error)
{
    mqc_message *message = mqc_message_new("golden", "hello", 5);
    put(message, "UNIQ_KEY", "my own id");
    struct send_content content;
    begin(&content, message);
    struct remoting_command answer;
    ck_assert_int_eq(remoting_command_decode(&answer, golden_bytes(golden), NULL), MQC_OK);
    answer.code = code;
    memset(result, 'x', sizeof *result);
    mqc_status status = send_response_read(&answer, &content, &QUEUE, result, error);
    remoting_command_done(&answer);
    send_content_done(&content);
    mqc_message_free(message);
    return status;
}

START_TEST(reads_a_broker_s_answer)
{
    mqc_send_result result;
    ck_assert_int_eq(read_answer("send_response", RESPONSE_SUCCESS, &result, NULL), MQC_OK);
    ck_assert_int_eq(result.status, MQC_SEND_OK);
    ck_assert_str_eq(result.queue.topic, "golden");
    ck_assert_str_eq(result.queue.broker_name, "broker-a");
    ck_assert_int_eq(result.queue.queue_id, 0); /* the broker's word counts, not 3 */
    ck_assert_int_eq((int)result.queue_offset, 0);
    ck_assert_str_eq(result.message_id, "my own id");
    ck_assert_uint_eq(strlen(result.offset_message_id), 32);
    ck_assert_str_eq(result.transaction_id, "C0A80001000018B4AAC273E3E4FE0000");
    ck_assert_str_eq(result.region, "DefaultRegion");
    ck_assert(result.trace_on);
}
END_TEST

START_TEST(reads_the_binary_header_and_ipv6)
{
    mqc_send_result result;
    ck_assert_int_eq(read_answer("binary_send_response", RESPONSE_SUCCESS, &result, NULL), MQC_OK);
    ck_assert_uint_eq(strlen(result.offset_message_id), 32);
    ck_assert_int_eq(read_answer("send_response_ipv6", RESPONSE_SUCCESS, &result, NULL), MQC_OK);
    ck_assert_uint_eq(strlen(result.offset_message_id), 56);
}
END_TEST

START_TEST(tells_how_well_it_was_stored)
{
    static const struct {
        int32_t code;
        mqc_send_status status;
    } cases[] = {
        {RESPONSE_FLUSH_DISK_TIMEOUT, MQC_SEND_FLUSH_DISK_TIMEOUT},
        {RESPONSE_FLUSH_SLAVE_TIMEOUT, MQC_SEND_FLUSH_SLAVE_TIMEOUT},
        {RESPONSE_SLAVE_NOT_AVAILABLE, MQC_SEND_SLAVE_NOT_AVAILABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mqc_send_result result;
        ck_assert_int_eq(read_answer("send_response", cases[i].code, &result, NULL), MQC_OK);
        ck_assert_int_eq(result.status, cases[i].status);
        ck_assert_int_eq(response_judge(cases[i].code), JUDGE_DONE);
    }
}
END_TEST

/* An answer without the fields that say where the message is: it may well be stored. */
START_TEST(an_answer_that_says_nothing)
{
    mqc_send_result result;
    mqc_error error;
    ck_assert_int_eq(read_answer("heartbeat_response", RESPONSE_SUCCESS, &result, &error),
                     MQC_BAD_FRAME);
    ck_assert(error.maybe_done);
}
END_TEST

static Suite *send_request_suite(void)
{
    Suite *suite = suite_create("send_request");
    UNIT_CASE(suite, "content", adds_an_id_and_wait, keeps_what_the_message_says,
              large_properties_are_allocated, every_size_fits,
              nothing_is_allocated_for_ordinary_messages,
              of_retried_messages_the_times_move_to_the_header, a_received_message_is_sent_on);
    UNIT_CASE(suite, "request", the_header_is_complete, as_the_java_client_says_it);
    UNIT_CASE(suite, "answer", reads_a_broker_s_answer, reads_the_binary_header_and_ipv6,
              tells_how_well_it_was_stored, an_answer_that_says_nothing);
    return suite;
}

TEST_MAIN(send_request_suite)
