/* Tests of lib/protocol/utf8.c. */
#include "lib/protocol/utf8.h"

#include "test/unit/protocol/golden_frames.h"

/* Every code point in its shortest form is read back; surrogates are no characters. */
START_TEST(every_code_point)
{
    for (uint32_t wanted = 0; wanted <= 0x10FFFF; wanted++) {
        uint8_t bytes[4];
        size_t size = 0;
        if (wanted < 0x80) {
            bytes[size++] = (uint8_t)wanted;
        } else {
            size_t more = wanted < 0x800 ? 1 : wanted < 0x10000 ? 2 : 3;
            bytes[size++] = (uint8_t)((0xFF00U >> (more + 1) & 0xFF) | wanted >> (6 * more));
            while (more-- > 0) bytes[size++] = (uint8_t)(0x80 | (wanted >> (6 * more) & 0x3F));
        }
        const uint8_t *at = bytes;
        uint32_t got;
        bool surrogate = wanted >= 0xD800 && wanted <= 0xDFFF;
        /* One assertion a million times over is slow with Check: only failures are told. */
        if (utf8_next(&at, bytes + size, &got) == surrogate || at != bytes + size ||
            got != (surrogate ? UTF8_REPLACEMENT : wanted))
            ck_abort_msg("U+%04X is read as U+%04X", (unsigned)wanted, (unsigned)got);
    }
}
END_TEST

START_TEST(malformed_bytes)
{
    static const struct {
        const char *bytes;
        size_t replaced;
    } cases[] = {{"80", 1},       {"c0 80", 1},       {"c2", 1},          {"c2 41", 1},
                 {"e2 82", 2},    {"e2 82 41", 2},    {"e0 9f bf", 1},    {"ed a0 80", 3},
                 {"f0 9f 98", 3}, {"f0 8f 80 80", 1}, {"f4 90 80 80", 1}, {"f5 80 80 80", 1},
                 {"ff", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bytes = hex(cases[i].bytes);
        const uint8_t *start = (const uint8_t *)bytes.data, *at = start;
        uint32_t got;
        ck_assert_msg(!utf8_next(&at, start + bytes.size, &got), "%s", cases[i].bytes);
        ck_assert_uint_eq(got, UTF8_REPLACEMENT);
        ck_assert_msg(at == start + cases[i].replaced, "%s: %td", cases[i].bytes, at - start);
    }
}
END_TEST

static Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    UNIT_CASE(suite, "utf8", every_code_point, malformed_bytes);
    return suite;
}

TEST_MAIN(utf8_suite)
