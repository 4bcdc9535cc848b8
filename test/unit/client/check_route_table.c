/* Routes turned into queues and addresses, in the forms that real brokers send. */
#include "lib/client/route_table.h"

#include "lib/base/memory.h"
#include "test/unit/unit.h"

#define BROKER(name, addresses)                                                                    \
    "{\"brokerName\":\"" name "\",\"cluster\":\"c\",\"brokerAddrs\":{" addresses "}}"
#define QUEUES(name, read, write, perm)                                                            \
    "{\"brokerName\":\"" name "\",\"readQueueNums\":" #read ",\"writeQueueNums\":" #write          \
    ",\"perm\":" #perm ",\"topicSysFlag\":0}"
#define ROUTE(brokers, queues) "{\"brokerDatas\":[" brokers "],\"queueDatas\":[" queues "]}"

static struct intern names;
static struct route_table table;

static void set_up(void)
{
    intern_init(&names);
    route_table_init(&table, &names);
}

static void tear_down(void)
{
    route_table_done(&table);
    intern_done(&names);
}

static bool put(const char *topic, const char *json, int max_queues)
{
    struct topic_route *route;
    bool changed = false;
    ck_assert_int_eq(topic_route_decode(slice_text(json), &route, NULL), MQC_OK);
    ck_assert_int_eq(route_table_put(&table, topic, route, max_queues, &changed, NULL), MQC_OK);
    topic_route_unref(route);
    return changed;
}

static const char two_brokers[] = ROUTE(
    BROKER("b", "\"0\":\"2.2.2.2:1\",\"1\":\"3.3.3.3:1\"") "," BROKER("a", "\"0\":\"1.1.1.1:1\""),
    QUEUES("b", 3, 2, 6) "," QUEUES("a", 1, 4, 6));

START_TEST(queues_are_in_javas_order)
{
    ck_assert(put("t", two_brokers, 0));
    struct topic_queues *queues = route_table_get(&table, "t");
    ck_assert_uint_eq(queues->publish_count, 6);
    ck_assert_uint_eq(queues->subscribe_count, 4);
    ck_assert_str_eq(queues->publish[0].broker_name, "a");
    ck_assert_int_eq(queues->publish[3].queue_id, 3);
    ck_assert_str_eq(queues->publish[4].broker_name, "b");
    ck_assert_str_eq(queues->subscribe[1].broker_name, "b");
    ck_assert_ptr_eq(queues->publish[0].topic, queues->subscribe[0].topic);
    topic_queues_unref(queues);
}
END_TEST

START_TEST(permissions_and_masters_count)
{
    put("t",
        ROUTE(BROKER("a", "\"0\":\"1.1.1.1:1\"") "," BROKER("b", "\"1\":\"2.2.2.2:1\"") "," BROKER(
                  "c", "\"0\":\"3.3.3.3:1\""),
              QUEUES("a", 2, 2, 4) "," QUEUES("b", 2, 2, 6) "," QUEUES("c", 2, 2, 2)),
        0);
    struct topic_queues *queues = route_table_get(&table, "t");
    /* a is read only, b has no master to write to, c is write only. */
    ck_assert_uint_eq(queues->publish_count, 2);
    ck_assert_str_eq(queues->publish[0].broker_name, "c");
    ck_assert_uint_eq(queues->subscribe_count, 4);
    ck_assert_str_eq(queues->subscribe[0].broker_name, "a");
    ck_assert_str_eq(queues->subscribe[2].broker_name, "b");
    topic_queues_unref(queues);
}
END_TEST

START_TEST(the_default_topics_route_gives_way_to_a_real_one)
{
    ck_assert(put("new", two_brokers, 2));
    struct topic_queues *queues = route_table_get(&table, "new");
    ck_assert(queues->from_default_topic);
    ck_assert_uint_eq(queues->publish_count, 3); /* a has 1 read queue, b 3: at most 2 */
    ck_assert_uint_eq(queues->subscribe_count, 0);
    topic_queues_unref(queues);
    ck_assert(put("new", two_brokers, 0));
    ck_assert(!put("new", two_brokers, 2));
    queues = route_table_get(&table, "new");
    ck_assert(!queues->from_default_topic);
    topic_queues_unref(queues);
}
END_TEST

START_TEST(the_same_route_is_no_change)
{
    ck_assert(put("t", two_brokers, 0));
    ck_assert(!put("t", two_brokers, 0));
    ck_assert(put("t", ROUTE(BROKER("a", "\"0\":\"1.1.1.1:1\""), QUEUES("a", 1, 1, 6)), 0));
}
END_TEST

START_TEST(an_ordered_topic_keeps_its_list)
{
    put("t",
        "{\"orderTopicConf\":\"b:2;gone:1\",\"brokerDatas\":[" BROKER(
            "b", "\"0\":\"1.1.1.1:1\"") "],"
                                        "\"queueDatas\":[" QUEUES("b", 8, 8, 6) "]}",
        0);
    struct topic_queues *queues = route_table_get(&table, "t");
    ck_assert_uint_eq(queues->publish_count, 3);
    ck_assert_str_eq(queues->publish[2].broker_name, "gone");
    topic_queues_unref(queues);
}
END_TEST

START_TEST(addresses_are_found)
{
    char address[ADDRESS_TEXT_BYTES];
    bool slave;
    put("t", two_brokers, 0);
    ck_assert(route_table_master(&table, "b", address));
    ck_assert_str_eq(address, "2.2.2.2:1");
    ck_assert(!route_table_master(&table, "nobody", address));
    ck_assert(route_table_readable(&table, "b", 1, address, &slave));
    ck_assert_str_eq(address, "3.3.3.3:1");
    ck_assert(slave);
    ck_assert(route_table_readable(&table, "b", 7, address, &slave));
    ck_assert_str_eq(address, "2.2.2.2:1");
    ck_assert(!slave);
    ck_assert(route_table_any_of_topic(&table, "t", false, address));
    ck_assert(!route_table_any_of_topic(&table, "unknown", false, address));
    ck_assert_str_eq(route_table_broker_at(&table, "3.3.3.3:1"), "b");
    ck_assert_ptr_null(route_table_broker_at(&table, "9.9.9.9:1"));
    struct name_list list;
    ck_assert_int_eq(route_table_addresses(&table, false, &list, NULL), MQC_OK);
    ck_assert_uint_eq(list.count, 3);
    name_list_done(&list);
    ck_assert_int_eq(route_table_addresses(&table, true, &list, NULL), MQC_OK);
    ck_assert_uint_eq(list.count, 2);
    name_list_done(&list);
}
END_TEST

START_TEST(slaves_are_found)
{
    char address[ADDRESS_TEXT_BYTES];
    bool slave = true;
    put("t",
        ROUTE(BROKER("a", "\"0\":\"1.1.1.1:1\",\"2\":\"3.3.3.3:1\",\"4\":\"5.5.5.5:1\""),
              QUEUES("a", 1, 1, 6)),
        0);
    ck_assert(route_table_readable(&table, "a", 1, address, &slave));
    ck_assert_str_eq(address, "3.3.3.3:1"); /* the next one, as Java looks for slaves */
    ck_assert(slave);
    ck_assert(route_table_readable(&table, "a", 5, address, &slave));
    ck_assert_str_eq(address, "1.1.1.1:1");
    ck_assert(!slave);
    ck_assert_int_eq(route_table_other_id(&table, "a", 0), 2);
    ck_assert_int_eq(route_table_other_id(&table, "a", 2), 4);
    ck_assert_int_eq(route_table_other_id(&table, "a", 4), 0);
    ck_assert_int_eq(route_table_other_id(&table, "nobody", 0), 0);
    put("t", ROUTE(BROKER("a", "\"2\":\"3.3.3.3:1\""), QUEUES("a", 1, 1, 6)), 0);
    ck_assert(route_table_readable(&table, "a", 0, address, &slave));
    ck_assert_str_eq(address, "3.3.3.3:1");
    ck_assert(slave);
    ck_assert_int_eq(route_table_other_id(&table, "a", 0), 2);
    ck_assert_int_eq(route_table_other_id(&table, "a", 2), 2);
}
END_TEST

START_TEST(queues_of_a_static_topic)
{
    put("t",
        "{\"brokerDatas\":[" BROKER("a", "\"0\":\"1.1.1.1:1\"") "," BROKER(
            "b",
            "\"1\":\"2.2.2.2:1\"") "],\"queueDatas\":[" QUEUES("a", 3, 3,
                                                               6) "],\"topicQueueMappingByBroker\":"
                                                                  "{\"a\":{\"bname\":\"a\","
                                                                  "\"currIdMap\":{\"0\":2,"
                                                                  "\"2\":1},\"epoch\":1,"
                                                                  "\"totalQueues\":4},\"b\":{"
                                                                  "\"bname\":\"b\",\"currIdMap\":"
                                                                  "{\"1\":0},\"epoch\":1,"
                                                                  "\"totalQueues\":4}}}",
        0);
    struct topic_queues *queues = route_table_get(&table, "t");
    ck_assert_uint_eq(queues->subscribe_count, 4); /* also what nobody has */
    ck_assert_uint_eq(queues->publish_count, 2);   /* a broker without master has one */
    ck_assert_int_eq(queues->publish[1].queue_id, 2);
    for (int i = 0; i < 4; i++) {
        static const char *const HOSTS[] = {"a", "b", "a", "__syslo__none__"};
        const mqc_message_queue *queue = &queues->subscribe[i];
        ck_assert_str_eq(queue->broker_name, "__syslo__global__");
        ck_assert_int_eq(queue->queue_id, i);
        ck_assert_str_eq(route_table_host(&table, "t", queue->broker_name, i), HOSTS[i]);
    }
    topic_queues_unref(queues);
    ck_assert_ptr_null(route_table_host(&table, "t", "__syslo__global__", 4));
    ck_assert_ptr_null(route_table_host(&table, "unknown", "__syslo__global__", 0));
    ck_assert_str_eq(route_table_host(&table, "unknown", "a", 0), "a");
    char address[ADDRESS_TEXT_BYTES];
    ck_assert(!route_table_master(&table, NULL, address));
}
END_TEST

START_TEST(news_of_brokers)
{
    ck_assert_uint_eq(route_table_broker_news(&table, "b"), 0);
    put("t", two_brokers, 0);
    uint64_t first = route_table_broker_news(&table, "b");
    uint64_t other = route_table_broker_news(&table, "a");
    ck_assert_uint_ne(first, 0);
    put("t", two_brokers, 0); /* the same again is no news */
    route_table_broker_opened(&table, "9.9.9.9:1");
    ck_assert_uint_eq(route_table_broker_news(&table, "b"), first);
    route_table_broker_opened(&table, "3.3.3.3:1"); /* its slave */
    uint64_t second = route_table_broker_news(&table, "b");
    ck_assert_uint_ne(second, first);
    put("t",
        ROUTE(BROKER("b", "\"1\":\"3.3.3.3:1\"") "," BROKER("a", "\"0\":\"1.1.1.1:1\""),
              QUEUES("b", 3, 2, 6) "," QUEUES("a", 1, 4, 6)),
        0);
    ck_assert_uint_ne(route_table_broker_news(&table, "b"), second);
    ck_assert_uint_eq(route_table_broker_news(&table, "a"), other);
}
END_TEST

START_TEST(the_steadiest_broker_is_the_one_that_answers_for_longest)
{
    char address[ADDRESS_TEXT_BYTES];
    put("t", two_brokers, 0);
    ck_assert(!route_table_any_of_topic(&table, "unknown", true, address));
    route_table_broker_opened(&table, "2.2.2.2:1");
    route_table_broker_opened(&table, "1.1.1.1:1");
    ck_assert(route_table_any_of_topic(&table, "t", true, address));
    ck_assert_str_eq(address, "2.2.2.2:1");
    route_table_broker_silent(&table, "2.2.2.2:1");
    put("t", two_brokers, 0); /* a new route does not forget */
    ck_assert(route_table_any_of_topic(&table, "t", true, address));
    ck_assert_str_eq(address, "1.1.1.1:1");
    route_table_broker_opened(&table, "1.1.1.1:1"); /* it was restarted */
    ck_assert(route_table_any_of_topic(&table, "t", true, address));
    ck_assert_str_eq(address, "2.2.2.2:1");
}
END_TEST

START_TEST(brokers_without_a_topic_are_forgotten)
{
    char address[ADDRESS_TEXT_BYTES];
    put("t", two_brokers, 0);
    put("t", ROUTE(BROKER("a", "\"0\":\"1.1.1.1:1\""), QUEUES("a", 1, 1, 6)), 0);
    ck_assert(route_table_master(&table, "b", address));
    route_table_clean_brokers(&table);
    ck_assert(!route_table_master(&table, "b", address));
    ck_assert(route_table_master(&table, "a", address));
}
END_TEST

START_TEST(a_wanted_topic_is_listed_before_it_has_a_route)
{
    struct name_list list;
    ck_assert_int_eq(route_table_want(&table, "soon", NULL), MQC_OK);
    ck_assert_ptr_null(route_table_get(&table, "soon"));
    ck_assert_int_eq(route_table_topics(&table, &list, NULL), MQC_OK);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.names[0], "soon");
    name_list_done(&list);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("route_table");
    TCase *routes = tcase_create("routes");
    tcase_add_checked_fixture(routes, set_up, tear_down);
    tcase_add_test(routes, queues_are_in_javas_order);
    tcase_add_test(routes, permissions_and_masters_count);
    tcase_add_test(routes, the_default_topics_route_gives_way_to_a_real_one);
    tcase_add_test(routes, the_same_route_is_no_change);
    tcase_add_test(routes, an_ordered_topic_keeps_its_list);
    tcase_add_test(routes, addresses_are_found);
    tcase_add_test(routes, slaves_are_found);
    tcase_add_test(routes, queues_of_a_static_topic);
    tcase_add_test(routes, news_of_brokers);
    tcase_add_test(routes, the_steadiest_broker_is_the_one_that_answers_for_longest);
    tcase_add_test(routes, brokers_without_a_topic_are_forgotten);
    tcase_add_test(routes, a_wanted_topic_is_listed_before_it_has_a_route);
    suite_add_tcase(suite, routes);
    return suite;
}

TEST_MAIN(suite)
