/* Namespaces: the same names in two of them, and in none, have nothing to do with each other; what
 * the application sees has no trace of them. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

enum { COUNT = 5, NAME_ROOM = 96, CHECKS_DUE_MS = 31000 };

static const char *joined(const char *name_space, const char *name)
{
    static char text[8][300];
    static int next;
    char *out = text[next++ % 8];
    snprintf(out, sizeof text[0], "%s%%%s", name_space, name);
    return out;
}

static void create_topic(const mqc_client_options *client, const char *topic)
{
    mqc_error error;
    mqc_admin *admin = mqc_admin_new(client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    mqc_topic_options options = {.read_queues = 1, .write_queues = 1};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    mqc_admin_free(admin);
}

static mqc_push_consumer *consume(struct collector *collector, const mqc_client_options *client,
                                  const char *group, const char *topic)
{
    mqc_push_consumer_options options = {.client = client,
                                         .group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

static void send_prefixed(const mqc_client_options *client, const char *topic, const char *prefix)
{
    mqc_producer *producer = contract_producer(client);
    for (int i = 0; i < COUNT; i++) {
        char body[64];
        snprintf(body, sizeof body, "%s%d", prefix, i);
        mqc_send_result result = contract_send(producer, topic, body);
        ck_assert_str_eq(result.queue.topic, topic);
    }
    mqc_producer_free(producer);
}

/* The handle of a message is the broker's, and so has the topic with its namespace. */
START_TEST(test_recall_in_a_namespace)
{
    mqc_error error;
    mqc_send_result sent;
    char id[64];
    const char *topic = contract_name("topic");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("space");
    create_topic(&client, topic);
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = mqc_message_new(topic, "not yet", 7);
    ck_ok(mqc_message_set_delay_seconds(message, 3600, &error));
    ck_ok(mqc_producer_send(producer, message, NULL, &sent, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_recall(producer, topic, sent.recall_handle, 0, id, &error));
    ck_assert_str_eq(id, sent.message_id);
    ck_fails(mqc_producer_recall(producer, "other", sent.recall_handle, 0, NULL, &error),
             MQC_BAD_ARGUMENT, topic, "not to other");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_two_namespaces_are_two_worlds)
{
    const char *topic = contract_name("topic"), *group = contract_name("group");
    mqc_client_options one = contract_client(), two = contract_client();
    one.name_space = contract_name("one");
    two.name_space = contract_name("two");
    create_topic(&one, topic);
    create_topic(&two, topic);
    struct collector *first = collector_new(), *second = collector_new();
    mqc_push_consumer *a = consume(first, &one, group, topic);
    mqc_push_consumer *b = consume(second, &two, group, topic);
    send_prefixed(&one, topic, "one ");
    send_prefixed(&two, topic, "two ");
    collector_await(first, COUNT);
    collector_await(second, COUNT);
    contract_consumer_end(a);
    contract_consumer_end(b);
    collector_check_each_once(first, "one ", COUNT);
    collector_check_each_once(second, "two ", COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_str_eq(mqc_message_topic(collector_at(first, i).message), topic);
    collector_free(first);
    collector_free(second);
}
END_TEST

/* Who has no namespace finds the names as they are on the wire. */
START_TEST(test_names_on_the_wire)
{
    const char *topic = contract_name("topic"), *group = contract_name("group");
    mqc_client_options inside = contract_client(), outside = contract_client();
    inside.name_space = contract_name("ns");
    const char *whole = joined(inside.name_space, topic);
    create_topic(&inside, topic);
    send_prefixed(&inside, topic, "m");
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer =
        consume(collector, &outside, joined(inside.name_space, group), whole);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    ck_assert_str_eq(mqc_message_topic(collector_at(collector, 0).message), whole);
    collector_free(collector);
    /* That was the progress of the group inside, too: there is nothing left for it. */
    collector = collector_new();
    consumer = consume(collector, &inside, group, topic);
    send_prefixed(&outside, whole, "more ");
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "more ", COUNT);
    collector_free(collector);
}
END_TEST

/* ---- what a listener refuses ---- */

static mqc_consume_status refuse_first(mqc_delivery *delivery, void *arg)
{
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_delivery_retry_level(delivery, 1);
    return mqc_message_reconsume_times(message) == 0 ? MQC_RECONSUME_LATER
                                                     : collector_listen(delivery, arg);
}

static bool some_came(void *collector)
{
    if (contract_embedded()) mqc_embedded_advance_clock(contract_embedded(), 10000);
    return collector_count(collector) > 0;
}

START_TEST(test_retries_come_back)
{
    const char *topic = contract_name("topic");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("ns");
    client.route_refresh_ms = 200;
    create_topic(&client, topic);
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = refuse_first,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_producer *producer = contract_producer(&client);
    contract_send(producer, topic, "again");
    contract_await("the message again", some_came, collector);
    mqc_producer_free(producer);
    contract_consumer_end(consumer);
    const mqc_message *message = collector_at(collector, 0).message;
    ck_assert_int_eq(mqc_message_reconsume_times(message), 1);
    ck_assert_str_eq(mqc_message_topic(message), topic);
    collector_free(collector);
}
END_TEST

static mqc_consume_status refuse_for_good(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    mqc_delivery_retry_level(delivery, -1);
    return MQC_RECONSUME_LATER;
}

START_TEST(test_dead_letters)
{
    mqc_error error;
    const char *topic = contract_name("topic"), *group = contract_name("group");
    char dead[200];
    snprintf(dead, sizeof dead, "%%DLQ%%%s", group);
    mqc_client_options client = contract_client();
    client.name_space = contract_name("ns");
    client.route_refresh_ms = 200;
    create_topic(&client, topic);
    mqc_push_consumer_options options = {
        .client = &client, .group = group, .listener = refuse_for_good, .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_producer *producer = contract_producer(&client);
    contract_send(producer, topic, "no");
    struct collector *collector = collector_new();
    mqc_push_consumer *reader = consume(collector, &client, contract_name("undertaker"), NULL);
    ck_ok(mqc_push_consumer_subscribe(reader, dead, "*", &error));
    collector_await(collector, 1);
    mqc_producer_free(producer);
    contract_consumer_end(consumer);
    contract_consumer_end(reader);
    collector_free(collector);
}
END_TEST

/* ---- the selector, a given queue, the list of topics ---- */

struct sight {
    const char *topic;
    bool same;
};

static size_t see_queues(const mqc_message_queue *queues, size_t count, const mqc_message *message,
                         void *arg)
{
    struct sight *sight = arg;
    sight->same = count > 0 && strcmp(queues[0].topic, sight->topic) == 0 &&
                  strcmp(mqc_message_topic(message), sight->topic) == 0;
    return 0;
}

static bool find_topic(const char *topic, void *arg)
{
    struct sight *sight = arg;
    sight->same = sight->same || strcmp(topic, sight->topic) == 0;
    return true;
}

START_TEST(test_queues_and_lists_show_no_namespace)
{
    mqc_error error;
    mqc_send_result result;
    struct sight sight = {.topic = contract_name("topic")};
    mqc_client_options client = contract_client();
    client.name_space = contract_name("ns");
    create_topic(&client, sight.topic);
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = mqc_message_new(sight.topic, "body", 4);
    mqc_send_options options = {.select = see_queues, .select_arg = &sight};
    ck_ok(mqc_producer_send(producer, message, &options, &result, &error));
    ck_assert(sight.same);
    options = (mqc_send_options){.queue = &result.queue};
    ck_ok(mqc_producer_send(producer, message, &options, &result, &error));
    ck_assert_str_eq(result.queue.topic, sight.topic);
    mqc_message_free(message);
    mqc_producer_free(producer);
    mqc_admin *admin = mqc_admin_new(&client, &error);
    sight.same = false;
    ck_ok(mqc_admin_each_topic(admin, find_topic, &sight, &error));
    ck_assert(sight.same);
    ck_ok(mqc_admin_delete_topic(admin, NULL, sight.topic, &error));
    mqc_admin_free(admin);
}
END_TEST

/* Brokers that do not know it take no offence. */
START_TEST(test_namespace_beside_the_names)
{
    const char *topic = contract_topic(1);
    mqc_client_options client = contract_client();
    client.name_space_v2 = "two";
    client.unit_mode = true;
    client.unit_name = "unit";
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, &client, contract_name("group"), topic);
    send_prefixed(&client, topic, "m");
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "m", COUNT);
    collector_free(collector);
}
END_TEST

/* ---- what brokers push ---- */

static mqc_transaction_state decide(const mqc_transaction *transaction, void *arg)
{
    char *topic_asked_for = arg;
    if (transaction->checks == 0) return MQC_TRANSACTION_UNKNOWN;
    snprintf(topic_asked_for, NAME_ROOM, "%s", mqc_message_topic(transaction->message));
    return MQC_TRANSACTION_COMMIT;
}

START_TEST(test_checks_of_transactions)
{
    mqc_error error;
    static char asked_for[NAME_ROOM];
    const char *topic = contract_name("topic"), *group = contract_name("group");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("space");
    create_topic(&client, topic);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, &client, group, topic);
    mqc_producer_options options = {
        .client = &client, .group = group, .topics = topic, .send_timeout_ms = CONTRACT_WAIT_MS};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_ptr_nonnull(producer);
    ck_ok(mqc_producer_on_check(producer, decide, asked_for, &error));
    ck_ok(mqc_producer_start(producer, &error));
    mqc_message *message = mqc_message_new(topic, "body", 4);
    ck_ok(mqc_producer_send_transaction(producer, message, NULL, decide, asked_for, NULL, &error));
    if (contract_embedded()) mqc_embedded_advance_clock(contract_embedded(), CHECKS_DUE_MS);
    ck_assert_str_eq(mqc_message_topic(collector_await_body(collector, "body").message), topic);
    ck_assert_str_eq(asked_for, topic);
    mqc_message_free(message);
    mqc_producer_free(producer);
    contract_consumer_end(consumer);
    collector_free(collector);
}
END_TEST

static mqc_consume_status reply(mqc_delivery *delivery, void *arg)
{
    mqc_message *answer = mqc_message_new_reply(mqc_delivery_at(delivery, 0), "that", 4, NULL);
    if (answer) mqc_producer_send(arg, answer, NULL, NULL, NULL);
    mqc_message_free(answer);
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_replies)
{
    mqc_error error;
    const char *topic = contract_name("topic");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("space");
    create_topic(&client, topic);
    mqc_producer *producer = contract_producer(&client);
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = reply,
                                         .listener_arg = producer,
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_message *message = mqc_message_new(topic, "what?", 5), *answer;
    ck_ok(mqc_producer_request(producer, message, NULL, &answer, &error));
    ck_assert(contract_text_is(answer, "that"));
    ck_assert_ptr_null(strchr(mqc_message_topic(answer), '%'));
    mqc_message_free(answer);
    mqc_message_free(message);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_bad_namespaces)
{
    static const char *const wrong[] = {"", "a%b", "a b"};
    mqc_error error;
    for (size_t i = 0; i < 3; i++) {
        mqc_client_options client = contract_client();
        client.name_space = wrong[i];
        ck_assert_ptr_null(mqc_admin_new(&client, &error));
        ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
        ck_assert_msg(strstr(error.text, "namespace") != NULL, "%s", error.text);
    }
    mqc_client_options client = contract_client();
    client.rpc_hook_count = 1;
    ck_assert_ptr_null(mqc_admin_new(&client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "rpc_hooks"));
}
END_TEST

CONTRACT_MAIN("namespace", test_recall_in_a_namespace, test_two_namespaces_are_two_worlds,
              test_names_on_the_wire, test_retries_come_back, test_dead_letters,
              test_queues_and_lists_show_no_namespace, test_namespace_beside_the_names,
              test_checks_of_transactions, test_replies, test_bad_namespaces)
