/* Queues of static topics in routes: as a real name server has them, moved from broker to broker.
 */
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/protocol/topic_route.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

#define MAPPING(name, ids, epoch, total)                                                           \
    "\"" name "\":{\"bname\":\"" name "\",\"currIdMap\":{" ids                                     \
    "},\"dirty\":false,\"epoch\":" #epoch                                                          \
    ",\"scope\":\"__global__\",\"topic\":\"t\",\"totalQueues\":" #total "}"
#define NAME_64   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
#define LONG_NAME NAME_64 NAME_64 NAME_64 NAME_64
#define ROUTE(mappings)                                                                            \
    "{\"brokerDatas\":[],\"queueDatas\":[],\"topicQueueMappingByBroker\":{" mappings "}}"

/* Of 5.5.0: queues 0, 2 and 4 went from broker-a to broker-b; asked for in the old form. */
static const char SEEN[] =
    "{\"brokerDatas\":[{\"brokerAddrs\":{0:\"127.0.0.1:24715\"},\"brokerName\":\"broker-b\","
    "\"cluster\":\"DefaultCluster\",\"enableActingMaster\":false}],\"filterServerTable\":{},"
    "\"queueDatas\":[{\"brokerName\":\"broker-b\",\"perm\":6,\"readQueueNums\":6,\"topicSysFlag\":"
    "0,"
    "\"writeQueueNums\":6}],\"topicQueueMappingByBroker\":{\"broker-b\":{\"bname\":\"broker-b\","
    "\"currIdMap\":{0:3,1:0,2:4,3:1,4:5,5:2},\"dirty\":false,\"epoch\":1795468264208,\"scope\":"
    "\"__global__\",\"topic\":\"stat1\",\"totalQueues\":6},\"broker-a\":{\"bname\":\"broker-a\","
    "\"currIdMap\":{},\"dirty\":false,\"epoch\":1795468264208,\"scope\":\"__global__\",\"topic\":"
    "\"stat1\",\"totalQueues\":6}}}";

static struct topic_route *decode(const char *body)
{
    struct topic_route *route;
    assert_ok(topic_route_decode(slice_text(body), &route, &error), &error);
    return route;
}

START_TEST(a_real_route)
{
    struct topic_route *route = decode(SEEN);
    ck_assert_uint_eq(route->static_count, 6);
    for (int32_t i = 0; i < 6; i++) {
        ck_assert_int_eq(route->statics[i].queue_id, i);
        ck_assert_str_eq(route->statics[i].broker_name, "__syslo__global__");
        ck_assert_str_eq(route->statics[i].host, "broker-b");
        ck_assert_ptr_eq(topic_route_static(route, "__syslo__global__", i), &route->statics[i]);
    }
    ck_assert_ptr_null(topic_route_static(route, "__syslo__global__", 6));
    ck_assert_ptr_null(topic_route_static(route, "broker-b", 0));
    topic_route_unref(route);
}
END_TEST

START_TEST(the_highest_epoch_is_right)
{
    static const char *const ORDERS[] = {
        ROUTE(MAPPING("a", "\"0\":0,\"1\":1", 5, 4) "," MAPPING("b", "\"1\":7", 6, 4)),
        ROUTE(MAPPING("b", "\"1\":7", 6, 4) "," MAPPING("a", "\"0\":0,\"1\":1", 5, 4))};
    for (size_t i = 0; i < 2; i++) {
        struct topic_route *route = decode(ORDERS[i]);
        ck_assert_uint_eq(route->static_count, 4);
        ck_assert_str_eq(route->statics[0].host, "a");
        ck_assert_str_eq(route->statics[1].host, "b");
        ck_assert_str_eq(route->statics[2].host, STATIC_NO_BROKER);
        ck_assert_str_eq(route->statics[3].host, STATIC_NO_BROKER);
        topic_route_unref(route);
    }
}
END_TEST

/* As brokers say it in the midst of a move: both have the queue, of the same epoch. */
START_TEST(of_the_same_epoch_the_later_one_is_right)
{
    struct topic_route *route =
        decode(ROUTE(MAPPING("a", "\"0\":0,\"1\":1", 5, 2) "," MAPPING("b", "\"1\":7", 5, 2)));
    ck_assert_uint_eq(route->static_count, 2);
    ck_assert_str_eq(route->statics[0].host, "a");
    ck_assert_str_eq(route->statics[1].host, "b");
    topic_route_unref(route);
}
END_TEST

START_TEST(scopes_have_queues_of_their_own)
{
    struct topic_route *route = decode(
        ROUTE(MAPPING("a", "\"0\":0", 5, 2) ",\"b\":{\"bname\":\"b\",\"currIdMap\":{\"0\":1},"
                                            "\"epoch\":4,\"scope\":\"east\",\"totalQueues\":1}"));
    ck_assert_uint_eq(route->static_count, 3);
    ck_assert_str_eq(topic_route_static(route, "__syslo__east", 0)->host, "b");
    ck_assert_str_eq(topic_route_static(route, "__syslo__global__", 0)->host, "a");
    ck_assert_str_eq(topic_route_static(route, "__syslo__global__", 1)->host, STATIC_NO_BROKER);
    ck_assert_ptr_null(topic_route_static(route, "__syslo__east", 1));
    topic_route_unref(route);
}
END_TEST

/* `brokers` mappings of 4096 queues each, in one scope or in two by turns. */
static mqc_status decode_many(int brokers, int scopes, struct topic_route **out)
{
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"topicQueueMappingByBroker\":{");
    for (int i = 0; i < brokers; i++) {
        char text[160];
        snprintf(text, sizeof text,
                 "%s\"%d\":{\"bname\":\"b%d\",\"scope\":\"s%d\",\"totalQueues\":4096,"
                 "\"currIdMap\":{\"%d\":0}}",
                 i ? "," : "", i, i, i % scopes, i % 4096);
        buffer_put_text(&body, text);
    }
    buffer_put_text(&body, "}}");
    mqc_status status = topic_route_decode(buffer_slice(&body), out, &error);
    buffer_done(&body);
    return status;
}

/* All brokers say how many queues there are: that is no more queues. */
START_TEST(many_brokers)
{
    struct topic_route *route;
    assert_ok(decode_many(4096, 1, &route), &error);
    ck_assert_uint_eq(route->static_count, 4096);
    for (int32_t i = 0; i < 4096; i++) {
        const struct static_queue *queue = topic_route_static(route, "__syslo__s0", i);
        char host[16];
        snprintf(host, sizeof host, "b%d", (int)i);
        ck_assert_str_eq(queue->host, host);
    }
    topic_route_unref(route);
}
END_TEST

START_TEST(more_than_any_topic_has)
{
    struct topic_route *route;
    long live = memory_live_blocks();
    ck_assert_int_eq(decode_many(20, 2, &route), MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, "topic route: brokers name the queues of a static topic more than "
                                 "65536 times");
    ck_assert_ptr_null(route);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(a_queue_that_moves_is_a_change)
{
    struct topic_route *before = decode(ROUTE(MAPPING("a", "\"0\":0", 5, 1)));
    struct topic_route *same = decode(ROUTE(MAPPING("a", "\"0\":0", 6, 1)));
    struct topic_route *moved = decode(ROUTE(MAPPING("b", "\"0\":0", 7, 1)));
    struct topic_route *more = decode(ROUTE(MAPPING("a", "\"0\":0", 5, 2)));
    struct topic_route *none = decode(ROUTE(""));
    ck_assert(topic_route_equal(before, same));
    ck_assert(!topic_route_equal(before, moved));
    ck_assert(!topic_route_equal(before, more));
    ck_assert(!topic_route_equal(before, none));
    ck_assert_uint_eq(none->static_count, 0);
    topic_route_unref(before);
    topic_route_unref(same);
    topic_route_unref(moved);
    topic_route_unref(more);
    topic_route_unref(none);
}
END_TEST

START_TEST(malformed_mappings)
{
    static const struct {
        const char *body, *says;
    } BAD[] = {
        {ROUTE("\"a\":{\"currIdMap\":{\"0\":0}}"), "without bname"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"currIdMap\":{\"x\":0}}"), "'x' is no queue"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"currIdMap\":{\"-1\":0}}"), "'-1' is no queue"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"currIdMap\":{\"70000\":0}}"), "'70000' is no queue"},
        {ROUTE("\"a\":{\"bname\":\"" LONG_NAME "\"}"), "less than 256 bytes"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"scope\":\"" LONG_NAME "\"}"), "less than 256 bytes"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"totalQueues\":-1}"), "-1 queues"},
        {ROUTE("\"a\":{\"bname\":\"a\",\"totalQueues\":1000000}"), "1000000 queues"},
    };
    long live = memory_live_blocks();
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct topic_route *route;
        ck_assert_int_eq(topic_route_decode(slice_text(BAD[i].body), &route, &error),
                         MQC_BAD_FRAME);
        ck_assert_msg(strstr(error.text, BAD[i].says), "%s", error.text);
    }
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(no_memory)
{
    long live = memory_live_blocks(), nth = 1;
    for (mqc_status status = MQC_NO_MEMORY; status != MQC_OK; nth++) {
        struct topic_route *route;
        memory_fail_from(nth);
        status = topic_route_decode(slice_text(SEEN), &route, &error);
        memory_fail_from(0);
        if (status != MQC_OK) ck_assert_int_eq(status, MQC_NO_MEMORY);
        topic_route_unref(route);
        ck_assert_int_eq(memory_live_blocks(), live);
    }
    ck_assert_int_gt(nth, 20);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("static queues");
    UNIT_CASE(s, "routes", a_real_route, the_highest_epoch_is_right,
              of_the_same_epoch_the_later_one_is_right, scopes_have_queues_of_their_own,
              many_brokers, more_than_any_topic_has, a_queue_that_moves_is_a_change,
              malformed_mappings, no_memory);
    return s;
}
TEST_MAIN(suite)
