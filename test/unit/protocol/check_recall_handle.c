/* Tests of lib/protocol/recall_handle.c. */
#include "lib/protocol/recall_handle.h"

#include <stdio.h>

#include "test/unit/unit.h"

static mqc_error error;

/* "v1 orders broker-a 1795430202001 C0A8…0010", as RecallMessageHandle.buildHandle makes it. */
#define GOOD                                                                                       \
    "djEgb3JkZXJzIGJyb2tlci1hIDE3OTU0MzAyMDIwMDEgQzBBODAwMDEwMDAwMkE5RjAwMDAwMDAwMDAwMDAwMTA="

START_TEST(parts)
{
    struct recall_handle handle;
    ck_assert_msg(recall_handle_decode(GOOD, &handle, &error) == MQC_OK, "%s", error.text);
    ck_assert_slice(handle.topic, "orders");
    ck_assert_slice(handle.broker_name, "broker-a");
    ck_assert_slice(handle.time, "1795430202001");
    ck_assert_slice(handle.message_id, "C0A8000100002A9F0000000000000010");
    char unpadded[sizeof GOOD];
    snprintf(unpadded, sizeof unpadded, "%.*s", (int)strlen(GOOD) - 1, GOOD);
    ck_assert_int_eq(recall_handle_decode(unpadded, &handle, &error), MQC_OK);
    ck_assert_slice(handle.message_id, "C0A8000100002A9F0000000000000010");
    /* "v1 a b??? >>> d": the two digits that differ from ordinary Base64. */
    ck_assert_int_eq(recall_handle_decode("djEgYSBiPz8_ID4-PiBk", &handle, &error), MQC_OK);
    ck_assert_slice(handle.broker_name, "b???");
    ck_assert_slice(handle.time, ">>>");
}
END_TEST

START_TEST(what_is_none)
{
    static const char *const bad[] = {
        "",
        "x",
        "====",
        "djEg",
        "djEgYSBiIGM=",         /* v1 a b c */
        "djIgYSBiIGMgZA==",     /* v2 a b c d */
        "djEgYSBiIGMgZA=",      /* padded by halves */
        "djEgYSBi\nIGMgZA==",   /* no digit */
        "djEgYSBiPz8/ID4+PiBk", /* the digits of ordinary Base64 */
        "djEgICBjIGQgZQ==",     /* an empty topic */
    };
    struct recall_handle handle;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(recall_handle_decode(bad[i], &handle, &error) == MQC_BAD_ARGUMENT, "%s",
                      bad[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "recall handle is invalid"));
    }
    ck_assert_int_eq(recall_handle_decode(NULL, &handle, NULL), MQC_BAD_ARGUMENT);
    char longest[RECALL_HANDLE_BYTES + 1];
    memset(longest, 'A', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(recall_handle_decode(longest, &handle, &error), MQC_BAD_ARGUMENT);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("recall_handle");
    UNIT_CASE(suite, "decode", parts, what_is_none);
    return suite;
}

TEST_MAIN(suite)
