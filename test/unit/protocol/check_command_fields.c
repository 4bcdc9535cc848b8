/* Tests of lib/protocol/command_fields.c. */
#include "lib/protocol/command_fields.h"

#include "test/unit/protocol/golden_frames.h"

static struct slice name_of(char text[2], size_t number)
{
    text[0] = (char)('a' + number / 26);
    text[1] = (char)('a' + number % 26);
    return slice_of(text, 2);
}

START_TEST(the_last_value_of_a_name_counts)
{
    struct remoting_command command;
    struct command_fields fields;
    char names[COMMAND_MAX_FIELDS + 1][2];
    command_fields_begin(&fields, &command);
    /* More names than there are groups: some share one. */
    for (size_t i = 0; i < COMMAND_MAX_FIELDS; i++)
        ck_assert(command_fields_put(&fields, name_of(names[i], i), SLICE_LITERAL("1")));
    for (size_t i = 0; i < COMMAND_MAX_FIELDS; i++)
        ck_assert(command_fields_put(&fields, name_of(names[i], i), SLICE_LITERAL("2")));
    ck_assert_uint_eq(command.field_count, COMMAND_MAX_FIELDS);
    for (size_t i = 0; i < COMMAND_MAX_FIELDS; i++) assert_text(command.fields[i].value, "2");
    struct slice one_more = name_of(names[COMMAND_MAX_FIELDS], COMMAND_MAX_FIELDS);
    ck_assert(!command_fields_put(&fields, one_more, SLICE_LITERAL("1")));
    ck_assert(command_fields_put(&fields, one_more, SLICE_ABSENT));
    ck_assert(command_fields_put(&fields, slice_of(names[5], 2), SLICE_ABSENT));
    ck_assert_uint_eq(command.field_count, COMMAND_MAX_FIELDS - 1);
    ck_assert_ptr_null(remoting_command_field(&command, "af").data);
    ck_assert(command_fields_put(&fields, one_more, SLICE_LITERAL("1")));
}
END_TEST

START_TEST(a_cleared_command_takes_fields_again)
{
    struct remoting_command command;
    struct command_fields fields;
    command_fields_begin(&fields, &command);
    ck_assert(command_fields_put(&fields, SLICE_LITERAL("a"), SLICE_LITERAL("1")));
    command_fields_clear(&fields);
    ck_assert_uint_eq(command.field_count, 0);
    ck_assert(command_fields_put(&fields, SLICE_LITERAL("a"), SLICE_LITERAL("2")));
    ck_assert(command_fields_put(&fields, SLICE_LITERAL(""), SLICE_LITERAL("3")));
    ck_assert_uint_eq(command.field_count, 2);
    assert_text(remoting_command_field(&command, ""), "3");
}
END_TEST

START_TEST(languages)
{
    struct remoting_command command;
    struct command_fields fields;
    command_fields_begin(&fields, &command);
    for (uint8_t i = 0; i < 14; i++) {
        struct scalar name = {SCALAR_STRING, slice_text(language_name(i))};
        ck_assert_ptr_null(command_member_set(&command, SLICE_LITERAL("language"), name));
        ck_assert_uint_eq(command.language, i);
    }
    ck_assert_str_eq(language_name(COMMAND_LANGUAGE_CPP), "CPP");
    ck_assert_str_eq(language_name(12), "RUST");
    ck_assert_ptr_null(language_name(14));
    struct scalar unknown = {SCALAR_STRING, SLICE_LITERAL("C")};
    ck_assert_ptr_null(command_member_set(&command, SLICE_LITERAL("language"), unknown));
    ck_assert_str_eq(language_name(command.language), "OTHER");
}
END_TEST

static Suite *command_fields_suite(void)
{
    Suite *suite = suite_create("command_fields");
    UNIT_CASE(suite, "command_fields", the_last_value_of_a_name_counts,
              a_cleared_command_takes_fields_again, languages);
    return suite;
}

TEST_MAIN(command_fields_suite)
