/* A group's members share the queues: who has which, who takes over, and that nothing is lost. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/collector.h"

enum { QUEUES = 4 };

/* Sends one message to each queue, again and again, and looks who got them. */
struct probe {
    mqc_producer *producer;
    const char *topic;
    struct collector *collector;
    mqc_message_queue queue;
    int round;
};

/* The messages of one round: how many came to each seat, when each queue's has come. */
struct shares {
    int round;
    int of_seat[COLLECTOR_SEATS];
    bool seen[QUEUES];
};

static bool count_round(const struct received *received, size_t count, void *arg)
{
    struct shares *shares = arg;
    struct shares now = {.round = shares->round};
    int queues = 0;
    for (size_t i = 0; i < count; i++) {
        for (int queue = 0; queue < QUEUES; queue++) {
            char body[64];
            snprintf(body, sizeof body, "probe %d of %d", queue, shares->round);
            if (!contract_text_is(received[i].message, body) || now.seen[queue]) continue;
            now.seen[queue] = true;
            now.of_seat[received[i].seat]++;
            queues++;
        }
    }
    *shares = now;
    return queues == QUEUES;
}

static struct probe new_probe(void)
{
    const char *topic = contract_topic(QUEUES);
    return (struct probe){.producer = contract_producer(NULL),
                          .topic = topic,
                          .collector = collector_new(),
                          .queue = contract_queue(topic, 0)};
}

static struct shares probe_once(struct probe *probe)
{
    char body[64], what[64];
    probe->round++;
    for (int queue = 0; queue < QUEUES; queue++) {
        snprintf(body, sizeof body, "probe %d of %d", queue, probe->round);
        probe->queue.queue_id = queue;
        contract_send_to(probe->producer, &probe->queue, body);
    }
    snprintf(what, sizeof what, "probes of round %d", probe->round);
    struct shares shares = {.round = probe->round};
    collector_await_until(probe->collector, what, count_round, &shares);
    return shares;
}

/* The queues that the member in each seat says it has, a bit each. */
static _Atomic unsigned held[COLLECTOR_SEATS];

static void note_queues(const char *topic, const mqc_message_queue *all, size_t all_count,
                        const mqc_message_queue *mine, size_t mine_count, void *arg)
{
    unsigned queues = 0;
    (void)topic, (void)all, (void)all_count;
    for (size_t i = 0; i < mine_count; i++) queues |= 1U << mine[i].queue_id;
    atomic_store((_Atomic unsigned *)arg, queues);
}

struct wish {
    int seats, each;
};

static bool seats_have_each(void *arg)
{
    const struct wish *wish = arg;
    unsigned all = 0;
    for (int seat = 0; seat < wish->seats; seat++) {
        unsigned queues = atomic_load(&held[seat]);
        if (__builtin_popcount(queues) != wish->each || (all & queues) != 0) return false;
        all |= queues;
    }
    return true;
}

/* Waits until the first `seats` have so many queues each and no queue is two's, which probes alone
 * cannot tell; then they get what is sent. */
static void await_shares(struct probe *probe, int seats, int each)
{
    char what[64];
    struct wish wish = {.seats = seats, .each = each};
    snprintf(what, sizeof what, "%d members with %d queues each", seats, each);
    contract_await(what, seats_have_each, &wish);
    struct shares shares = probe_once(probe);
    for (int seat = 0; seat < seats; seat++) ck_assert_int_eq(shares.of_seat[seat], each);
}

static mqc_push_consumer *join(const char *group, const struct probe *probe, int seat)
{
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(probe->collector, seat),
                                         .queue_listener = note_queues,
                                         .queue_listener_arg = &held[seat],
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, probe->topic, "*");
}

START_TEST(test_two_share)
{
    enum { COUNT = 200 };
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_push_consumer *first = join(group, &probe, 0), *second = join(group, &probe, 1);
    await_shares(&probe, 2, 2);
    size_t of_first = collector_count_seat(probe.collector, 0);
    size_t of_second = collector_count_seat(probe.collector, 1);
    contract_send_many(probe.producer, probe.topic, "shared ", COUNT);
    collector_await(probe.collector, of_first + of_second + COUNT);
    collector_check_each_once(probe.collector, "shared ", COUNT);
    ck_assert_uint_eq(collector_count_seat(probe.collector, 0) - of_first, COUNT / 2);
    ck_assert_uint_eq(collector_count_seat(probe.collector, 1) - of_second, COUNT / 2);
    contract_consumer_end(first);
    contract_consumer_end(second);
    mqc_producer_free(probe.producer);
    collector_free(probe.collector);
}
END_TEST

START_TEST(test_one_leaves_and_the_other_takes_over)
{
    enum { COUNT = 100 };
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_push_consumer *stays = join(group, &probe, 0), *leaves = join(group, &probe, 1);
    await_shares(&probe, 2, 2);
    contract_send_many(probe.producer, probe.topic, "before ", COUNT);
    contract_consumer_end(leaves);
    contract_send_many(probe.producer, probe.topic, "after ", COUNT);
    collector_await_each(probe.collector, "before ", COUNT);
    collector_await_each(probe.collector, "after ", COUNT);
    await_shares(&probe, 1, QUEUES);
    contract_consumer_end(stays);
    mqc_producer_free(probe.producer);
    collector_free(probe.collector);
}
END_TEST

START_TEST(test_a_third_joins_and_leaves)
{
    enum { COUNT = 100 };
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_push_consumer *members[4];
    members[0] = join(group, &probe, 0);
    members[1] = join(group, &probe, 1);
    await_shares(&probe, 2, 2);
    contract_send_many(probe.producer, probe.topic, "two ", COUNT);
    members[2] = join(group, &probe, 2);
    members[3] = join(group, &probe, 3);
    await_shares(&probe, 4, 1);
    contract_send_many(probe.producer, probe.topic, "four ", COUNT);
    contract_consumer_end(members[0]);
    contract_consumer_end(members[1]);
    contract_send_many(probe.producer, probe.topic, "two again ", COUNT);
    struct collector *collector = probe.collector;
    collector_await_each(collector, "two ", COUNT);
    collector_await_each(collector, "four ", COUNT);
    collector_await_each(collector, "two again ", COUNT);
    contract_consumer_end(members[2]);
    contract_consumer_end(members[3]);
    mqc_producer_free(probe.producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_more_members_than_queues)
{
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_push_consumer *members[QUEUES + 2];
    for (int i = 0; i < QUEUES + 2; i++) members[i] = join(group, &probe, i);
    contract_send_many(probe.producer, probe.topic, "few ", 40);
    collector_await_each(probe.collector, "few ", 40);
    for (int i = 0; i < QUEUES + 2; i++) contract_consumer_end(members[i]);
    mqc_producer_free(probe.producer);
    collector_free(probe.collector);
}
END_TEST

/* Each life of the only member tells the broker its offsets all the time, to the last moment. */
START_TEST(test_offsets_never_go_back_when_a_consumer_leaves)
{
    enum { LIVES = 10, EACH = 20 };
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_client_options client = contract_client();
    client.persist_offsets_ms = 10;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(probe.collector, 0),
                                         .from = MQC_FROM_FIRST};
    for (int life = 0; life < LIVES; life++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "life %d message ", life);
        contract_send_many(probe.producer, probe.topic, prefix, EACH);
        mqc_push_consumer *consumer = contract_consumer(&options, probe.topic, "*");
        collector_await_each(probe.collector, prefix, EACH);
        contract_consumer_end(consumer);
        if (contract_embedded())
            ck_assert_int_eq(mqc_embedded_lag(contract_embedded(), group, probe.topic), 0);
    }
    for (int life = 0; life < LIVES; life++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "life %d message ", life);
        collector_check_each_once(probe.collector, prefix, EACH);
    }
    mqc_producer_free(probe.producer);
    collector_free(probe.collector);
}
END_TEST

/* Whoever joins sees them; those who are there must look again, before the routes' next refresh, or
 * the same queue would have two of them so long. */
START_TEST(test_new_queues_are_seen_by_all_when_a_member_joins)
{
    enum { MORE = QUEUES + 2, REFRESH_MS = 30000 };
    mqc_error error;
    const char *group = contract_name("group");
    struct probe probe = new_probe();
    mqc_push_consumer *first = join(group, &probe, 0);
    await_shares(&probe, 1, QUEUES);
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    mqc_topic_options more = {.read_queues = MORE, .write_queues = MORE};
    ck_ok(mqc_admin_create_topic(admin, NULL, probe.topic, &more, &error));
    int64_t joined_ms = contract_unix_ms();
    mqc_push_consumer *second = join(group, &probe, 1);
    struct wish wish = {.seats = 2, .each = MORE / 2};
    contract_await("two members with half of the queues each", seats_have_each, &wish);
    ck_assert_int_lt(contract_unix_ms() - joined_ms, REFRESH_MS / 2);
    contract_consumer_end(first);
    contract_consumer_end(second);
    mqc_admin_free(admin);
    mqc_producer_free(probe.producer);
    collector_free(probe.collector);
}
END_TEST

CONTRACT_MAIN("group", test_two_share, test_one_leaves_and_the_other_takes_over,
              test_a_third_joins_and_leaves, test_more_members_than_queues,
              test_offsets_never_go_back_when_a_consumer_leaves,
              test_new_queues_are_seen_by_all_when_a_member_joins)
