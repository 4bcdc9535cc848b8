/* Brokers and name servers. */
#include "test/contract/admins.h"

#define SETTING "recallMessageEnable"

/* The first broker; its address lives as long as the result. */
static const mqc_broker *first_broker(mqc_admin *admin, const mqc_brokers **brokers)
{
    mqc_error error;
    ck_ok(mqc_admin_brokers(admin, NULL, brokers, &error));
    ck_assert_uint_ge((*brokers)->count, 1);
    return (*brokers)->brokers[0];
}

START_TEST(test_brokers)
{
    mqc_error error;
    const mqc_brokers *brokers, *same;
    mqc_admin *admin = admins_new();
    const mqc_broker *broker = first_broker(admin, &brokers);
    ck_assert_str_eq(broker->cluster, "DefaultCluster");
    ck_assert_str_eq(broker->broker_name, "broker-a");
    ck_assert_int_eq(broker->broker_id, 0);
    ck_assert_ptr_nonnull(strchr(broker->address, ':'));
    ck_ok(mqc_admin_brokers(admin, "DefaultCluster", &same, &error));
    ck_assert_uint_eq(same->count, brokers->count);
    mqc_admin_result_free(same);
    mqc_admin_result_free(brokers);
    ck_fails(mqc_admin_brokers(admin, "NoCluster", &brokers, &error), MQC_NOT_FOUND, "NoCluster");
    mqc_admin_free(admin);
}
END_TEST

struct growth {
    mqc_admin *admin;
    const char *address;
    int64_t more_than;
};

static bool has_grown(void *arg)
{
    struct growth *growth = arg;
    mqc_error error;
    const mqc_broker_status *status;
    ck_ok(mqc_admin_broker_status(growth->admin, growth->address, &status, &error));
    bool grown = status->put_today > growth->more_than;
    mqc_admin_result_free(status);
    return grown;
}

START_TEST(test_figures)
{
    mqc_error error;
    const mqc_brokers *brokers;
    const mqc_broker_status *status;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const mqc_broker *broker = first_broker(admin, &brokers);
    ck_ok(mqc_admin_broker_status(admin, broker->address, &status, &error));
    ck_assert_str_eq(status->version, "V5_5_0");
    ck_assert(status->active);
    ck_assert_int_gt(status->boot_unix_ms, 0);
    ck_assert_str_eq(mqc_settings_value(status->all, "brokerVersionDesc"), "V5_5_0");
    struct growth growth = {admin, broker->address, status->put_today};
    mqc_admin_result_free(status);
    contract_send(producer, contract_topic(1), "body");
    contract_await("one more message today", has_grown, &growth);
    ck_fails(mqc_admin_broker_status(admin, "nowhere", &status, &error), MQC_BAD_ARGUMENT,
             "nowhere");
    mqc_admin_result_free(brokers);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_settings)
{
    mqc_error error;
    const mqc_brokers *brokers;
    const mqc_settings *settings;
    mqc_admin *admin = admins_new();
    const mqc_broker *broker = first_broker(admin, &brokers);
    ck_ok(mqc_admin_broker_config(admin, broker->address, &settings, &error));
    ck_assert_str_eq(mqc_settings_value(settings, "brokerName"), "broker-a");
    ck_assert_str_eq(mqc_settings_value(settings, "brokerClusterName"), "DefaultCluster");
    bool before = strcmp(mqc_settings_value(settings, SETTING), "true") == 0;
    mqc_admin_result_free(settings);
    const char *value = before ? "false" : "true";
    ck_ok(mqc_admin_set_broker_config(admin, broker->address, SETTING, value, &error));
    ck_ok(mqc_admin_broker_config(admin, broker->address, &settings, &error));
    ck_assert_str_eq(mqc_settings_value(settings, SETTING), value);
    mqc_admin_result_free(settings);
    value = before ? "true" : "false";
    ck_ok(mqc_admin_set_broker_config(admin, broker->address, SETTING, value, &error));
    ck_fails(mqc_admin_set_broker_config(admin, broker->address, "noSuchSetting", "1", &error),
             MQC_NOT_FOUND, "noSuchSetting");
    ck_fails(mqc_admin_set_broker_config(admin, broker->address, "a=b", "c", &error),
             MQC_BAD_ARGUMENT, "setting");
    ck_fails(mqc_admin_set_broker_config(admin, broker->address, "a", "b\nc=d", &error),
             MQC_BAD_ARGUMENT, "one line");
    mqc_admin_result_free(brokers);
    mqc_admin_free(admin);
}
END_TEST

static bool note_permission(const mqc_topic_route_entry *entry, void *arg)
{
    *(int *)arg = entry->permission;
    return true;
}

START_TEST(test_write_permission)
{
    mqc_error error;
    int topics = -1, permission = 0;
    mqc_admin *admin = admins_new();
    const char *topic = contract_topic(1);
    ck_ok(mqc_admin_set_broker_writable(admin, "broker-a", false, &topics, &error));
    ck_assert_int_ge(topics, 1);
    ck_ok(mqc_admin_each_route(admin, topic, note_permission, &permission, &error));
    ck_assert_int_eq(permission, MQC_PERMISSION_READ);
    ck_ok(mqc_admin_set_broker_writable(admin, "broker-a", true, NULL, &error));
    ck_ok(mqc_admin_each_route(admin, topic, note_permission, &permission, &error));
    ck_assert_int_eq(permission, MQC_PERMISSION_READ | MQC_PERMISSION_WRITE);
    ck_fails(mqc_admin_set_broker_writable(admin, "broker-z", true, &topics, &error), MQC_NOT_FOUND,
             "broker-z");
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_name_servers)
{
    mqc_error error;
    const mqc_name_list *servers;
    const mqc_settings *settings;
    mqc_admin *admin = admins_new();
    ck_ok(mqc_admin_name_servers(admin, &servers, &error));
    ck_assert_uint_ge(servers->count, 1);
    ck_ok(mqc_admin_name_server_config(admin, servers->names[0], &settings, &error));
    ck_assert_ptr_nonnull(mqc_settings_value(settings, "listenPort"));
    mqc_admin_result_free(settings);
    ck_ok(mqc_admin_name_server_config(admin, NULL, &settings, &error));
    mqc_admin_result_free(settings);
    mqc_admin_result_free(servers);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_keys)
{
    mqc_error error;
    const mqc_settings *settings;
    mqc_admin *admin = admins_new();
    const char *space = contract_name("space");
    ck_ok(mqc_admin_kv_list(admin, space, &settings, &error));
    ck_assert_uint_eq(settings->count, 0);
    mqc_admin_result_free(settings);
    ck_fails(mqc_admin_kv_get(admin, space, "b", &settings, &error), MQC_NOT_FOUND, space);
    ck_ok(mqc_admin_kv_put(admin, space, "b", "x=y;z", &error));
    ck_ok(mqc_admin_kv_put(admin, space, "a", "1", &error));
    ck_ok(mqc_admin_kv_get(admin, space, "b", &settings, &error));
    ck_assert_str_eq(settings->settings[0]->value, "x=y;z");
    mqc_admin_result_free(settings);
    ck_ok(mqc_admin_kv_list(admin, space, &settings, &error));
    ck_assert_uint_eq(settings->count, 2);
    ck_assert_str_eq(settings->settings[0]->name, "a");
    mqc_admin_result_free(settings);
    ck_ok(mqc_admin_kv_delete(admin, space, "b", &error));
    ck_fails(mqc_admin_kv_get(admin, space, "b", &settings, &error), MQC_NOT_FOUND, "b");
    ck_fails(mqc_admin_kv_put(admin, space, "", "1", &error), MQC_BAD_ARGUMENT, "key");
    ck_fails(mqc_admin_kv_put(admin, space, "c", NULL, &error), MQC_BAD_ARGUMENT, "NULL");
    mqc_admin_free(admin);
}
END_TEST

CONTRACT_MAIN("admin of clusters", test_brokers, test_figures, test_settings, test_write_permission,
              test_name_servers, test_keys)
