/* lib/admin/decode_trace.c: traces as TraceDataEncoder.java writes them. */
#include "lib/admin/decode.h"
#include "test/unit/unit.h"

#define F  "\001"
#define R  "\002"
#define ID "C0A80102000018B4AAC2AC2A00000001"

static const char SEND[] = "Pub" F "1795447793485" F "DefaultRegion" F "payments" F "orders" F ID F
                           "red" F "k1 k2" F "192.168.1.2:10911" F "20" F "7" F "0" F
                           "C0A8010200002A9F00000000000002BE" F "true" F "192.168.1.9" R;
static const char BEFORE[] =
    "SubBefore" F "1795447793500" F "null" F "readers" F "REQ1" F ID F "2" F "k1 k2" R;
static const char AFTER[] =
    "SubAfter" F "REQ1" F ID F "12" F "false" F "k1 k2" F "2" F "1795447793512" F "readers" R;
static const char TRANSACTION[] =
    "EndTransaction" F "1795447793490" F "DefaultRegion" F "payments" F "orders" F ID F "red" F
    "k1" F "192.168.1.2:10911" F "2" F ID F "COMMIT_MESSAGE" F "true" R;
static const char RECALL[] =
    "Recall" F "1795447793499" F "null" F "payments" F "orders" F ID F "true" R;

static mqc_error error;

static void add(mqc_trace *trace, const char *text)
{
    ck_assert_int_eq(trace_add(trace, slice_text(text), ID, "192.168.1.9:4711", &error), MQC_OK);
}

START_TEST(all_kinds)
{
    mqc_trace *trace = result_new(sizeof *trace);
    add(trace, AFTER); /* before its beginning, from another message */
    add(trace, BEFORE);
    add(trace, SEND);
    add(trace, TRANSACTION);
    add(trace, RECALL);
    trace_finish(trace);
    ck_assert_uint_eq(trace->count, 4);
    const mqc_trace_event *send = trace->events[0], *transaction = trace->events[1];
    const mqc_trace_event *recall = trace->events[2], *consume = trace->events[3];
    ck_assert_int_eq(send->kind, MQC_TRACE_SEND);
    ck_assert_int_eq(send->unix_ms, 1795447793485);
    ck_assert_str_eq(send->group, "payments");
    ck_assert_str_eq(send->topic, "orders");
    ck_assert_str_eq(send->message_id, ID);
    ck_assert_str_eq(send->tags, "red");
    ck_assert_str_eq(send->keys, "k1 k2");
    ck_assert_str_eq(send->broker_address, "192.168.1.2:10911");
    ck_assert_str_eq(send->client_host, "192.168.1.9:4711");
    ck_assert_str_eq(send->offset_message_id, "C0A8010200002A9F00000000000002BE");
    ck_assert_str_eq(send->message_type, "NORMAL");
    ck_assert_int_eq(send->body_bytes, 20);
    ck_assert_int_eq(send->cost_ms, 7);
    ck_assert(send->success && send->finished);
    ck_assert_int_eq(transaction->kind, MQC_TRACE_END_TRANSACTION);
    ck_assert_str_eq(transaction->transaction_state, "COMMIT_MESSAGE");
    ck_assert_str_eq(transaction->message_type, "COMMIT");
    ck_assert(transaction->from_check);
    ck_assert_int_eq(recall->kind, MQC_TRACE_RECALL);
    ck_assert(recall->success);
    ck_assert_int_eq(consume->kind, MQC_TRACE_CONSUME);
    ck_assert_int_eq(consume->unix_ms, 1795447793500);
    ck_assert_str_eq(consume->region, "");
    ck_assert_int_eq(consume->retry_times, 2);
    ck_assert_int_eq(consume->cost_ms, 12);
    ck_assert_str_eq(consume->result, "EXCEPTION");
    ck_assert(consume->finished && !consume->success);
    mqc_admin_result_free(trace);
}
END_TEST

START_TEST(halves_of_a_consumption)
{
    mqc_trace *trace = result_new(sizeof *trace);
    add(trace, BEFORE);
    trace_finish(trace);
    ck_assert_uint_eq(trace->count, 1);
    ck_assert(!trace->events[0]->finished);
    mqc_admin_result_free(trace);
    trace = result_new(sizeof *trace);
    add(trace, AFTER);
    trace_finish(trace);
    ck_assert_uint_eq(trace->count, 1);
    ck_assert(trace->events[0]->finished);
    ck_assert_int_eq(trace->events[0]->unix_ms, 1795447793512);
    ck_assert_str_eq(trace->events[0]->group, "readers");
    mqc_admin_result_free(trace);
}
END_TEST

/* 13 fields, without an offset id and a host, as 4.x wrote at first. */
START_TEST(an_old_client)
{
    mqc_trace *trace = result_new(sizeof *trace);
    add(trace, "Pub" F "1" F "r" F "g" F "t" F ID F "" F "" F "h" F "2" F "3" F "3" F "true" R);
    ck_assert_uint_eq(trace->count, 1);
    ck_assert(trace->events[0]->success);
    ck_assert_str_eq(trace->events[0]->offset_message_id, "");
    ck_assert_str_eq(trace->events[0]->message_type, "DELAY");
    mqc_admin_result_free(trace);
}
END_TEST

/* Other messages' records, other texts, and records that are cut. */
START_TEST(passed_over)
{
    mqc_trace *trace = result_new(sizeof *trace);
    add(trace, "");
    add(trace, "no trace at all");
    add(trace,
        "Pub" F "1" F "r" F "g" F "t" F "OTHER" F "" F "" F "h" F "2" F "3" F "0" F "true" R);
    add(trace, "Pub" F "1" R R F F R "SubAfter" R "Recall" F F F F F ID R);
    ck_assert_uint_eq(trace->count, 0);
    char whole[sizeof SEND];
    memcpy(whole, SEND, sizeof SEND);
    for (size_t size = 0; size < strlen(SEND); size++)
        ck_assert_int_eq(trace_add(trace, slice_of(whole, size), ID, "h", &error), MQC_OK);
    trace_finish(trace);
    mqc_admin_result_free(trace);
}
END_TEST

static Suite *decode_trace_suite(void)
{
    Suite *suite = suite_create("admin/decode_trace");
    UNIT_CASE(suite, "records", all_kinds, halves_of_a_consumption, an_old_client, passed_over);
    return suite;
}

TEST_MAIN(decode_trace_suite)
