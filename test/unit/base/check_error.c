/* Tests of lib/base/error: what an error holds after each way of setting it; names; version. */
#include "lib/base/error.h"

#include <errno.h>
#include <stdio.h>

#include "test/unit/base/dying.h"

START_TEST(set_fills_every_field)
{
    mqc_error error;
    memset(&error, 0xAA, sizeof error);
    ck_assert_int_eq(error_set(&error, MQC_NO_ROUTE, "topic %s: no route", "T"), MQC_NO_ROUTE);
    ck_assert_int_eq(error.status, MQC_NO_ROUTE);
    ck_assert_int_eq(error.broker_code, 0);
    ck_assert(!error.retryable);
    ck_assert(!error.maybe_done);
    ck_assert_str_eq(error.text, "topic T: no route");
}
END_TEST

START_TEST(nobody_need_want_the_error)
{
    ck_assert_int_eq(error_set(NULL, MQC_TIMEOUT, "text"), MQC_TIMEOUT);
    ck_assert_int_eq(error_no_memory(NULL), MQC_NO_MEMORY);
    ck_assert_int_eq(error_system(NULL, EPERM, "open"), MQC_SYSTEM);
    ck_assert_int_eq(error_refused(NULL, 17, "text"), MQC_REFUSED);
    error_mark_retryable(NULL);
    error_mark_maybe_done(NULL);
}
END_TEST

START_TEST(marks_stay_until_the_next_set)
{
    mqc_error error;
    error_set(&error, MQC_TIMEOUT, "first");
    error_mark_retryable(&error);
    ck_assert(error.retryable && !error.maybe_done);
    error_mark_maybe_done(&error);
    ck_assert(error.retryable && error.maybe_done);
    error_set(&error, MQC_TIMEOUT, "second");
    ck_assert(!error.retryable && !error.maybe_done);
}
END_TEST

START_TEST(system_errors_say_what_the_system_said)
{
    mqc_error error;
    ck_assert_int_eq(error_system(&error, ENOENT, "open /x"), MQC_SYSTEM);
    ck_assert_str_eq(error.text, "open /x: No such file or directory");
    ck_assert_int_eq(error_system(&error, ENOMEM, "read"), MQC_NO_MEMORY);
    ck_assert_int_eq(error.status, MQC_NO_MEMORY);
    ck_assert_contains(error.text, "read: ");
    ck_assert_int_eq(error_system(&error, 99999, "read"), MQC_SYSTEM);
    ck_assert_contains(error.text, "read: ");
    ck_assert_uint_gt(strlen(error.text), strlen("read: "));
}
END_TEST

START_TEST(refusals_carry_the_brokers_code)
{
    mqc_error error;
    ck_assert_int_eq(error_refused(&error, 17, "topic %s does not exist", "T"), MQC_REFUSED);
    ck_assert_int_eq(error.status, MQC_REFUSED);
    ck_assert_int_eq(error.broker_code, 17);
    ck_assert_str_eq(error.text, "topic T does not exist");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mqc_error error;
    error_set(&error, MQC_TOO_BIG, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof error.text - 1);
    ck_assert_str_eq(error.text + sizeof error.text - sizeof "…", "…");
}
END_TEST

START_TEST(the_old_text_may_be_part_of_the_new)
{
    mqc_error error;
    error_set(&error, MQC_TLS, "inner");
    error_set(&error, MQC_TLS, "outer: %s", error.text);
    ck_assert_str_eq(error.text, "outer: inner");
}
END_TEST

static void set_success(void)
{
    error_set(NULL, MQC_OK, "fine");
}

START_TEST(success_is_no_error)
{
    ck_assert_contains(dying_words(set_success), "MQC_OK: fine");
}
END_TEST

START_TEST(every_status_has_a_name_and_a_text)
{
    ck_assert_str_eq(mqc_status_name(MQC_OK), "MQC_OK");
    ck_assert_str_eq(mqc_status_text(MQC_OK), "success");
    ck_assert_str_eq(mqc_status_name(MQC_TIMEOUT), "MQC_TIMEOUT");
    ck_assert_str_eq(mqc_status_name(MQC_SYSTEM), "MQC_SYSTEM");
    for (int i = 0; i <= MQC_NO_REPLY; i++) {
        ck_assert_str_ne(mqc_status_name((mqc_status)i), "MQC_UNKNOWN");
        ck_assert_str_ne(mqc_status_text((mqc_status)i), mqc_status_text((mqc_status)(i + 1)));
    }
    ck_assert_str_eq(mqc_status_name((mqc_status)(MQC_NO_REPLY + 1)), "MQC_UNKNOWN");
    ck_assert_str_eq(mqc_status_name((mqc_status)4711), "MQC_UNKNOWN");
    ck_assert_ptr_nonnull(mqc_status_text((mqc_status)4711));
}
END_TEST

START_TEST(the_version_is_the_headers)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", MQC_VERSION_MAJOR, MQC_VERSION_MINOR,
             MQC_VERSION_PATCH);
    ck_assert_str_eq(mqc_version(), version);
    ck_assert_str_eq(mqc_version(), MQC_VERSION);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/error");
    UNIT_CASE(s, "filling", set_fills_every_field, nobody_need_want_the_error,
              marks_stay_until_the_next_set, system_errors_say_what_the_system_said,
              refusals_carry_the_brokers_code, long_texts_are_cut,
              the_old_text_may_be_part_of_the_new, success_is_no_error);
    UNIT_CASE(s, "names", every_status_has_a_name_and_a_text, the_version_is_the_headers);
    return s;
}

TEST_MAIN(suite)
