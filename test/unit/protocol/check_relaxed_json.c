/* fastjson's dialect of JSON. */
#include "lib/protocol/relaxed_json.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

static void assert_parses(struct slice text, const char *standard)
{
    json_t *json;
    assert_ok(relaxed_json_parse(text, "test", &json, &error), &error);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(dump, standard);
    free(dump);
    json_decref(json);
}

static void assert_fails(struct slice text, const char *why)
{
    json_t *json = (json_t *)&error;
    ck_assert_int_eq(relaxed_json_parse(text, "test", &json, &error), MQC_BAD_FRAME);
    ck_assert_ptr_null(json);
    ck_assert_msg(strstr(error.text, "test: not JSON: ") == error.text && strstr(error.text, why),
                  "'%s' not in '%s'", why, error.text);
}

START_TEST(standard_json)
{
    assert_parses(SLICE_LITERAL(" { \"a\" : [ 1 , -2.5e3 , true , false , null , \"\" ] } \r\n"),
                  "{\"a\":[1,-2500.0,true,false,null,\"\"]}");
    assert_parses(SLICE_LITERAL("{}"), "{}");
    assert_parses(SLICE_LITERAL("[[],{}]"), "[[],{}]");
    assert_parses(SLICE_LITERAL("{\"n\":9223372036854775807,\"m\":-9223372036854775808}"),
                  "{\"m\":-9223372036854775808,\"n\":9223372036854775807}");
    assert_parses(SLICE_LITERAL("{\"a\\\\\":\"\\\"}\\u00e9\\/\"}"), "{\"a\\\\\":\"\\\"}é/\"}");
    assert_parses(SLICE_LITERAL("{\"a\":1,\"a\":2}"), "{\"a\":2}");
}
END_TEST

START_TEST(numbers_as_keys)
{
    assert_parses(SLICE_LITERAL("{0:\"x\",12 : 2,-3:{4:5}}"),
                  "{\"-3\":{\"4\":5},\"0\":\"x\",\"12\":2}");
    assert_parses(SLICE_LITERAL("[{\"a\":{1:1}},{1:{}}]"), "[{\"a\":{\"1\":1}},{\"1\":{}}]");
}
END_TEST

START_TEST(objects_as_keys)
{
    assert_parses(SLICE_LITERAL("{{\"q\":0}:1}"), "{\"{\\\"q\\\":0}\":1}");
    assert_parses(SLICE_LITERAL("{\"t\":{{\"b\":\"x\",\"q\":0}:{\"o\":1},{}:2 , \"s\":3}}"),
                  "{\"t\":{\"s\":3,\"{\\\"b\\\":\\\"x\\\",\\\"q\\\":0}\":{\"o\":1},\"{}\":2}}");
    /* A key's own keys, and a key in a key. */
    assert_parses(SLICE_LITERAL("{{0:\"a\\\"b\"}:1}"), "{\"{\\\"0\\\":\\\"a\\\\\\\"b\\\"}\":1}");
    json_t *json, *inner;
    assert_ok(relaxed_json_parse(SLICE_LITERAL("{{{1:\"\1\"}:2}:3}"), "test", &json, &error),
              &error);
    const char *key = json_object_iter_key(json_object_iter(json));
    ck_assert_str_eq(key, "{\"{\\\"1\\\":\\\"\\\\u0001\\\"}\":2}");
    assert_ok(relaxed_json_parse(slice_text(key), "test", &inner, &error), &error);
    ck_assert_int_eq(json_integer_value(json_object_get(inner, "{\"1\":\"\\u0001\"}")), 2);
    json_decref(inner);
    json_decref(json);
}
END_TEST

START_TEST(raw_control_characters)
{
    json_t *json;
    assert_ok(relaxed_json_parse(SLICE_LITERAL("{\"a\":\"x\1y\2\n\t\x1f\",\"b\":\"\"}"), "test",
                                 &json, &error),
              &error);
    ck_assert_str_eq(relaxed_json_text(json, "a", ""), "x\1y\2\n\t\x1f");
    json_decref(json);
    assert_ok(relaxed_json_parse(slice_of("{\"a\":\"x\0y\"}", 11), "test", &json, &error), &error);
    ck_assert_uint_eq(json_string_length(json_object_get(json, "a")), 3);
    json_decref(json);
}
END_TEST

START_TEST(malformed_text)
{
    const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no value at byte 0 of 0"},
        {"  ", "no value at byte 2 of 2"},
        {"{", "no member name at byte 1 of 1"},
        {"{\"a", "a string that does not end at byte 3 of 3"},
        {"{\"a\\", "a string that does not end"},
        {"{\"a\\\"", "a string that does not end"},
        {"{\"a\"}", "no ':' behind a member name at byte 4"},
        {"{\"a\":}", "no value at byte 5"},
        {"{\"a\":1", "no ',' or '}' at byte 6"},
        {"{\"a\":1,}", "no member name at byte 7"},
        {"{,}", "no member name at byte 1"},
        {"[1,]", "no value at byte 3"},
        {"[1 2]", "no ',' or ']' at byte 3"},
        {"[1}", "no ',' or ']' at byte 2"},
        {"{} {}", "more text behind the end at byte 3"},
        {"[tru]", "no value at byte 1"},
        {"[nulll]", "no ',' or ']' at byte 5"},
        {"{a:1}", "no member name at byte 1"},
        {"{'a':1}", "no member name at byte 1"},
        {"{[1]:1}", "no member name"},
        {"{{\"a\":1}}", "no ':' behind"},
        {"{{\"a\":}:1}", "no value"},
        {"[01]", "near byte"},
        {"[1e]", "near byte"},
        {"[+]", "near byte"},
        {"[\"\\x\"]", "near byte"},
        {"[\"\\ud800\"]", "near byte"},
        {"[\"\xff\"]", "near byte"},
        {"[1e999]", "near byte"},
        {"[9223372036854775808]", "near byte"},
        {"5", "near byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(slice_text(cases[i].text), cases[i].why);
    assert_fails(SLICE_ABSENT, "no value");
    assert_fails(slice_of("{}\0", 3), "more text behind");
}
END_TEST

START_TEST(nesting_is_bounded)
{
    char text[200];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    json_t *json;
    assert_ok(relaxed_json_parse(slice_of(text, 128), "test", &json, &error), &error);
    json_decref(json);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_fails(slice_of(text, 130), "nested too deeply at byte 64");
    static char deep[1 << 20];
    memset(deep, '[', sizeof deep);
    assert_fails(slice_of(deep, sizeof deep), "nested too deeply");
    memset(deep, '{', sizeof deep);
    assert_fails(slice_of(deep, sizeof deep), "nested too deeply");
    for (size_t i = 0; i + 5 < sizeof deep; i += 5) memcpy(deep + i, "{\"a\":", 5);
    assert_fails(slice_of(deep, sizeof deep), "nested too deeply");
}
END_TEST

/* Every level of keys in keys doubles the escapes. */
START_TEST(keys_in_keys_are_bounded)
{
    json_t *json;
    struct slice three = SLICE_LITERAL("{{{{}:1}:1}:1}");
    assert_ok(relaxed_json_parse(three, "test", &json, &error), &error);
    json_decref(json);
    assert_fails(SLICE_LITERAL("{{{{{}:1}:1}:1}:1}"), "nested too deeply at byte 4");
}
END_TEST

START_TEST(members_with_defaults)
{
    json_t *json;
    struct slice text = SLICE_LITERAL(
        "{\"t\":\"text\",\"n\":5,\"s\":\"-17\",\"r\":2.9,\"huge\":1e300,\"b\":true,\"bs\":\"TRUE\","
        "\"bn\":\"no\",\"null\":null,\"word\":\"x1\"}");
    assert_ok(relaxed_json_parse(text, "test", &json, &error), &error);
    ck_assert_str_eq(relaxed_json_text(json, "t", "d"), "text");
    ck_assert_str_eq(relaxed_json_text(json, "n", "d"), "d");
    ck_assert_str_eq(relaxed_json_text(json, "null", "d"), "d");
    ck_assert_ptr_null(relaxed_json_text(json, "absent", NULL));
    ck_assert_int_eq(relaxed_json_number(json, "n", 1), 5);
    ck_assert_int_eq(relaxed_json_number(json, "s", 1), -17);
    ck_assert_int_eq(relaxed_json_number(json, "r", 1), 2);
    ck_assert_int_eq(relaxed_json_number(json, "huge", 1), 1);
    ck_assert_int_eq(relaxed_json_number(json, "word", 1), 1);
    ck_assert_int_eq(relaxed_json_number(json, "b", 1), 1);
    ck_assert_int_eq(relaxed_json_number(json, "absent", -9), -9);
    ck_assert(relaxed_json_bool(json, "b", false));
    ck_assert(relaxed_json_bool(json, "bs", false));
    ck_assert(!relaxed_json_bool(json, "bn", true));
    ck_assert(relaxed_json_bool(json, "n", true));
    ck_assert(!relaxed_json_bool(json, "absent", false));
    ck_assert_ptr_null(relaxed_json_text(NULL, "t", NULL));
    ck_assert_int_eq(relaxed_json_number(NULL, "t", 3), 3);
    json_decref(json);
}
END_TEST

START_TEST(writes_escaped_text)
{
    struct buffer out;
    buffer_init(&out);
    json_put_text(&out, SLICE_LITERAL("a\"b\\c\n\r\t\1\x1f\x7fgrüße/"));
    json_put_text(&out, SLICE_ABSENT);
    json_put_text(&out, SLICE_LITERAL("\2"));
    assert_slice(buffer_slice(&out),
                 "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7fgrüße/\"\"\"\"\\u0002\"");
    buffer_done(&out);
}
END_TEST

static void parse_damaged(struct slice damaged, void *arg)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(damaged, "damaged", &json, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    if (damaged.size < *(size_t *)arg) ck_assert_int_eq(status, MQC_BAD_FRAME);
    if (status == MQC_OK) json_decref(json);
}

START_TEST(damaged_text)
{
    static const char *const names[] = {"topic_stats_response", "consume_stats_response",
                                        "route_response_old_version_unquoted",
                                        "consumer_connection_response"};
    struct slice body = golden_body(names[_i]);
    damage_each(body, parse_damaged, &body.size);
}
END_TEST

START_TEST(real_offset_tables)
{
    assert_parses(golden_body("topic_stats_response"),
                  "{\"offsetTable\":{\"{\\\"brokerName\\\":\\\"broker-a\\\",\\\"queueId\\\":0,"
                  "\\\"topic\\\":\\\"golden\\\"}\":{\"lastUpdateTimestamp\":1795436413642,"
                  "\"maxOffset\":6,\"minOffset\":0}},\"topicPutTps\":0.59999999999999998}");
}
END_TEST

START_TEST(no_memory)
{
    json_t *json;
    long live = memory_live_blocks();
    for (long nth = 1; nth <= 2; nth++) {
        memory_fail_from(nth);
        ck_assert_int_eq(relaxed_json_parse(SLICE_LITERAL("{{\"a\":0}:1}"), "test", &json, &error),
                         MQC_NO_MEMORY);
        memory_fail_from(0);
        ck_assert_ptr_null(json);
    }
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("relaxed_json");
    UNIT_CASE(s, "parsing", standard_json, numbers_as_keys, objects_as_keys, raw_control_characters,
              malformed_text, nesting_is_bounded, keys_in_keys_are_bounded, real_offset_tables,
              no_memory);
    UNIT_CASE(s, "members", members_with_defaults, writes_escaped_text);
    TCase *golden = tcase_create("golden");
    tcase_set_timeout(golden, 60);
    tcase_add_loop_test(golden, damaged_text, 0, 4);
    suite_add_tcase(s, golden);
    return s;
}
TEST_MAIN(suite)
