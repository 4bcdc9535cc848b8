/* Whole frames of real brokers and Java clients through lib/protocol/remoting_command.c, and what
 * becomes of them when they are cut or damaged. */
#include "lib/protocol/remoting_command.h"
#include "test/unit/protocol/golden_frames.h"

static void decode(struct slice frame, struct remoting_command *command)
{
    mqc_error error;
    mqc_status status = remoting_command_decode(command, frame, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
}

/* Reads whatever the command may be about; what the results are does not matter. */
static void read_everything(const struct remoting_command *command)
{
    static const struct header_layout *const layouts[] = {
        &send_message_layout, &send_message_response_layout, &pull_message_layout,
        &pull_message_response_layout, &check_transaction_state_layout};
    char header[512];
    struct buffer line;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        REQUIRE(layouts[i]->size <= sizeof header);
        header_decode(layouts[i], command, header, NULL);
    }
    buffer_init(&line);
    remoting_command_describe(command, &line);
    REQUIRE(memchr(line.data, '\n', line.size) == NULL);
    buffer_done(&line);
}

START_TEST(every_golden_frame)
{
    const struct golden_names *all = golden_names();
    size_t binary = 0, responses = 0;
    for (size_t i = 0; i < all->count; i++) {
        const char *name = all->names[i];
        struct remoting_command command;
        mqc_error error;
        mqc_status status = remoting_command_decode(&command, exact_copy(golden(name)), &error);
        ck_assert_msg(status == MQC_OK, "%s: %s", name, error.text);
        const char *known = remoting_command_is_response(&command)
                                ? response_code_name(command.code)
                                : request_code_name(command.code);
        ck_assert_msg(strcmp(known, "?") != 0, "%s: code %d", name, (int)command.code);
        ck_assert_int_eq(command.language, 0); /* they are all Java's */
        binary += command.serialize_type == SERIALIZE_ROCKETMQ;
        responses += remoting_command_is_response(&command);
        read_everything(&command);
        remoting_command_done(&command);
    }
    ck_assert_uint_gt(binary, 0);
    ck_assert_uint_gt(responses, 30);
}
END_TEST

static void decode_golden(const char *name, int32_t code, const struct header_layout *layout,
                          void *header)
{
    static struct remoting_command command;
    mqc_error error;
    decode(golden(name), &command);
    remember(command.unescaped); /* the header refers to it */
    ck_assert_int_eq(command.code, code);
    mqc_status status = layout ? header_decode(layout, &command, header, &error) : MQC_OK;
    ck_assert_msg(status == MQC_OK, "%s: %s", name, error.text);
}

START_TEST(headers_of_golden_frames)
{
    struct send_message_response_header sent;
    struct pull_message_response_header pulled;
    struct offset_response_header offset;
    struct check_transaction_state_header check;
    struct notify_consumer_ids_changed_header changed;
    struct get_consumer_running_info_header running_info;
    struct consume_message_directly_header directly;
    struct heart_beat_response_header heart_beat;
    decode_golden("send_response", 0, &send_message_response_layout, &sent);
    assert_text(sent.message_id, "7F00000100006D290000000000000000");
    assert_text(sent.transaction_id, "C0A80001000018B4AAC273E3E4FE0000");
    decode_golden("pull_response_found", 0, &pull_message_response_layout, &pulled);
    ck_assert_int_eq(pulled.next_begin_offset, 6);
    ck_assert_int_eq(pulled.max_offset, 6);
    ck_assert_int_eq(pulled.min_offset, 0);
    decode_golden("pull_response_not_found", 19, &pull_message_response_layout, &pulled);
    decode_golden("pull_response_offset_moved", 21, &pull_message_response_layout, &pulled);
    decode_golden("pull_response_retry_immediately", 20, &pull_message_response_layout, &pulled);
    decode_golden("binary_pull_response_found", 0, &pull_message_response_layout, &pulled);
    decode_golden("max_offset_response", 0, &offset_response_layout, &offset);
    ck_assert_int_gt(offset.offset, 0);
    decode_golden("query_offset_response", 0, &offset_response_layout, &offset);
    decode_golden("query_offset_not_found", 22, NULL, NULL);
    decode_golden("check_transaction_state_request", 39, &check_transaction_state_layout, &check);
    assert_text(check.topic, "RMQ_SYS_TRANS_HALF_TOPIC");
    ck_assert_int_eq(check.commit_log_offset, 4531);
    decode_golden("notify_consumer_ids_changed", 40, &notify_consumer_ids_changed_layout, &changed);
    decode_golden("get_consumer_running_info_request", 307, &get_consumer_running_info_layout,
                  &running_info);
    decode_golden("consume_message_directly_request", 309, &consume_message_directly_layout,
                  &directly);
    decode_golden("heartbeat_response", 0, &heart_beat_response_layout, &heart_beat);
    decode_golden("error_topic_not_exist", 17, NULL, NULL);
    decode_golden("unknown_request_response", 3, NULL, NULL);
}
END_TEST

START_TEST(requests_of_a_java_client)
{
    struct send_message_header sent;
    struct pull_message_header pull;
    struct query_consumer_offset_header query;
    struct update_consumer_offset_header update;
    struct get_route_header route;
    struct unregister_client_header unregister;
    struct get_consumer_list_header list;
    decode_golden("java_send_request", 310, &send_message_layout, &sent);
    assert_text(sent.default_topic, "TBW102");
    ck_assert_int_eq(sent.default_topic_queues, 4);
    decode_golden("java_pull_request", 11, &pull_message_layout, &pull);
    ck_assert_uint_gt(pull.consumer_group.size, 0);
    decode_golden("java_query_offset_request", 14, &query_consumer_offset_layout, &query);
    ck_assert(query.set_zero_if_not_found); /* Java leaves it out */
    decode_golden("java_update_offset_request", 15, &update_consumer_offset_layout, &update);
    decode_golden("java_route_request", 105, &get_route_layout, &route);
    decode_golden("java_unregister_client_request", 35, &unregister_client_layout, &unregister);
    decode_golden("java_consumer_list_request", 38, &get_consumer_list_layout, &list);
    decode_golden("java_heartbeat_request", 34, NULL, NULL);
}
END_TEST

/* ---- robustness ---- */

static void decode_anything(struct slice bytes)
{
    static struct remoting_command command;
    struct slice copy = slice_of(exact_block(bytes), bytes.size);
    mqc_error error = {0};
    mqc_status status = remoting_command_decode(&command, copy, &error);
    if (status == MQC_OK) {
        REQUIRE(command.field_count <= COMMAND_MAX_FIELDS);
        read_everything(&command);
        remoting_command_done(&command);
    } else {
        REQUIRE(status == MQC_BAD_FRAME && error.text[0] != '\0');
    }
    free((char *)(uintptr_t)copy.data);
}

/* Makes the prefix fit what is there, so that what is behind it is looked at. */
static void repair_prefix(char *frame, size_t size, uint64_t *random)
{
    uint32_t word = golden_u32(frame + 4), header_size = word & 0xFFFFFF;
    put_u32(frame, (uint32_t)size - 4);
    if (header_size > size - 8 || random_below(random, 8) == 0)
        header_size = (uint32_t)random_below(random, size - 7);
    put_u32(frame + 4, (word & 0x1000000) | header_size);
}

START_TEST(every_prefix_of_every_golden_frame)
{
    const struct golden_names *all = golden_names();
    uint64_t random = 3;
    char frame[4096];
    for (size_t i = 0; i < all->count; i++) {
        struct slice bytes = golden(all->names[i]);
        for (size_t size = 0; size < bytes.size && size < sizeof frame; size++) {
            struct remoting_command command;
            memcpy(frame, bytes.data, size);
            REQUIRE(remoting_command_decode(&command, slice_of(frame, size), NULL) ==
                    MQC_BAD_FRAME);
            if (size < 8) continue;
            repair_prefix(frame, size, &random);
            decode_anything(slice_of(frame, size));
        }
    }
}
END_TEST

START_TEST(mutations_of_every_golden_frame)
{
    const struct golden_names *all = golden_names();
    uint64_t random = 20261123;
    char frame[4096];
    for (size_t i = 0; i < all->count; i++) {
        struct slice bytes = golden(all->names[i]);
        /* Bodies are not looked at here: the header and a little more. */
        size_t most = 8 + (golden_u32(bytes.data + 4) & 0xFFFFFF) + 16;
        if (bytes.size > most) bytes.size = most;
        ck_assert_uint_le(bytes.size, sizeof frame);
        for (int round = 0; round < 2000; round++) {
            size_t size = bytes.size;
            memcpy(frame, bytes.data, size);
            for (size_t changes = 1 + random_below(&random, 6); changes > 0; changes--) {
                size_t at = random_below(&random, size);
                static const char favourites[] = {0, 1, 0x7F, (char)0x80, (char)0xFF, '"', '}'};
                frame[at] = random_below(&random, 2) ? (char)random_below(&random, 256)
                                                     : favourites[random_below(&random, 7)];
            }
            decode_anything(slice_of(frame, size));
            repair_prefix(frame, size, &random);
            decode_anything(slice_of(frame, size));
        }
    }
}
END_TEST

static Suite *golden_frames_suite(void)
{
    Suite *suite = suite_create("golden_frames");
    UNIT_CASE(suite, "golden frames", every_golden_frame, headers_of_golden_frames,
              requests_of_a_java_client);
    UNIT_CASE(suite, "robustness", every_prefix_of_every_golden_frame,
              mutations_of_every_golden_frame);
    return suite;
}

TEST_MAIN(golden_frames_suite)
