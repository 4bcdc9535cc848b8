/* Tests of lib/protocol/headers.c. */
#include "lib/protocol/headers.h"

#include "lib/protocol/remoting_command.h"
#include "test/unit/protocol/golden_frames.h"

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        SLICE_LITERAL(name), SLICE_LITERAL(value)                                                  \
    }

static void set_fields(struct remoting_command *command, const struct command_field *fields,
                       size_t count)
{
    *command = (struct remoting_command){.field_count = count};
    memcpy(command->fields, fields, count * sizeof *fields);
}
#define SET_FIELDS(command, ...)                                                                   \
    set_fields((command), (const struct command_field[]){__VA_ARGS__},                             \
               sizeof((const struct command_field[]){__VA_ARGS__}) / sizeof(struct command_field))

static const struct header_layout *const layouts[] = {
#define HEADER_BEGIN(header) &header##_layout,
#define REQUIRED(type, member, wire)
#define OPTIONAL(type, member, wire, absent)
#define HEADER_END(header)
#include "lib/protocol/headers.def"
#undef HEADER_BEGIN
#undef REQUIRED
#undef OPTIONAL
#undef HEADER_END
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

START_TEST(layouts_fit_their_structs)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct header_layout *layout = layouts[i];
        const struct header_field *fields = layout->fields();
        size_t end = 0;
        ck_assert_uint_gt(layout->count, 0);
        for (size_t k = 0; k < layout->count; k++) {
            static const size_t sizes[] = {sizeof(struct slice), 4, 8, 1};
            ck_assert_uint_eq(fields[k].name_size, strlen(fields[k].name));
            ck_assert_msg(fields[k].offset >= end, "%s.%s", layout->name, fields[k].name);
            end = fields[k].offset + sizes[fields[k].type];
            for (size_t other = 0; other < k; other++)
                ck_assert_str_ne(fields[k].name, fields[other].name);
        }
        ck_assert_uint_le(end, layout->size);
    }
    ck_assert_uint_eq(send_message_layout.count, 14);
    ck_assert_uint_eq(send_message_layout.size, sizeof(struct send_message_header));
}
END_TEST

/* Every member of every header, with a value of its own, must come back from its text. */
START_TEST(every_header_survives_its_text)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct header_layout *layout = layouts[i];
        const struct header_field *fields = layout->fields();
        struct remoting_command command = {0};
        char header[1024], again[1024], numbers[COMMAND_MAX_FIELDS][HEADER_NUMBER_BYTES];
        ck_assert_uint_le(layout->size, sizeof header);
        header_init(layout, header);
        for (size_t k = 0; k < layout->count; k++) {
            char *member = header + fields[k].offset;
            int32_t small = (int32_t)(1000 + k);
            int64_t large = INT64_MIN + (int64_t)k;
            struct slice text = slice_text(fields[k].name);
            bool flag = !fields[k].absent;
            switch ((enum header_field_type)fields[k].type) {
            case HEADER_FIELD_STRING: memcpy(member, &text, sizeof text); break;
            case HEADER_FIELD_INT32: memcpy(member, &small, sizeof small); break;
            case HEADER_FIELD_INT64: memcpy(member, &large, sizeof large); break;
            case HEADER_FIELD_BOOL: memcpy(member, &flag, sizeof flag); break;
            }
            struct command_field *field = &command.fields[command.field_count++];
            field->name = slice_text(fields[k].name);
            ck_assert(header_field_value(&fields[k], header, numbers[k], &field->value));
        }
        ck_assert_int_eq(header_decode(layout, &command, again, NULL), MQC_OK);
        ck_assert_msg(memcmp(header, again, layout->size) == 0, "%s", layout->name);
    }
}
END_TEST

START_TEST(absent_fields_read_as_the_table_says)
{
    struct remoting_command command;
    struct query_consumer_offset_header query;
    struct send_message_header send;
    SET_FIELDS(&command, FIELD("consumerGroup", "g"), FIELD("topic", "t"), FIELD("queueId", "2"));
    memset(&query, 0xAA, sizeof query);
    ck_assert_int_eq(header_decode(&query_consumer_offset_layout, &command, &query, NULL), MQC_OK);
    assert_text(query.consumer_group, "g");
    ck_assert_int_eq(query.queue_id, 2);
    ck_assert(query.set_zero_if_not_found);
    ck_assert_ptr_null(query.broker_name.data);
    header_init(&send_message_layout, &send);
    ck_assert_int_eq(send.max_reconsume_times, -1);
    ck_assert_ptr_null(send.topic.data);
}
END_TEST

START_TEST(what_absence_means_is_not_written)
{
    struct query_consumer_offset_header query;
    char number[HEADER_NUMBER_BYTES];
    struct slice value;
    header_init(&query_consumer_offset_layout, &query);
    const struct header_field *fields = query_consumer_offset_layout.fields();
    ck_assert(!header_field_value(&fields[0], &query, number, &value)); /* absent string */
    ck_assert(header_field_value(&fields[2], &query, number, &value));  /* required 0 */
    assert_text(value, "0");
    ck_assert(!header_field_value(&fields[3], &query, number, &value));
    query.set_zero_if_not_found = false;
    query.consumer_group = SLICE_LITERAL("");
    ck_assert(header_field_value(&fields[3], &query, number, &value));
    assert_text(value, "false");
    ck_assert(header_field_value(&fields[0], &query, number, &value)); /* empty, not absent */
    assert_text(value, "");
}
END_TEST

START_TEST(any_order_and_unknown_fields)
{
    struct remoting_command command;
    struct send_message_response_header header;
    SET_FIELDS(&command, FIELD("queueId", "1"), FIELD("transactionId", "T"), FIELD("msgId", "M"),
               FIELD("TRACE_ON", "true"), FIELD("new in 6.0", "x"), FIELD("MSG_REGION", "R"),
               FIELD("queueOffset", "9223372036854775807"));
    ck_assert_int_eq(header_decode(&send_message_response_layout, &command, &header, NULL), MQC_OK);
    ck_assert_int_eq(header.queue_id, 1);
    ck_assert_int_eq(header.queue_offset, INT64_MAX);
    assert_text(header.message_id, "M");
    assert_text(header.transaction_id, "T");
    assert_text(header.region, "R");
    assert_text(header.trace_on, "true");
    ck_assert_ptr_null(header.recall_handle.data);
}
END_TEST

START_TEST(the_last_of_duplicates_counts)
{
    struct remoting_command command;
    struct offset_response_header header;
    SET_FIELDS(&command, FIELD("offset", "1"), FIELD("offset", "2"));
    ck_assert_int_eq(header_decode(&offset_response_layout, &command, &header, NULL), MQC_OK);
    ck_assert_int_eq(header.offset, 2);
}
END_TEST

START_TEST(booleans_are_java_s)
{
    static const struct {
        struct slice text;
        bool value;
    } cases[] = {{SLICE_LITERAL("true"), true},   {SLICE_LITERAL("TRUE"), true},
                 {SLICE_LITERAL("false"), false}, {SLICE_LITERAL("1"), false},
                 {SLICE_LITERAL("yes"), false},   {SLICE_LITERAL("true "), false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remoting_command command = {.field_count = 1};
        struct notification_response_header header;
        command.fields[0] = (struct command_field){SLICE_LITERAL("hasMsg"), cases[i].text};
        ck_assert_int_eq(header_decode(&notification_response_layout, &command, &header, NULL),
                         MQC_OK);
        ck_assert_int_eq(header.has_message, cases[i].value);
    }
}
END_TEST

static void assert_refused(const struct remoting_command *command, const char *text)
{
    struct get_min_offset_header header;
    mqc_error error;
    ck_assert_int_eq(header_decode(&get_min_offset_layout, command, &header, &error),
                     MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, text);
}

START_TEST(wrong_fields_are_refused)
{
    struct remoting_command command;
    SET_FIELDS(&command, FIELD("topic", "t"));
    assert_refused(&command, "header get_min_offset: the required field \"queueId\" is missing");
    SET_FIELDS(&command, FIELD("topic", "t"), FIELD("queueId", ""));
    assert_refused(&command, "header get_min_offset: the required field \"queueId\" is missing");
    SET_FIELDS(&command, FIELD("topic", "t"), FIELD("queueId", "1.5"));
    assert_refused(&command,
                   "header get_min_offset: field \"queueId\" is \"1.5\", expected a whole "
                   "number of 32 bits");
    SET_FIELDS(&command, FIELD("topic", "t"), FIELD("queueId", "2147483648"));
    assert_refused(&command, "header get_min_offset: field \"queueId\" is \"2147483648\", expected "
                             "a whole number of 32 bits");
}
END_TEST

static Suite *headers_suite(void)
{
    Suite *suite = suite_create("headers");
    UNIT_CASE(suite, "layouts", layouts_fit_their_structs, every_header_survives_its_text,
              what_absence_means_is_not_written);
    UNIT_CASE(suite, "decoding", absent_fields_read_as_the_table_says, any_order_and_unknown_fields,
              the_last_of_duplicates_counts, booleans_are_java_s, wrong_fields_are_refused);
    return suite;
}

TEST_MAIN(headers_suite)
