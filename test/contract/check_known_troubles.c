/* What other native clients are known for by their users' reports (the rows are those of the study
 * of them, 8 to 13): queues that stand still, duplicates, losses, early commits, stalls, resets. */
#include <stdio.h>

#include "test/contract/admins.h"
#include "test/contract/gate.h"
#include "test/contract/lite.h"

enum { SOON_MS = 10000, PULL_MESSAGE = 11, GET_MEMBERS = 38, QUERY_OFFSET = 14 };

static mqc_admin *admin;
static mqc_producer *producer;
static mqc_client_options client;
static struct collector *collector;
static const char *topic, *group;

static void begin(int queues, collector_judge *judge, void *arg)
{
    admin = admins_new();
    producer = contract_producer(NULL);
    collector = judge ? collector_new_judging(judge, arg) : collector_new();
    topic = contract_topic(queues);
    group = contract_name("group");
    client = contract_client();
    client.persist_offsets_ms = 100;
    client.route_refresh_ms = 300;
}

static void end(void)
{
    collector_free(collector);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}

static mqc_push_consumer *join(int seat, mqc_push_consumer_options options)
{
    options.client = &client;
    options.group = group;
    options.listener_arg = collector_seat(collector, seat);
    if (!options.orderly_listener) options.listener = collector_listen;
    return contract_consumer(&options, topic, "*");
}

static mqc_order_status take_in_order(mqc_delivery *delivery, void *arg)
{
    return collector_listen(delivery, arg) == MQC_CONSUME_SUCCESS ? MQC_ORDER_SUCCESS
                                                                  : MQC_ORDER_SUSPEND;
}

/* One message to each queue, "<prefix><queue>". */
static void send_to_each(const char *prefix, int queues)
{
    for (int i = 0; i < queues; i++) {
        char body[64];
        mqc_message_queue queue = contract_queue(topic, i);
        snprintf(body, sizeof body, "%s%d", prefix, i);
        contract_send_to(producer, &queue, body);
    }
}

/* ---- 8: a queue stands still until the program is started again ---- */

static void trouble_pulls(void)
{
    mqc_embedded_fault faults[] = {{.kind = MQC_FAULT_ANSWER, .value = 1},
                                   {.kind = MQC_FAULT_ANSWER, .value = 24},
                                   {.kind = MQC_FAULT_ANSWER, .value = 9999},
                                   {.kind = MQC_FAULT_DROP, .value = 10},
                                   {.kind = MQC_FAULT_GARBAGE},
                                   {.kind = MQC_FAULT_CLOSE}};
    mqc_error error;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        faults[i].request_code = PULL_MESSAGE;
        faults[i].topic = topic;
        faults[i].count = 1;
        ck_ok(mqc_embedded_add_fault(contract_embedded(), &faults[i], NULL, &error));
    }
}

static void trouble_division(void)
{
    mqc_error error;
    mqc_embedded_fault fault = {
        .kind = MQC_FAULT_ANSWER, .value = 1, .request_code = GET_MEMBERS, .count = 1};
    ck_ok(mqc_embedded_add_fault(contract_embedded(), &fault, NULL, &error));
    fault.request_code = QUERY_OFFSET;
    ck_ok(mqc_embedded_add_fault(contract_embedded(), &fault, NULL, &error));
}

START_TEST(test_row_8_no_queue_stands_still)
{
    enum { QUEUES = 6 };
    begin(QUEUES, NULL, NULL);
    if (contract_embedded()) trouble_division();
    mqc_push_consumer *stays = join(0, (mqc_push_consumer_options){.from = MQC_FROM_FIRST});
    send_to_each("first ", QUEUES);
    collector_await_each(collector, "first ", QUEUES);
    if (contract_embedded()) trouble_pulls();
    send_to_each("second ", QUEUES); /* all pulls come round */
    collector_await_each(collector, "second ", QUEUES);
    mqc_push_consumer *comes = join(1, (mqc_push_consumer_options){.from = MQC_FROM_FIRST});
    for (int round = 0, one = 1; round == 0 || collector_count_seat(collector, one) == 0; round++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "round %d ", round);
        send_to_each(prefix, QUEUES);
        collector_await_each(collector, prefix, QUEUES);
    }
    contract_consumer_end(comes);
    send_to_each("last ", QUEUES);
    collector_await_each(collector, "last ", QUEUES);
    contract_consumer_end(stays);
    admins_await_lag(admin, group, topic, 0);
    end();
}
END_TEST

/* ---- 9: a queue that was given up and gained again is pulled twice ---- */

START_TEST(test_row_9_no_second_pull_after_giving_up)
{
    enum { QUEUES = 2, ROUNDS = 4 };
    mqc_error error;
    begin(QUEUES, NULL, NULL);
    mqc_push_consumer *consumer = join(0, (mqc_push_consumer_options){.from = MQC_FROM_FIRST});
    for (int round = 0; round < ROUNDS; round++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "round %d ", round);
        send_to_each(prefix, QUEUES);
        collector_await_each(collector, prefix, QUEUES);
        admins_await_lag(admin, group, topic, 0); /* what comes again would be a duplicate */
        ck_ok(mqc_push_consumer_unsubscribe(consumer, topic, &error));
        ck_ok(mqc_push_consumer_subscribe(consumer, topic, "*", &error));
    }
    send_to_each("last ", QUEUES);
    collector_await_each(collector, "last ", QUEUES);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), (ROUNDS + 1) * QUEUES);
    admins_await_lag(admin, group, topic, 0);
    end();
}
END_TEST

/* ---- 10: messages are lost ---- */

static mqc_consume_status refuse_at_first(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    mqc_delivery_retry_level(delivery, 1);
    return mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) == 0 ? MQC_RECONSUME_LATER
                                                                          : MQC_CONSUME_SUCCESS;
}

/* (A send-back that fails: what_cannot_be_sent_back_is_kept of test/fault/check_delivery.) */
START_TEST(test_row_10_refused_amid_a_shutdown)
{
    enum { COUNT = 40 };
    mqc_error error;
    begin(2, refuse_at_first, NULL);
    contract_send_many(producer, topic, "m ", COUNT);
    mqc_push_consumer *first = join(0, (mqc_push_consumer_options){.from = MQC_FROM_FIRST});
    collector_await(collector, COUNT / 4);
    ck_ok(mqc_push_consumer_shutdown(first, CONTRACT_WAIT_MS, &error));
    mqc_push_consumer_free(first);
    mqc_push_consumer *second = join(1, (mqc_push_consumer_options){.from = MQC_FROM_FIRST});
    for (int i = 0; i < COUNT; i++) { /* each came once more after it was refused */
        char body[32];
        snprintf(body, sizeof body, "m %d", i);
        collector_await_body(collector, body);
    }
    admins_await_lag(admin, group, topic, 0);
    contract_consumer_end(second);
    end();
}
END_TEST

static size_t poll_once(mqc_lite_consumer *consumer, bool *seen, int count)
{
    mqc_error error;
    mqc_delivery *delivery;
    ck_ok(mqc_lite_consumer_poll(consumer, 20, &delivery, &error));
    size_t polled = delivery ? mqc_delivery_count(delivery) : 0;
    for (size_t i = 0; i < polled; i++) {
        int number = -1;
        mqc_view body = mqc_message_body(mqc_delivery_at(delivery, i));
        ck_assert_int_eq(sscanf((const char *)body.data, "m %d", &number), 1);
        ck_assert(number >= 0 && number < count);
        seen[number] = true;
    }
    mqc_delivery_free(delivery);
    return polled;
}

START_TEST(test_row_10_lite_members_come_and_go)
{
    enum { COUNT = 60 };
    static bool seen[COUNT];
    begin(4, NULL, NULL);
    contract_send_many(producer, topic, "m ", COUNT);
    mqc_lite_consumer_options options = {
        .client = &client, .group = group, .from = MQC_FROM_FIRST, .pull_batch = 2};
    mqc_lite_consumer *stays = lite_subscribed(&options, topic);
    while (poll_once(stays, seen, COUNT) == 0) {
    }
    mqc_lite_consumer *goes = lite_subscribed(&options, topic);
    for (int i = 0; i < 20; i++) {
        poll_once(stays, seen, COUNT);
        poll_once(goes, seen, COUNT);
    }
    mqc_lite_consumer_free(goes); /* with messages that were fetched and not polled */
    int64_t deadline_ms = contract_unix_ms() + CONTRACT_WAIT_MS;
    for (int left = COUNT; left > 0;) {
        ck_assert_int_lt(contract_unix_ms(), deadline_ms);
        poll_once(stays, seen, COUNT);
        left = 0;
        for (int i = 0; i < COUNT; i++) left += !seen[i];
    }
    mqc_lite_consumer_free(stays);
    end();
}
END_TEST

/* ---- 11: in order, commits before the listener has returned; stalls after a division ---- */

static struct gate gate = GATE_CLOSED;

static mqc_consume_status wait_for_gate(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    if (contract_text_is(mqc_delivery_at(delivery, 0), "m 0")) gate_pass(&gate);
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_row_11_no_commit_before_the_listener_returns)
{
    mqc_error error;
    const mqc_group_progress *progress;
    begin(2, wait_for_gate, NULL);
    mqc_push_consumer *consumer = join(
        0, (mqc_push_consumer_options){.from = MQC_FROM_FIRST, .orderly_listener = take_in_order});
    send_to_each("m ", 2);
    gate_await(&gate, 1);
    admins_await_lag(admin, group, topic, 1); /* the other queue's is committed */
    send_to_each("more ", 2);
    admins_await_lag(admin, group, topic, 2); /* once more */
    ck_ok(mqc_admin_group_progress(admin, group, topic, 0, &progress, &error));
    ck_assert_int_eq(progress->queues[0]->consumer_offset, 0);
    ck_assert_int_eq(progress->queues[1]->consumer_offset, 2);
    mqc_admin_result_free(progress);
    gate_open(&gate);
    admins_await_lag(admin, group, topic, 0);
    contract_consumer_end(consumer);
    end();
}
END_TEST

START_TEST(test_row_11_no_stall_after_a_division)
{
    enum { QUEUES = 4 };
    begin(QUEUES, NULL, NULL);
    mqc_push_consumer_options options = {.from = MQC_FROM_FIRST, .orderly_listener = take_in_order};
    mqc_push_consumer *stays = join(0, options);
    send_to_each("first ", QUEUES);
    collector_await_each(collector, "first ", QUEUES);
    mqc_push_consumer *goes = join(1, options);
    int64_t begin_ms = contract_unix_ms();
    for (int round = 0; collector_count_seat(collector, 1) == 0; round++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "round %d ", round);
        send_to_each(prefix, QUEUES);
        collector_await_each(collector, prefix, QUEUES);
    }
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS); /* locks last for 60 s */
    contract_consumer_end(goes);
    begin_ms = contract_unix_ms();
    send_to_each("last ", QUEUES);
    collector_await_each(collector, "last ", QUEUES);
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS);
    contract_consumer_end(stays);
    end();
}
END_TEST

/* ---- 12: nothing comes for minutes after a reset; lite consumers take no notice of it ---- */

static void reset_to_end(void)
{
    mqc_error error;
    const mqc_offsets *offsets;
    ck_ok(mqc_admin_reset_offsets(admin, group, topic, MQC_RESET_TO_END, &offsets, &error));
    mqc_admin_result_free(offsets);
}

START_TEST(test_row_12_consumption_goes_on_after_a_reset)
{
    begin(1, wait_for_gate, NULL);
    contract_send_many(producer, topic, "m ", 30);
    mqc_push_consumer *consumer = join(
        0, (mqc_push_consumer_options){
               .from = MQC_FROM_FIRST, .threads = 1, .pull_batch = 4, .queue_max_messages = 1});
    gate_await(&gate, 1);
    int64_t begin_ms = contract_unix_ms();
    reset_to_end(); /* a queue that is full is not pulled */
    contract_send(producer, topic, "new");
    admins_await_lag(admin, group, topic, 1);
    gate_open(&gate);
    collector_await_body(collector, "new");
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS);
    contract_consumer_end(consumer);
    end();
}
END_TEST

START_TEST(test_row_12_lite_consumers_follow_a_reset)
{
    mqc_error error;
    begin(1, NULL, NULL);
    contract_send_many(producer, topic, "m ", 5);
    mqc_lite_consumer_options options = {
        .client = &client, .group = group, .from = MQC_FROM_FIRST, .pull_batch = 1};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect_each(consumer, "m ", 5);
    ck_ok(mqc_lite_consumer_commit(consumer, &error));
    const mqc_offsets *offsets;
    int64_t begin_ms = contract_unix_ms();
    ck_ok(mqc_admin_reset_offsets(admin, group, topic, 0, &offsets, &error));
    mqc_admin_result_free(offsets);
    lite_expect_each(consumer, "m ", 5);
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS);
    mqc_lite_consumer_free(consumer);
    end();
}
END_TEST

/* ---- 13: the first messages of new queues and brokers are passed over ---- */

static bool old_one_comes(void *arg)
{
    contract_send(producer, topic, "old");
    return collector_count(arg) > 0;
}

static mqc_push_consumer *join_at_the_end(mqc_message_model model)
{
    mqc_push_consumer *consumer =
        join(0, (mqc_push_consumer_options){.model = model, .offsets_in_memory = model != 0});
    contract_await("a message: it has begun", old_one_comes, collector);
    return consumer;
}

static void consume_new_queues(mqc_message_model model)
{
    mqc_error error;
    begin(1, NULL, NULL);
    mqc_push_consumer *consumer = join_at_the_end(model);
    mqc_topic_options more = {.read_queues = 3, .write_queues = 3};
    ck_ok(mqc_admin_update_topic(admin, NULL, topic, &more, &error));
    send_to_each("new ", 3); /* before the consumer can know of them, perhaps */
    collector_await_each(collector, "new ", 3);
    contract_consumer_end(consumer);
    end();
}

START_TEST(test_row_13_new_queues_from_their_beginning)
{
    consume_new_queues(MQC_CLUSTERING);
}
END_TEST

START_TEST(test_row_13_new_queues_of_a_broadcast)
{
    consume_new_queues(MQC_BROADCASTING);
}
END_TEST

START_TEST(test_row_13_new_broker_from_its_beginning)
{
    mqc_error error;
    int broker;
    if (!contract_embedded()) return; /* which can be given one */
    begin(1, NULL, NULL);
    mqc_push_consumer *consumer = join_at_the_end(MQC_CLUSTERING);
    ck_ok(mqc_embedded_add_broker(contract_embedded(), &broker, &error));
    ck_ok(mqc_embedded_create_topic(contract_embedded(), broker, topic, 1, &error));
    mqc_message_queue queue = {topic, mqc_embedded_broker_name(contract_embedded(), broker), 0};
    contract_send_to(producer, &queue, "new");
    collector_await_body(collector, "new");
    contract_consumer_end(consumer);
    end();
}
END_TEST

CONTRACT_MAIN("known troubles", test_row_8_no_queue_stands_still,
              test_row_9_no_second_pull_after_giving_up, test_row_10_refused_amid_a_shutdown,
              test_row_10_lite_members_come_and_go,
              test_row_11_no_commit_before_the_listener_returns,
              test_row_11_no_stall_after_a_division, test_row_12_consumption_goes_on_after_a_reset,
              test_row_12_lite_consumers_follow_a_reset,
              test_row_13_new_queues_from_their_beginning, test_row_13_new_queues_of_a_broadcast,
              test_row_13_new_broker_from_its_beginning)
