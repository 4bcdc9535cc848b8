/* Tests of lib/producer/send_trail.c, and of what makes a send go on (lib/producer/sender.c). */
#include "lib/producer/send_trail.h"

#include "lib/base/error.h"
#include "lib/producer/sender.h"
#include "test/unit/unit.h"

static mqc_error failure_of(mqc_status status, const char *text, bool maybe_done)
{
    mqc_error failure;
    error_set(&failure, status, "%s", text);
    failure.maybe_done = maybe_done;
    failure.retryable = true;
    return failure;
}

START_TEST(names_every_broker)
{
    struct send_trail trail;
    mqc_error lost = failure_of(MQC_TIMEOUT, "no answer", true);
    mqc_error busy = failure_of(MQC_REFUSED, "busy", false), error;
    busy.broker_code = 2;
    send_trail_begin(&trail);
    send_trail_attempt(&trail, "a");
    send_trail_failed(&trail, &lost);
    send_trail_attempt(&trail, "b");
    send_trail_failed(&trail, &busy);
    ck_assert_int_eq(send_trail_end(&trail, &busy, &error), MQC_REFUSED);
    ck_assert_int_eq(strncmp(error.text, "2 attempts in ", 14), 0);
    ck_assert_ptr_nonnull(strstr(error.text, " ms, brokers a, b: busy"));
    ck_assert_int_eq(error.broker_code, 2);
    ck_assert(error.retryable);
    ck_assert(error.maybe_done); /* the first one may have stored it */
    ck_assert_int_eq(send_trail_end(&trail, &busy, NULL), MQC_REFUSED);
}
END_TEST

START_TEST(one_attempt_is_singular)
{
    struct send_trail trail;
    mqc_error error = failure_of(MQC_NO_CONNECTION, "refused", false);
    send_trail_begin(&trail);
    send_trail_attempt(&trail, "a");
    send_trail_failed(&trail, &error);
    send_trail_end(&trail, &error, &error); /* in place */
    ck_assert_int_eq(strncmp(error.text, "1 attempt in ", 13), 0);
    ck_assert_ptr_nonnull(strstr(error.text, " ms, broker a: refused"));
    ck_assert(!error.maybe_done);
}
END_TEST

START_TEST(without_an_attempt_the_failure_stands)
{
    struct send_trail trail;
    mqc_error none = failure_of(MQC_NO_ROUTE, "no route", false), error;
    send_trail_begin(&trail);
    ck_assert_int_eq(send_trail_end(&trail, &none, &error), MQC_NO_ROUTE);
    ck_assert_str_eq(error.text, "no route");
}
END_TEST

START_TEST(many_attempts_fit)
{
    struct send_trail trail;
    char name[128];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    mqc_error error = failure_of(MQC_TIMEOUT, "late", false);
    send_trail_begin(&trail);
    for (int i = 0; i < 20; i++) send_trail_attempt(&trail, name);
    send_trail_end(&trail, &error, &error);
    ck_assert_int_eq(strncmp(error.text, "20 attempts", 11), 0);
    ck_assert_ptr_nonnull(strstr(error.text, ", …: late"));
}
END_TEST

static bool goes_on(mqc_status status, int code)
{
    mqc_error failure = {.status = status, .broker_code = code};
    return sender_may_retry(&failure);
}

START_TEST(what_is_tried_again)
{
    static const mqc_status lost[] = {MQC_NO_CONNECTION, MQC_TIMEOUT, MQC_NO_ROUTE, MQC_BAD_FRAME,
                                      MQC_BUSY};
    static const mqc_status final[] = {MQC_NO_MEMORY, MQC_BAD_ARGUMENT, MQC_WRONG_STATE,
                                       MQC_CANCELLED, MQC_TOO_BIG,      MQC_TLS,
                                       MQC_NOT_FOUND, MQC_SYSTEM};
    /* DefaultMQProducer.retryResponseCodes, GO_AWAY */
    static const int again[] = {1, 2, 14, 16, 17, 204, 205, 1500};
    static const int never[] = {3, 13, 26, 215, 3001, 99999};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) ck_assert(goes_on(lost[i], 0));
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) ck_assert(!goes_on(final[i], 0));
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        ck_assert_msg(goes_on(MQC_REFUSED, again[i]), "code %d", again[i]);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert_msg(!goes_on(MQC_REFUSED, never[i]), "code %d", never[i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("send_trail");
    UNIT_CASE(suite, "end", names_every_broker, one_attempt_is_singular,
              without_an_attempt_the_failure_stands, many_attempts_fit);
    UNIT_CASE(suite, "retry", what_is_tried_again);
    return suite;
}
TEST_MAIN(suite)
