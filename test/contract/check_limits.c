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

CONTRACT_MAIN("limits", test_small_limits, test_limit_of_a_topic)
