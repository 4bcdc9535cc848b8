/* Options of consumers that go together or do not: where offsets of broadcasts are, and what lite
 * consumers share with push consumers. */
#include "test/unit/client/option_checks.h"

START_TEST(where_offsets_of_broadcasts_are)
{
    no_environment();
    CHECK_OK(options_check_push_consumer(
        CONSUMER(.model = MQC_BROADCASTING, .offset_store_path = "here"), error));
    CHECK_OK(options_check_push_consumer(
        CONSUMER(.model = MQC_BROADCASTING, .offsets_in_memory = true), error));
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.offset_store_path = "here"), error),
                  "offsetStorePath (offset_store_path) is given, but messageModel (model) is not "
                  "BROADCASTING (MQC_BROADCASTING): the offsets of a clustering group are at the "
                  "brokers");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.offsets_in_memory = true), error),
                  "offsetsInMemory (offsets_in_memory) is given, but messageModel (model) is not "
                  "BROADCASTING (MQC_BROADCASTING): the offsets of a clustering group are at the "
                  "brokers");
    CHECK_REFUSED(
        options_check_push_consumer(CONSUMER(.model = MQC_BROADCASTING, .offset_store_path = "here",
                                             .offsets_in_memory = true),
                                    error),
        "offsetStorePath (offset_store_path) and offsetsInMemory (offsets_in_memory) are "
        "both given: give one of them");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.model = (mqc_message_model)2), error),
                  "messageModel (model) is 2: give the constant for one of CLUSTERING, "
                  "BROADCASTING");
}
END_TEST

START_TEST(lite_consumers)
{
    no_environment();
    mqc_lite_consumer_options lite = {.client = &HERE, .group = "g"};
    CHECK_OK(options_check_lite_consumer(&lite, error));
    mqc_lite_consumer_options filled = options_fill_lite_consumer(&lite);
    ck_assert_int_eq(filled.pull_batch, 10);
    ck_assert_int_eq(filled.auto_commit_ms, 5000);
    ck_assert_int_eq(filled.all_max_messages, 10000);
    ck_assert_int_eq(filled.queue_max_messages, 1000);
    ck_assert_int_eq(filled.queue_max_mib, 100);
    ck_assert_int_eq(filled.queue_max_span, 2000);
    ck_assert_int_eq(filled.topic_check_ms, 30000);
    ck_assert_str_eq(filled.group, "g");
    CHECK_REFUSED(options_check_lite_consumer(NULL, error),
                  "there are no options: a lite consumer needs a group");
    lite.auto_commit_ms = 999;
    CHECK_REFUSED(
        options_check_lite_consumer(&lite, error),
        "autoCommitIntervalMillis (auto_commit_ms) is 999: give 1000 to 86400000 ms, or 0 "
        "for the default 5000");
    lite.auto_commit_ms = 0;
    lite.queue_max_mib = 1025;
    CHECK_REFUSED(options_check_lite_consumer(&lite, error),
                  "pullThresholdSizeForQueue (queue_max_mib) is 1025: give 1 to 1024 MiB, or 0 for "
                  "the default 100");
    lite.group = NULL;
    CHECK_REFUSED(options_check_lite_consumer(&lite, error),
                  "consumerGroup (group) is missing: give the group's name");
}
END_TEST

START_TEST(by_name_for_lite_consumers)
{
    static const char *const SETTINGS[][2] = {
        {"consumerGroup", "g"},           {"pullBatchSize", "7"},
        {"messageModel", "BROADCASTING"}, {"allocateMessageQueueStrategy", "AVG_BY_CIRCLE"},
        {"noAutoCommit", "true"},         {"pullThresholdForAll", "99"},
        {"consumeThreadMax", "5"}, /* which a lite consumer has not */
    };
    mqc_error error;
    mqc_options *options = mqc_options_new();
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        ck_assert_int_eq(mqc_options_set(options, SETTINGS[i][0], SETTINGS[i][1], &error), MQC_OK);
    mqc_lite_consumer_options lite = {.queue_max_mib = 3, .group = "before"};
    mqc_options_to_lite_consumer(options, &lite);
    ck_assert_str_eq(lite.group, "g");
    ck_assert_int_eq(lite.pull_batch, 7);
    ck_assert_int_eq(lite.model, MQC_BROADCASTING);
    ck_assert_int_eq(lite.allocate.kind, MQC_ALLOCATE_BY_CIRCLE);
    ck_assert(lite.no_auto_commit);
    ck_assert_int_eq(lite.all_max_messages, 99);
    ck_assert_int_eq(lite.queue_max_mib, 3);
    mqc_options_free(options);
}
END_TEST

static Suite *consumer_options_suite(void)
{
    Suite *suite = suite_create("consumer_options");
    UNIT_CASE(suite, "consumers", where_offsets_of_broadcasts_are, lite_consumers,
              by_name_for_lite_consumers);
    return suite;
}

TEST_MAIN(consumer_options_suite)
