/* The table of subscriptions: replacing, removing, versions that only grow, want of memory. */
#include "lib/consumer/subscriptions.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "test/unit/unit.h"

static struct subscriptions subscriptions;

static void put(const char *topic, const char *filter)
{
    ck_assert_int_eq(subscriptions_put(&subscriptions, topic, filter, NULL, NULL), MQC_OK);
}

START_TEST(test_put_and_get)
{
    subscriptions_init(&subscriptions);
    put("orders", "a || b");
    struct topic_subscription *entry = subscriptions_get(&subscriptions, "orders");
    ck_assert_ptr_nonnull(entry);
    ck_assert_str_eq(entry->data.topic, "orders");
    ck_assert_str_eq(entry->data.expression, "a || b");
    ck_assert_str_eq(entry->data.expression_type, "TAG");
    ck_assert_uint_eq(entry->data.tag_count, 2);
    ck_assert(subscriptions_has(&subscriptions, "orders"));
    ck_assert(!subscriptions_has(&subscriptions, "order"));
    ck_assert_ptr_null(subscriptions_get(&subscriptions, "order"));
    topic_subscription_unref(entry);
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_second_call_replaces)
{
    subscriptions_init(&subscriptions);
    bool replaced = true;
    ck_assert_int_eq(subscriptions_put(&subscriptions, "t", "a", &replaced, NULL), MQC_OK);
    ck_assert(!replaced);
    struct topic_subscription *old = subscriptions_get(&subscriptions, "t");
    ck_assert_int_eq(subscriptions_put(&subscriptions, "t", NULL, &replaced, NULL), MQC_OK);
    ck_assert(replaced);
    struct topic_subscription *new = subscriptions_get(&subscriptions, "t");
    ck_assert_str_eq(old->data.expression, "a"); /* still whole for who reads it */
    ck_assert_str_eq(new->data.expression, "*");
    ck_assert_int_gt(new->data.version, old->data.version);
    topic_subscription_unref(old);
    topic_subscription_unref(new);
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_remove)
{
    subscriptions_init(&subscriptions);
    put("t", "*");
    ck_assert(subscriptions_remove(&subscriptions, "t"));
    ck_assert(!subscriptions_remove(&subscriptions, "t"));
    ck_assert(!subscriptions_has(&subscriptions, "t"));
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_bad_ones_change_nothing)
{
    mqc_error error;
    subscriptions_init(&subscriptions);
    put("t", "a");
    ck_assert_int_eq(subscriptions_put(&subscriptions, "t", "||", NULL, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "||"));
    ck_assert_int_eq(subscriptions_put(&subscriptions, "", "*", NULL, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(subscriptions_put(&subscriptions, NULL, "*", NULL, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(subscriptions_put(&subscriptions, "a b", "*", NULL, &error), MQC_BAD_ARGUMENT);
    struct topic_subscription *entry = subscriptions_get(&subscriptions, "t");
    ck_assert_str_eq(entry->data.expression, "a");
    topic_subscription_unref(entry);
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_versions_only_grow)
{
    subscriptions_init(&subscriptions);
    int64_t before = clock_unix_ms();
    int64_t last = before - 1;
    for (int i = 0; i < 100; i++) { /* many within a millisecond */
        put("t", i % 2 ? "a" : "b");
        struct topic_subscription *entry = subscriptions_get(&subscriptions, "t");
        ck_assert_int_gt(entry->data.version, last);
        last = entry->data.version;
        topic_subscription_unref(entry);
    }
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_touch_is_for_heartbeats_only)
{
    struct subscription *copies;
    size_t count;
    subscriptions_init(&subscriptions);
    put("t", "a");
    struct topic_subscription *entry = subscriptions_get(&subscriptions, "t");
    int64_t of_filter = entry->data.version;
    subscriptions_touch(&subscriptions);
    ck_assert_int_eq(subscriptions_copy(&subscriptions, &copies, &count, NULL), MQC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_gt(copies[0].version, of_filter);
    ck_assert_int_eq(entry->data.version, of_filter);
    ck_assert_str_eq(copies[0].tags[0], "a");
    subscription_done(&copies[0]);
    memory_free(copies);
    topic_subscription_unref(entry);
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_list_survives_changes)
{
    struct topic_subscription **list;
    size_t count;
    subscriptions_init(&subscriptions);
    put("s", "*");
    put("t", "*");
    ck_assert_int_eq(subscriptions_list(&subscriptions, &list, &count, NULL), MQC_OK);
    ck_assert_uint_eq(count, 2);
    subscriptions_remove(&subscriptions, "s");
    subscriptions_remove(&subscriptions, "t");
    ck_assert_str_ne(list[0]->data.topic, list[1]->data.topic);
    subscriptions_release(list, count);
    ck_assert_int_eq(subscriptions_list(&subscriptions, &list, &count, NULL), MQC_OK);
    ck_assert_uint_eq(count, 0);
    subscriptions_release(list, count);
    subscriptions_done(&subscriptions);
}
END_TEST

START_TEST(test_every_want_of_memory)
{
    long before = memory_live_blocks();
    for (long nth = 1;; nth++) {
        struct subscription *copies = NULL;
        size_t count = 99;
        mqc_error error = {0};
        subscriptions_init(&subscriptions);
        memory_fail_from(nth);
        mqc_status status = subscriptions_put(&subscriptions, "t", "a || b", NULL, &error);
        if (status == MQC_OK) status = subscriptions_copy(&subscriptions, &copies, &count, &error);
        memory_fail_from(0);
        for (size_t i = 0; status == MQC_OK && i < count; i++) subscription_done(&copies[i]);
        if (status == MQC_OK) memory_free(copies);
        subscriptions_done(&subscriptions);
        ck_assert_int_eq(memory_live_blocks(), before);
        if (status == MQC_OK) break;
        ck_assert_int_eq(status, MQC_NO_MEMORY);
        ck_assert_int_eq(error.status, MQC_NO_MEMORY);
    }
}
END_TEST

static Suite *subscriptions_suite(void)
{
    Suite *suite = suite_create("subscriptions");
    UNIT_CASE(suite, "table", test_put_and_get, test_second_call_replaces, test_remove,
              test_bad_ones_change_nothing, test_versions_only_grow,
              test_touch_is_for_heartbeats_only, test_list_survives_changes,
              test_every_want_of_memory);
    return suite;
}

TEST_MAIN(subscriptions_suite)
