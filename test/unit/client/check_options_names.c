/* Names in options. */
#include "lib/client/options.h"
#include "test/unit/unit.h"

START_TEST(topics_are_listed)
{
    char topic[NAME_BYTES], of_all[64] = "", too_long[NAME_BYTES + 10];
    struct slice rest = slice_text(" a;; b ;c;");
    while (options_next_topic(&rest, topic)) strcat(strcat(of_all, topic), ",");
    ck_assert_str_eq(of_all, "a,b,c,");
    ck_assert(!options_next_topic(&(struct slice){NULL, 0}, topic));
    rest = SLICE_LITERAL(" ; ");
    ck_assert(!options_next_topic(&rest, topic));
    memset(too_long, 'x', sizeof too_long);
    rest = slice_of(too_long, sizeof too_long);
    ck_assert(options_next_topic(&rest, topic)); /* cut, and still too long for a topic */
    ck_assert_uint_eq(strlen(topic), NAME_BYTES - 1);
    ck_assert(!options_next_topic(&rest, topic));
}
END_TEST

static Suite *names_suite(void)
{
    Suite *suite = suite_create("options_names");
    UNIT_CASE(suite, "topics", topics_are_listed);
    return suite;
}

TEST_MAIN(names_suite)
