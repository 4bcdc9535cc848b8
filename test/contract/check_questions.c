/* What brokers ask of the members of a group for an administrator: how they are, and to consume one
 * message now. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/admins.h"
#include "test/contract/gate.h"

enum { DRAIN_MS = 300, SOON_MS = 10000 };

static mqc_admin *admin;
static mqc_producer *producer;
static struct collector *collector;
static const char *topic, *group;
static struct gate gate = GATE_CLOSED;

static void begin(int queues, collector_judge *judge, void *arg)
{
    admin = admins_new();
    producer = contract_producer(NULL);
    collector = judge ? collector_new_judging(judge, arg) : collector_new();
    topic = contract_topic(queues);
    group = contract_name("group");
}

static void end(void)
{
    collector_free(collector);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}

static mqc_push_consumer *start(mqc_push_consumer_options options)
{
    options.group = group;
    options.from = MQC_FROM_FIRST;
    options.listener_arg = collector_seat(collector, 0);
    if (!options.orderly_listener && !options.polled) options.listener = collector_listen;
    return contract_consumer(&options, topic, "*");
}

static const mqc_running_info *ask(bool with_stacks)
{
    mqc_error error;
    const mqc_group_members *members;
    const mqc_running_info *info;
    ck_ok(mqc_admin_group_members(admin, group, &members, &error));
    ck_ok(mqc_admin_running_info(admin, group, members->members[0]->client_id, with_stacks, &info,
                                 &error));
    mqc_admin_result_free(members);
    return info;
}

static void check_property(const mqc_running_info *info, const char *name, const char *value)
{
    const char *told = mqc_settings_value(info->properties, name);
    ck_assert_msg(told && strcmp(told, value) == 0, "%s is %s, not %s", name, told, value);
}

static const mqc_running_queue *queue_of(const mqc_running_info *info, int queue_id)
{
    for (size_t i = 0; i < info->queue_count; i++) {
        const mqc_running_queue *queue = info->queues[i];
        if (strcmp(queue->queue.topic, topic) == 0 && queue->queue.queue_id == queue_id)
            return queue;
    }
    ck_abort_msg("queue %d is not told of", queue_id);
    return NULL;
}

START_TEST(test_running_info)
{
    begin(1, gate_judge, &gate);
    mqc_push_consumer *consumer =
        start((mqc_push_consumer_options){.threads = 3, .pull_batch = 7, .queue_max_messages = 50});
    contract_send_many(producer, topic, "m ", 2);
    gate_await(&gate, 2);
    const mqc_running_info *info = ask(false);
    ck_assert_ptr_null(info->stacks);
    check_property(info, "PROP_CONSUME_TYPE", "CONSUME_PASSIVELY");
    check_property(info, "PROP_CONSUMEORDERLY", "false");
    check_property(info, "PROP_THREADPOOL_CORE_SIZE", "3");
    check_property(info, "consumerGroup", group);
    check_property(info, "messageModel", "CLUSTERING");
    check_property(info, "pullBatchSize", "7");
    check_property(info, "pullThresholdForQueue", "50");
    const mqc_running_queue *queue = queue_of(info, 0);
    ck_assert_int_eq(queue->commit_offset, 0);
    ck_assert_int_eq(queue->cached_messages, 2);
    ck_assert_int_eq(queue->cached_min_offset, 0);
    ck_assert_int_eq(queue->cached_max_offset, 1);
    ck_assert_int_gt(queue->last_pull_unix_ms, 0);
    ck_assert_int_gt(queue->last_consume_unix_ms, 0);
    ck_assert(!queue->pop && !queue->dropped);
    ck_assert_uint_eq(info->topic_count, 2); /* and the retry topic */
    ck_assert_str_eq(info->topics[1]->topic, topic);
    ck_assert_double_gt(info->topics[1]->pull_tps, 0);
    mqc_admin_result_free(info);
    gate_open(&gate);
    contract_consumer_end(consumer);
    end();
}
END_TEST

/* Which threads there are, and in which message's listener call. */
START_TEST(test_running_info_tells_of_threads)
{
    char call[512];
    begin(1, gate_judge, &gate);
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){.threads = 2});
    contract_send(producer, topic, "body");
    gate_await(&gate, 1);
    const mqc_running_info *info = ask(true);
    ck_assert_ptr_nonnull(info->stacks);
    ck_assert_ptr_nonnull(strstr(info->stacks, "mqc-io "));
    ck_assert_ptr_nonnull(strstr(info->stacks, "mqc-pull "));
    ck_assert_ptr_nonnull(strstr(info->stacks, " STATE: "));
    ck_assert_ptr_nonnull(strstr(info->stacks, "mqc-consume  "));
    snprintf(call, sizeof call, "group=%s topic=%s broker=broker-a queue=0 offset=0 messages=1",
             group, topic);
    ck_assert_msg(strstr(info->stacks, call) != NULL, "no %s in\n%s", call, info->stacks);
    ck_assert_ptr_nonnull(strstr(info->stacks, "in the listener for "));
    mqc_admin_result_free(info);
    gate_open(&gate);
    contract_consumer_end(consumer);
    end();
}
END_TEST

static mqc_order_status suspend_in_order(mqc_delivery *delivery, void *arg)
{
    collector_listen(delivery, arg);
    return MQC_ORDER_SUSPEND;
}

START_TEST(test_running_info_of_an_orderly_consumer)
{
    begin(1, NULL, NULL);
    mqc_push_consumer *consumer =
        start((mqc_push_consumer_options){.orderly_listener = suspend_in_order});
    contract_send(producer, topic, "body");
    collector_await(collector, 1);
    const mqc_running_info *info = ask(false);
    check_property(info, "PROP_CONSUMEORDERLY", "true");
    ck_assert(queue_of(info, 0)->locked);
    ck_assert_int_gt(queue_of(info, 0)->last_lock_unix_ms, 0);
    mqc_admin_result_free(info);
    contract_consumer_end(consumer);
    end();
}
END_TEST

START_TEST(test_running_info_of_a_popping_consumer)
{
    mqc_error error;
    begin(1, gate_judge, &gate);
    ck_ok(mqc_admin_create_group(admin, NULL, group, NULL, &error));
    ck_ok(mqc_admin_set_request_mode(admin, topic, group, true, 0, &error));
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){.pop = true});
    contract_send(producer, topic, "body");
    gate_await(&gate, 1);
    const mqc_running_info *info = ask(false);
    bool found = false;
    for (size_t i = 0; i < info->queue_count; i++) {
        const mqc_running_queue *queue = info->queues[i];
        if (strcmp(queue->queue.topic, topic) != 0) continue;
        ck_assert(queue->pop);
        ck_assert_int_gt(queue->last_pull_unix_ms, 0);
        found = found || queue->unacknowledged == 1;
    }
    ck_assert(found);
    mqc_admin_result_free(info);
    gate_open(&gate);
    contract_consumer_end(consumer);
    end();
}
END_TEST

/* ---- consuming now ---- */

struct search {
    const char *id;
    mqc_message *found;
};

static bool is_found(void *arg)
{
    struct search *search = arg;
    mqc_error error;
    return mqc_admin_message_by_id(admin, topic, search->id, &search->found, &error) == MQC_OK;
}

/* A stored message, as the broker has it. */
static mqc_message *store(const char *body)
{
    mqc_send_result sent = contract_send(producer, topic, body);
    struct search search = {.id = sent.message_id};
    contract_await("the message to be found", is_found, &search);
    return search.found;
}

static mqc_consume_status refuse(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return MQC_RECONSUME_LATER;
}

static void expect_result(const mqc_message *message, const char *result, bool ordered)
{
    mqc_error error;
    const mqc_direct_result *direct;
    ck_ok(mqc_admin_consume_directly(admin, group, NULL, message, &direct, &error));
    ck_assert_str_eq(direct->result, result);
    ck_assert_int_eq(direct->ordered, ordered);
    mqc_admin_result_free(direct);
}

START_TEST(test_consumed_directly)
{
    begin(1, NULL, NULL);
    mqc_message *message = store("body");
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){0});
    collector_await(collector, 1);
    expect_result(message, "CR_SUCCESS", false);
    ck_assert_uint_eq(collector_count_body(collector, "body"), 2);
    struct received last = collector_at(collector, 1);
    ck_assert_str_eq(mqc_message_topic(last.message), topic);
    ck_assert_str_eq(mqc_message_id(last.message), mqc_message_id(message));
    ck_assert_str_eq(mqc_message_broker_name(last.message), "broker-a");
    contract_consumer_end(consumer);
    mqc_message_free(message);
    end();
}
END_TEST

START_TEST(test_refused_when_consumed_directly)
{
    begin(1, refuse, NULL);
    mqc_message *message = store("body");
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){0});
    collector_await(collector, 1);
    expect_result(message, "CR_LATER", false);
    contract_consumer_end(consumer);
    mqc_message_free(message);
    end();
}
END_TEST

static mqc_order_status commit_in_order(mqc_delivery *delivery, void *arg)
{
    collector_listen(delivery, arg);
    return MQC_ORDER_COMMIT;
}

START_TEST(test_consumed_directly_in_order)
{
    begin(1, NULL, NULL);
    mqc_message *message = store("body");
    mqc_push_consumer *consumer =
        start((mqc_push_consumer_options){.orderly_listener = commit_in_order});
    collector_await(collector, 1);
    expect_result(message, "CR_COMMIT", true);
    contract_consumer_end(consumer);
    mqc_message_free(message);
    end();
}
END_TEST

START_TEST(test_nobody_to_consume_directly)
{
    mqc_error error;
    const mqc_direct_result *direct;
    begin(1, NULL, NULL);
    mqc_message *message = store("body");
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){.polled = true});
    admins_await_members(admin, group, 1);
    ck_fails(mqc_admin_consume_directly(admin, group, NULL, message, &direct, &error), MQC_REFUSED,
             "has no listener");
    contract_consumer_end(consumer);
    mqc_message_free(message);
    end();
}
END_TEST

/* It is one of the listener calls that a shutdown waits for, and leaves. */
static mqc_consume_status hang_directly(mqc_delivery *delivery, void *arg)
{
    static atomic_int calls;
    (void)delivery, (void)arg;
    if (atomic_fetch_add(&calls, 1) > 0) gate_pass(&gate);
    return MQC_CONSUME_SUCCESS;
}

static void *consume_directly(void *message)
{
    mqc_error error;
    const mqc_direct_result *direct;
    mqc_client_options client = contract_client();
    client.request_timeout_ms = 3000; /* brokers wait 10 s for the member */
    mqc_admin *other = mqc_admin_new(&client, &error);
    ck_assert_ptr_nonnull(other);
    ck_assert_int_ne(mqc_admin_consume_directly(other, group, NULL, message, &direct, &error),
                     MQC_OK);
    mqc_admin_free(other);
    return NULL;
}

START_TEST(test_hangs_when_consumed_directly)
{
    mqc_error error;
    pthread_t thread;
    begin(1, hang_directly, NULL);
    mqc_message *message = store("body");
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){0});
    collector_await(collector, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, consume_directly, message), 0);
    gate_await(&gate, 1);
    int64_t begin_ms = contract_unix_ms();
    ck_fails(mqc_push_consumer_shutdown(consumer, DRAIN_MS, &error), MQC_TIMEOUT,
             "1 listener call is still running");
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS);
    admins_await_members(admin, group, 0); /* it has left the group all the same */
    gate_open(&gate);
    mqc_push_consumer_free(consumer);
    ck_assert_int_eq(gate_left(&gate), 1);
    pthread_join(thread, NULL);
    mqc_message_free(message);
    end();
}
END_TEST

CONTRACT_MAIN("questions", test_running_info, test_running_info_tells_of_threads,
              test_running_info_of_an_orderly_consumer, test_running_info_of_a_popping_consumer,
              test_consumed_directly, test_refused_when_consumed_directly,
              test_consumed_directly_in_order, test_nobody_to_consume_directly,
              test_hangs_when_consumed_directly)
