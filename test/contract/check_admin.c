/* Looking after topics. */
#include <stdio.h>

#include "test/contract/collector.h"

static mqc_admin *new_admin(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    return admin;
}

/* What a route says, with copies of what is valid during the visit only. */
struct route {
    int entries, read_queues, write_queues, permission, slaves;
    char broker_name[64], cluster[64], master[64];
};

static bool take_entry(const mqc_topic_route_entry *entry, void *arg)
{
    struct route *route = arg;
    route->entries++;
    route->read_queues = entry->read_queues;
    route->write_queues = entry->write_queues;
    route->permission = entry->permission;
    route->slaves = entry->slaves;
    snprintf(route->broker_name, sizeof route->broker_name, "%s", entry->broker_name);
    snprintf(route->cluster, sizeof route->cluster, "%s", entry->cluster);
    snprintf(route->master, sizeof route->master, "%s",
             entry->master_address ? entry->master_address : "");
    return true;
}

static struct route route_of(mqc_admin *admin, const char *topic)
{
    mqc_error error;
    struct route route = {0};
    ck_ok(mqc_admin_each_route(admin, topic, take_entry, &route, &error));
    return route;
}

struct search {
    const char *topic;
    int found, visited, most;
};

static bool find_topic(const char *topic, void *arg)
{
    struct search *search = arg;
    search->found += strcmp(topic, search->topic) == 0;
    return ++search->visited != search->most;
}

static int times_listed(mqc_admin *admin, const char *topic)
{
    mqc_error error;
    struct search search = {.topic = topic};
    ck_ok(mqc_admin_each_topic(admin, find_topic, &search, &error));
    return search.found;
}

START_TEST(test_created_with_defaults)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    const char *topic = contract_name("topic");
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, NULL, &error));
    struct route route = route_of(admin, topic); /* at once */
    ck_assert_int_eq(route.entries, 1);
    ck_assert_int_eq(route.read_queues, 8);
    ck_assert_int_eq(route.write_queues, 8);
    ck_assert_int_eq(route.permission, MQC_PERMISSION_READ | MQC_PERMISSION_WRITE);
    ck_assert_int_eq(route.slaves, 0);
    ck_assert_str_eq(route.broker_name, "broker-a");
    ck_assert_str_eq(route.cluster, "DefaultCluster");
    ck_assert_ptr_nonnull(strchr(route.master, ':'));
    mqc_admin_free(admin);
}
END_TEST

struct wish {
    mqc_admin *admin;
    const char *topic;
    int read_queues;
};

static bool has_read_queues(void *arg)
{
    struct wish *wish = arg;
    return route_of(wish->admin, wish->topic).read_queues == wish->read_queues;
}

START_TEST(test_created_as_wished_and_changed)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    const char *topic = contract_name("topic");
    mqc_topic_options options = {.read_queues = 3, .write_queues = 2};
    ck_ok(mqc_admin_create_topic(admin, "DefaultCluster", topic, &options, &error));
    struct route route = route_of(admin, topic);
    ck_assert_int_eq(route.read_queues, 3);
    ck_assert_int_eq(route.write_queues, 2);
    options = (mqc_topic_options){.read_queues = 5, .write_queues = 5};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    struct wish wish = {admin, topic, 5};
    contract_await("the changed route", has_read_queues, &wish);
    ck_assert_int_eq(route_of(admin, topic).write_queues, 5);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_list_and_delete)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    const char *kept = contract_topic(1), *deleted = contract_topic(1);
    ck_assert_int_eq(times_listed(admin, kept), 1);
    ck_assert_int_eq(times_listed(admin, deleted), 1);
    ck_assert_int_eq(times_listed(admin, "TBW102"), 1); /* the system's own too */
    ck_ok(mqc_admin_delete_topic(admin, NULL, deleted, &error));
    ck_assert_int_eq(times_listed(admin, kept), 1);
    ck_assert_int_eq(times_listed(admin, deleted), 0);
    struct route route = {0};
    ck_fails(mqc_admin_each_route(admin, deleted, take_entry, &route, &error), MQC_NO_ROUTE,
             deleted);
    ck_assert_int_eq(route.entries, 0);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_a_visit_ends_when_told)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    struct search search = {.topic = "", .most = 2};
    ck_ok(mqc_admin_each_topic(admin, find_topic, &search, &error));
    ck_assert_int_eq(search.visited, 2);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_deleted_topic_loses_its_messages)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1);
    mqc_topic_options one = {.read_queues = 1, .write_queues = 1};
    contract_send(producer, topic, "old");
    ck_ok(mqc_admin_delete_topic(admin, NULL, topic, &error));
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &one, &error));
    mqc_send_result result = contract_send(producer, topic, "new");
    ck_assert_int_eq(result.queue_offset, 0);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_read_only_topic)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    const char *topic = contract_name("topic");
    mqc_topic_options options = {
        .read_queues = 1, .write_queues = 1, .permission = MQC_PERMISSION_READ};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    ck_assert_int_eq(route_of(admin, topic).permission, MQC_PERMISSION_READ);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(topic, "body", 4);
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_NO_ROUTE, topic);
    mqc_message_free(message);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_bad_requests)
{
    mqc_error error;
    mqc_admin *admin = new_admin();
    struct route route = {0};
    const char *topic = contract_name("topic");
    mqc_topic_options negative = {.read_queues = -1};
    ck_fails(mqc_admin_create_topic(admin, NULL, "a b", NULL, &error), MQC_BAD_ARGUMENT, "a b",
             "letters");
    ck_fails(mqc_admin_create_topic(admin, NULL, "", NULL, &error), MQC_BAD_ARGUMENT, "topic");
    ck_fails(mqc_admin_create_topic(admin, NULL, topic, &negative, &error), MQC_BAD_ARGUMENT, "-1");
    ck_fails(mqc_admin_create_topic(admin, "NoCluster", topic, NULL, &error), MQC_NOT_FOUND,
             "NoCluster");
    ck_fails(mqc_admin_delete_topic(admin, "NoCluster", topic, &error), MQC_NOT_FOUND, "NoCluster");
    ck_fails(mqc_admin_delete_topic(admin, NULL, "a b", &error), MQC_BAD_ARGUMENT, "a b");
    ck_fails(mqc_admin_each_route(admin, topic, take_entry, &route, &error), MQC_NO_ROUTE, topic);
    ck_fails(mqc_admin_each_route(admin, "a b", take_entry, &route, &error), MQC_BAD_ARGUMENT,
             "a b");
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_nobody_there)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9", .request_timeout_ms = 1000};
    struct route route = {0};
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    ck_fails(mqc_admin_each_route(admin, "topic", take_entry, &route, &error), MQC_NO_CONNECTION,
             "127.0.0.1:9");
    mqc_admin_free(admin);
}
END_TEST

CONTRACT_MAIN("admin", test_created_with_defaults, test_created_as_wished_and_changed,
              test_list_and_delete, test_a_visit_ends_when_told,
              test_deleted_topic_loses_its_messages, test_read_only_topic, test_bad_requests,
              test_nobody_there)
