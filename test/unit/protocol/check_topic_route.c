/* Routes and cluster info, from real servers and made here. */
#include "lib/protocol/topic_route.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

static struct topic_route *decode(struct slice body)
{
    struct topic_route *route;
    assert_ok(topic_route_decode(body, &route, &error), &error);
    return route;
}

static void assert_bad(const char *body, const char *text)
{
    struct topic_route *route = (struct topic_route *)&error;
    ck_assert_int_eq(topic_route_decode(slice_text(body), &route, &error), MQC_BAD_FRAME);
    ck_assert_ptr_null(route);
    ck_assert_msg(strstr(error.text, text) != NULL, "'%s' not in '%s'", text, error.text);
}

static const char *const GOLDEN[] = {"route_response_5_5_0", "route_response_accept_standard_json",
                                     "route_response_old_version_unquoted", "route_response_4_9_7",
                                     "route_response_4_9_7_old_version_unquoted"};
enum { GOLDEN_COUNT = sizeof GOLDEN / sizeof *GOLDEN };

START_TEST(real_routes)
{
    long live = memory_live_blocks();
    struct topic_route *route = decode(golden_body(GOLDEN[_i]));
    ck_assert_uint_eq(route->broker_count, 1);
    const struct broker_data *broker = &route->brokers[0];
    ck_assert_str_eq(broker->broker_name, "broker-a");
    ck_assert_str_eq(broker->cluster, "DefaultCluster");
    ck_assert(!broker->enable_acting_master);
    ck_assert_uint_eq(broker->address_count, 1);
    ck_assert_int_eq(broker->addresses[0].broker_id, 0);
    ck_assert_str_eq(broker_data_master(broker), _i < 3 ? "127.0.0.1:27945" : "127.0.0.1:22635");
    ck_assert_uint_eq(route->queue_count, 1);
    ck_assert_str_eq(route->queues[0].broker_name, "broker-a");
    ck_assert_int_eq(route->queues[0].read_queues, 1);
    ck_assert_int_eq(route->queues[0].write_queues, 1);
    ck_assert_int_eq(route->queues[0].permission, ROUTE_PERMISSION_READ | ROUTE_PERMISSION_WRITE);
    ck_assert_ptr_null(route->order_topic_conf);
    ck_assert_ptr_eq(topic_route_ref(route), route);
    topic_route_unref(route);
    ck_assert_ptr_eq(topic_route_broker(route, SLICE_LITERAL("broker-a")), broker);
    topic_route_unref(route);
    topic_route_unref(NULL);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(both_forms_are_one_route)
{
    struct topic_route *standard = decode(golden_body(GOLDEN[0]));
    struct topic_route *unquoted = decode(golden_body(GOLDEN[2]));
    struct topic_route *other = decode(golden_body(GOLDEN[3]));
    ck_assert(topic_route_equal(standard, unquoted));
    ck_assert(topic_route_equal(standard, standard));
    ck_assert(!topic_route_equal(standard, other));
    topic_route_unref(standard);
    topic_route_unref(unquoted);
    topic_route_unref(other);
}
END_TEST

/* The broker's address stands there without brackets; taking it apart is the resolver's work. */
START_TEST(address_of_an_ipv6_broker)
{
    struct topic_route *route = decode(golden_body("route_response_ipv6_broker"));
    ck_assert_str_eq(broker_data_master(&route->brokers[0]), "::1:28985");
    ck_assert_int_eq(route->queues[0].permission, 7);
    topic_route_unref(route);
}
END_TEST

/* Java compares UTF-16 units: the emoji (D83D …) sorts before U+FF21. */
#define LARGE                                                                                      \
    "{\"brokerDatas\":["                                                                           \
    "{\"brokerAddrs\":{2:\"c:3\",10:\"c:4\",0:\"[::1]:1\",\"1\":\"c:2\"},\"brokerName\":\"b\","    \
    "\"cluster\":\"C\",\"enableActingMaster\":true,\"zoneName\":\"z\"},"                           \
    "{\"brokerAddrs\":{1:\"s:1\"},\"brokerName\":\"\xEF\xBC\xA1\",\"cluster\":\"C\"},"             \
    "{\"brokerAddrs\":{},\"brokerName\":\"\xF0\x9F\x9A\x80\"},"                                    \
    "{\"brokerAddrs\":{0:\"a:1\"},\"brokerName\":\"a\",\"cluster\":\"C\"}],"                       \
    "\"filterServerTable\":{},\"orderTopicConf\":\"b:4;a:2\",\"queueDatas\":["                     \
    "{\"brokerName\":\"b\",\"perm\":4,\"readQueueNums\":3,\"topicSysFlag\":1,\"writeQueueNums\":"  \
    "2},"                                                                                          \
    "{\"brokerName\":\"a\",\"perm\":6,\"readQueueNums\":1,\"topicSysFlag\":0,\"writeQueueNums\":"  \
    "1}"                                                                                           \
    "]}"

START_TEST(brokers_are_sorted)
{
    struct topic_route *route = decode(SLICE_LITERAL(LARGE));
    const char *const names[] = {"a", "b", "\xF0\x9F\x9A\x80", "\xEF\xBC\xA1"};
    ck_assert_uint_eq(route->broker_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(route->brokers[i].broker_name, names[i]);
        ck_assert_ptr_eq(topic_route_broker(route, slice_text(names[i])), &route->brokers[i]);
    }
    ck_assert_ptr_null(topic_route_broker(route, SLICE_LITERAL("none")));
    const struct broker_data *b = &route->brokers[1];
    ck_assert(b->enable_acting_master);
    const int ids[] = {0, 1, 2, 10};
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(b->addresses[i].broker_id, ids[i]);
    ck_assert_str_eq(b->addresses[3].address, "c:4");
    ck_assert_str_eq(broker_data_master(b), "[::1]:1");
    ck_assert_ptr_null(broker_data_master(&route->brokers[2]));
    ck_assert_ptr_null(broker_data_master(&route->brokers[3]));
    ck_assert_str_eq(route->queues[0].broker_name, "a");
    ck_assert_str_eq(route->queues[1].broker_name, "b");
    ck_assert_int_eq(route->queues[1].read_queues, 3);
    ck_assert_int_eq(route->queues[1].write_queues, 2);
    ck_assert_int_eq(route->queues[1].topic_sys_flag, 1);
    ck_assert_str_eq(route->order_topic_conf, "b:4;a:2");
    topic_route_unref(route);
}
END_TEST

START_TEST(decoding_undoes_encoding)
{
    struct topic_route *route = decode(SLICE_LITERAL(LARGE));
    struct buffer out;
    buffer_init(&out);
    topic_route_encode(route, &out);
    struct topic_route *again = decode(buffer_slice(&out));
    ck_assert(topic_route_equal(route, again));
    topic_route_unref(route);
    topic_route_unref(again);
    buffer_clear(&out);
    struct slice body = golden_body("route_response_5_5_0");
    route = decode(body);
    topic_route_encode(route, &out);
    ck_assert(slice_equal(buffer_slice(&out), body)); /* byte for byte */
    topic_route_unref(route);
    buffer_done(&out);
}
END_TEST

START_TEST(every_difference_counts)
{
    static const char *const changes[][2] = {
        {"\"c:3\"", "\"c:9\""},
        {"2:\"c:3\"", "3:\"c:3\""},
        {"2:\"c:3\",", ""},
        {"Master\":true", "Master\":false"},
        {"\"a:1\"},\"brokerName\":\"a\"", "\"a:1\"},\"brokerName\":\"aa\""},
        {"\"cluster\":\"C\"", "\"cluster\":\"D\""},
        {"b:4;a:2", "b:4"},
        {"\"orderTopicConf\":\"b:4;a:2\",", ""},
        {"\"perm\":4", "\"perm\":6"},
        {"Nums\":3", "Nums\":4"},
        {"Nums\":2", "Nums\":4"},
        {"SysFlag\":1", "SysFlag\":0"},
        {"\"b\",\"perm\"", "\"c\",\"perm\""}};
    struct topic_route *route = decode(SLICE_LITERAL(LARGE));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char text[2000] = LARGE;
        char *at = strstr(text, changes[i][0]);
        ck_assert_ptr_nonnull(at);
        size_t old = strlen(changes[i][0]), new = strlen(changes[i][1]);
        memmove(at + new, at + old, strlen(at + old) + 1);
        memcpy(at, changes[i][1], new);
        struct topic_route *other = decode(slice_text(text));
        ck_assert_msg(!topic_route_equal(route, other), "%zu: %s", i, changes[i][0]);
        ck_assert(!topic_route_equal(other, route));
        topic_route_unref(other);
    }
    topic_route_unref(route);
}
END_TEST

START_TEST(missing_parts_are_empty)
{
    struct topic_route *route = decode(SLICE_LITERAL("{}"));
    ck_assert_uint_eq(route->broker_count, 0);
    ck_assert_uint_eq(route->queue_count, 0);
    struct topic_route *again = decode(SLICE_LITERAL("{\"brokerDatas\":null,\"queueDatas\":[]}"));
    ck_assert(topic_route_equal(route, again));
    topic_route_unref(route);
    topic_route_unref(again);
}
END_TEST

START_TEST(malformed_routes)
{
    assert_bad("", "topic route: not JSON");
    assert_bad("{\"brokerDatas\":[{}]}", "without a brokerName");
    assert_bad("{\"brokerDatas\":[5]}", "without a brokerName");
    assert_bad("{\"brokerDatas\":[{\"brokerName\":\"b\",\"brokerAddrs\":{\"x\":\"y\"}}]}", "'x'");
    assert_bad("{\"brokerDatas\":[{\"brokerName\":\"b\",\"brokerAddrs\":{0:1}}]}", "'0'");
    assert_bad("{\"queueDatas\":[{}]}", "without a brokerName");
    assert_bad("{\"queueDatas\":[{\"brokerName\":\"b\",\"readQueueNums\":-1}]}", "0 to 65536");
    assert_bad("{\"queueDatas\":[{\"brokerName\":\"b\",\"writeQueueNums\":65537}]}", "65537");
}
END_TEST

/* Each broker's number is in range: it is all together that no client has room for. */
START_TEST(too_many_queues_in_all)
{
    static const char ENTRY[] =
        "{\"brokerName\":\"b\",\"perm\":6,\"readQueueNums\":1,\"writeQueueNums\":65536}";
    char body[1024] = "{\"queueDatas\":[";
    for (int i = 0; i < 5; i++) {
        strcat(body, i ? "," : "");
        strcat(body, ENTRY);
    }
    strcat(body, "]}");
    assert_bad(body, "more than 262144 queues on all brokers");
}
END_TEST

static void decode_damaged_route(struct slice damaged, void *arg)
{
    (void)arg;
    struct topic_route *route;
    mqc_status status = topic_route_decode(damaged, &route, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    topic_route_unref(route);
}

static void decode_damaged_cluster(struct slice damaged, void *arg)
{
    (void)arg;
    struct cluster_info info;
    mqc_status status = cluster_info_decode(damaged, &info, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    cluster_info_done(&info);
}

START_TEST(damaged_routes)
{
    long live = memory_live_blocks();
    damage_each(SLICE_LITERAL(LARGE), decode_damaged_route, NULL);
    damage_each(golden_body("route_response_old_version_unquoted"), decode_damaged_route, NULL);
    damage_each(golden_body("cluster_info_response"), decode_damaged_cluster, NULL);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(cluster_info)
{
    struct cluster_info info;
    assert_ok(cluster_info_decode(golden_body("cluster_info_response"), &info, &error), &error);
    ck_assert_uint_eq(info.broker_count, 1);
    ck_assert_str_eq(info.brokers[0].broker_name, "broker-a");
    ck_assert_str_eq(info.brokers[0].cluster, "DefaultCluster");
    ck_assert_str_eq(broker_data_master(&info.brokers[0]), "127.0.0.1:27945");
    cluster_info_done(&info);
    assert_ok(cluster_info_decode(golden_body("cluster_info_response_4_9_7"), &info, &error),
              &error);
    ck_assert_uint_eq(info.broker_count, 1);
    cluster_info_done(&info);

    struct slice two = SLICE_LITERAL("{\"brokerAddrTable\":{\"b\":{\"brokerAddrs\":{1:\"x:1\"}},"
                                     "\"a\":{\"brokerAddrs\":{0:\"y:1\"},\"cluster\":\"C\"}}}");
    assert_ok(cluster_info_decode(two, &info, &error), &error);
    ck_assert_uint_eq(info.broker_count, 2);
    ck_assert_str_eq(info.brokers[0].broker_name, "a");
    ck_assert_str_eq(info.brokers[1].broker_name, "b");
    cluster_info_done(&info);
    ck_assert_uint_eq(info.broker_count, 0);
}
END_TEST

START_TEST(no_memory)
{
    long live = memory_live_blocks();
    long nth = 1;
    for (mqc_status status = MQC_NO_MEMORY; status != MQC_OK; nth++) {
        struct topic_route *route;
        memory_fail_from(nth);
        status = topic_route_decode(SLICE_LITERAL(LARGE), &route, &error);
        memory_fail_from(0);
        if (status != MQC_OK) ck_assert_int_eq(status, MQC_NO_MEMORY);
        topic_route_unref(route);
        ck_assert_int_eq(memory_live_blocks(), live);
    }
    ck_assert_int_gt(nth, 20);
    nth = 1;
    for (mqc_status status = MQC_NO_MEMORY; status != MQC_OK; nth++) {
        struct cluster_info info;
        memory_fail_from(nth);
        status = cluster_info_decode(golden_body("cluster_info_response"), &info, NULL);
        memory_fail_from(0);
        cluster_info_done(&info);
        ck_assert_int_eq(memory_live_blocks(), live);
    }
    ck_assert_int_gt(nth, 6);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("topic_route");
    TCase *golden = tcase_create("golden");
    tcase_set_timeout(golden, 60);
    tcase_add_loop_test(golden, real_routes, 0, GOLDEN_COUNT);
    suite_add_tcase(s, golden);
    UNIT_CASE(s, "routes", both_forms_are_one_route, address_of_an_ipv6_broker, brokers_are_sorted,
              decoding_undoes_encoding, every_difference_counts, missing_parts_are_empty,
              malformed_routes, too_many_queues_in_all, damaged_routes, no_memory);
    UNIT_CASE(s, "cluster", cluster_info);
    return s;
}
TEST_MAIN(suite)
