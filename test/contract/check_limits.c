/* What limits the messages that a consumer holds: all are consumed all the same. */
#include "test/contract/collector.h"
#include "test/contract/gate.h"

static mqc_push_consumer_options consume_with(const char *group, struct collector *collector,
                                              int seat)
{
    return (mqc_push_consumer_options){.group = group,
                                       .listener = collector_listen,
                                       .listener_arg = collector_seat(collector, seat),
                                       .from = MQC_FROM_FIRST};
}

START_TEST(test_small_limits)
{
    enum { COUNT = 200 };
    const char *topic = contract_topic(2);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "narrow ", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    options.pull_batch = 2;
    options.pull_batch_bytes = 200;
    options.queue_max_messages = 3;
    options.queue_max_span = 2;
    options.queue_max_mib = 1;
    options.threads = 2;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "narrow ", COUNT);
    collector_free(collector);
}
END_TEST

struct pulls {
    const char *group, *topic;
    int count;
};

static bool count_pull(const mqc_embedded_request *request, void *arg)
{
    struct pulls *pulls = arg;
    if (strcmp(request->group, pulls->group) == 0 && strcmp(request->topic, pulls->topic) == 0)
        pulls->count++;
    return true;
}

START_TEST(test_limit_of_a_topic)
{
    /* One message a pull: the first queue alone may have 8 and one more, two 4 each, and so on. */
    enum { COUNT = 80, QUEUES = 4, MOST = 8, PULLS_MOST = 9 + 5 + 3 + 3, PULL_MESSAGE = 11 };
    static struct gate gate = GATE_CLOSED;
    const char *topic = contract_topic(QUEUES);
    struct collector *held = collector_new_judging(gate_judge, &gate), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "held ", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), held, 0);
    options.threads = 1;
    options.pull_batch = 1;
    options.topic_max_messages = MOST;
    options.topic_max_mib = 1;
    struct pulls pulls = {options.group, topic, 0};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(held, 1);
    options = consume_with(contract_name("other"), other, 0);
    options.pull_batch = 1;
    mqc_push_consumer *witness = contract_consumer(&options, topic, "*");
    collector_await_each(other, "held ", COUNT); /* so they could have been pulled */
    if (contract_embedded()) {
        mqc_embedded_each_request(contract_embedded(), PULL_MESSAGE, 0, count_pull, &pulls);
        ck_assert_int_le(pulls.count, PULLS_MOST);
    }
    gate_open(&gate);
    collector_await_each(held, "held ", COUNT);
    contract_consumer_end(consumer);
    contract_consumer_end(witness);
    mqc_producer_free(producer);
    collector_check_each_once(held, "held ", COUNT);
    collector_free(held);
    collector_free(other);
}
END_TEST

/* ---- what is held when a limit is reached ---- */

enum { LARGE = 400 << 10, FIRST_OF_THE_REST = 3 };
static struct gate gate = GATE_CLOSED;

struct hold {
    mqc_push_consumer *consumer;
    const char *topic;
    int64_t messages, pull_offset;
};

static int64_t total(const struct hold *hold, const char *name)
{
    mqc_error error;
    mqc_stat stat;
    mqc_stats *stats = mqc_push_consumer_stats(hold->consumer, &error);
    ck_assert_msg(stats != NULL, "%s", error.text);
    ck_ok(mqc_stats_total(stats, name, NULL, hold->topic, NULL, &stat, &error));
    mqc_stats_free(stats);
    return stat.value;
}

static bool holds_so_many(void *arg)
{
    struct hold *hold = arg;
    return total(hold, "held_messages") == hold->messages &&
           total(hold, "pull_offset") == hold->pull_offset;
}

/* Pulls of single messages go so far and no further: at least one was put off since. */
static void expect_held(struct hold hold)
{
    contract_await("the messages that may be held", holds_so_many, &hold);
    int64_t pauses = total(&hold, "pull_pauses");
    while (total(&hold, "pull_pauses") < pauses + 2) ck_assert(holds_so_many(&hold));
}

static void send_large(const char *topic, int queues, int count)
{
    static char body[LARGE];
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client,
                                    .group = contract_name("producer"),
                                    .compress_above_bytes = -1,
                                    .send_timeout_ms = CONTRACT_WAIT_MS};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_ok(mqc_producer_start(producer, &error));
    mqc_message *message = mqc_message_new(topic, body, sizeof body);
    for (int i = 0; i < queues * count; i++) {
        mqc_message_queue queue = contract_queue(topic, i % queues);
        ck_ok(mqc_producer_send(producer, message, &(mqc_send_options){.queue = &queue}, NULL,
                                &error));
    }
    mqc_message_free(message);
    mqc_producer_free(producer);
}

static void hold_and_let_go(mqc_push_consumer_options options, const char *topic, int64_t messages,
                            int64_t pull_offset, size_t count)
{
    struct collector *held = collector_new_judging(gate_judge, &gate);
    options.group = contract_name("group");
    options.listener = collector_listen;
    options.listener_arg = collector_seat(held, 0);
    options.from = MQC_FROM_FIRST;
    options.threads = 1;
    options.pull_batch = 1;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    expect_held((struct hold){consumer, topic, messages, pull_offset});
    gate_open(&gate);
    collector_await(held, count);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(held), count);
    collector_free(held);
}

START_TEST(test_limit_by_count)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "m ", 20);
    mqc_producer_free(producer);
    hold_and_let_go((mqc_push_consumer_options){.queue_max_messages = 3}, topic, 4, 4, 20);
}
END_TEST

START_TEST(test_limit_by_bytes)
{
    const char *topic = contract_topic(1);
    send_large(topic, 1, 8);
    /* Five are less than 2 MiB, six are more. */
    hold_and_let_go((mqc_push_consumer_options){.queue_max_mib = 1}, topic, 6, 6, 8);
}
END_TEST

START_TEST(test_limit_by_bytes_of_a_topic)
{
    const char *topic = contract_topic(2);
    send_large(topic, 2, 7);
    hold_and_let_go((mqc_push_consumer_options){.topic_max_mib = 2}, topic, 12, 12, 14);
}
END_TEST

/* The first and all from the fourth on wait. */
static mqc_consume_status pass_the_second_and_third(mqc_delivery *delivery, void *arg)
{
    int64_t offset = mqc_message_queue_offset(mqc_delivery_at(delivery, 0));
    if (offset == 0 || offset >= FIRST_OF_THE_REST) gate_pass(arg);
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_limit_by_span)
{
    enum { COUNT = 12 };
    const char *topic = contract_topic(1);
    struct collector *held = collector_new_judging(pass_the_second_and_third, &gate);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "m ", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), held, 0);
    options.threads = 4;
    options.pull_batch = 1;
    options.queue_max_span = 2;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    /* Offsets 0 and 3 are held: that is too far apart, though they are only two. */
    expect_held((struct hold){consumer, topic, 2, FIRST_OF_THE_REST + 1});
    gate_open(&gate);
    collector_await_each(held, "m ", COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(held, "m ", COUNT);
    collector_free(held);
}
END_TEST

CONTRACT_MAIN("limits", test_small_limits, test_limit_of_a_topic, test_limit_by_count,
              test_limit_by_bytes, test_limit_by_bytes_of_a_topic, test_limit_by_span)
