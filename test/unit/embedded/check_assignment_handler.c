/* Who is to pull and pop which queues, as a real 5.5.0 answers. */
#include <stdio.h>

#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire, *other;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){.brokers = 2});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    other = wire_open(mqc_embedded_broker_address(cluster, 0));
    mqc_embedded_create_topic(cluster, -1, "orders", 2, NULL);
    wire_heartbeat(wire, "c1", "g", "orders", "*");
    wire_heartbeat(other, "c2", "g", "orders", "*");
}

static void tear_down(void)
{
    wire_close(other);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static void set_mode(const char *topic, const char *mode, int share, int32_t code)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"topic\":\"%s\",\"consumerGroup\":\"g\",\"mode\":\"%s\",\"popShareQueueNum\":%d}",
             topic, mode, share);
    wire_expect(wire, REQUEST_SET_MESSAGE_REQUEST_MODE, NULL, NULL, slice_text(body), code);
}

/* Asks, and writes "a0 b1 POP" for queue 0 of broker-a and 1 of broker-b; "-" for no list. */
static const char *ask(const char *client, const char *topic, const char *strategy,
                       const char *model)
{
    static char text[512];
    char body[512];
    snprintf(body, sizeof body,
             "{\"topic\":\"%s\",\"consumerGroup\":\"g\",\"clientId\":\"%s\",\"strategyName\":"
             "\"%s\",\"messageModel\":\"%s\"}",
             topic, client, strategy, model);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_QUERY_ASSIGNMENT, NULL, NULL, slice_text(body));
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    struct slice rest = answer->command.body;
    size_t size = 0;
    const char *mode = "";
    if (slice_is(rest, "{}")) size += (size_t)snprintf(text, sizeof text, "-");
    slice_split(&rest, "{\"brokerName\":\"broker-");
    while (rest.data) {
        struct slice one = slice_split(&rest, "{\"brokerName\":\"broker-");
        char letter = one.data[0];
        slice_split(&one, "\"queueId\":");
        struct slice id = slice_split(&one, ",");
        mode = memmem(one.data, one.size, "POP", 3) ? "POP" : "PULL";
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "%c%.*s ", letter, SLICE_FORMAT(id));
    }
    snprintf(text + size, sizeof text - size, "%s", mode);
    wire_frame_free(answer);
    return text;
}

START_TEST(queues_to_pull_are_divided_among_the_members)
{
    ck_assert_str_eq(ask("c1", "orders", "AVG", "CLUSTERING"), "a0 a1 PULL");
    ck_assert_str_eq(ask("c2", "orders", "AVG", "CLUSTERING"), "b0 b1 PULL");
    ck_assert_str_eq(ask("c1", "orders", "AVG_BY_CIRCLE", "CLUSTERING"), "a0 b0 PULL");
    ck_assert_str_eq(ask("c2", "orders", "AVG_BY_CIRCLE", "CLUSTERING"), "a1 b1 PULL");
    ck_assert_str_eq(ask("c3", "orders", "AVG", "CLUSTERING"), "");
    ck_assert_str_eq(ask("c1", "orders", "BROADCASTING?", "CLUSTERING"), "-");
    ck_assert_str_eq(ask("c3", "orders", "AVG", "BROADCASTING"), "a0 a1 b0 b1 PULL");
    ck_assert_str_eq(ask("c1", "nowhere", "AVG", "CLUSTERING"), "-");
}
END_TEST

START_TEST(queues_to_pop_are_shared)
{
    set_mode("orders", "POP", 0, RESPONSE_SUCCESS);
    ck_assert_str_eq(ask("c1", "orders", "AVG", "CLUSTERING"), "a-1 b-1 POP");
    ck_assert_str_eq(ask("c3", "orders", "AVG", "CLUSTERING"), "a-1 b-1 POP");
    struct wire *more[4];
    for (int i = 0; i < 4; i++) { /* six members on four queues */
        char name[8];
        snprintf(name, sizeof name, "c%d", i + 3);
        more[i] = wire_open(mqc_embedded_broker_address(cluster, 0));
        wire_heartbeat(more[i], name, "g", "orders", "*");
        set_mode("orders", "POP", 1, RESPONSE_SUCCESS);
        if (i == 1) { /* four members: each has its own and its neighbour's */
            ck_assert_str_eq(ask("c1", "orders", "AVG", "CLUSTERING"), "a0 a1 POP");
            ck_assert_str_eq(ask("c4", "orders", "AVG", "CLUSTERING"), "a0 b1 POP");
        }
    }
    ck_assert_str_eq(ask("c6", "orders", "AVG", "CLUSTERING"), "a1 POP");
    for (int i = 0; i < 4; i++) wire_close(more[i]);
    set_mode("orders", "PULL", 0, RESPONSE_SUCCESS);
    ck_assert_str_eq(ask("c9", "orders", "AVG", "CLUSTERING"), "");
}
END_TEST

START_TEST(wrong_requests_are_refused)
{
    set_mode("nowhere", "POP", 0, RESPONSE_TOPIC_NOT_EXIST);
    set_mode("%RETRY%g", "POP", 0, RESPONSE_NO_PERMISSION);
    static const char *const bodies[] = {"", "{", "{}", "[]", "{\"topic\":\"orders\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        wire_expect(wire, REQUEST_QUERY_ASSIGNMENT, NULL, NULL, slice_text(bodies[i]),
                    RESPONSE_SYSTEM_ERROR);
        wire_expect(wire, REQUEST_SET_MESSAGE_REQUEST_MODE, NULL, NULL, slice_text(bodies[i]),
                    RESPONSE_SYSTEM_ERROR);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded assignments");
    WIRE_CASE(s, "assignments", set_up, tear_down, queues_to_pull_are_divided_among_the_members,
              queues_to_pop_are_shared, wrong_requests_are_refused);
    return s;
}
TEST_MAIN(suite)
