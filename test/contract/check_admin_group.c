/* Consumer groups from outside. */
#include "test/contract/admins.h"

START_TEST(test_life_of_a_group)
{
    mqc_error error;
    const mqc_group_configs *configs;
    const mqc_name_list *groups;
    mqc_admin *admin = admins_new();
    const char *group = contract_name("group");
    mqc_group_options options = {.retry_max_times = 3, .consume = -1};
    ck_fails(mqc_admin_group_config(admin, group, &configs, &error), MQC_NOT_FOUND, group);
    ck_fails(mqc_admin_update_group(admin, NULL, group, &options, &error), MQC_NOT_FOUND,
             "create it");
    ck_ok(mqc_admin_create_group(admin, NULL, group, &options, &error));
    ck_ok(mqc_admin_groups(admin, "DefaultCluster", &groups, &error));
    ck_assert(admins_has_name(groups, group));
    mqc_admin_result_free(groups);
    options = (mqc_group_options){.retry_queues = 2};
    ck_ok(mqc_admin_update_group(admin, NULL, group, &options, &error));
    ck_ok(mqc_admin_group_config(admin, group, &configs, &error));
    ck_assert_uint_eq(configs->count, 1);
    const mqc_group_config *config = configs->configs[0];
    ck_assert_str_eq(config->group, group);
    ck_assert_str_eq(config->broker_name, "broker-a");
    ck_assert_int_eq(config->retry_max_times, 3);
    ck_assert_int_eq(config->retry_queues, 2);
    ck_assert(!config->consume && config->broadcast && !config->ordered);
    ck_assert_str_eq(mqc_settings_value(config->settings, "retryMaxTimes"), "3");
    mqc_admin_result_free(configs);
    ck_ok(mqc_admin_delete_group(admin, NULL, group, false, &error));
    ck_ok(mqc_admin_groups(admin, NULL, &groups, &error));
    ck_assert(!admins_has_name(groups, group));
    mqc_admin_result_free(groups);
    ck_ok(mqc_admin_delete_group(admin, NULL, group, false, &error)); /* is gone already */
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_progress_and_its_end)
{
    mqc_error error;
    const mqc_group_progress *progress;
    const mqc_name_list *topics;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(2), *group = contract_name("group");
    mqc_message_queue first = contract_queue(topic, 0), second = contract_queue(topic, 1);
    ck_fails(mqc_admin_group_progress(admin, group, NULL, 0, &progress, &error), MQC_NOT_FOUND,
             group);
    for (int i = 0; i < 3; i++) contract_send_to(producer, &first, "body");
    contract_send_to(producer, &second, "body");
    admins_consume(group, topic, 4);
    for (int i = 0; i < 5; i++) contract_send_to(producer, &second, "body");
    admins_await_lag(admin, group, topic, 5);
    ck_ok(mqc_admin_group_progress(admin, group, topic, 0, &progress, &error));
    ck_assert_uint_eq(progress->count, 2);
    ck_assert_int_eq(progress->queues[0]->broker_offset, 3);
    ck_assert_int_eq(progress->queues[0]->consumer_offset, 3);
    ck_assert_int_eq(progress->queues[0]->lag, 0);
    ck_assert_int_gt(progress->queues[0]->last_unix_ms, 0);
    ck_assert_int_eq(progress->queues[1]->broker_offset, 6);
    ck_assert_int_eq(progress->queues[1]->consumer_offset, 1);
    ck_assert_int_eq(progress->queues[1]->lag, 5);
    ck_assert_ptr_null(progress->queues[1]->client_id);
    mqc_admin_result_free(progress);
    ck_ok(mqc_admin_group_topics(admin, group, &topics, &error));
    ck_assert(admins_has_name(topics, topic));
    mqc_admin_result_free(topics);
    ck_ok(mqc_admin_delete_group(admin, NULL, group, false, &error));
    ck_fails(mqc_admin_group_progress(admin, group, NULL, 0, &progress, &error), MQC_NOT_FOUND,
             group);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

/* A member online: who it is, what it says, and which queues it has. */
struct info_wish {
    mqc_admin *admin;
    const char *group, *client_id;
    size_t queues;
    const mqc_running_info *info;
};

static bool has_queues(void *arg)
{
    struct info_wish *wish = arg;
    mqc_error error;
    if (wish->info) mqc_admin_result_free(wish->info);
    ck_ok(mqc_admin_running_info(wish->admin, wish->group, wish->client_id, false, &wish->info,
                                 &error));
    return wish->info->queue_count == wish->queues;
}

/* A member gets its queues one after the other. */
static const mqc_running_info *await_info(mqc_admin *admin, const char *group,
                                          const char *client_id, size_t queues)
{
    struct info_wish wish = {admin, group, client_id, queues, NULL};
    contract_await("a member with its queues", has_queues, &wish);
    return wish.info;
}

START_TEST(test_members)
{
    mqc_error error;
    const mqc_group_members *members;
    const mqc_running_info *info;
    const mqc_group_progress *progress;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    struct collector *collector = collector_new();
    const char *topic = contract_topic(2), *group = contract_name("group");
    ck_fails(mqc_admin_group_members(admin, group, &members, &error), MQC_NOT_FOUND, group,
             "online");
    mqc_client_options client = admins_hasty_client();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .from = MQC_FROM_FIRST,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0)};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "red || blue");
    contract_send_tagged(producer, topic, "red", "body");
    collector_await(collector, 1);
    ck_ok(mqc_admin_group_members(admin, group, &members, &error));
    ck_assert_uint_eq(members->count, 1);
    ck_assert_str_eq(members->members[0]->language, "CPP");
    ck_assert_str_eq(members->members[0]->version_name, "V5_5_0");
    ck_assert_ptr_nonnull(strchr(members->members[0]->address, ':'));
    ck_assert_str_eq(members->consume_type, "CONSUME_PASSIVELY");
    ck_assert_str_eq(members->message_model, "CLUSTERING");
    ck_assert_uint_eq(members->subscription_count, 2); /* and the retry topic */
    ck_assert_str_eq(members->subscriptions[1]->topic, topic);
    ck_assert_str_eq(members->subscriptions[1]->expression, "red || blue");
    info = await_info(admin, group, members->members[0]->client_id, 3); /* and the retry topic's */
    ck_assert_str_eq(info->client_id, members->members[0]->client_id);
    ck_assert_ptr_nonnull(mqc_settings_value(info->properties, "PROP_CONSUME_TYPE"));
    ck_assert_str_eq(info->queues[1]->queue.topic, topic);
    ck_assert(!info->queues[1]->dropped && !info->queues[1]->pop);
    admins_await_lag(admin, group, topic, -1);
    ck_ok(mqc_admin_group_progress(admin, group, topic, MQC_PROGRESS_OWNERS, &progress, &error));
    for (size_t i = 0; i < progress->count; i++)
        ck_assert_str_eq(progress->queues[i]->client_id, members->members[0]->client_id);
    mqc_admin_result_free(progress);
    mqc_admin_result_free(info);
    mqc_admin_result_free(members);
    ck_fails(mqc_admin_running_info(admin, group, "nobody@1", false, &info, &error), MQC_NOT_FOUND,
             "nobody@1");
    contract_consumer_end(consumer);
    admins_await_members(admin, group, 0);
    collector_free(collector);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

struct producer_wish {
    mqc_admin *admin;
    const char *group;
};

static bool has_producer(void *arg)
{
    struct producer_wish *wish = arg;
    const mqc_producers *producers;
    mqc_error error;
    ck_ok(mqc_admin_producers(wish->admin, wish->group, &producers, &error));
    size_t count = producers->count;
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(producers->members[i]->group, wish->group);
        ck_assert_str_eq(producers->members[i]->language, "CPP");
    }
    mqc_admin_result_free(producers);
    return count == 1;
}

START_TEST(test_producers)
{
    mqc_error error;
    const mqc_producers *all;
    mqc_admin *admin = admins_new();
    const char *topic = contract_topic(1), *group = contract_name("producers");
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client, .group = group};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_ok(mqc_producer_start(producer, &error));
    contract_send(producer, topic, "body");
    struct producer_wish wish = {admin, group};
    contract_await("the producer's heartbeat", has_producer, &wish);
    ck_ok(mqc_admin_producers(admin, NULL, &all, &error));
    size_t found = 0;
    for (size_t i = 0; i < all->count; i++) found += strcmp(all->members[i]->group, group) == 0;
    ck_assert_uint_eq(found, 1);
    mqc_admin_result_free(all);
    mqc_producer_free(producer);
    ck_ok(mqc_admin_producers(admin, contract_name("nobody"), &all, &error));
    ck_assert_uint_eq(all->count, 0);
    mqc_admin_result_free(all);
    mqc_admin_free(admin);
}
END_TEST

/* Offline: members would go on committing. */
START_TEST(test_reset_and_clone)
{
    mqc_error error;
    const mqc_offsets *offsets;
    const mqc_group_progress *progress;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1), *group = contract_name("group");
    const char *other = contract_name("group");
    mqc_message_queue queue = contract_queue(topic, 0);
    contract_send_many(producer, topic, "m", 6);
    admins_consume(group, topic, 6);
    admins_await_lag(admin, group, topic, 0);
    ck_ok(mqc_admin_reset_offsets(admin, group, topic, 0, &offsets, &error));
    ck_assert_uint_eq(offsets->count, 1);
    ck_assert_str_eq(offsets->offsets[0]->queue.topic, topic);
    ck_assert_int_eq(offsets->offsets[0]->offset, 0);
    mqc_admin_result_free(offsets);
    ck_ok(mqc_admin_reset_offset(admin, group, &queue, 4, &error));
    ck_ok(mqc_admin_create_group(admin, NULL, other, NULL, &error));
    admins_consume(group, topic, 2); /* from the offset it was given on */
    admins_await_lag(admin, group, topic, 0);
    ck_ok(mqc_admin_reset_offsets(admin, group, topic, MQC_RESET_TO_END, &offsets, &error));
    ck_assert_int_eq(offsets->offsets[0]->offset, 6);
    mqc_admin_result_free(offsets);
    ck_fails(mqc_admin_clone_offsets(admin, other, group, topic, &error), MQC_NOT_FOUND, other);
    ck_ok(mqc_admin_clone_offsets(admin, group, other, NULL, &error));
    ck_ok(mqc_admin_group_progress(admin, other, topic, 0, &progress, &error));
    ck_assert_int_eq(progress->queues[0]->consumer_offset, 6);
    mqc_admin_result_free(progress);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_bad_questions)
{
    mqc_error error;
    const mqc_offsets *offsets;
    const mqc_group_progress *progress;
    const mqc_running_info *info;
    mqc_admin *admin = admins_new();
    const char *topic = contract_topic(1), *group = contract_name("group");
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_group_options loud = {.consume = 2}, negative = {.retry_max_times = -2};
    ck_ok(mqc_admin_create_group(admin, NULL, group, NULL, &error));
    ck_fails(mqc_admin_create_group(admin, NULL, "a b", NULL, &error), MQC_BAD_ARGUMENT, "a b");
    ck_fails(mqc_admin_create_group(admin, NULL, group, &loud, &error), MQC_BAD_ARGUMENT,
             "consume is 2", "yes");
    ck_fails(mqc_admin_create_group(admin, NULL, group, &negative, &error), MQC_BAD_ARGUMENT,
             "retry_max_times is -2");
    ck_fails(mqc_admin_create_group(admin, "NoCluster", group, NULL, &error), MQC_NOT_FOUND,
             "NoCluster");
    ck_fails(mqc_admin_reset_offset(admin, group, &queue, 5, &error), MQC_BAD_ARGUMENT, "offset 5",
             "0 to 0");
    ck_fails(mqc_admin_reset_offsets(admin, group, topic, -2, &offsets, &error), MQC_BAD_ARGUMENT,
             "-2");
    ck_fails(mqc_admin_reset_offsets(admin, group, contract_name("none"), 0, &offsets, &error),
             MQC_NO_ROUTE, "none");
    ck_fails(mqc_admin_clone_offsets(admin, group, group, NULL, &error), MQC_BAD_ARGUMENT,
             "two groups");
    ck_fails(mqc_admin_group_progress(admin, group, NULL, 8, &progress, &error), MQC_BAD_ARGUMENT,
             "flags");
    ck_fails(mqc_admin_running_info(admin, group, "", false, &info, &error), MQC_BAD_ARGUMENT,
             "client id");
    ck_fails(mqc_admin_delete_group(admin, NULL, "", false, &error), MQC_BAD_ARGUMENT, "group");
    mqc_admin_free(admin);
}
END_TEST

CONTRACT_MAIN("admin of groups", test_life_of_a_group, test_progress_and_its_end, test_members,
              test_producers, test_reset_and_clone, test_bad_questions)
