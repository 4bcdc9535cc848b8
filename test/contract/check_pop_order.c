/* Popping in order: the broker gives nothing more of a queue while some of it is with a member, so
 * that order holds without locks; a group is switched to it by the message request mode. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/admins.h"
#include "test/contract/gate.h"
#include "test/contract/line.h"

enum { QUEUES = 4, POP_MESSAGE = 200050, LOCK_QUEUES = 41 };

static mqc_push_consumer *join(struct line *line, const char *group, int member,
                               const mqc_push_consumer_options *more)
{
    mqc_push_consumer_options options = {0};
    if (more) options = *more;
    options.pop = true;
    return line_join(line, group, member, &options);
}

/* A line whose topic is popped by the group. */
static struct line *popped_line(const char *group, int queues, line_judge *judge, void *arg)
{
    mqc_error error;
    struct line *line = line_new(queues, judge, arg);
    mqc_admin *admin = admins_new();
    ck_ok(mqc_admin_set_request_mode(admin, line->topic, group, true, 0, &error));
    mqc_admin_free(admin);
    return line;
}

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
    enum { EACH = 40 };
    const char *group = contract_name("group");
    struct line *line = popped_line(group, QUEUES, refuse_some, NULL);
    line_send(line, QUEUES, EACH / 2);
    mqc_push_consumer *consumer = join(line, group, 0, NULL);
    line_send(line, QUEUES, EACH / 2);
    line_await_all(line);
    contract_consumer_end(consumer);
    if (contract_embedded()) {
        ck_assert_int_gt(mqc_embedded_request_count(contract_embedded(), POP_MESSAGE), 0);
        ck_assert_int_eq(mqc_embedded_lag(contract_embedded(), group, line->topic), 0);
    }
    line_free(line);
}
END_TEST

/* More members than queues, and one that leaves: no two calls of a queue at a time, nothing twice.
 */
START_TEST(test_members_share_one_queue)
{
    enum { EACH = 60, MEMBERS = 3 };
    const char *group = contract_name("group");
    struct line *line = popped_line(group, 1, NULL, NULL);
    mqc_push_consumer *members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) members[i] = join(line, group, i, NULL);
    line_send(line, 1, EACH / 2);
    line_await_all(line);
    contract_consumer_end(members[0]);
    line_send(line, 1, EACH / 2);
    line_await_all(line);
    for (int i = 1; i < MEMBERS; i++) contract_consumer_end(members[i]);
    ck_assert_uint_eq(collector_count(line->collector), EACH);
    line_free(line);
}
END_TEST

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
    const char *group = contract_name("group");
    struct line *line = popped_line(group, 1, do_one, NULL);
    mqc_push_consumer_options options = {.listener_batch = 3};
    line->one_of_each = true;
    line_send(line, 1, 5);
    mqc_push_consumer *consumer = join(line, group, 0, &options);
    line_await_done(line, 0, 5);
    contract_consumer_end(consumer);
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
    const char *group = contract_name("group");
    struct line *line = popped_line(group, 1, refuse_first_twice, NULL);
    line_send(line, 1, 3);
    mqc_push_consumer *consumer = join(line, group, 0, NULL);
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
    struct line *line = popped_line(group, 1, refuse_number_1, &refusals);
    mqc_push_consumer_options options = {.max_reconsume_times = 2};
    line_send(line, 1, 3);
    mqc_push_consumer *consumer = join(line, group, 0, &options);
    collector_await_body(line->collector, "2"); /* it goes on */
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
    contract_consumer_end(reader);
    contract_consumer_end(consumer);
    ck_assert_int_eq(atomic_load(&refusals), 3);
    ck_assert_uint_eq(collector_count(dead), 1);
    collector_free(dead);
    line_free(line);
}
END_TEST

static mqc_order_status wait_at_gate(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    gate_pass(arg);
    return MQC_ORDER_SUCCESS;
}

/* What was popped and not begun is not held until its time is over. */
START_TEST(test_shutdown_gives_the_queue_back)
{
    enum { COUNT = 10 };
    mqc_error error;
    struct gate gate = GATE_CLOSED;
    const char *group = contract_name("group");
    struct line *line = popped_line(group, 2, wait_at_gate, &gate);
    mqc_push_consumer_options options = {.threads = 1, .pop_invisible_ms = 300000};
    line_send(line, 2, COUNT);
    mqc_push_consumer *first = join(line, group, 0, &options);
    gate_await(&gate, 1); /* one queue's turn has begun, the other one's waits for the worker */
    int begun = mqc_message_queue_id(collector_at(line->collector, 0).message);
    ck_fails(mqc_push_consumer_shutdown(first, 10, &error), MQC_TIMEOUT, "1 ", "listener");
    contract_hurry();
    struct gate open = GATE_CLOSED;
    gate_open(&open);
    line->judge_arg = &open;
    mqc_push_consumer *second = join(line, group, 1, NULL);
    line_await_done(line, 1 - begun, COUNT);
    gate_open(&gate);
    mqc_push_consumer_free(first);
    contract_consumer_end(second);
    line_free(line);
}
END_TEST

/* The same listener goes on with locks. */
START_TEST(test_switched_back_to_pull_in_order)
{
    mqc_error error;
    const char *group = contract_name("group");
    struct line *line = popped_line(group, 2, NULL, NULL);
    mqc_push_consumer *consumer = join(line, group, 0, NULL);
    line_send(line, 2, 10);
    line_await_all(line);
    contract_consumer_end(consumer);
    mqc_admin *admin = admins_new();
    ck_ok(mqc_admin_set_request_mode(admin, line->topic, group, false, 0, &error));
    mqc_admin_free(admin);
    consumer = join(line, group, 0, NULL);
    line_send(line, 2, 10);
    line_await_all(line);
    contract_consumer_end(consumer);
    if (contract_embedded())
        ck_assert_int_gt(mqc_embedded_request_count(contract_embedded(), LOCK_QUEUES), 0);
    line_free(line);
}
END_TEST

CONTRACT_MAIN("pop_order", test_each_queue_in_its_order, test_members_share_one_queue,
              test_part_of_a_batch, test_refused_holds_up_those_behind,
              test_refused_for_ever_is_a_dead_letter, test_shutdown_gives_the_queue_back,
              test_switched_back_to_pull_in_order)
