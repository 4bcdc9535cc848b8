/* See admins.h. */
#include "test/contract/admins.h"

mqc_admin *admins_new(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    return admin;
}

mqc_client_options admins_hasty_client(void)
{
    mqc_client_options client = contract_client();
    client.persist_offsets_ms = 100;
    return client;
}

struct wish {
    mqc_admin *admin;
    const char *group, *topic;
    int64_t lag;
    size_t count;
};

static bool has_lag(void *arg)
{
    struct wish *wish = arg;
    const mqc_group_progress *progress;
    mqc_error error;
    mqc_status status =
        mqc_admin_group_progress(wish->admin, wish->group, wish->topic, 0, &progress, &error);
    if (status == MQC_NOT_FOUND) return false;
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    bool as_wished = wish->lag < 0 || progress->lag == wish->lag;
    mqc_admin_result_free(progress);
    return as_wished;
}

void admins_await_lag(mqc_admin *admin, const char *group, const char *topic, int64_t lag)
{
    struct wish wish = {.admin = admin, .group = group, .topic = topic, .lag = lag};
    contract_await("the group's lag", has_lag, &wish);
}

static bool has_members(void *arg)
{
    struct wish *wish = arg;
    const mqc_group_members *members;
    mqc_error error;
    mqc_status status = mqc_admin_group_members(wish->admin, wish->group, &members, &error);
    if (status == MQC_NOT_FOUND) return wish->count == 0;
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    bool as_wished = members->count == wish->count;
    mqc_admin_result_free(members);
    return as_wished;
}

void admins_await_members(mqc_admin *admin, const char *group, size_t count)
{
    struct wish wish = {.admin = admin, .group = group, .count = count};
    contract_await("the group's members", has_members, &wish);
}

static bool has_messages(void *arg)
{
    struct wish *wish = arg;
    const mqc_topic_status *status;
    mqc_error error;
    ck_ok(mqc_admin_topic_status(wish->admin, wish->topic, &status, &error));
    bool as_wished = status->messages == (int64_t)wish->count;
    mqc_admin_result_free(status);
    return as_wished;
}

void admins_await_messages(mqc_admin *admin, const char *topic, int64_t count)
{
    struct wish wish = {.admin = admin, .topic = topic, .count = (size_t)count};
    contract_await("the messages in their queues", has_messages, &wish);
}

void admins_consume(const char *group, const char *topic, size_t count)
{
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.group = group,
                                         .from = MQC_FROM_FIRST,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0)};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, count);
    contract_consumer_end(consumer);
    collector_free(collector);
}

bool admins_has_name(const mqc_name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0) return true;
    return false;
}
