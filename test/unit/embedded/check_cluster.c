/* Starting and stopping clusters, their addresses, and what must survive hostile bytes. */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/protocol/topic_route.h"

#include "services/service.h"
#include "test/unit/embedded/wire_client.h"

START_TEST(starts_and_stops)
{
    mqc_embedded *cluster = cluster_start(NULL);
    ck_assert(strncmp(mqc_embedded_name_servers(cluster), "127.0.0.1:", 10) == 0);
    ck_assert_str_eq(mqc_embedded_broker_name(cluster, 0), "broker-a");
    ck_assert(strncmp(mqc_embedded_broker_address(cluster, 0), "127.0.0.1:", 10) == 0);
    ck_assert_ptr_null(mqc_embedded_broker_address(cluster, 1));
    ck_assert_ptr_null(mqc_embedded_broker_address(cluster, -1));
    mqc_embedded_stop(cluster);
    mqc_embedded_stop(NULL);
    ck_assert_int_eq(service_live_count(), 0);
}
END_TEST

START_TEST(refuses_wrong_options)
{
    const mqc_embedded_user half = {.access_key = "a"};
    const mqc_embedded_options wrong[] = {
        {.brokers = -1},
        {.brokers = 27},
        {.slaves = 10},
        {.name_server_port = 65536},
        {.broker_port = 65535, .brokers = 2},
        {.topic_queues = -1},
        {.retention_bytes = -1},
        {.certificate_file = "/x"},
        {.tls_only = true},
        {.cluster = "not a name"},
        {.users = &half, .user_count = 1},
        {.certificate_file = "/no/such", .key_file = "/no/such"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mqc_error error = {0};
        ck_assert_ptr_null(mqc_embedded_start(&wrong[i], &error));
        ck_assert_int_ne(error.status, MQC_OK);
        ck_assert_uint_gt(strlen(error.text), 10);
    }
}
END_TEST

START_TEST(a_taken_port_is_an_error)
{
    mqc_embedded *first = cluster_start(NULL);
    mqc_error error;
    int port = atoi(strchr(mqc_embedded_name_servers(first), ':') + 1);
    mqc_embedded *second =
        mqc_embedded_start(&(mqc_embedded_options){.name_server_port = port}, &error);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(error.status, MQC_SYSTEM);
    mqc_embedded_stop(first);
}
END_TEST

/* Open descriptors ("fd") or threads ("task") of this process, and its view of them. */
static int process_entries(const char *what)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/%s", what);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

START_TEST(a_hundred_clusters_leak_nothing)
{
    mqc_embedded_stop(cluster_start(NULL));
    long before = memory_live_blocks();
    int descriptors = process_entries("fd"), threads = process_entries("task");
    for (int i = 0; i < 100; i++) {
        mqc_embedded *cluster = cluster_start(&(mqc_embedded_options){.brokers = 1 + i % 3});
        struct wire *left_open = wire_open(mqc_embedded_broker_address(cluster, 0));
        wire_frame_free(wire_call(left_open, 9999, NULL, NULL, SLICE_ABSENT));
        mqc_embedded_stop(cluster);
        wire_close(left_open);
    }
    ck_assert_int_eq(memory_live_blocks(), before);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_int_eq(process_entries("fd"), descriptors);
    /* The kernel lists a thread a moment longer than its join takes. */
    while (process_entries("task") > threads) sched_yield();
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    for (long nth = 1; nth < 400; nth++) {
        long before = memory_live_blocks();
        mqc_error error;
        memory_fail_from(nth);
        mqc_embedded *cluster = mqc_embedded_start(&(mqc_embedded_options){.brokers = 2}, &error);
        memory_fail_from(0);
        bool done = cluster != NULL;
        if (!done) ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        mqc_embedded_stop(cluster);
        ck_assert_int_eq(memory_live_blocks(), before);
        if (done) return;
    }
    ck_abort_msg("the start never succeeded");
}
END_TEST

START_TEST(an_unknown_code_is_answered_like_the_real_broker)
{
    mqc_embedded *cluster = cluster_start(NULL);
    const char *servers[] = {mqc_embedded_name_servers(cluster),
                             mqc_embedded_broker_address(cluster, 0)};
    for (int i = 0; i < 2; i++) {
        struct wire *wire = wire_open(servers[i]);
        struct wire_frame *answer = wire_call(wire, 9999, NULL, NULL, SLICE_ABSENT);
        ck_assert_int_eq(answer->command.code, RESPONSE_REQUEST_CODE_NOT_SUPPORTED);
        assert_text(answer->command.remark, " request type 9999 not supported");
        ck_assert_int_eq(answer->command.serialize_type, SERIALIZE_JSON);
        wire_frame_free(answer);
        wire_close(wire);
    }
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(answers_can_be_binary)
{
    mqc_embedded *cluster = cluster_start(&(mqc_embedded_options){.binary_headers = true});
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct wire_frame *answer = wire_call(wire, 9999, NULL, NULL, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.serialize_type, SERIALIZE_ROCKETMQ);
    wire_frame_free(answer);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(one_way_requests_are_never_answered)
{
    mqc_embedded *cluster = cluster_start(NULL);
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    wire_send_oneway(wire, 9999, NULL, NULL, SLICE_ABSENT);
    wire_expect(wire, 9998, NULL, NULL, SLICE_ABSENT, RESPONSE_REQUEST_CODE_NOT_SUPPORTED);
    ck_assert_uint_eq(wire->kept_count, 0);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

/* Bytes from a fixed seed: half of them a sound prefix with a header that is none. */
static size_t hostile_bytes(uint64_t *state, char *out, size_t most)
{
    size_t size = 1 + (size_t)(*state >> 33) % most;
    for (size_t i = 0; i < size; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (char)(*state >> 56);
    }
    if (size > 8 && *state >> 63) {
        uint32_t words[2] = {(uint32_t)size - 4, (uint32_t)size - 8};
        for (int i = 0; i < 8; i++) out[i] = (char)(words[i / 4] >> (24 - 8 * (i % 4)));
        if (*state >> 62 & 1) out[8] = '{';
    }
    return size;
}

START_TEST(hostile_bytes_end_the_connection_at_most)
{
    mqc_embedded *cluster = cluster_start(NULL);
    uint64_t state = 42;
    char bytes[300];
    for (int round = 0; round < 400; round++) {
        struct wire *wire = wire_open(round % 2 ? mqc_embedded_name_servers(cluster)
                                                : mqc_embedded_broker_address(cluster, 0));
        size_t size = hostile_bytes(&state, bytes, sizeof bytes);
        wire_send_bytes(wire, slice_of(bytes, size));
        wire_close(wire);
    }
    struct wire *wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    ck_assert_int_eq(wire_put(wire, "still-there", 0, NULL, "x"), 0);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}
END_TEST

START_TEST(every_handler_survives_empty_and_odd_requests)
{
    mqc_embedded *cluster = cluster_start(NULL);
    static const int32_t codes[] = {
#define REQUEST_CODE(name, value) value,
#define RESPONSE_CODE(name, value, judgement)
#include "lib/protocol/codes.def"
#undef REQUEST_CODE
#undef RESPONSE_CODE
    };
    static const char *const bodies[] = {NULL,
                                         "x",
                                         "{}",
                                         "[]",
                                         "{\"mqSet\":[1,{}]}",
                                         "{\"clientID\":\"c\",\"consumerDataSet\":[{}]}"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (size_t j = 0; j < sizeof bodies / sizeof *bodies; j++) {
            struct wire *broker = wire_open(mqc_embedded_broker_address(cluster, 0));
            struct wire *names = wire_open(mqc_embedded_name_servers(cluster));
            struct slice body = bodies[j] ? slice_text(bodies[j]) : SLICE_ABSENT;
            wire_frame_free(wire_call(broker, codes[i], NULL, NULL, body));
            wire_frame_free(wire_call(names, codes[i], NULL, NULL, body));
            wire_close(broker);
            wire_close(names);
        }
    }
    mqc_embedded_stop(cluster);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded cluster");
    UNIT_CASE(s, "life", starts_and_stops, refuses_wrong_options, a_taken_port_is_an_error,
              a_hundred_clusters_leak_nothing, every_allocation_may_fail);
    UNIT_CASE(s, "frames", an_unknown_code_is_answered_like_the_real_broker, answers_can_be_binary,
              one_way_requests_are_never_answered, hostile_bytes_end_the_connection_at_most,
              every_handler_survives_empty_and_odd_requests);
    return s;
}
TEST_MAIN(suite)
