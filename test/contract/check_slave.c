/* A master and its slave: consumers go on at the slave when the master is gone or sends them there,
 * and come back; what was done is not done again. */
#include <stdio.h>

#include "test/contract/collector.h"

/* As suite_pair of test/broker/check sets the real ones up, and replicating before it answers. */
static const mqc_embedded_options PAIR = {
    .slaves = 1, .broker_config = "slaveReadEnable=true\naccessMessageInMemoryMaxRatio=0\n"};

enum { MASTER, SLAVE, QUEUES = 4, COUNT = 20, BACKLOG = 100 };

/* Sends until the slave has it, too: it may just be starting. */
struct letter {
    mqc_producer *producer;
    const char *topic;
    int tries;
};

static bool replicated(void *arg)
{
    struct letter *letter = arg;
    char body[64];
    mqc_error error;
    mqc_send_result result;
    snprintf(body, sizeof body, "try %d", letter->tries++);
    mqc_message *message = mqc_message_new(letter->topic, body, strlen(body));
    ck_ok(mqc_producer_send(letter->producer, message, NULL, &result, &error));
    mqc_message_free(message);
    return result.status == MQC_SEND_OK;
}

static void await_slave(mqc_producer *producer)
{
    static const char *topic;
    if (!topic) topic = contract_topic(1);
    struct letter letter = {.producer = producer, .topic = topic};
    contract_await("a slave that follows its master", replicated, &letter);
}

/* ---- asking the slave, in its master's place ---- */

static char slave_address[64];

static bool to_the_slave(const char *broker_name, int64_t broker_id, const char *advertised,
                         char *used, size_t room, void *arg)
{
    (void)broker_name;
    (void)arg;
    if (broker_id == 1) snprintf(slave_address, sizeof slave_address, "%s", advertised);
    if (!slave_address[0]) return false;
    snprintf(used, room, "%s", slave_address);
    return true;
}

struct replica {
    const char *topic;
    int64_t messages;
};

static bool slave_has(void *arg)
{
    const struct replica *replica = arg;
    mqc_error error;
    const mqc_brokers *brokers = NULL;
    const mqc_topic_status *queues = NULL;
    mqc_client_options client = contract_client();
    client.map_address = to_the_slave;
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    ck_ok(mqc_admin_brokers(admin, NULL, &brokers, &error));
    mqc_status status = mqc_admin_topic_status(admin, replica->topic, &queues, &error);
    bool has = status == MQC_OK && queues->messages >= replica->messages;
    mqc_admin_result_free(brokers);
    mqc_admin_result_free(queues);
    mqc_admin_free(admin);
    return has;
}

/* Real slaves ask their masters for topics every 10 s. */
static const char *topic_of_both(int queues)
{
    const char *topic = contract_topic(queues);
    struct replica replica = {topic, 0};
    contract_await("a slave that knows the topic", slave_has, &replica);
    return topic;
}

struct group {
    const char *name, *topic;
    int64_t lag;
};

static bool has_no_lag(void *arg)
{
    struct group *group = arg;
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    const mqc_group_progress *progress = NULL;
    mqc_status status =
        mqc_admin_group_progress(admin, group->name, group->topic, 0, &progress, &error);
    group->lag = status == MQC_OK ? progress->lag : -1;
    mqc_admin_result_free(progress);
    mqc_admin_free(admin);
    return group->lag == 0;
}

static mqc_push_consumer *join(const struct group *group, struct collector *collector)
{
    mqc_client_options client = contract_client();
    client.persist_offsets_ms = 200;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group->name,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST,
                                         .pull_batch = 10};
    return contract_consumer(&options, group->topic, "*");
}

START_TEST(test_goes_on_at_the_slave_and_returns)
{
    mqc_error error;
    struct group group = {.name = contract_name("group"), .topic = topic_of_both(QUEUES)};
    struct collector *with_master = collector_new(), *without = collector_new();
    struct collector *again = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    await_slave(producer);
    mqc_push_consumer *consumer = join(&group, with_master);
    contract_send_many(producer, group.topic, "read ", COUNT);
    collector_await_each(with_master, "read ", COUNT);
    ck_ok(mqc_push_consumer_pause(consumer, &error));
    contract_send_many(producer, group.topic, "unread ", COUNT);

    /* Unless inSyncReplicas is 2, a master's word does not wait for the slave. */
    struct replica all = {group.topic, COUNT + COUNT};
    contract_await("a slave that has all", slave_has, &all);
    contract_broker_down(MASTER);
    ck_ok(mqc_push_consumer_resume(consumer, &error));
    collector_await_each(with_master, "unread ", COUNT);
    contract_consumer_end(consumer); /* its last word goes to the slave */
    contract_await("no lag, as the slave tells", has_no_lag, &group);
    consumer = join(&group, without);

    contract_broker_up(MASTER);
    /* It has forgotten, or never heard, where the group is, and is told without a new message. */
    contract_await("no lag, as the master tells after its death", has_no_lag, &group);
    await_slave(producer);
    contract_send_many(producer, group.topic, "back ", COUNT);
    collector_await_each(without, "back ", COUNT);
    contract_await("no lag, as the master tells", has_no_lag, &group);
    contract_consumer_end(consumer);
    consumer = join(&group, again);
    contract_send(producer, group.topic, "the end");
    collector_await_body(again, "the end");
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(with_master, "read ", COUNT);
    collector_check_each_once(with_master, "unread ", COUNT);
    ck_assert_uint_eq(collector_count(without), COUNT);
    ck_assert_uint_eq(collector_count(again), 1);
    collector_free(with_master);
    collector_free(without);
    collector_free(again);
}
END_TEST

/* ---- sent there by the master ---- */

static _Atomic int at_slave, at_master; /* times that a queue's pulls went there from then on */

static void note_line(const mqc_log_line *line, void *arg)
{
    (void)arg;
    if (strstr(line->text, "is pulled from its slave")) at_slave++;
    if (strstr(line->text, "is pulled from its master again")) at_master++;
}

static bool is_back(void *arg)
{
    (void)arg;
    return at_master > 0;
}

START_TEST(test_a_group_that_is_behind_is_sent_to_the_slave)
{
    struct group group = {.name = contract_name("group"), .topic = topic_of_both(1)};
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    await_slave(producer);
    contract_send_many(producer, group.topic, "backlog ", BACKLOG);
    mqc_log_to(note_line, NULL, MQC_LOG_INFO);
    mqc_push_consumer *consumer = join(&group, collector);
    collector_await_each(collector, "backlog ", BACKLOG);
    contract_send(producer, group.topic, "and on");
    collector_await_body(collector, "and on");
    /* A real slave that has lost sight of its master for a while keeps whom it has. */
    if (contract_embedded()) contract_await("pulls from the master again", is_back, NULL);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
    ck_assert_int_ge(at_slave, 1);
    collector_check_each_once(collector, "backlog ", BACKLOG);
    ck_assert_uint_eq(collector_count(collector), BACKLOG + 1);
    collector_free(collector);
}
END_TEST

CONTRACT_CLUSTER_MAIN("slave", &PAIR, test_goes_on_at_the_slave_and_returns,
                      test_a_group_that_is_behind_is_sent_to_the_slave)
