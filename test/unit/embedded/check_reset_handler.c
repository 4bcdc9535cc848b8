/* Setting a group elsewhere at wire level, when the members are told: what they are told, and who
 * is refused. */
#include "lib/protocol/bodies.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire, *member;

static void set_up(void)
{
    cluster =
        cluster_start(&(mqc_embedded_options){.broker_config = "useServerSideResetOffset=false"});
    mqc_embedded_create_topic(cluster, -1, "orders", 2, NULL);
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    member = wire_open(mqc_embedded_broker_address(cluster, 0));
}

static void tear_down(void)
{
    wire_close(member);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static struct reset_offset_header header_of(const char *topic, int64_t timestamp)
{
    struct reset_offset_header header;
    header_init(&reset_offset_layout, &header);
    header.topic = slice_text(topic);
    header.consumer_group = SLICE_LITERAL("g");
    header.timestamp = timestamp;
    header.force = true;
    return header;
}

static void refused(const char *topic, int32_t code)
{
    struct reset_offset_header header = header_of(topic, -1);
    wire_expect(wire, REQUEST_INVOKE_BROKER_TO_RESET_OFFSET, &reset_offset_layout, &header,
                SLICE_ABSENT, code);
}

static void commit(int32_t queue_id, int64_t offset)
{
    struct update_consumer_offset_header header;
    header_init(&update_consumer_offset_layout, &header);
    header.consumer_group = SLICE_LITERAL("g");
    header.topic = SLICE_LITERAL("orders");
    header.queue_id = queue_id;
    header.commit_offset = offset;
    wire_expect(wire, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
}

static void note(struct slice topic, struct slice broker_name, int32_t queue_id, int64_t offset,
                 void *arg)
{
    buffer_put_format(arg, "%.*s %.*s %d %lld;", SLICE_FORMAT(topic), SLICE_FORMAT(broker_name),
                      (int)queue_id, (long long)offset);
}

static void check_told(struct slice body, const char *expected)
{
    struct buffer told;
    mqc_error error;
    buffer_init(&told);
    ck_assert_msg(reset_offset_decode(body, note, &told, &error) == MQC_OK, "%s", error.text);
    ck_assert_str_eq(buffer_text(&told), expected);
    buffer_done(&told);
}

START_TEST(members_are_told)
{
    static const char expected[] = "orders broker-a 0 1;orders broker-a 1 0;";
    wire_put(wire, "orders", 0, NULL, "x");
    refused("orders", RESPONSE_SYSTEM_ERROR); /* the group has no offsets */
    refused("nowhere", RESPONSE_TOPIC_NOT_EXIST);
    wire_heartbeat(member, "c1", "g", "orders", "*");
    commit(0, 0);
    commit(1, 0);
    struct reset_offset_header header = header_of("orders", -1);
    int32_t opaque = wire_send(wire, REQUEST_INVOKE_BROKER_TO_RESET_OFFSET, &reset_offset_layout,
                               &header, SLICE_ABSENT);
    struct wire_frame *answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    check_told(answer->command.body, expected);
    wire_frame_free(answer);
    struct wire_frame *push = wire_receive_push(member, REQUEST_RESET_CONSUMER_CLIENT_OFFSET);
    ck_assert(remoting_command_is_oneway(&push->command));
    assert_text(remoting_command_field(&push->command, "group"), "g");
    check_told(push->command.body, expected);
    wire_frame_free(push);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 0); /* as it was */
    struct unregister_client_header farewell = {.client_id = SLICE_LITERAL("c1"),
                                                .consumer_group = SLICE_LITERAL("g")};
    wire_expect(member, REQUEST_UNREGISTER_CLIENT, &unregister_client_layout, &farewell,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    refused("orders", RESPONSE_CONSUMER_NOT_ONLINE);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reset handler");
    WIRE_CASE(s, "told", set_up, tear_down, members_are_told);
    return s;
}

TEST_MAIN(suite)
