/* An orderly listener: the order of each queue, and what its verdicts do. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/gate.h"
#include "test/contract/line.h"

enum { QUEUES = 4 };

/* ---- order ---- */

/* Refuses every seventh message once. */
static mqc_order_status refuse_some(mqc_delivery *delivery, void *arg)
{
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    (void)arg;
    if (line_number(message) % 7 != 3 || mqc_message_reconsume_times(message) > 0)
        return MQC_ORDER_SUCCESS;
    mqc_delivery_suspend(delivery, 10);
    return MQC_ORDER_SUSPEND;
}

START_TEST(test_each_queue_in_its_order)
{
    enum { EACH = 100 };
    struct line *line = line_new(QUEUES, refuse_some, NULL);
    line_send(line, QUEUES, EACH / 2);
    mqc_push_consumer *consumer = line_join(line, contract_name("group"), 0, NULL);
    line_send(line, QUEUES, EACH / 2);
    line_await_all(line);
    contract_consumer_end(consumer);
    line_free(line);
}
END_TEST

START_TEST(test_batches_in_order)
{
    enum { EACH = 100, MOST = 10 };
    struct line *line = line_new(2, NULL, NULL);
    mqc_push_consumer_options options = {.listener_batch = MOST, .threads = 2};
    line_send(line, 2, EACH);
    mqc_push_consumer *consumer = line_join(line, contract_name("group"), 0, &options);
    line_await_all(line);
    contract_consumer_end(consumer);
    size_t largest = 0;
    for (size_t i = 0; i < collector_count(line->collector); i++) {
        size_t batch = collector_at(line->collector, i).batch;
        if (batch > largest) largest = batch;
    }
    ck_assert_uint_eq(largest, MOST);
    line_free(line);
}
END_TEST

START_TEST(test_restart_goes_on_where_it_was)
{
    enum { EACH = 20, LIVES = 4 };
    const char *group = contract_name("group");
    struct line *line = line_new(2, NULL, NULL);
    for (int life = 0; life < LIVES; life++) {
        line_send(line, 2, EACH);
        mqc_push_consumer *consumer = line_join(line, group, 0, NULL);
        line_await_all(line); /* nothing twice, or the order is wrong */
        contract_consumer_end(consumer);
    }
    line_free(line);
}
END_TEST

START_TEST(test_pause_and_resume_in_order)
{
    mqc_error error;
    struct line *line = line_new(1, NULL, NULL);
    mqc_push_consumer *consumer = line_join(line, contract_name("group"), 0, NULL);
    line_send(line, 1, 5);
    line_await_all(line);
    ck_ok(mqc_push_consumer_pause(consumer, &error));
    line_send(line, 1, 20);
    ck_ok(mqc_push_consumer_resume(consumer, &error));
    line_await_all(line);
    contract_consumer_end(consumer);
    line_free(line);
}
END_TEST

/* ---- refusing ---- */

/* Of each batch only the first. */
static mqc_order_status do_one(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    mqc_delivery_suspend(delivery, 10);
    mqc_delivery_done(delivery, 1);
    return MQC_ORDER_SUCCESS;
}

START_TEST(test_part_of_a_batch)
{
    struct line *line = line_new(1, do_one, NULL);
    mqc_push_consumer_options options = {.listener_batch = 3};
    line->one_of_each = true;
    const char *group = contract_name("group");
    line_send(line, 1, 5);
    mqc_push_consumer *consumer = line_join(line, group, 0, &options);
    line_await_done(line, 0, 5);
    contract_consumer_end(consumer);
    for (size_t i = 0, first = 0; i < collector_count(line->collector); first++) {
        struct received received = collector_at(line->collector, i);
        ck_assert_int_eq(line_number(received.message), (int)first);
        i += received.batch;
    }
    if (contract_embedded())
        ck_assert_int_eq(mqc_embedded_lag(contract_embedded(), group, line->topic), 0);
    line_free(line);
}
END_TEST

static mqc_order_status refuse_first_twice(mqc_delivery *delivery, void *arg)
{
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    (void)arg;
    mqc_delivery_suspend(delivery, 10);
    bool refuse = line_number(message) == 0 && mqc_message_reconsume_times(message) < 2;
    return refuse ? MQC_ORDER_SUSPEND : MQC_ORDER_SUCCESS;
}

START_TEST(test_refused_holds_up_those_behind)
{
    static const int EXPECTED[] = {0, 0, 0, 1, 2};
    struct line *line = line_new(1, refuse_first_twice, NULL);
    line_send(line, 1, 3);
    mqc_push_consumer *consumer = line_join(line, contract_name("group"), 0, NULL);
    line_await_all(line);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(line->collector), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(line_number(collector_at(line->collector, i).message), EXPECTED[i]);
    line_free(line);
}
END_TEST

static mqc_order_status refuse_number_1(mqc_delivery *delivery, void *arg)
{
    atomic_int *refusals = arg;
    mqc_delivery_suspend(delivery, 10);
    if (line_number(mqc_delivery_at(delivery, 0)) != 1) return MQC_ORDER_SUCCESS;
    atomic_fetch_add(refusals, 1);
    return MQC_ORDER_SUSPEND;
}

START_TEST(test_refused_for_ever_is_a_dead_letter)
{
    static atomic_int refusals;
    const char *group = contract_name("group");
    struct line *line = line_new(1, refuse_number_1, &refusals);
    mqc_push_consumer_options options = {.max_reconsume_times = 2};
    line_send(line, 1, 2);
    mqc_push_consumer *consumer = line_join(line, group, 0, &options);
    char topic[256];
    snprintf(topic, sizeof topic, "%%DLQ%%%s", group);
    contract_await_topic(topic);
    struct collector *dead = collector_new();
    mqc_push_consumer_options undertaker = {.group = contract_name("undertaker"),
                                            .listener = collector_listen,
                                            .listener_arg = collector_seat(dead, 0),
                                            .from = MQC_FROM_FIRST};
    mqc_push_consumer *reader = contract_consumer(&undertaker, topic, "*");
    collector_await_body(dead, "1");
    line_send(line, 1, 1);
    collector_await_body(line->collector, "2"); /* it goes on */
    contract_consumer_end(reader);
    contract_consumer_end(consumer);
    ck_assert_int_eq(atomic_load(&refusals), 3);
    ck_assert_uint_eq(collector_count(dead), 1);
    collector_free(dead);
    line_free(line);
}
END_TEST

/* ---- commits ---- */

/* Takes three by hand, rolls them back, and commits the second time. */
static mqc_order_status roll_back_once(mqc_delivery *delivery, void *arg)
{
    atomic_bool *rolled_back = arg;
    int number = line_number(mqc_delivery_at(delivery, 0));
    mqc_delivery_commit_by_hand(delivery);
    mqc_delivery_suspend(delivery, 10);
    if (number < 2) return MQC_ORDER_SUCCESS;
    return atomic_exchange(rolled_back, true) ? MQC_ORDER_COMMIT : MQC_ORDER_ROLLBACK;
}

START_TEST(test_commit_and_rollback)
{
    static const int EXPECTED[] = {0, 1, 2, 0, 1, 2};
    static atomic_bool rolled_back;
    const char *group = contract_name("group");
    struct line *line = line_new(1, roll_back_once, &rolled_back);
    line_send(line, 1, 3);
    mqc_push_consumer *consumer = line_join(line, group, 0, NULL);
    collector_await(line->collector, 6);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(line->collector), 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(line_number(collector_at(line->collector, i).message), EXPECTED[i]);
    if (contract_embedded())
        ck_assert_int_eq(mqc_embedded_lag(contract_embedded(), group, line->topic), 0);
    line_free(line);
}
END_TEST

static mqc_order_status by_hand(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    mqc_delivery_commit_by_hand(delivery);
    return line_number(mqc_delivery_at(delivery, 0)) == 1 ? MQC_ORDER_COMMIT : MQC_ORDER_SUCCESS;
}

START_TEST(test_uncommitted_come_again)
{
    static const int EXPECTED[] = {0, 1, 2, 3, 2, 3};
    const char *group = contract_name("group");
    struct line *line = line_new(1, by_hand, NULL);
    line_send(line, 1, 4);
    mqc_push_consumer *consumer = line_join(line, group, 0, NULL);
    collector_await(line->collector, 4);
    contract_consumer_end(consumer);
    consumer = line_join(line, group, 0, NULL);
    collector_await(line->collector, 6);
    contract_consumer_end(consumer);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(line_number(collector_at(line->collector, i).message), EXPECTED[i]);
    line_free(line);
}
END_TEST

static mqc_order_status wait_with_number_1(mqc_delivery *delivery, void *arg)
{
    if (line_number(mqc_delivery_at(delivery, 0)) == 1) gate_pass(arg);
    return MQC_ORDER_SUCCESS;
}

START_TEST(test_nothing_is_committed_early)
{
    mqc_error error;
    static struct gate gate = GATE_CLOSED;
    const char *group = contract_name("group");
    mqc_client_options client = contract_client();
    client.persist_offsets_ms = 10;
    mqc_push_consumer_options options = {.client = &client};
    struct line *line = line_new(1, wait_with_number_1, &gate);
    line_send(line, 1, 3);
    mqc_push_consumer *consumer = line_join(line, group, 0, &options);
    gate_await(&gate, 1);
    mqc_embedded *cluster = contract_embedded();
    if (cluster) {
        ck_ok(mqc_embedded_await_lag(cluster, group, line->topic, 2, CONTRACT_WAIT_MS, &error));
        ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, group, line->topic, 0, 0), 1);
    }
    ck_fails(mqc_push_consumer_shutdown(consumer, 10, &error), MQC_TIMEOUT, "1 ", "listener");
    gate_open(&gate);
    mqc_push_consumer_free(consumer);
    if (cluster)
        ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, group, line->topic, 0, 0), 1);
    line_free(line);
}
END_TEST

CONTRACT_MAIN("orderly", test_each_queue_in_its_order, test_batches_in_order,
              test_restart_goes_on_where_it_was, test_pause_and_resume_in_order,
              test_part_of_a_batch, test_refused_holds_up_those_behind,
              test_refused_for_ever_is_a_dead_letter, test_commit_and_rollback,
              test_uncommitted_come_again, test_nothing_is_committed_early)
