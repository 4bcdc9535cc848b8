/* Programs that were built with older or newer headers than the library. The option structs grow at
 * their ends, and their size comes with them: an older program's is shorter, and whatever lies
 * behind it is not looked at; of a newer one's no unknown field may be set. */
#include <stddef.h>

#include "test/contract/collector.h"

/* A field that is added behind the last one must not lie where an older struct had padding, which
 * may hold anything: so none ends with padding. */
#define ENDS_WITH(type, last)                                                                      \
    _Static_assert(offsetof(type, last) + sizeof(((type *)0)->last) == sizeof(type),               \
                   #last " is not the end of " #type)
ENDS_WITH(mqc_client_options, get_credentials_arg);
ENDS_WITH(mqc_producer_options, send_hook_count);
ENDS_WITH(mqc_push_consumer_options, reserved);
ENDS_WITH(mqc_lite_consumer_options, consume_hook_count);
ENDS_WITH(mqc_pull_consumer_options, group);
ENDS_WITH(mqc_topic_options, message_type);
ENDS_WITH(mqc_group_options, broker_name);
ENDS_WITH(mqc_message_range, tags);
ENDS_WITH(mqc_embedded_options, broker_config);
ENDS_WITH(mqc_send_options, reserved);
ENDS_WITH(mqc_send_result, reserved);
ENDS_WITH(mqc_batch_item, reserved);

/* Of an older program: what its struct does not have is whatever lies behind it in memory. */
#define OLDER(struct_, field)                                                                      \
    memset(&(struct_).field, 0xee, sizeof(struct_) - OLDER_BYTES(struct_, field))
#define OLDER_BYTES(struct_, field) ((size_t)((char *)&(struct_).field - (char *)&(struct_)))

/* Of a newer one: a field that this library does not know. */
#define NEWER(type)                                                                                \
    struct {                                                                                       \
        type known;                                                                                \
        int64_t unknown;                                                                           \
    }

START_TEST(test_older_producer)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client, .group = contract_name("producer")};
    const char *topic = contract_topic(1);
    OLDER(client, callback_threads);
    OLDER(options, retries);
    mqc_producer *producer = mqc_producer_new_sized(&options, OLDER_BYTES(options, retries),
                                                    OLDER_BYTES(client, callback_threads), &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    contract_send(producer, topic, "from long ago");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_older_consumers)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    OLDER(client, callback_threads);
    size_t client_bytes = OLDER_BYTES(client, callback_threads);
    mqc_push_consumer_options push = {
        .client = &client, .group = contract_name("push"), .listener = collector_listen};
    OLDER(push, from_unix_ms);
    mqc_push_consumer *pushed =
        mqc_push_consumer_new_sized(&push, OLDER_BYTES(push, from_unix_ms), client_bytes, &error);
    ck_assert_msg(pushed != NULL, "%s", error.text);
    mqc_push_consumer_free(pushed);
    mqc_lite_consumer_options lite = {.client = &client, .group = contract_name("lite")};
    OLDER(lite, auto_commit_ms);
    mqc_lite_consumer *polled =
        mqc_lite_consumer_new_sized(&lite, OLDER_BYTES(lite, auto_commit_ms), client_bytes, &error);
    ck_assert_msg(polled != NULL, "%s", error.text);
    mqc_lite_consumer_free(polled);
    mqc_pull_consumer_options pull = {.client = &client, .group = contract_name("pull")};
    mqc_pull_consumer *pulling =
        mqc_pull_consumer_new_sized(&pull, sizeof pull, client_bytes, &error);
    ck_assert_msg(pulling != NULL, "%s", error.text);
    mqc_pull_consumer_free(pulling);
}
END_TEST

static bool visit_none(const mqc_message *message, void *arg)
{
    (void)message, (void)arg;
    return true;
}

START_TEST(test_older_admin)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    OLDER(client, callback_threads);
    mqc_admin *admin = mqc_admin_new_sized(&client, OLDER_BYTES(client, callback_threads), &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    const char *topic = contract_name("topic");
    mqc_topic_options topic_options = {.read_queues = 1, .write_queues = 1};
    OLDER(topic_options, permission);
    size_t bytes = OLDER_BYTES(topic_options, permission);
    ck_ok(mqc_admin_create_topic_sized(admin, NULL, topic, &topic_options, bytes, &error));
    ck_ok(mqc_admin_update_topic_sized(admin, NULL, topic, &topic_options, bytes, &error));
    const char *group = contract_name("group");
    mqc_group_options group_options = {.retry_max_times = 3};
    OLDER(group_options, retry_queues);
    bytes = OLDER_BYTES(group_options, retry_queues);
    ck_ok(mqc_admin_create_group_sized(admin, NULL, group, &group_options, bytes, &error));
    ck_ok(mqc_admin_update_group_sized(admin, NULL, group, &group_options, bytes, &error));
    mqc_message_range range = {.topic = topic};
    OLDER(range, broker_name);
    ck_ok(mqc_admin_each_message_sized(admin, &range, OLDER_BYTES(range, broker_name), visit_none,
                                       NULL, &error));
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_older_cluster)
{
    mqc_error error;
    mqc_embedded_options options = {.brokers = 2};
    OLDER(options, slaves);
    mqc_embedded *cluster =
        mqc_embedded_start_sized(&options, OLDER_BYTES(options, slaves), &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    mqc_embedded_stop(cluster);
}
END_TEST

/* What options by name say goes into what the caller has, and not behind it. */
START_TEST(test_older_options_by_name)
{
    mqc_error error;
    mqc_options *options = mqc_options_new();
    ck_ok(mqc_options_set(options, "unitName", "unit", &error));
    ck_ok(mqc_options_set(options, "traceTopic", "behind", &error));
    ck_ok(mqc_options_set(options, "sendMsgTimeout", "77", &error));
    ck_ok(mqc_options_set(options, "topics", "behind", &error));
    ck_ok(mqc_options_set(options, "pullBatchSize", "7", &error));
    ck_ok(mqc_options_set(options, "offsetStorePath", "behind", &error));
    mqc_client_options client = {0};
    OLDER(client, access_key);
    mqc_client_options client_before = client;
    mqc_options_to_client_sized(options, &client, OLDER_BYTES(client, access_key));
    ck_assert_str_eq(client.unit_name, "unit");
    ck_assert_mem_eq(&client.access_key, &client_before.access_key,
                     sizeof client - OLDER_BYTES(client, access_key));
    mqc_producer_options producer = {0};
    OLDER(producer, retries);
    mqc_producer_options producer_before = producer;
    mqc_options_to_producer_sized(options, &producer, OLDER_BYTES(producer, retries));
    ck_assert_int_eq(producer.send_timeout_ms, 77);
    ck_assert_mem_eq(&producer.retries, &producer_before.retries,
                     sizeof producer - OLDER_BYTES(producer, retries));
    mqc_push_consumer_options push = {0};
    OLDER(push, pull_batch_bytes);
    mqc_push_consumer_options push_before = push;
    mqc_options_to_push_consumer_sized(options, &push, OLDER_BYTES(push, pull_batch_bytes));
    ck_assert_int_eq(push.pull_batch, 7);
    ck_assert_mem_eq(&push.pull_batch_bytes, &push_before.pull_batch_bytes,
                     sizeof push - OLDER_BYTES(push, pull_batch_bytes));
    mqc_lite_consumer_options lite = {0};
    OLDER(lite, all_max_messages);
    mqc_lite_consumer_options lite_before = lite;
    mqc_options_to_lite_consumer_sized(options, &lite, OLDER_BYTES(lite, all_max_messages));
    ck_assert_int_eq(lite.pull_batch, 7);
    ck_assert_mem_eq(&lite.all_max_messages, &lite_before.all_max_messages,
                     sizeof lite - OLDER_BYTES(lite, all_max_messages));
    mqc_options_free(options);
}
END_TEST

START_TEST(test_newer_programs)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    NEWER(mqc_client_options) newer_client;
    memset(&newer_client, 0, sizeof newer_client);
    newer_client.known = client;
    NEWER(mqc_producer_options) producer;
    memset(&producer, 0, sizeof producer);
    producer.known.client = &newer_client.known;
    producer.known.group = "group";
    mqc_producer *made =
        mqc_producer_new_sized(&producer.known, sizeof producer, sizeof newer_client, &error);
    ck_assert_msg(made != NULL, "%s", error.text);
    mqc_producer_free(made);
    newer_client.unknown = 1;
    ck_assert_ptr_null(
        mqc_producer_new_sized(&producer.known, sizeof producer, sizeof newer_client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "newer library"));
    ck_assert_ptr_null(mqc_admin_new_sized(&newer_client.known, sizeof newer_client, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    newer_client.unknown = 0;
    producer.unknown = 1;
    ck_assert_ptr_null(
        mqc_producer_new_sized(&producer.known, sizeof producer, sizeof newer_client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "newer library"));
}
END_TEST

START_TEST(test_newer_sends)
{
    mqc_error error;
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new("topic", "x", 1);
    mqc_send_options options = {.reserved = {[3] = "set"}};
    ck_fails(mqc_producer_send(producer, message, &options, NULL, &error), MQC_BAD_ARGUMENT,
             "a field that this library does not know");
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("older programs", test_older_producer, test_older_consumers, test_older_admin,
              test_older_cluster, test_older_options_by_name, test_newer_programs, test_newer_sends)
