/* Popping: the broker gives messages out one by one and keeps account of them; a group is switched
 * to it by the message request mode. */
#include <stdio.h>

#include "test/contract/gate.h"

enum { QUEUES = 4, POP_MESSAGE = 200050, HIDE = 200053, BATCH_ACK = 200151 };

static void set_mode(const char *topic, const char *group, bool pop)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    ck_ok(mqc_admin_set_request_mode(admin, topic, group, pop, 0, &error));
    mqc_admin_free(admin);
}

static mqc_push_consumer *join(const char *group, const char *topic, const char *filter,
                               struct collector *collector, int seat,
                               const mqc_push_consumer_options *more)
{
    mqc_push_consumer_options options = {0};
    if (more) options = *more;
    options.group = group;
    options.listener = collector_listen;
    options.listener_arg = collector_seat(collector, seat);
    options.from = MQC_FROM_FIRST;
    options.pop = true;
    return contract_consumer(&options, topic, filter);
}

/* What is not acknowledged would be seen again by now. */
static void check_all_done(const char *group, const char *topic, struct collector *collector,
                           size_t count)
{
    if (!contract_embedded()) return; /* time there passes for real */
    contract_hurry(); /* what the pop that a member has left behind gets is given back for a second
                       */
    mqc_embedded_advance_clock(contract_embedded(), 3600000);
    struct collector *late = collector_new();
    mqc_push_consumer *consumer = join(group, topic, "*", late, 0, NULL);
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "the last");
    collector_await_body(late, "the last");
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    ck_assert_uint_eq(collector_count(late), 1);
    ck_assert_uint_eq(collector_count(collector), count);
    collector_free(late);
}

START_TEST(test_all_are_popped_once)
{
    enum { COUNT = 200 };
    const char *topic = contract_topic(QUEUES), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send_many(producer, topic, "popped ", COUNT / 2);
    mqc_push_consumer *consumer = join(group, topic, "*", collector, 0, NULL);
    contract_send_many(producer, topic, "later ", COUNT / 2);
    collector_await_each(collector, "popped ", COUNT / 2);
    collector_await_each(collector, "later ", COUNT / 2);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "popped ", COUNT / 2);
    collector_check_each_once(collector, "later ", COUNT / 2);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_str_eq(mqc_message_topic(collector_at(collector, i).message), topic);
    if (contract_embedded())
        ck_assert_int_gt(mqc_embedded_request_count(contract_embedded(), POP_MESSAGE), 0);
    check_all_done(group, topic, collector, COUNT);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_without_that_mode_it_pulls)
{
    enum { COUNT = 20 };
    const char *topic = contract_topic(QUEUES), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "pulled ", COUNT);
    mqc_push_consumer *consumer = join(group, topic, "*", collector, 0, NULL);
    collector_await_each(collector, "pulled ", COUNT);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "pulled ", COUNT);
    if (contract_embedded()) {
        ck_assert_int_eq(mqc_embedded_request_count(contract_embedded(), POP_MESSAGE), 0);
        ck_assert_int_eq(mqc_embedded_lag(contract_embedded(), group, topic), 0);
    }
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

enum { SHARED = 100 };

static bool both_have_all(void *arg)
{
    struct collector **both = arg;
    return collector_count(both[0]) + collector_count(both[1]) == SHARED + 1;
}

START_TEST(test_members_share_all_queues)
{
    enum { COUNT = SHARED };
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct gate gate = GATE_CLOSED;
    struct collector *stuck = collector_new_judging(gate_judge, &gate), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    mqc_push_consumer_options slow = {.threads = 1, .pull_batch = 1, .pop_max_unacked = 1};
    contract_send(producer, topic, "stuck");
    mqc_push_consumer *first = join(group, topic, "*", stuck, 0, &slow);
    gate_await(&gate, 1);
    /* The only queue is not held up by the member that does not go on. */
    mqc_push_consumer *second = join(group, topic, "*", other, 0, NULL);
    contract_send_many(producer, topic, "on ", COUNT);
    collector_await(other, COUNT - 3);
    gate_open(&gate);
    struct collector *both[] = {stuck, other};
    contract_await("all messages at either member", both_have_all, both);
    contract_consumer_end(first);
    contract_consumer_end(second);
    mqc_producer_free(producer);
    collector_free(stuck);
    collector_free(other);
}
END_TEST

START_TEST(test_tags_of_popped)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send_tagged(producer, topic, "BB", "other"); /* "Aa".hashCode() is "BB"'s */
    contract_send_tagged(producer, topic, "blue", "blue");
    contract_send_tagged(producer, topic, "Aa", "mine");
    mqc_push_consumer *consumer = join(group, topic, "Aa", collector, 0, NULL);
    collector_await_body(collector, "mine");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 1);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_batches_are_acknowledged_together)
{
    enum { COUNT = 60, MOST = 8 };
    const char *topic = contract_topic(2), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send_many(producer, topic, "batch ", COUNT);
    mqc_push_consumer_options options = {.listener_batch = MOST};
    mqc_push_consumer *consumer = join(group, topic, "*", collector, 0, &options);
    collector_await_each(collector, "batch ", COUNT);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "batch ", COUNT);
    if (contract_embedded())
        ck_assert_int_gt(mqc_embedded_request_count(contract_embedded(), BATCH_ACK), 0);
    check_all_done(group, topic, collector, COUNT);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

static mqc_consume_status refuse_first_time(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    return mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0 ? MQC_CONSUME_SUCCESS
                                                                         : MQC_RECONSUME_LATER;
}

START_TEST(test_refused_is_popped_again)
{
    mqc_error error;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_first_time, NULL);
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send(producer, topic, "refused");
    mqc_push_consumer *consumer = join(group, topic, "*", collector, 0, NULL);
    collector_await(collector, 1);
    mqc_embedded *cluster = contract_embedded();
    if (cluster) {
        ck_ok(mqc_embedded_await_requests(cluster, HIDE, 1, CONTRACT_WAIT_MS, &error));
        mqc_embedded_advance_clock(cluster, 10000);
    }
    collector_await(collector, 2);
    contract_consumer_end(consumer);
    const mqc_message *again = collector_at(collector, 1).message;
    ck_assert_int_eq(mqc_message_reconsume_times(again), 1);
    ck_assert_str_eq(mqc_message_topic(again), topic);
    check_all_done(group, topic, collector, 2);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

static mqc_consume_status refuse_all(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    (void)arg;
    return MQC_RECONSUME_LATER;
}

START_TEST(test_popped_for_the_last_time_is_a_dead_letter)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_all, NULL), *dead = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send(producer, topic, "hopeless");
    mqc_push_consumer_options options = {.max_reconsume_times = -1};
    mqc_push_consumer *consumer = join(group, topic, "*", collector, 0, &options);
    char dead_topic[256];
    snprintf(dead_topic, sizeof dead_topic, "%%DLQ%%%s", group);
    contract_await_topic(dead_topic);
    mqc_push_consumer_options undertaker = {.group = contract_name("undertaker"),
                                            .listener = collector_listen,
                                            .listener_arg = collector_seat(dead, 0),
                                            .from = MQC_FROM_FIRST};
    mqc_push_consumer *reader = contract_consumer(&undertaker, dead_topic, "*");
    collector_await_body(dead, "hopeless");
    contract_consumer_end(reader);
    contract_consumer_end(consumer);
    check_all_done(group, topic, collector, 1);
    mqc_producer_free(producer);
    collector_free(collector);
    collector_free(dead);
}
END_TEST

/* What a member has popped and not begun comes to the others soon, not when its time is over. */
START_TEST(test_shutdown_gives_back_what_was_not_begun)
{
    enum { COUNT = 20 };
    mqc_error error;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct gate gate = GATE_CLOSED;
    struct collector *leaving = collector_new_judging(gate_judge, &gate), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send_many(producer, topic, "given back ", COUNT);
    mqc_push_consumer_options options = {.threads = 1, .pop_invisible_ms = 300000};
    mqc_push_consumer *first = join(group, topic, "*", leaving, 0, &options);
    gate_await(&gate, 1);
    ck_fails(mqc_push_consumer_shutdown(first, 10, &error), MQC_TIMEOUT, "1 ", "listener");
    contract_hurry();
    mqc_push_consumer *second = join(group, topic, "*", other, 0, NULL);
    collector_await(other, COUNT - 1); /* all but the one that the listener still has */
    gate_open(&gate);
    mqc_push_consumer_free(first);
    contract_consumer_end(second);
    mqc_producer_free(producer);
    collector_free(leaving);
    collector_free(other);
}
END_TEST

/* What was popped and not done waits in retry topics of pop's own: who pulls now gets it, too. */
START_TEST(test_switched_back_to_pull)
{
    enum { COUNT = 20 };
    mqc_error error;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct gate gate = GATE_CLOSED;
    struct collector *popping = collector_new_judging(gate_judge, &gate),
                     *pulling = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    set_mode(topic, group, true);
    contract_send_many(producer, topic, "left ", COUNT);
    mqc_push_consumer_options options = {.threads = 1, .pop_invisible_ms = 300000};
    mqc_push_consumer *first = join(group, topic, "*", popping, 0, &options);
    gate_await(&gate, 1);
    ck_fails(mqc_push_consumer_shutdown(first, 10, &error), MQC_TIMEOUT, "1 ", "listener");
    contract_hurry();
    set_mode(topic, group, false);
    int64_t pops = 0;
    if (contract_embedded()) pops = mqc_embedded_request_count(contract_embedded(), POP_MESSAGE);
    mqc_push_consumer *second = join(group, topic, "*", pulling, 0, NULL);
    contract_send_many(producer, topic, "new ", COUNT);
    collector_await_each(pulling, "new ", COUNT);
    collector_await(pulling, 2 * COUNT - 1); /* all but the one that the listener still has */
    gate_open(&gate);
    mqc_push_consumer_free(first);
    contract_consumer_end(second);
    for (size_t i = 0; i < collector_count(pulling); i++)
        ck_assert_str_eq(mqc_message_topic(collector_at(pulling, i).message), topic);
    if (contract_embedded())
        ck_assert_int_eq(mqc_embedded_request_count(contract_embedded(), POP_MESSAGE), pops);
    mqc_producer_free(producer);
    collector_free(popping);
    collector_free(pulling);
}
END_TEST

CONTRACT_MAIN("pop", test_all_are_popped_once, test_without_that_mode_it_pulls,
              test_members_share_all_queues, test_tags_of_popped,
              test_batches_are_acknowledged_together, test_refused_is_popped_again,
              test_popped_for_the_last_time_is_a_dead_letter,
              test_shutdown_gives_back_what_was_not_begun, test_switched_back_to_pull)
