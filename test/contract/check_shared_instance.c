/* Clients of one process share an instance: its threads and connections do not grow with them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/collector.h"
#include "test/contract/process_state.h"

enum { TEN = 10 };

static mqc_push_consumer_options consume_with(const mqc_client_options *client, const char *group,
                                              struct collector *collector, int seat)
{
    return (mqc_push_consumer_options){.client = client,
                                       .group = group,
                                       .listener = collector_listen,
                                       .listener_arg = collector_seat(collector, seat),
                                       .from = MQC_FROM_FIRST};
}

START_TEST(test_ten_producers_are_as_one)
{
    mqc_client_options client = contract_client();
    client.instance_name = "shared";
    const char *topic = contract_topic(1);
    mqc_producer *producers[TEN];
    struct process_state before = process_state_now();
    producers[0] = contract_producer(&client);
    contract_send(producers[0], topic, "body");
    struct process_state with_one = process_state_now();
    for (int i = 1; i < TEN; i++) {
        producers[i] = contract_producer(&client);
        contract_send(producers[i], topic, "body");
    }
    ck_assert_int_eq(process_threads(""), with_one.threads);
    if (!contract_embedded()) ck_assert_int_eq(process_descriptors(), with_one.descriptors);
    for (int i = 0; i < TEN - 1; i++) mqc_producer_free(producers[i]);
    contract_send(producers[TEN - 1], topic, "the last one still works");
    mqc_producer_free(producers[TEN - 1]);
    ck_assert_int_eq(process_threads(""), before.threads);
    process_state_await(before);
}
END_TEST

/* Of the embedded cluster: one to the name server and one to the broker. */
static bool has_two_connections(void *arg)
{
    (void)arg;
    return mqc_embedded_connection_count(contract_embedded()) == 2;
}

START_TEST(test_equal_options_share_too)
{
    const char *topic = contract_topic(1);
    mqc_producer *first = contract_producer(NULL);
    contract_send(first, topic, "body");
    int threads = process_threads("");
    mqc_producer *second = contract_producer(NULL);
    contract_send(second, topic, "body");
    ck_assert_int_eq(process_threads(""), threads);
    if (contract_embedded()) contract_await("one connection to each", has_two_connections, NULL);
    mqc_producer_free(first);
    mqc_producer_free(second);
}
END_TEST

START_TEST(test_ten_consumers_add_only_their_workers)
{
    mqc_client_options client = contract_client();
    client.instance_name = "shared";
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumers[TEN];
    mqc_producer *producer = contract_producer(&client);
    contract_send(producer, topic, "body");
    int others = process_threads("") - process_threads("mqc-consume");
    for (int i = 0; i < TEN; i++) {
        mqc_push_consumer_options options =
            consume_with(&client, contract_name("group"), collector, i);
        options.threads = 2;
        consumers[i] = contract_consumer(&options, topic, "*");
    }
    collector_await(collector, TEN); /* each group has got it */
    int workers = process_threads("mqc-consume");
    ck_assert_int_le(workers, TEN * 2);
    ck_assert_int_eq(process_threads("") - workers, others);
    for (int i = 0; i < TEN; i++) {
        ck_assert_uint_eq(collector_count_seat(collector, i), 1);
        contract_consumer_end(consumers[i]);
    }
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_two_of_one_group_in_one_process)
{
    enum { COUNT = 40 };
    const char *topic = contract_topic(4), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = consume_with(NULL, group, collector, 0);
    mqc_push_consumer *first = contract_consumer(&options, topic, "*");
    options = consume_with(NULL, group, collector, 1);
    mqc_push_consumer *second = contract_consumer(&options, topic, "*");
    contract_send_many(producer, topic, "body ", COUNT);
    collector_await_each(collector, "body ", COUNT);
    contract_consumer_end(first);
    contract_consumer_end(second);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_one_group_twice_under_one_name)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    client.instance_name = "shared";
    mqc_producer_options options = {.client = &client, .group = "twice"};
    mqc_producer *first = mqc_producer_new(&options, &error);
    mqc_producer *second = mqc_producer_new(&options, &error);
    ck_ok(mqc_producer_start(first, &error));
    ck_fails(mqc_producer_start(second, &error), MQC_WRONG_STATE, "twice");
    contract_send(first, contract_topic(1), "unharmed");
    mqc_producer_free(second);
    mqc_producer_free(first);
}
END_TEST

/* ---- several clusters ---- */

START_TEST(test_two_clusters_in_one_process)
{
    mqc_error error;
    mqc_embedded *second_cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(second_cluster != NULL, "%s", error.text);
    mqc_client_options client = contract_client(),
                       second_client = {.name_servers = mqc_embedded_name_servers(second_cluster),
                                        .instance_name = "second"};
    client.instance_name = "first";
    const char *topic = contract_topic(1), *group = contract_name("group");
    ck_ok(mqc_embedded_create_topic(second_cluster, -1, topic, 1, &error));
    struct collector *here = collector_new(), *there = collector_new();
    mqc_producer *producer = contract_producer(&client);
    mqc_producer *second_producer = contract_producer(&second_client);
    mqc_push_consumer_options options = consume_with(&client, group, here, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    options = consume_with(&second_client, group, there, 0);
    mqc_push_consumer *second_consumer = contract_consumer(&options, topic, "*");
    contract_send(producer, topic, "to the first");
    contract_send(second_producer, topic, "to the second");
    contract_send(second_producer, topic, "to the second again");
    collector_await(here, 1);
    collector_await(there, 2);
    contract_consumer_end(consumer);
    contract_consumer_end(second_consumer);
    mqc_producer_free(producer);
    mqc_producer_free(second_producer);
    ck_assert_uint_eq(collector_count(here), 1);
    ck_assert_uint_eq(collector_count(there), 2);
    ck_assert_uint_eq(collector_count_body(here, "to the first"), 1);
    mqc_embedded_stop(second_cluster);
    collector_free(here);
    collector_free(there);
}
END_TEST

START_TEST(test_one_name_for_two_clusters_is_refused)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    client.instance_name = "shared";
    mqc_producer *first = contract_producer(&client);
    client.name_servers = "127.0.0.1:9";
    mqc_producer_options options = {.client = &client, .group = "group"};
    mqc_producer *second = mqc_producer_new(&options, &error);
    ck_fails(mqc_producer_start(second, &error), MQC_BAD_ARGUMENT, "shared", "name servers");
    mqc_producer_free(second);
    mqc_producer_free(first);
    second = mqc_producer_new(&options, &error); /* and now the name is free */
    ck_ok(mqc_producer_start(second, &error));
    mqc_producer_free(second);
}
END_TEST

/* ---- many at once ---- */

static atomic_int created, returned;

static void count_lines(const mqc_log_line *line, void *arg)
{
    (void)arg;
    if (strstr(line->text, "Created new MQClientInstance")) atomic_fetch_add(&created, 1);
    if (strstr(line->text, "Returned Previous MQClientInstance")) atomic_fetch_add(&returned, 1);
}

struct starter {
    mqc_producer *producer;
    pthread_barrier_t *all_there;
    mqc_status status;
};

static void *start_with_others(void *arg)
{
    struct starter *starter = arg;
    pthread_barrier_wait(starter->all_there);
    starter->status = mqc_producer_start(starter->producer, NULL);
    return NULL;
}

START_TEST(test_started_at_once_they_share_one)
{
    mqc_error error;
    pthread_t threads[TEN];
    struct starter starters[TEN];
    pthread_barrier_t all_there;
    pthread_barrier_init(&all_there, NULL, TEN);
    mqc_client_options client = contract_client();
    client.instance_name = "at-once";
    const char *topic = contract_topic(1);
    mqc_log_to(count_lines, NULL, MQC_LOG_INFO);
    for (int i = 0; i < TEN; i++) {
        mqc_producer_options options = {.client = &client, .group = contract_name("group")};
        starters[i] = (struct starter){.all_there = &all_there};
        starters[i].producer = mqc_producer_new(&options, &error);
        ck_assert_msg(starters[i].producer != NULL, "%s", error.text);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, start_with_others, &starters[i]), 0);
    }
    for (int i = 0; i < TEN; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(process_threads("mqc-io"), 1);
    ck_assert_int_eq(process_threads("mqc-pull"), 1);
    for (int i = 0; i < TEN; i++) {
        ck_assert_int_eq(starters[i].status, MQC_OK);
        contract_send(starters[i].producer, topic, "body");
        mqc_producer_free(starters[i].producer);
    }
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
    ck_assert_int_eq(atomic_load(&created), 1);
    ck_assert_int_eq(atomic_load(&returned), TEN - 1);
    pthread_barrier_destroy(&all_there);
}
END_TEST

CONTRACT_MAIN("shared instance", test_ten_producers_are_as_one, test_equal_options_share_too,
              test_ten_consumers_add_only_their_workers, test_two_of_one_group_in_one_process,
              test_one_group_twice_under_one_name, test_two_clusters_in_one_process,
              test_one_name_for_two_clusters_is_refused, test_started_at_once_they_share_one)
