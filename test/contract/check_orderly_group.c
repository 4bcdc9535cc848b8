/* Members that share the queues of an orderly group: a queue goes from one to the other without two
 * listener calls at a time, without loss or repetition, and soon. */
#include "test/contract/gate.h"
#include "test/contract/line.h"

/* As long as a heartbeat of the rebalance service: a queue that stood still so long was not handed
 * over, but found. */
enum { STALL_MS = 20000, LOCK_BATCH_MQ = 41 };

static size_t seat_count(struct line *line, int member)
{
    return collector_count_seat(line->collector, member);
}

struct hope {
    struct line *line;
    int member, queues;
};

/* Sends one to each queue, and looks whether the member gets any. */
static bool member_gets_something(void *arg)
{
    struct hope *hope = arg;
    size_t before = seat_count(hope->line, hope->member);
    line_send(hope->line, hope->queues, 1);
    line_await_all(hope->line);
    return seat_count(hope->line, hope->member) > before;
}

static void await_share(struct line *line, int member, int queues)
{
    struct hope hope = {line, member, queues};
    contract_await("a share of the queues", member_gets_something, &hope);
}

static mqc_order_status wait_at_gate(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    gate_pass(arg);
    return MQC_ORDER_SUCCESS;
}

/* The second member must wait until the first one's call has returned, and no longer. */
START_TEST(test_queue_goes_over_when_its_call_has_returned)
{
    mqc_error error;
    static struct gate gate = GATE_CLOSED;
    const char *group = contract_name("group");
    struct line *line = line_new(2, wait_at_gate, &gate);
    line_send(line, 2, 10);
    mqc_push_consumer *first = line_join(line, group, 0, NULL);
    gate_await(&gate, 2); /* both queues are in a call of the first */
    int64_t locks = 0;
    if (contract_embedded()) locks = mqc_embedded_request_count(contract_embedded(), LOCK_BATCH_MQ);
    mqc_push_consumer *second = line_join(line, group, 1, NULL);
    if (contract_embedded()) /* the second asks again and again */
        ck_ok(mqc_embedded_await_requests(contract_embedded(), LOCK_BATCH_MQ, locks + 3,
                                          CONTRACT_WAIT_MS, &error));
    ck_assert_uint_eq(seat_count(line, 1), 0);
    int64_t opened_ms = contract_unix_ms();
    gate_open(&gate);
    line_await_all(line);
    await_share(line, 1, 2);
    ck_assert_int_lt(contract_unix_ms() - opened_ms, STALL_MS);
    contract_consumer_end(first);
    contract_consumer_end(second);
    line_free(line);
}
END_TEST

START_TEST(test_others_go_on_at_once_when_one_leaves)
{
    const char *group = contract_name("group");
    struct line *line = line_new(4, NULL, NULL);
    mqc_push_consumer *first = line_join(line, group, 0, NULL);
    mqc_push_consumer *second = line_join(line, group, 1, NULL);
    await_share(line, 1, 4);
    line_send(line, 4, 50);
    int64_t began_ms = contract_unix_ms();
    contract_consumer_end(first);
    line_await_all(line);
    ck_assert_int_lt(contract_unix_ms() - began_ms, STALL_MS);
    contract_consumer_end(second);
    line_free(line);
}
END_TEST

START_TEST(test_coming_and_going_keeps_the_order)
{
    enum { QUEUES = 8, ROUNDS = 4, EACH = 30 };
    const char *group = contract_name("group");
    struct line *line = line_new(QUEUES, NULL, NULL);
    mqc_push_consumer *stays = line_join(line, group, 0, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        mqc_push_consumer *others[2];
        line_send(line, QUEUES, EACH);
        for (int i = 0; i < 2; i++) others[i] = line_join(line, group, i + 1, NULL);
        line_send(line, QUEUES, EACH);
        for (int i = 0; i < 2; i++) contract_consumer_end(others[i]);
    }
    line_await_all(line);
    contract_consumer_end(stays);
    line_free(line);
}
END_TEST

START_TEST(test_topic_is_left_and_joined_again)
{
    mqc_error error;
    struct line *line = line_new(2, NULL, NULL);
    mqc_push_consumer *consumer = line_join(line, contract_name("group"), 0, NULL);
    line_send(line, 2, 20);
    ck_ok(mqc_push_consumer_unsubscribe(consumer, line->topic, &error));
    line_send(line, 2, 20);
    ck_ok(mqc_push_consumer_subscribe(consumer, line->topic, "*", &error));
    line_await_all(line);
    contract_consumer_end(consumer);
    line_free(line);
}
END_TEST

CONTRACT_MAIN("orderly group", test_queue_goes_over_when_its_call_has_returned,
              test_others_go_on_at_once_when_one_leaves, test_coming_and_going_keeps_the_order,
              test_topic_is_left_and_joined_again)
