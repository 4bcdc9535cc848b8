/* Settings of brokers, read and written, and what they do to pops. */
#include "lib/embedded/broker_settings.h"

#include "lib/base/clock.h"
#include "test/unit/embedded/wire_client.h"

START_TEST(lines_are_read_and_written)
{
    struct broker_settings settings;
    broker_settings_init(&settings);
    ck_assert(!settings.recall_message);
    ck_assert_int_eq(broker_settings_read(&settings,
                                          SLICE_LITERAL("# a comment\n\n recallMessageEnable = true"
                                                        "\r\ntransactionCheckMax=3\nunknown=1"),
                                          false, NULL),
                     MQC_OK);
    ck_assert(settings.recall_message);
    ck_assert_int_eq(settings.transaction_check_max, 3);
    struct buffer text;
    buffer_init(&text);
    broker_settings_write(&settings, &text);
    struct broker_settings again;
    broker_settings_init(&again);
    ck_assert_int_eq(broker_settings_read(&again, buffer_slice(&text), true, NULL), MQC_OK);
    ck_assert(again.recall_message);
    ck_assert_int_eq(again.transaction_check_max, 3);
    buffer_done(&text);
}
END_TEST

START_TEST(wrong_lines_change_nothing_and_say_what_would_be_right)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"enableRetryTopicV2=true\nrecallMessageEnable=yes", "must be true or false"},
        {"enableRetryTopicV2=true\ntransactionCheckMax=0", "must be a whole number above 0"},
        {"enableRetryTopicV2=true\ntransactionCheckMax=many", "must be a whole number above 0"},
        {"enableRetryTopicV2=true\nfoo=bar", "recallMessageEnable"},
        {"enableRetryTopicV2=true\nrecallMessageEnable", "name=value"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mqc_error error;
        struct broker_settings settings;
        broker_settings_init(&settings);
        ck_assert_int_eq(broker_settings_read(&settings, slice_text(wrong[i].text), true, &error),
                         MQC_BAD_ARGUMENT);
        ck_assert_msg(strstr(error.text, wrong[i].says), "%s", error.text);
        ck_assert(!settings.retry_topic_v2);
        ck_assert_ptr_null(
            mqc_embedded_start(&(mqc_embedded_options){.broker_config = wrong[i].text}, &error));
    }
}
END_TEST

static struct wire_frame *pop(struct wire *wire)
{
    struct pop_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                        .topic = SLICE_LITERAL("orders"),
                                        .queue_id = -1,
                                        .max_messages = 32,
                                        .invisible_time_ms = 1000,
                                        .born_timestamp = clock_unix_ms()};
    struct wire_frame *answer =
        wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    return answer;
}

START_TEST(the_second_form_of_retry_topics)
{
    mqc_embedded *cluster = cluster_start(&(mqc_embedded_options){
        .virtual_clock = true,
        .broker_config = "enableRetryTopicV2=true\nretrieveMessageFromPopRetryTopicV1=false\n"
                         "popResponseReturnActualRetryTopic=true"});
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    wire_put(wire, "orders", 0, NULL, "x");
    wire_frame_free(pop(wire));
    for (int i = 0; i < 2; i++) {
        mqc_embedded_advance_clock(cluster, 1000);
        struct wire_frame *answer = pop(wire);
        struct message_block *block = wire_messages(answer);
        ck_assert_uint_eq(block->count, 1);
        assert_text(block->messages[0].stored_topic, "%RETRY%g+orders");
        assert_text(remoting_command_field(&answer->command, "startOffsetInfo"),
                    i == 0 ? "2 0 0" : "2 0 1");
        message_block_unref(block);
        wire_frame_free(answer);
    }
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

static void nothing(void)
{
}

static Suite *suite(void)
{
    Suite *s = suite_create("broker settings");
    WIRE_CASE(s, "settings", nothing, nothing, lines_are_read_and_written,
              wrong_lines_change_nothing_and_say_what_would_be_right,
              the_second_form_of_retry_topics);
    return s;
}
TEST_MAIN(suite)
