/* What a listener refuses comes again, and in the end goes to the dead letters. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

enum { ONE_SECOND_LEVEL = 1 };

/* The route of a group's retry topic is known only after the group's first heartbeat has made it:
 * look for it often. */
static mqc_push_consumer *consume_refusing(const mqc_push_consumer_options *options,
                                           const char *topic)
{
    mqc_client_options client = contract_client();
    contract_hurry();
    client.route_refresh_ms = 200;
    mqc_push_consumer_options complete = *options;
    complete.client = &client;
    return contract_consumer(&complete, topic, "*");
}

/* Everything in a group's dead letter topic, once there is one. */
static mqc_push_consumer *consume_dead_letters(const char *group, struct collector *collector)
{
    static char topic[256];
    snprintf(topic, sizeof topic, "%%DLQ%%%s", group);
    contract_await_topic(topic);
    mqc_push_consumer_options options = {.group = contract_name("undertaker"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

/* ---- again ---- */

/* Refuses what comes for the first time. */
static mqc_consume_status refuse_first_time(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    if (mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0) return MQC_CONSUME_SUCCESS;
    mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
    return MQC_RECONSUME_LATER;
}

START_TEST(test_refused_comes_again)
{
    mqc_error error;
    mqc_send_result result;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_first_time, NULL);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(topic, "refused", 7);
    ck_ok(mqc_message_set_tag(message, "red", &error));
    ck_ok(mqc_message_set_keys(message, "key", &error));
    ck_ok(mqc_message_set_property(message, "shop", "berlin", &error));
    ck_ok(mqc_producer_send(producer, message, NULL, &result, &error));
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = consume_refusing(&options, topic);
    collector_await(collector, 2);
    contract_consumer_end(consumer);
    const mqc_message *first = collector_at(collector, 0).message;
    const mqc_message *again = collector_at(collector, 1).message;
    ck_assert_int_eq(mqc_message_reconsume_times(first), 0);
    ck_assert_int_eq(mqc_message_reconsume_times(again), 1);
    ck_assert_str_eq(mqc_message_topic(again), topic);
    ck_assert(contract_text_is(again, "refused"));
    ck_assert_str_eq(mqc_message_tag(again), "red");
    ck_assert_str_eq(mqc_message_keys(again), "key");
    ck_assert_str_eq(mqc_message_property(again, "shop"), "berlin");
    ck_assert_str_eq(mqc_message_id(again), result.message_id);
    ck_assert_str_ne(mqc_message_offset_id(again), result.offset_message_id);
    ck_assert_int_eq(mqc_message_born_unix_ms(again), mqc_message_born_unix_ms(first));
    int64_t waited = mqc_message_stored_unix_ms(again) - mqc_message_stored_unix_ms(first);
    ck_assert_msg(waited >= 990, "level 1 is a second, it was %lld ms", (long long)waited);
    mqc_message_free(message);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_tag_filter_lets_retries_pass)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new_judging(refuse_first_time, NULL);
    mqc_producer *producer = contract_producer(NULL);
    mqc_client_options client = contract_client();
    contract_hurry();
    client.route_refresh_ms = 200;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "red");
    contract_send_tagged(producer, topic, "blue", "not mine");
    contract_send_tagged(producer, topic, "red", "mine");
    collector_await(collector, 2);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count_body(collector, "mine"), 2);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- a part of a delivery ---- */

static mqc_consume_status do_two(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    if (mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0) return MQC_CONSUME_SUCCESS;
    mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
    mqc_delivery_done(delivery, 2);
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_only_what_is_done_is_done)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new_judging(do_two, NULL);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "part ", 4);
    mqc_push_consumer_options options = {.group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST,
                                         .listener_batch = 4,
                                         .threads = 1};
    mqc_push_consumer *consumer = consume_refusing(&options, topic);
    collector_await(collector, 6);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_at(collector, 0).batch, 4);
    ck_assert_uint_eq(collector_count(collector), 6);
    ck_assert_uint_eq(collector_count_body(collector, "part 0"), 1);
    ck_assert_uint_eq(collector_count_body(collector, "part 1"), 1);
    ck_assert_uint_eq(collector_count_body(collector, "part 2"), 2);
    ck_assert_uint_eq(collector_count_body(collector, "part 3"), 2);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- dead letters ---- */

static mqc_consume_status refuse_always(mqc_delivery *delivery, void *arg)
{
    mqc_delivery_retry_level(delivery, *(const int *)arg);
    return MQC_RECONSUME_LATER;
}

/* Sends one message to a consumer that refuses it at `level`; what it was given is in `given`, what
 * came to the dead letters in `dead`. */
static void let_die(int level, int max_reconsume_times, size_t deliveries, struct collector **given,
                    struct collector **dead)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    *given = collector_new_judging(refuse_always, &level);
    *dead = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_tagged(producer, topic, "red", "mortal");
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(*given, 0),
                                         .from = MQC_FROM_FIRST,
                                         .max_reconsume_times = max_reconsume_times};
    mqc_push_consumer *consumer = consume_refusing(&options, topic);
    collector_await(*given, deliveries);
    mqc_push_consumer *undertaker = consume_dead_letters(group, *dead);
    collector_await(*dead, 1);
    contract_consumer_end(undertaker);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    ck_assert_uint_eq(collector_count(*given), deliveries);
    ck_assert_uint_eq(collector_count(*dead), 1);
    const mqc_message *letter = collector_at(*dead, 0).message;
    ck_assert(contract_text_is(letter, "mortal"));
    ck_assert_str_eq(mqc_message_tag(letter), "red");
    ck_assert_str_eq(mqc_message_id(letter), mqc_message_id(collector_at(*given, 0).message));
    ck_assert_str_eq(mqc_message_property(letter, "RETRY_TOPIC"), topic);
    ck_assert_ptr_nonnull(mqc_message_property(letter, "ORIGIN_MESSAGE_ID"));
}

START_TEST(test_dead_letter_after_the_maximum)
{
    struct collector *given, *dead;
    let_die(ONE_SECOND_LEVEL, 2, 3, &given, &dead);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(mqc_message_reconsume_times(collector_at(given, i).message), (int)i);
    ck_assert_str_eq(mqc_message_property(collector_at(dead, 0).message, "ORIGIN_MESSAGE_ID"),
                     mqc_message_offset_id(collector_at(given, 0).message));
    collector_free(given);
    collector_free(dead);
}
END_TEST

START_TEST(test_never_again)
{
    struct collector *given, *dead;
    let_die(-1, 0, 1, &given, &dead);
    collector_free(given);
    collector_free(dead);
}
END_TEST

START_TEST(test_no_retries_at_all)
{
    struct collector *given, *dead;
    let_die(0, -1, 1, &given, &dead);
    collector_free(given);
    collector_free(dead);
}
END_TEST

/* ---- a refusal is no obstacle ---- */

static mqc_consume_status refuse_third(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    bool refused =
        mqc_message_reconsume_times(message) == 0 && mqc_message_queue_offset(message) % 3 == 0;
    if (!refused) return MQC_CONSUME_SUCCESS;
    mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
    return MQC_RECONSUME_LATER;
}

START_TEST(test_refusals_among_many)
{
    enum { COUNT = 60, REFUSED = 20 };
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_third, NULL);
    struct collector *later = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "many ", COUNT);
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = consume_refusing(&options, topic);
    collector_await(collector, COUNT + REFUSED);
    collector_await_each(collector, "many ", COUNT);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), COUNT + REFUSED);
    /* Retried messages are done too: a restarted group begins after them. */
    contract_send(producer, topic, "next");
    options.listener_arg = collector_seat(later, 0);
    consumer = consume_refusing(&options, topic);
    collector_await_body(later, "next");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(later), 1);
    mqc_producer_free(producer);
    collector_free(collector);
    collector_free(later);
}
END_TEST

CONTRACT_MAIN("retry", test_refused_comes_again, test_tag_filter_lets_retries_pass,
              test_only_what_is_done_is_done, test_dead_letter_after_the_maximum, test_never_again,
              test_no_retries_at_all, test_refusals_among_many)
