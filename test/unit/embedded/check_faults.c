/* Scripted faults at wire level, the request log, brokers that come and go, the route. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/protocol/topic_route.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){
        .brokers = 2, .slaves = 1, .broker_config = "slaveReadEnable=true"});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static int add(const mqc_embedded_fault *fault)
{
    int id;
    mqc_error error;
    ck_assert_msg(mqc_embedded_add_fault(cluster, fault, &id, &error) == MQC_OK, "%s", error.text);
    return id;
}

static int32_t send_odd(void)
{
    return wire_send(wire, 9999, NULL, NULL, SLICE_ABSENT);
}

static void expect_odd(void)
{
    wire_expect(wire, 9999, NULL, NULL, SLICE_ABSENT, RESPONSE_REQUEST_CODE_NOT_SUPPORTED);
}

START_TEST(a_code_is_answered_so_many_times)
{
    struct send_message_header header = wire_send_header("orders", 0, NULL);
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER,
                              .value = 2,
                              .text = "busy",
                              .request_code = REQUEST_SEND_MESSAGE_V2,
                              .skip = 1,
                              .count = 2});
    wire_put(wire, "orders", 0, NULL, "x");
    expect_odd();
    for (int i = 0; i < 2; i++) {
        struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                              &header, SLICE_LITERAL("x"));
        ck_assert_int_eq(answer->command.code, 2);
        assert_text(answer->command.remark, "busy");
        wire_frame_free(answer);
    }
    ck_assert_int_eq(wire_put(wire, "orders", 0, NULL, "x"), 1);
}
END_TEST

START_TEST(a_send_that_is_not_flushed_is_stored_all_the_same)
{
    static const int32_t codes[] = {RESPONSE_FLUSH_DISK_TIMEOUT, RESPONSE_SLAVE_NOT_AVAILABLE,
                                    RESPONSE_FLUSH_SLAVE_TIMEOUT};
    for (int64_t i = 0; i < 3; i++) {
        char offset[8];
        struct send_message_header header = wire_send_header("orders", 0, NULL);
        int id = add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = codes[i]});
        struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                              &header, SLICE_LITERAL("x"));
        ck_assert_int_eq(answer->command.code, codes[i]);
        snprintf(offset, sizeof offset, "%lld", (long long)i);
        assert_text(remoting_command_field(&answer->command, "queueOffset"), offset);
        ck_assert_uint_eq(remoting_command_field(&answer->command, "msgId").size, 32);
        wire_frame_free(answer);
        wire_expect(wire, 9999, NULL, NULL, SLICE_ABSENT, codes[i]); /* no send: not handled */
        ck_assert(mqc_embedded_clear_fault(cluster, id));
    }
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 3);
}
END_TEST

START_TEST(conditions_choose_requests)
{
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = 2, .topic = "other"});
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = 2, .client = "c2"});
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = 2, .server = "broker-b"});
    wire_heartbeat(wire, "c1", "g", "orders", "*");
    expect_odd();
    struct send_message_header header = wire_send_header("other", 0, NULL);
    wire_expect(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"),
                2);
    struct wire *other = wire_open(mqc_embedded_broker_address(cluster, 1));
    wire_expect(other, 9999, NULL, NULL, SLICE_ABSENT, 2);
    mqc_embedded_clear_faults(cluster);
    wire_expect(other, 9999, NULL, NULL, SLICE_ABSENT, RESPONSE_REQUEST_CODE_NOT_SUPPORTED);
    wire_close(other);
    int id = add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = 2, .client = "c1"});
    wire_expect(wire, 9999, NULL, NULL, SLICE_ABSENT, 2);
    ck_assert(mqc_embedded_clear_fault(cluster, id));
    ck_assert(!mqc_embedded_clear_fault(cluster, id));
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = 2, .client = "producers"});
    header = wire_send_header("orders", 0, NULL);
    wire_expect(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"),
                2);
}
END_TEST

START_TEST(an_answer_is_delayed_doubled_or_misnumbered)
{
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_DELAY, .value = 60, .count = 1});
    int64_t begin = clock_now_ms();
    int32_t late = send_odd();
    expect_odd(); /* the later request is answered first */
    wire_frame_free(wire_receive(wire, late));
    ck_assert_int_ge(clock_now_ms() - begin, 60);
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_DUPLICATE, .count = 1});
    int32_t opaque = send_odd();
    wire_frame_free(wire_receive(wire, opaque));
    wire_frame_free(wire_receive(wire, opaque));
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_WRONG_OPAQUE, .count = 1});
    opaque = send_odd();
    wire_frame_free(wire_receive(wire, opaque ^ 1 << 30));
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_TRICKLE, .value = 1, .count = 1});
    expect_odd();
    expect_odd();
}
END_TEST

START_TEST(a_delayed_answer_may_outlive_its_connection)
{
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_DELAY, .value = 60000});
    send_odd();
    ck_assert_int_eq(mqc_embedded_await_requests(cluster, 9999, 1, 30000, NULL), MQC_OK);
}
END_TEST

START_TEST(requests_are_lost_or_not_answered)
{
    add(&(mqc_embedded_fault){
        .kind = MQC_FAULT_NO_ANSWER, .request_code = REQUEST_SEND_MESSAGE_V2, .count = 1});
    add(&(mqc_embedded_fault){
        .kind = MQC_FAULT_LOSE, .request_code = REQUEST_SEND_MESSAGE_V2, .skip = 0, .count = 1});
    struct send_message_header header = wire_send_header("orders", 0, NULL);
    for (int i = 0; i < 2; i++)
        wire_send(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"));
    expect_odd();
    ck_assert_uint_eq(wire->kept_count, 0);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

START_TEST(connections_end_in_every_way)
{
    static const struct {
        mqc_embedded_fault_kind kind;
        int64_t value;
    } ways[] = {{MQC_FAULT_CLOSE, 0}, {MQC_FAULT_DROP, 0}, {MQC_FAULT_DROP, 10}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct wire *other = wire_open(mqc_embedded_broker_address(cluster, 0));
        add(&(mqc_embedded_fault){.kind = ways[i].kind, .value = ways[i].value, .count = 1});
        wire_send(other, 9999, NULL, NULL, SLICE_ABSENT);
        wire_expect_end(other);
        ck_assert_uint_eq(other->kept_count, 0);
        wire_close(other);
    }
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_REFUSE, .count = 1});
    struct wire *refused = wire_open(mqc_embedded_broker_address(cluster, 0));
    wire_expect_end(refused);
    wire_close(refused);
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_STALL, .count = 1});
    struct wire *stalled = wire_open(mqc_embedded_broker_address(cluster, 0));
    int32_t opaque = wire_send(stalled, 9999, NULL, NULL, SLICE_ABSENT);
    expect_odd();
    ck_assert(!wire_has_answer(stalled, opaque));
    wire_close(stalled);
}
END_TEST

START_TEST(garbage_is_no_frame)
{
    char bytes[16];
    size_t moved = 0;
    add(&(mqc_embedded_fault){.kind = MQC_FAULT_GARBAGE, .count = 1});
    send_odd();
    ck_assert(socket_wait(wire->fd, false, clock_deadline_ms(WIRE_TIMEOUT_MS)));
    ck_assert_int_eq(socket_read(wire->fd, bytes, sizeof bytes, &moved), IO_DONE);
    ck_assert_int_eq((unsigned char)bytes[0], 0xFF);
}
END_TEST

START_TEST(faults_can_be_written_as_text)
{
    mqc_error error;
    ck_assert_int_eq(
        mqc_embedded_add_fault_text(cluster, "answer=14:code=9999:count=1:text=full", NULL, &error),
        MQC_OK);
    wire_expect(wire, 9999, NULL, NULL, SLICE_ABSENT, 14);
    expect_odd();
    static const char *const wrong[] = {"",        "nonsense",  "answer=x",  "answer:count=1",
                                        "delay",   "lose:code", "lose:no=1", "lose:count=-1",
                                        "delay=-5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(mqc_embedded_add_fault_text(cluster, wrong[i], NULL, &error),
                         MQC_BAD_ARGUMENT);
        ck_assert(strncmp(error.text, "fault: ", 7) == 0);
    }
}
END_TEST

/* ---- the log ---- */

static bool note_request(const mqc_embedded_request *request, void *arg)
{
    *(mqc_embedded_request *)arg = *request;
    ck_assert_str_eq(request->topic, "orders");
    ck_assert_str_eq(request->group, "producers");
    ck_assert_str_eq(request->server, "broker-a");
    ck_assert_str_eq(request->name, "SEND_MESSAGE_V2");
    ck_assert_uint_eq(request->body_bytes, 5);
    ck_assert(request->answered);
    ck_assert_int_eq(request->answer_code, 0);
    return true;
}

START_TEST(requests_are_logged)
{
    mqc_embedded_request last;
    expect_odd();
    for (int i = 0; i < 3; i++) wire_put(wire, "orders", 0, NULL, "hello");
    ck_assert_uint_eq(mqc_embedded_each_request(cluster, 310, 0, note_request, &last), 3);
    ck_assert_uint_eq(mqc_embedded_each_request(cluster, 310, last.number, note_request, &last), 0);
    ck_assert_int_eq(mqc_embedded_request_count(cluster, 0), 4);
    ck_assert_int_eq(mqc_embedded_request_count(cluster, 310), 3);
    mqc_error error;
    ck_assert_int_eq(mqc_embedded_await_requests(cluster, 310, 4, 1, &error), MQC_TIMEOUT);
}
END_TEST

/* ---- brokers ---- */

static struct topic_route *route_of(const char *topic)
{
    struct wire *names = wire_open(mqc_embedded_name_servers(cluster));
    struct get_route_header header = {.topic = slice_text(topic)};
    struct wire_frame *answer =
        wire_call(names, REQUEST_GET_ROUTEINFO_BY_TOPIC, &get_route_layout, &header, SLICE_ABSENT);
    struct topic_route *route = NULL;
    if (answer->command.code == RESPONSE_SUCCESS)
        ck_assert_int_eq(topic_route_decode(answer->command.body, &route, NULL), MQC_OK);
    else
        ck_assert_int_eq(answer->command.code, RESPONSE_TOPIC_NOT_EXIST);
    wire_frame_free(answer);
    wire_close(names);
    return route;
}

START_TEST(the_route_follows_brokers_down_and_up)
{
    mqc_error error;
    ck_assert_ptr_null(route_of("orders"));
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, -1, "orders", 3, NULL), MQC_OK);
    struct topic_route *route = route_of("orders");
    ck_assert_uint_eq(route->broker_count, 2);
    ck_assert_uint_eq(route->brokers[0].address_count, 2);
    ck_assert_int_eq(route->queues[0].write_queues, 3);
    topic_route_unref(route);
    wire_put(wire, "orders", 0, NULL, "x");
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, 0, &error), MQC_OK);
    wire_expect_end(wire);
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, 0, &error), MQC_WRONG_STATE);
    route = route_of("orders"); /* the slave is left */
    ck_assert_uint_eq(route->broker_count, 2);
    ck_assert_ptr_null(broker_data_master(topic_route_broker(route, SLICE_LITERAL("broker-a"))));
    topic_route_unref(route);
    struct wire *slave = wire_open(mqc_embedded_broker_address(cluster, 2));
    message_block_unref(wire_pull(slave, "g", "orders", 0, 0, RESPONSE_SUCCESS));
    struct send_message_header header = wire_send_header("orders", 0, NULL);
    wire_expect(slave, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"),
                RESPONSE_SYSTEM_BUSY);
    wire_close(slave);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, &error), MQC_OK);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, &error), MQC_WRONG_STATE);
    wire_close(wire);
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    ck_assert_int_eq(wire_put(wire, "orders", 0, NULL, "x"), 1);
}
END_TEST

START_TEST(a_broker_may_lose_its_data_or_keep_its_route)
{
    wire_put(wire, "orders", 0, NULL, "x");
    int how = MQC_EMBEDDED_KEEP_ROUTE | MQC_EMBEDDED_LOSE_DATA;
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, how, NULL), MQC_OK);
    struct topic_route *route = route_of("orders");
    ck_assert_uint_eq(route->broker_count, 1);
    topic_route_unref(route);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, NULL), MQC_OK);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    wire_close(wire);
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    ck_assert_int_eq(wire_put(wire, "orders", 0, NULL, "x"), 0);
}
END_TEST

START_TEST(a_broker_can_be_added)
{
    int number = -1;
    ck_assert_int_eq(mqc_embedded_add_broker(cluster, &number, NULL), MQC_OK);
    ck_assert_int_eq(number, 4);
    ck_assert_str_eq(mqc_embedded_broker_name(cluster, 4), "broker-c");
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, 4, "orders", 1, NULL), MQC_OK);
    struct topic_route *route = route_of("orders");
    ck_assert_uint_eq(route->queue_count, 1);
    ck_assert_str_eq(route->queues[0].broker_name, "broker-c");
    topic_route_unref(route);
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 5, 0, NULL), MQC_BAD_ARGUMENT);
}
END_TEST

START_TEST(a_slave_may_act_as_master)
{
    mqc_embedded_stop(cluster);
    cluster = cluster_start(
        &(mqc_embedded_options){.slaves = 1, .broker_config = "enableSlaveActingMaster=true"});
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    struct topic_route *route = route_of("orders");
    ck_assert_uint_eq(route->brokers[0].address_count, 2);
    ck_assert_int_eq(route->queues[0].permission, 6);
    topic_route_unref(route);
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, 0, NULL), MQC_OK);
    route = route_of("orders");
    const struct broker_data *broker = topic_route_broker(route, SLICE_LITERAL("broker-a"));
    ck_assert_str_eq(broker_data_master(broker), mqc_embedded_broker_address(cluster, 1));
    ck_assert_int_eq(route->queues[0].permission, 4); /* not to be written to */
    topic_route_unref(route);
    struct wire *slave = wire_open(mqc_embedded_broker_address(cluster, 1));
    ck_assert_ptr_null(
        wire_pull(slave, "g", "orders", 0, 0, RESPONSE_SYSTEM_BUSY)); /* slaveReadEnable */
    wire_close(slave);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, NULL), MQC_OK);
    route = route_of("orders");
    broker = topic_route_broker(route, SLICE_LITERAL("broker-a"));
    ck_assert_str_eq(broker_data_master(broker), mqc_embedded_broker_address(cluster, 0));
    topic_route_unref(route);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded faults");
    WIRE_CASE(s, "faults", set_up, tear_down, a_code_is_answered_so_many_times,
              a_send_that_is_not_flushed_is_stored_all_the_same, conditions_choose_requests,
              an_answer_is_delayed_doubled_or_misnumbered,
              a_delayed_answer_may_outlive_its_connection, requests_are_lost_or_not_answered,
              connections_end_in_every_way, garbage_is_no_frame, faults_can_be_written_as_text);
    WIRE_CASE(s, "log and brokers", set_up, tear_down, requests_are_logged,
              the_route_follows_brokers_down_and_up, a_broker_may_lose_its_data_or_keep_its_route,
              a_broker_can_be_added, a_slave_may_act_as_master);
    return s;
}
TEST_MAIN(suite)
