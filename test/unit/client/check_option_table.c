/* The table of options: that it is consistent, how names are found, what texts mean. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/client/option_table.h"
#include "test/unit/unit.h"

static int64_t parsed(const char *name, const char *text)
{
    const struct option *option = option_find(name);
    ck_assert_msg(option != NULL, "no option %s", name);
    int64_t value = -99;
    mqc_error error;
    mqc_status status = option_parse(option, text, &value, &error);
    ck_assert_msg(status == MQC_OK, "%s=%s: %s", name, text, error.text);
    return value;
}

static void refused(const char *name, const char *text, const char *reason)
{
    const struct option *option = option_find(name);
    ck_assert_msg(option != NULL, "no option %s", name);
    int64_t value;
    mqc_error error;
    ck_assert_int_eq(option_parse(option, text, &value, &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, reason);
}

START_TEST(rows_are_consistent)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        const mqc_option_description *shown = &option->description;
        ck_assert_ptr_eq(option_find(shown->name), option);
        ck_assert_str_ne(shown->help, "");
        ck_assert_str_ne(shown->fallback, "");
        for (const char *c = shown->name; *c; c++) ck_assert(isalnum((unsigned char)*c));
        if (option->type != OPTION_TYPE_NUMBER) continue;
        ck_assert_int_lt(option->least, option->most);
        bool fallback_in_range =
            option->fallback >= option->least && option->fallback <= option->most;
        ck_assert(fallback_in_range || option->none == MINUS_ONE_IS_NONE);
        /* 0 by name must be sayable where the range begins with it. */
        ck_assert(option->least > 0 || option->fallback == 0 || option->none != NOT_NONE);
    }
}
END_TEST

START_TEST(fields_belong_to_one_option_each)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct option *a = &OPTION_TABLE[i], *b = &OPTION_TABLE[j];
            ck_assert_msg(a->role != b->role || a->offset != b->offset, "%s and %s share a field",
                          a->description.name, b->description.name);
        }
    }
}
END_TEST

/* As the Java client 5.5.0 has them; the texts are what docs/options.md shows. */
START_TEST(defaults_are_javas)
{
    static const struct {
        const char *name, *fallback, *range;
    } KNOWN[] = {
        {"pollNameServerInterval", "30000", "10..86400000"},
        {"heartbeatBrokerInterval", "30000", "10..110000"},
        {"persistConsumerOffsetInterval", "5000", "10..86400000"},
        {"mqClientApiTimeout", "3000", "1..600000"},
        {"sendMsgTimeout", "3000", "1..600000"},
        {"sendMsgMaxTimeoutPerRequest", "-1", "-1 or 1..600000"},
        {"retryTimesWhenSendFailed", "2", "0..1000"},
        {"retryTimesWhenSendAsyncFailed", "2", "0..1000"},
        {"maxMessageSize", "4194304", "1..16777216"},
        {"createTopicKey", "TBW102", ""},
        {"defaultTopicQueueNums", "4", "1..65535"},
        {"consumeThreadMax", "20", "1..1000"},
        {"consumeMessageBatchMaxSize", "1", "1..1024"},
        {"pullBatchSize", "32", "1..1024"},
        {"pullBatchSizeInBytes", "262144", "1..8388608"},
        {"pullInterval", "0", "0..65535"},
        {"maxReconsumeTimes", "16", "-1 or 0..2147483647"},
        {"consumeTimeout", "15", "1..525600"},
        {"pullThresholdForQueue", "1000", "1..65535"},
        {"pullThresholdSizeForQueue", "100", "1..1024"},
        {"consumeConcurrentlyMaxSpan", "2000", "1..65535"},
        {"useTLS", "no", ""},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++) {
        const struct option *option = option_find(KNOWN[i].name);
        ck_assert_msg(option != NULL, "no option %s", KNOWN[i].name);
        ck_assert_str_eq(option->description.fallback, KNOWN[i].fallback);
        ck_assert_str_eq(option->description.range, KNOWN[i].range);
    }
}
END_TEST

static void nearest_is(const char *name, const char *expected)
{
    const struct option *option = option_nearest(name);
    ck_assert_msg(option != NULL, "nothing is near %s", name);
    ck_assert_str_eq(option->description.name, expected);
}

START_TEST(names_are_found_and_suggested)
{
    ck_assert_ptr_null(option_find("sendmsgtimeout"));
    ck_assert_ptr_null(option_find(""));
    nearest_is("sendmsgtimeout", "sendMsgTimeout");
    nearest_is("sendMessageTimeout", "sendMsgTimeout");
    nearest_is("nameserverAddr", "namesrvAddr");
    nearest_is("consumeThreadMost", "consumeThreadMax");
    nearest_is("retryTimesWhenSendFail", "retryTimesWhenSendFailed");
    nearest_is("send_timeout_ms", "sendMsgTimeout");
    nearest_is("tls.ca_file", "tlsCaFile");
    ck_assert_ptr_null(option_nearest("zzz"));
    ck_assert_ptr_null(option_nearest(""));
    ck_assert_ptr_null(option_nearest("entirelyAndUtterlySomethingElse"));
    char huge[10000];
    memset(huge, 'n', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    ck_assert_ptr_null(option_nearest(huge));
}
END_TEST

START_TEST(numbers_keep_to_their_range)
{
    ck_assert_int_eq(parsed("sendMsgTimeout", "1"), 1);
    ck_assert_int_eq(parsed("sendMsgTimeout", " 600000\t"), 600000);
    refused("sendMsgTimeout", "0", "sendMsgTimeout is \"0\": give 1 to 600000 ms");
    refused("sendMsgTimeout", "-1", "sendMsgTimeout is \"-1\": give 1 to 600000 ms");
    refused("sendMsgTimeout", "600001", "sendMsgTimeout is \"600001\": give 1 to 600000 ms");
    refused("sendMsgTimeout", "3s", "sendMsgTimeout is \"3s\": give 1 to 600000 ms");
    refused("sendMsgTimeout", " ", "sendMsgTimeout is \" \": give 1 to 600000 ms");
    refused("sendMsgTimeout", "99999999999999999999",
            "sendMsgTimeout is \"99999999999999999999\": give 1 to 600000 ms");
    refused("sendMsgTimeout", "4294967297",
            "sendMsgTimeout is \"4294967297\": give 1 to 600000 ms"); /* 1 if cut to 32 bits */
    refused("sendMsgTimeout", "",
            "sendMsgTimeout is empty: give it a value or leave the option out");
    ck_assert_int_eq(parsed("pullInterval", "0"), 0);
    refused("pullInterval", "-1", "pullInterval is \"-1\": give 0 to 65535 ms");
}
END_TEST

START_TEST(none_is_written_as_in_java)
{
    ck_assert_int_eq(parsed("retryTimesWhenSendFailed", "0"), -1);
    ck_assert_int_eq(parsed("retryTimesWhenSendFailed", "1"), 1);
    refused("retryTimesWhenSendFailed", "-1", "retryTimesWhenSendFailed is \"-1\": give 0 to 1000");
    ck_assert_int_eq(parsed("sendMsgMaxTimeoutPerRequest", "-1"), -1);
    refused("sendMsgMaxTimeoutPerRequest", "0",
            "sendMsgMaxTimeoutPerRequest is \"0\": give 1 to 600000 ms, or -1 for none");
    ck_assert_int_eq(parsed("maxReconsumeTimes", "-1"), 0); /* the default */
    ck_assert_int_eq(parsed("maxReconsumeTimes", "0"), -1); /* none */
    ck_assert_int_eq(parsed("maxReconsumeTimes", "2147483647"), INT_MAX);
    refused("maxReconsumeTimes", "-2",
            "maxReconsumeTimes is \"-2\": give 0 to 2147483647, or -1 for the default");
    ck_assert_int_eq(parsed("idleCloseTimeout", "-1"), -1);
}
END_TEST

START_TEST(words)
{
    ck_assert_int_eq(parsed("useTLS", "yes"), 1);
    ck_assert_int_eq(parsed("useTLS", "TRUE "), 1);
    ck_assert_int_eq(parsed("useTLS", "off"), 0);
    ck_assert_int_eq(parsed("useTLS", "0"), 0);
    refused("useTLS", "y", "useTLS is \"y\": give yes or no");
    ck_assert_int_eq(parsed("consumeFromWhere", "CONSUME_FROM_LAST_OFFSET"), MQC_FROM_LAST);
    ck_assert_int_eq(parsed("consumeFromWhere", "consume_from_first_offset"), MQC_FROM_FIRST);
    ck_assert_int_eq(parsed("consumeFromWhere", "CONSUME_FROM_TIMESTAMP"), MQC_FROM_TIME);
    refused(
        "consumeFromWhere", "CONSUME_FROM_MIN_OFFSET",
        "consumeFromWhere is \"CONSUME_FROM_MIN_OFFSET\": give one of CONSUME_FROM_LAST_OFFSET, "
        "CONSUME_FROM_FIRST_OFFSET, CONSUME_FROM_TIMESTAMP");
    ck_assert_int_eq(option_choices(option_find("consumeFromWhere")), 3);
}
END_TEST

#define TIME_FORMS "give yyyyMMddHHmmss in local time, or milliseconds since 1970 (13 digits)"

START_TEST(times)
{
    setenv("TZ", "XXX-2", 1); /* two hours east of Greenwich */
    tzset();
    ck_assert_int_eq(parsed("consumeTimestamp", "20240229120000"), 1709200800000);
    ck_assert_int_eq(parsed("consumeTimestamp", "1709200800000"), 1709200800000);
    static const char *const WRONG[] = {"20230229120000", /* no such day */
                                        "20241301120000",
                                        "20240001120000",
                                        "20240100120000",
                                        "20240101240000",
                                        "20240101126000",
                                        "20240101120060",
                                        "19691231235959",
                                        "20240229",
                                        "1709200800", /* seconds */
                                        "now",
                                        "2024022912000x",
                                        "0000000000000",
                                        "-709200800000",
                                        "170920080000000"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        char reason[200];
        snprintf(reason, sizeof reason, "consumeTimestamp is \"%s\": " TIME_FORMS, WRONG[i]);
        refused("consumeTimestamp", WRONG[i], reason);
    }
}
END_TEST

static Suite *option_table_suite(void)
{
    Suite *suite = suite_create("option_table");
    UNIT_CASE(suite, "table", rows_are_consistent, fields_belong_to_one_option_each,
              defaults_are_javas, names_are_found_and_suggested);
    UNIT_CASE(suite, "values", numbers_keep_to_their_range, none_is_written_as_in_java, words,
              times);
    return suite;
}

TEST_MAIN(option_table_suite)
