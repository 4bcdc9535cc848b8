/* Tests of lib/protocol/header_scanner.c: above all that it agrees with jansson. */
#include "lib/protocol/header_scanner.h"

#include "lib/base/memory.h"
#include "lib/protocol/json_header.h"
#include "test/unit/protocol/golden_frames.h"

static bool same_slice(struct slice a, struct slice b)
{
    return (a.data == NULL) == (b.data == NULL) && slice_equal(a, b);
}

static bool same_command(const struct remoting_command *a, const struct remoting_command *b)
{
    if (a->code != b->code || a->opaque != b->opaque || a->flag != b->flag ||
        a->version != b->version || a->language != b->language ||
        !same_slice(a->remark, b->remark) || a->field_count != b->field_count)
        return false;
    for (size_t i = 0; i < a->field_count; i++) {
        size_t k = 0;
        while (k < b->field_count && !slice_equal(b->fields[k].name, a->fields[i].name)) k++;
        if (k == b->field_count || !same_slice(a->fields[i].value, b->fields[k].value))
            return false;
    }
    return true;
}

/* Scans the text; when the scanner understands it, jansson must read the same. */
static bool scan_and_compare(struct slice text)
{
    static struct remoting_command scanned, parsed;
    struct slice copy = slice_of(exact_block(text), text.size);
    enum scan_result result = header_scan(&scanned, copy);
    if (result == SCAN_DONE) {
        mqc_error error;
        if (json_header_parse(&parsed, copy, &error) != MQC_OK)
            ck_abort_msg("jansson refuses '%.*s': %s", SLICE_FORMAT(text), error.text);
        if (!same_command(&scanned, &parsed))
            ck_abort_msg("read differently: '%.*s'", SLICE_FORMAT(text));
        remoting_command_done(&scanned);
        remoting_command_done(&parsed);
    }
    free((char *)(uintptr_t)copy.data);
    return result == SCAN_DONE;
}

static const char *const understood[] = {
    "{}",
    " \t\r\n{ } ",
    "{\"code\":0}",
    "{\"code\":-1000,\"opaque\":-2147483648,\"flag\":1,\"version\":513,\"language\":\"JAVA\"}",
    "{\"language\":\"GO\"}",
    "{\"language\":\"KLINGON\"}",
    "{\"language\":12,\"code\":2147483647}",
    "{\"extFields\":{}}",
    "{\"extFields\":null,\"remark\":null,\"code\":null,\"language\":null,\"version\":null}",
    "{\"extFields\":{\"a\":\"1\",\"b\":\"\"}}",
    "{\"extFields\":{\"a\":1,\"b\":-25,\"c\":true,\"d\":false,\"e\":null,\"f\":0}}",
    "{ \"extFields\" : { \"a\" : \"1\" , \"b\" : 2 } , \"code\" : 5 }",
    "{\"extFields\":{\"a\":\"1\",\"a\":\"2\"},\"code\":1,\"code\":2}",
    "{\"extFields\":{\"a\":\"1\",\"b\":\"2\",\"a\":null}}",
    "{\"extFields\":{\"a\":null,\"a\":\"2\"}}",
    "{\"extFields\":{\"a\":\"1\"},\"extFields\":{\"b\":\"2\"}}",
    "{\"extFields\":{\"a\":\"1\"},\"extFields\":null}",
    "{\"remark\":\"x\",\"remark\":null}",
    "{\"remark\":\"\\u0001\\u0002\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
    "{\"remark\":\"a\\u00e9\\u4E2D\\ud83d\\uDE00z\"}",
    "{\"remark\":\"\\u0000\"}",
    "{\"remark\":\"\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80 \\n\xC3\xA9\"}",
    "{\"extFields\":{\"i\":\"A\\u0001B\\u0002\",\"j\":\"\\u0041\",\"\\u006b\":\"\\u0042\"}}",
    "{\"extFields\":{\"\":\"empty name\"}}",
    "{\"serializeTypeCurrentRPC\":\"JSON\",\"new\":true,\"other\":null,\"n\":12}",
    "{\"c\\u006fde\":7}",
};

START_TEST(the_known_shape_is_understood_as_by_jansson)
{
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++)
        ck_assert_msg(scan_and_compare(slice_text(understood[i])), "%s", understood[i]);
}
END_TEST

/* Jansson decides on these: some are good JSON, most are not. */
static const char *const left_to_jansson[] = {
    "",
    "{",
    "}",
    "[]",
    "{}x",
    "{}{}",
    "{\"code\":01}",
    "{\"code\":-0}",
    "{\"code\":-}",
    "{\"code\":1.0}",
    "{\"code\":1e3}",
    "{\"code\":2147483648}",
    "{\"code\":12345678901234567890}",
    "{\"code\":\"1\"}",
    "{\"code\":true}",
    "{\"code\":}",
    "{\"code\" 1}",
    "{\"code\":1,}",
    "{code:1}",
    "{'code':1}",
    "{\"code\":truex}",
    "{\"code\":nul",
    "{\"extFields\":{\"a\":tru}}",
    "{\"extFields\":{\"a\":falsey}}",
    "{\"extFields\":{\"a\":12x}}",
    "{\"language\":256}",
    "{\"language\":-1}",
    "{\"remark\":1}",
    "{\"remark\":\"a",
    "{\"remark\":\"a\\",
    "{\"remark\":\"a\\x\"}",
    "{\"remark\":\"\\u12\"}",
    "{\"remark\":\"\\u12g4\"}",
    "{\"remark\":\"\\ud800\"}",
    "{\"remark\":\"\\udc00\"}",
    "{\"remark\":\"\\ud800\\u0041\"}",
    "{\"remark\":\"\\ud800\\ue000\"}",
    "{\"remark\":\"\x01\"}",
    "{\"remark\":\"\n\"}",
    "{\"remark\":\"\x80\"}",
    "{\"remark\":\"\xED\xA0\x80\"}",
    "{\"remark\":\"\\n\xC0\x80\"}",
    "{\"extFields\":{\"a\\u0000\":1}}",
    "{\"extFields\":[]}",
    "{\"extFields\":1}",
    "{\"extFields\":{\"a\":{}}}",
    "{\"extFields\":{\"a\":[1]}}",
    "{\"extFields\":{\"a\":1.5}}",
    "{\"new\":{\"nested\":1}}",
    "{\"new\":[1,2]}",
};

START_TEST(everything_else_is_left_alone)
{
    long before = memory_live_blocks();
    for (size_t i = 0; i < sizeof left_to_jansson / sizeof *left_to_jansson; i++)
        ck_assert_msg(!scan_and_compare(slice_text(left_to_jansson[i])), "%s", left_to_jansson[i]);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(golden_headers_are_understood)
{
    const struct golden_names *all = golden_names();
    for (size_t i = 0; i < all->count; i++) {
        struct slice frame = golden(all->names[i]);
        size_t header_size = golden_u32(frame.data + 4) & 0xFFFFFF;
        if (frame.data[4] != 0) continue;
        ck_assert_msg(scan_and_compare(slice_of(frame.data + 8, header_size)), "%s", all->names[i]);
    }
}
END_TEST

START_TEST(no_copy_without_escapes)
{
    struct remoting_command command;
    struct slice text =
        SLICE_LITERAL("{\"remark\":\"r\",\"extFields\":{\"a\":\"\xC3\xA9\",\"b\":1}}");
    memory_fail_from(1);
    enum scan_result result = header_scan(&command, text);
    memory_fail_from(0);
    ck_assert_int_eq(result, SCAN_DONE);
    ck_assert_ptr_null(command.unescaped);
    ck_assert_ptr_eq(command.remark.data, text.data + 11);
    struct slice escaped = SLICE_LITERAL("{\"remark\":\"\\n\"}");
    memory_fail_from(1);
    result = header_scan(&command, escaped);
    memory_fail_from(0);
    ck_assert_int_eq(result, SCAN_NO_MEMORY);
    ck_assert_ptr_null(command.unescaped);
}
END_TEST

/* Strings are gone through eight bytes at a time: any byte at any place of any length. */
START_TEST(every_byte_at_every_place)
{
    enum { LONGEST = 19 };
    size_t done = 0;
    for (size_t size = 1; size <= LONGEST; size++) {
        for (size_t place = 0; place < size; place++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[64] = "{\"remark\":\"";
                size_t start = strlen(text);
                memset(text + start, '!' + (char)size, size);
                text[start + place] = (char)byte;
                memcpy(text + start + size, "\"}", 2);
                bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                bool read = scan_and_compare(slice_of(text, start + size + 2));
                ck_assert_msg(read || !plain, "byte %d at %zu of %zu", byte, place, size);
                done += read;
            }
        }
    }
    ck_assert_uint_ge(done, LONGEST * (LONGEST + 1) / 2 * (0x80 - 0x20 - 2));
}
END_TEST

/* What JSON is made of. */
static const char *const pieces[] = {"\"",
                                     "\\",
                                     "{",
                                     "}",
                                     ",",
                                     ":",
                                     "null",
                                     "true",
                                     "12",
                                     "-",
                                     "0",
                                     " ",
                                     "\\u0001",
                                     "\\n",
                                     "\\ud83d",
                                     "\\ude00",
                                     "\xC3\xA9",
                                     "\"a\":1,",
                                     "\"extFields\":{",
                                     "\"code\":",
                                     "1.5",
                                     "[]"};

/* Half of the changes put in what JSON is made of, so that many results are still JSON. */
static struct slice mutate(struct slice text, char *out, size_t room, uint64_t *random)
{
    size_t size = text.size < room / 2 ? text.size : room / 2;
    memcpy(out, text.data, size);
    for (size_t changes = 1 + random_below(random, 3); changes > 0 && size > 0; changes--) {
        size_t at = random_below(random, size);
        const char *piece = pieces[random_below(random, sizeof pieces / sizeof *pieces)];
        size_t length = strlen(piece);
        switch (random_below(random, 5)) {
        case 0: out[at] = (char)random_below(random, 256); break;
        case 1:
            memmove(out + at, out + at + 1, size - at - 1);
            size--;
            break;
        case 2: memcpy(out + at, piece, length < size - at ? length : size - at); break;
        default:
            if (size + length > room) break;
            memmove(out + at + length, out + at, size - at);
            memcpy(out + at, piece, length);
            size += length;
        }
    }
    return slice_of(out, size);
}

START_TEST(mutations_are_read_as_by_jansson)
{
    uint64_t random = 42;
    char out[4096];
    size_t done = 0, rounds = 3000;
    for (size_t i = 0; i < sizeof understood / sizeof *understood; i++)
        for (size_t k = 0; k < rounds; k++)
            done += scan_and_compare(mutate(slice_text(understood[i]), out, sizeof out, &random));
    struct slice frame = golden("send_response");
    struct slice header = slice_of(frame.data + 8, golden_u32(frame.data + 4) & 0xFFFFFF);
    for (size_t k = 0; k < 20 * rounds; k++)
        done += scan_and_compare(mutate(header, out, sizeof out, &random));
    ck_assert_uint_gt(done, rounds); /* or nothing has been compared */
}
END_TEST

static Suite *header_scanner_suite(void)
{
    Suite *suite = suite_create("header_scanner");
    UNIT_CASE(suite, "header_scanner", the_known_shape_is_understood_as_by_jansson,
              everything_else_is_left_alone, golden_headers_are_understood, no_copy_without_escapes,
              every_byte_at_every_place, mutations_are_read_as_by_jansson);
    return suite;
}

TEST_MAIN(header_scanner_suite)
