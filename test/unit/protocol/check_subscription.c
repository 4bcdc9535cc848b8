/* Subscriptions: tag expressions and their JSON. */
#include "lib/protocol/subscription.h"

#include "lib/base/memory.h"
#include "lib/protocol/relaxed_json.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

static struct subscription make(const char *filter)
{
    struct subscription made;
    assert_ok(subscription_make("t", filter, 17, &made, &error), &error);
    return made;
}

START_TEST(all)
{
    const char *const filters[] = {NULL, "", "*"};
    for (size_t i = 0; i < 3; i++) {
        struct subscription made = make(filters[i]);
        ck_assert_str_eq(made.topic, "t");
        ck_assert_str_eq(made.expression, "*");
        ck_assert_str_eq(made.expression_type, "TAG");
        ck_assert_uint_eq(made.tag_count, 0);
        ck_assert_int_eq(made.version, 17);
        ck_assert(subscription_accepts(&made, SLICE_ABSENT));
        ck_assert(subscription_accepts(&made, SLICE_LITERAL("x")));
        subscription_done(&made);
        ck_assert_ptr_null(made.topic);
    }
}
END_TEST

START_TEST(tags)
{
    struct subscription made = make(" first|| java ||\t|| a|b || first");
    ck_assert_str_eq(made.expression, " first|| java ||\t|| a|b || first");
    ck_assert_uint_eq(made.tag_count, 3);
    ck_assert_str_eq(made.tags[0], "first");
    ck_assert_str_eq(made.tags[1], "java");
    ck_assert_str_eq(made.tags[2], "a|b");
    ck_assert_int_eq(made.codes[0], 97440432); /* as in consumer_connection_response */
    ck_assert_int_eq(made.codes[1], 3254818);
    ck_assert(subscription_accepts(&made, SLICE_LITERAL("first")));
    ck_assert(subscription_accepts(&made, SLICE_LITERAL("a|b")));
    ck_assert(!subscription_accepts(&made, SLICE_LITERAL("firs")));
    ck_assert(!subscription_accepts(&made, SLICE_LITERAL("first ")));
    ck_assert(!subscription_accepts(&made, SLICE_LITERAL("")));
    ck_assert(!subscription_accepts(&made, SLICE_ABSENT));
    subscription_done(&made);
}
END_TEST

/* Brokers compare hash codes only, and these two have the same. */
START_TEST(equal_codes_are_told_apart)
{
    struct subscription made = make("Aa");
    struct subscription other = make("BB");
    ck_assert_int_eq(made.codes[0], other.codes[0]);
    ck_assert(subscription_accepts(&made, SLICE_LITERAL("Aa")));
    ck_assert(!subscription_accepts(&made, SLICE_LITERAL("BB")));
    subscription_done(&made);
    subscription_done(&other);
}
END_TEST

START_TEST(bad_filters)
{
    const char *const bad[] = {"||", " || ", "||||", "  "};
    struct subscription made;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(subscription_make("t", bad[i], 1, &made, &error), MQC_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(error.text, "\"a || b\""));
        ck_assert_ptr_null(made.topic);
    }
    ck_assert_int_eq(subscription_make("", "*", 1, &made, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(subscription_make(NULL, "*", 1, &made, NULL), MQC_BAD_ARGUMENT);
}
END_TEST

static void assert_equal(const struct subscription *a, const struct subscription *b)
{
    ck_assert_str_eq(a->topic, b->topic);
    ck_assert_str_eq(a->expression, b->expression);
    ck_assert_str_eq(a->expression_type, b->expression_type);
    ck_assert_int_eq(a->version, b->version);
    ck_assert_uint_eq(a->tag_count, b->tag_count);
    for (size_t i = 0; i < a->tag_count; i++) {
        ck_assert_str_eq(a->tags[i], b->tags[i]);
        ck_assert_int_eq(a->codes[i], b->codes[i]);
    }
}

START_TEST(copies)
{
    struct subscription made = make("a || b"), copy;
    assert_ok(subscription_copy(&made, &copy, &error), &error);
    assert_equal(&made, &copy);
    ck_assert_ptr_ne(made.tags[0], copy.tags[0]);
    subscription_done(&made);
    ck_assert_str_eq(copy.tags[1], "b");
    subscription_done(&copy);
}
END_TEST

static struct subscription decode(const char *text)
{
    json_t *json;
    struct subscription decoded;
    assert_ok(relaxed_json_parse(slice_text(text), "subscription", &json, &error), &error);
    assert_ok(subscription_decode(json, &decoded, &error), &error);
    json_decref(json);
    return decoded;
}

START_TEST(json)
{
    struct subscription made = make("first || j\"");
    struct buffer out;
    buffer_init(&out);
    subscription_encode(&made, &out);
    ck_assert_str_eq(buffer_text(&out),
                     "{\"classFilterMode\":false,\"codeSet\":[97440432,3320],\"expressionType\":"
                     "\"TAG\",\"subString\":\"first || j\\\"\",\"subVersion\":17,\"tagsSet\":"
                     "[\"first\",\"j\\\"\"],\"topic\":\"t\"}");
    struct subscription decoded = decode(buffer_text(&out));
    assert_equal(&made, &decoded);
    subscription_done(&made);
    subscription_done(&decoded);

    buffer_clear(&out);
    made = make("*");
    subscription_encode(&made, &out);
    ck_assert_str_eq(buffer_text(&out),
                     "{\"classFilterMode\":false,\"codeSet\":[],\"expressionType\":\"TAG\","
                     "\"subString\":\"*\",\"subVersion\":17,\"tagsSet\":[],\"topic\":\"t\"}");
    subscription_done(&made);
    buffer_done(&out);
}
END_TEST

START_TEST(json_with_defaults)
{
    struct subscription decoded = decode("{\"topic\":\"t\",\"tagsSet\":[\"a\",5,\"\",\"a\"]}");
    ck_assert_str_eq(decoded.expression, "*");
    ck_assert_str_eq(decoded.expression_type, "TAG");
    ck_assert_int_eq(decoded.version, 0);
    ck_assert_uint_eq(decoded.tag_count, 1);
    subscription_done(&decoded);
    decoded = decode("{\"topic\":\"t\",\"expressionType\":\"SQL92\",\"subString\":\"a > 1\"}");
    ck_assert_str_eq(decoded.expression_type, "SQL92");
    ck_assert(subscription_accepts(&decoded, SLICE_ABSENT));
    subscription_done(&decoded);
    ck_assert_int_eq(subscription_decode(NULL, &decoded, &error), MQC_BAD_FRAME);
    subscription_done(&decoded);
}
END_TEST

START_TEST(no_memory)
{
    long live = memory_live_blocks();
    long nth = 1;
    for (mqc_status status = MQC_NO_MEMORY; status != MQC_OK; nth++) {
        struct subscription made, copy = {0};
        memory_fail_from(nth);
        status = subscription_make("t", "a || b", 1, &made, &error);
        if (status == MQC_OK) status = subscription_copy(&made, &copy, &error);
        memory_fail_from(0);
        if (status != MQC_OK) ck_assert_int_eq(status, MQC_NO_MEMORY);
        subscription_done(&made);
        subscription_done(&copy);
        ck_assert_int_eq(memory_live_blocks(), live);
    }
    ck_assert_int_eq(nth, 2 * 7 + 2);
}
END_TEST

START_TEST(sql)
{
    struct subscription made, copy;
    ck_assert_int_eq(subscription_make_sql("t", "a > 5 AND b = 'x'", 17, &made, &error), MQC_OK);
    ck_assert(subscription_is_sql(&made));
    ck_assert(subscription_accepts(&made, slice_text("any")));
    ck_assert_int_eq(subscription_copy(&made, &copy, &error), MQC_OK);
    struct buffer out;
    buffer_init(&out);
    subscription_encode(&copy, &out);
    ck_assert_str_eq(buffer_text(&out),
                     "{\"classFilterMode\":false,\"codeSet\":[],\"expressionType\":\"SQL92\","
                     "\"subString\":\"a > 5 AND b = 'x'\",\"subVersion\":17,\"tagsSet\":[],"
                     "\"topic\":\"t\"}");
    buffer_done(&out);
    subscription_done(&copy);
    subscription_done(&made);
    ck_assert(!subscription_is_sql(&(struct subscription){.expression_type = (char[]){"TAG"}}));
    static const char *const empty[] = {NULL, "", " \t"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(subscription_make_sql("t", empty[i], 1, &made, &error), MQC_BAD_ARGUMENT);
        ck_assert_str_eq(error.text, "subscription to t: the SQL92 expression is empty: it should "
                                     "be like \"price > 10 AND region = 'north'\"");
    }
    ck_assert_int_eq(subscription_make_sql("", "a > 1", 1, &made, &error), MQC_BAD_ARGUMENT);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("subscription");
    UNIT_CASE(s, "filters", all, tags, equal_codes_are_told_apart, bad_filters, copies, sql,
              no_memory);
    UNIT_CASE(s, "json", json, json_with_defaults);
    return s;
}
TEST_MAIN(suite)
