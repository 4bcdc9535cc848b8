/* Tests of lib/protocol/signature.c. Vectors: AclSigner's test in RocketMQ, and the rule applied by
 * hand (protocol notes, 5.1). */
#include "lib/protocol/signature.h"

#include "test/unit/unit.h"

static void assert_signature(struct command_field *fields, size_t count, const char *body,
                             const char *key, const char *expected)
{
    char signature[SIGNATURE_TEXT_BYTES];
    mqc_error error;
    ck_assert_int_eq(
        signature_make(fields, count, slice_text(body), slice_text(key), signature, &error),
        MQC_OK);
    ck_assert_str_eq(signature, expected);
}

START_TEST(java_s_vector)
{
    assert_signature(NULL, 0, "RocketMQ", "12345678", "IUc8rrO/0gDch8CjObLQsW2rsiA=");
    struct command_field field = {SLICE_LITERAL("any"), SLICE_LITERAL("RocketMQ")};
    assert_signature(&field, 1, NULL, "12345678", "IUc8rrO/0gDch8CjObLQsW2rsiA=");
}
END_TEST

START_TEST(values_in_the_order_of_names)
{
    struct command_field fields[] = {{SLICE_LITERAL("topic"), SLICE_LITERAL("x")},
                                     {SLICE_LITERAL("a"), SLICE_LITERAL("pg")},
                                     {SLICE_LITERAL("Z"), SLICE_LITERAL("1")},
                                     {SLICE_LITERAL("b"), SLICE_LITERAL("T")},
                                     {SLICE_LITERAL("AccessKey"), SLICE_LITERAL("ak")}};
    assert_signature(fields, 5, "body", "sk12345", "bPSaWJ/tOAEHh5d188fUPlQqDD8=");
    static const char *const sorted[] = {"AccessKey", "Z", "a", "b", "topic"};
    for (size_t i = 0; i < 5; i++) ck_assert(slice_is(fields[i].name, sorted[i]));
}
END_TEST

/* A key longer than SHA-1's block is hashed first; an absent value adds nothing. Computed with
 * Python's hmac. */
START_TEST(long_keys_and_empty_values)
{
    struct command_field fields[] = {{SLICE_LITERAL("b"), SLICE_LITERAL("")},
                                     {SLICE_LITERAL("a"), SLICE_LITERAL("12")}};
    char key[101] = {0};
    memset(key, 'k', 100);
    assert_signature(fields, 2, "3", key, "yXcO8BTLqAyGJ05fBv+QyW1wQQY=");
}
END_TEST

static Suite *signature_suite(void)
{
    Suite *suite = suite_create("signature");
    UNIT_CASE(suite, "signature", java_s_vector, values_in_the_order_of_names,
              long_keys_and_empty_values);
    return suite;
}

TEST_MAIN(signature_suite)
