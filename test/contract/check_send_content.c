/* Sending: what a message carries arrives as it was, and what cannot be sent is said clearly. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

enum { MIB = 1024 * 1024, LARGEST_BODY = 4 * MIB };

static mqc_push_consumer *consume_all(struct collector *collector, const char *topic)
{
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

/* A message on its way there and back. */
struct journey {
    mqc_message *message; /* as it is sent, and … */
    mqc_producer *producer;
    mqc_send_result result;
    struct collector *collector;
    const mqc_message *received; /* … as it arrives */
};

static struct journey new_journey(const char *topic, const char *body)
{
    struct journey journey = {.message = mqc_message_new(topic, body, strlen(body)),
                              .producer = contract_producer(NULL),
                              .collector = collector_new()};
    ck_assert_ptr_nonnull(journey.message);
    return journey;
}

static void travel(struct journey *journey)
{
    mqc_error error;
    ck_ok(mqc_producer_send(journey->producer, journey->message, NULL, &journey->result, &error));
    mqc_push_consumer *consumer =
        consume_all(journey->collector, mqc_message_topic(journey->message));
    collector_await(journey->collector, 1);
    contract_consumer_end(consumer);
    journey->received = collector_at(journey->collector, 0).message;
}

static void end_journey(struct journey *journey)
{
    mqc_message_free(journey->message);
    mqc_producer_free(journey->producer);
    collector_free(journey->collector);
}

START_TEST(test_tag_keys_properties_and_flag)
{
    mqc_error error;
    struct journey journey = new_journey(contract_topic(1), "body");
    mqc_message *message = journey.message;
    ck_ok(mqc_message_set_tag(message, "red", &error));
    ck_ok(mqc_message_set_keys(message, "key1 key2", &error));
    ck_ok(mqc_message_set_property(message, "shop", "berlin", &error));
    ck_ok(mqc_message_set_property(message, "equation", "a=b;c:d,\"e\"\\f\n\t", &error));
    mqc_message_set_flag(message, -7);
    travel(&journey);
    const mqc_message *received = journey.received;
    ck_assert_str_eq(mqc_message_topic(received), mqc_message_topic(message));
    ck_assert_str_eq(mqc_message_tag(received), "red");
    ck_assert_str_eq(mqc_message_keys(received), "key1 key2");
    ck_assert_str_eq(mqc_message_property(received, "shop"), "berlin");
    ck_assert_str_eq(mqc_message_property(received, "equation"), "a=b;c:d,\"e\"\\f\n\t");
    ck_assert_ptr_null(mqc_message_property(received, "Shop"));
    ck_assert_int_eq(mqc_message_flag(received), -7);
    ck_assert_int_eq(mqc_message_reconsume_times(received), 0);
    end_journey(&journey);
}
END_TEST

START_TEST(test_bare_message)
{
    struct journey journey = new_journey(contract_topic(1), "x");
    travel(&journey);
    const mqc_message *received = journey.received;
    ck_assert_ptr_null(mqc_message_tag(received));
    ck_assert_ptr_null(mqc_message_keys(received));
    ck_assert_int_eq(mqc_message_flag(received), 0);
    ck_assert(contract_text_is(received, "x"));
    end_journey(&journey);
}
END_TEST

START_TEST(test_utf8)
{
    static const char BODY[] = "grüße 消息 🚀", VALUE[] = "größer 値 🦀",
                      KEYS[] = "schlüssel 鍵 🔑", TAG[] = "rötlich红🍎";
    mqc_error error;
    struct journey journey = new_journey(contract_topic(1), BODY);
    mqc_message *message = journey.message;
    ck_ok(mqc_message_set_tag(message, TAG, &error));
    ck_ok(mqc_message_set_keys(message, KEYS, &error));
    ck_ok(mqc_message_set_property(message, "größe", VALUE, &error));
    travel(&journey);
    const mqc_message *received = journey.received;
    ck_assert(contract_text_is(received, BODY));
    ck_assert_str_eq(mqc_message_tag(received), TAG);
    ck_assert_str_eq(mqc_message_keys(received), KEYS);
    ck_assert_str_eq(mqc_message_property(received, "größe"), VALUE);
    end_journey(&journey);
}
END_TEST

static bool count_own(const char *name, const char *value, void *arg)
{
    (void)value;
    *(int *)arg += name[0] == '<';
    return true;
}

/* Everything but the three bytes that end texts, names and values. */
START_TEST(test_properties_are_kept_byte_for_byte)
{
    enum { COUNT = 20 };
    mqc_error error;
    char value[300], name[32];
    struct journey journey = new_journey(contract_topic(1), "x");
    size_t size = 0;
    for (int byte = 3; byte < 128; byte++) value[size++] = (char)byte;
    snprintf(value + size, sizeof value - size, " \\u0041 &amp; %%41 größer 値 🦀 ");
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "<%d: \"a=b\">", i);
        ck_ok(mqc_message_set_property(journey.message, name, value + i, &error));
    }
    travel(&journey);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "<%d: \"a=b\">", i);
        ck_assert_str_eq(mqc_message_property(journey.received, name), value + i);
    }
    int own = 0;
    mqc_message_each_property(journey.received, count_own, &own);
    ck_assert_int_eq(own, COUNT);
    end_journey(&journey);
}
END_TEST

START_TEST(test_where_and_when)
{
    struct journey journey = new_journey(contract_topic(4), "body");
    mqc_message *message = journey.message;
    int64_t before = contract_unix_ms();
    travel(&journey);
    const mqc_message *received = journey.received;
    int64_t after = contract_unix_ms();
    ck_assert_str_eq(mqc_message_id(received), journey.result.message_id);
    ck_assert_str_eq(mqc_message_offset_id(received), journey.result.offset_message_id);
    ck_assert_str_eq(mqc_message_broker_name(received), journey.result.queue.broker_name);
    ck_assert_int_eq(mqc_message_queue_id(received), journey.result.queue.queue_id);
    ck_assert_int_eq(mqc_message_queue_offset(received), journey.result.queue_offset);
    ck_assert_int_ge(mqc_message_born_unix_ms(received), before);
    ck_assert_int_le(mqc_message_born_unix_ms(received), after);
    ck_assert_int_ge(mqc_message_stored_unix_ms(received), before);
    ck_assert_int_le(mqc_message_stored_unix_ms(received), after);
    ck_assert_ptr_nonnull(strchr(mqc_message_born_host(received), ':'));
    ck_assert_ptr_nonnull(strchr(mqc_message_stored_host(received), ':'));
    /* The sent message itself is as it was. */
    ck_assert_ptr_null(mqc_message_id(message));
    end_journey(&journey);
}
END_TEST

/* Bytes of every value, the same for the same size. */
static char *make_body(size_t size)
{
    char *body = malloc(size);
    ck_assert_ptr_nonnull(body);
    uint32_t state = (uint32_t)size;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        body[i] = (char)(state >> 24);
    }
    return body;
}

START_TEST(test_body_sizes)
{
    static const size_t SIZES[] = {1, 255, 4095, 4096, 65536, 300000, MIB, LARGEST_BODY};
    enum { COUNT = sizeof SIZES / sizeof *SIZES };
    mqc_error error;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < COUNT; i++) {
        char *body = make_body(SIZES[i]);
        mqc_message *message = mqc_message_new(topic, body, SIZES[i]);
        ck_ok(mqc_producer_send(producer, message, NULL, NULL, &error));
        mqc_message_free(message);
        free(body);
    }
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    for (size_t i = 0; i < COUNT; i++) {
        const mqc_message *received = collector_at(collector, i).message;
        size_t number = (size_t)mqc_message_queue_offset(received);
        mqc_view view = mqc_message_body(received);
        char *body = make_body(SIZES[number]);
        ck_assert_uint_eq(view.size, SIZES[number]);
        ck_assert_int_eq(memcmp(view.data, body, view.size), 0);
        free(body);
    }
    collector_free(collector);
}
END_TEST

/* ---- delay ---- */

START_TEST(test_delay_level)
{
    mqc_error error;
    struct journey journey = new_journey(contract_topic(1), "later");
    mqc_message *message = journey.message;
    contract_hurry();
    ck_ok(mqc_message_set_delay_level(message, 1, &error));
    travel(&journey);
    const mqc_message *received = journey.received;
    int64_t waited = mqc_message_stored_unix_ms(received) - mqc_message_born_unix_ms(received);
    ck_assert_msg(waited >= 990, "level 1 is a second, it was %lld ms", (long long)waited);
    ck_assert_str_eq(mqc_message_id(received), journey.result.message_id);
    ck_assert_str_eq(mqc_message_topic(received), mqc_message_topic(message));
    end_journey(&journey);
}
END_TEST

/* ---- topics that are not there yet ---- */

START_TEST(test_unknown_topic_is_created)
{
    enum { COUNT = 8 };
    const char *topic = contract_name("unknown");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "new ", COUNT);
    contract_await_topic(topic);
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "new ", COUNT);
    collector_free(collector);
}
END_TEST

START_TEST(test_unknown_topic_gets_so_many_queues)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client,
                                    .group = contract_name("producer"),
                                    .send_timeout_ms = CONTRACT_WAIT_MS,
                                    .default_topic_queues = 2};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_ok(mqc_producer_start(producer, &error));
    const char *topic = contract_name("unknown");
    int used[2] = {0};
    for (int i = 0; i < 6; i++) {
        mqc_send_result result = contract_send(producer, topic, "body");
        ck_assert_int_ge(result.queue.queue_id, 0);
        ck_assert_int_lt(result.queue.queue_id, 2);
        used[result.queue.queue_id]++;
    }
    ck_assert_int_eq(used[0], 3);
    ck_assert_int_eq(used[1], 3);
    mqc_producer_free(producer);
}
END_TEST

/* ---- what cannot be sent ---- */

static mqc_status send_body(mqc_producer *producer, const char *topic, size_t size,
                            mqc_error *error)
{
    char *body = make_body(size ? size : 1);
    mqc_message *message = mqc_message_new(topic, body, size);
    ck_assert_ptr_nonnull(message);
    mqc_status status = mqc_producer_send(producer, message, NULL, NULL, error);
    mqc_message_free(message);
    free(body);
    return status;
}

START_TEST(test_too_big)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    ck_fails(send_body(producer, topic, LARGEST_BODY + 1, &error), MQC_TOO_BIG, "4194305",
             "4194304");
    ck_assert(!error.retryable);
    ck_assert(!error.maybe_done);
    ck_ok(send_body(producer, topic, 1, &error)); /* and no harm was done */
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_too_big_for_the_broker)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client,
                                    .group = contract_name("producer"),
                                    .send_timeout_ms = CONTRACT_WAIT_MS,
                                    .max_message_bytes = 2 * LARGEST_BODY};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_ok(mqc_producer_start(producer, &error));
    const char *topic = contract_topic(1);
    enum { MESSAGE_ILLEGAL = 13 }; /* ResponseCode.java */
    ck_fails(send_body(producer, topic, LARGEST_BODY + MIB, &error), MQC_REFUSED, "illegal");
    ck_assert_int_eq(error.broker_code, MESSAGE_ILLEGAL);
    ck_assert(!error.retryable);
    ck_ok(send_body(producer, topic, 1, &error));
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_empty_body)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    ck_fails(send_body(producer, topic, 0, &error), MQC_BAD_ARGUMENT, "body");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_bad_topics)
{
    mqc_error error;
    char long_name[129] = "";
    memset(long_name, 'x', 128);
    mqc_producer *producer = contract_producer(NULL);
    ck_fails(send_body(producer, "a b", 1, &error), MQC_BAD_ARGUMENT, "a b", "letters");
    ck_fails(send_body(producer, "", 1, &error), MQC_BAD_ARGUMENT, "topic");
    ck_fails(send_body(producer, long_name, 1, &error), MQC_BAD_ARGUMENT, "128", "127");
    ck_fails(send_body(producer, "größe", 1, &error), MQC_BAD_ARGUMENT, "letters");
    ck_fails(send_body(producer, "SCHEDULE_TOPIC_XXXX", 1, &error), MQC_BAD_ARGUMENT,
             "SCHEDULE_TOPIC_XXXX");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_unknown_queue)
{
    mqc_error error;
    const char *topic = contract_topic(2);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_message *message = mqc_message_new(topic, "body", 4);
    mqc_send_options options = {.queue = &queue};
    queue.queue_id = 99;
    ck_assert_int_ne(mqc_producer_send(producer, message, &options, NULL, &error), MQC_OK);
    ck_assert_msg(strstr(error.text, "99") != NULL, "%s", error.text);
    queue = (mqc_message_queue){.topic = topic, .broker_name = "nobody", .queue_id = 0};
    ck_fails(mqc_producer_send(producer, message, &options, NULL, &error), MQC_NO_ROUTE, "nobody");
    queue.topic = "another-topic";
    ck_fails(mqc_producer_send(producer, message, &options, NULL, &error), MQC_BAD_ARGUMENT,
             "another-topic");
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("content of messages", test_tag_keys_properties_and_flag, test_bare_message,
              test_utf8, test_properties_are_kept_byte_for_byte, test_where_and_when,
              test_body_sizes, test_delay_level, test_unknown_topic_is_created,
              test_unknown_topic_gets_so_many_queues, test_too_big, test_too_big_for_the_broker,
              test_empty_body, test_bad_topics, test_unknown_queue)
