/* Tests of lib/trace/trace_dispatcher.c with a sender that only takes notes. */
#include "lib/trace/trace_dispatcher.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { NEVER_MS = 1000000000 };

static struct notes {
    struct latch sent; /* messages */
    struct latch gate; /* a send waits until it is raised, if it is wanted */
    bool gated;
    mqc_status status;
    int records, messages;
    size_t largest;
    char keys[4096];
} notes;

static mqc_status take_note(void *sender, struct slice body, const char *keys, int64_t deadline_ms,
                            mqc_error *error)
{
    struct notes *taken = sender;
    (void)deadline_ms;
    if (taken->gated) latch_wait(&taken->gate, 1);
    for (size_t i = 0; i < body.size; i++) taken->records += body.data[i] == 2;
    taken->messages++;
    if (body.size > taken->largest) taken->largest = body.size;
    snprintf(taken->keys, sizeof taken->keys, "%s", keys);
    latch_raise(&taken->sent);
    return taken->status == MQC_OK ? MQC_OK : error_set(error, taken->status, "as it was told");
}

static struct trace_dispatcher *start(int linger_ms)
{
    struct trace_dispatcher *dispatcher;
    latch_init(&notes.sent);
    latch_init(&notes.gate);
    ck_assert_int_eq(trace_dispatcher_start(take_note, &notes, linger_ms, &dispatcher, NULL),
                     MQC_OK);
    return dispatcher;
}

static void put(struct trace_dispatcher *dispatcher, const char *id, const char *keys, size_t bytes)
{
    struct buffer record;
    buffer_init(&record);
    for (size_t i = 1; i < bytes; i++) buffer_put_8(&record, 'x');
    buffer_put_8(&record, 2);
    trace_dispatcher_put(dispatcher, &record, slice_text(id), slice_text(keys));
    buffer_done(&record);
}

static void stop(struct trace_dispatcher *dispatcher)
{
    trace_dispatcher_stop(dispatcher, clock_deadline_ms(NEVER_MS));
    ck_assert_int_eq(service_live_count(), 0);
    put(dispatcher, "late", NULL, 10); /* is dropped */
    trace_dispatcher_free(dispatcher);
}

START_TEST(a_batch_goes_out_at_once)
{
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    for (int i = 0; i < TRACE_BATCH_MOST; i++) put(dispatcher, "id", "a b", 10);
    latch_wait(&notes.sent, 1);
    ck_assert_int_eq(notes.records, TRACE_BATCH_MOST);
    ck_assert_str_eq(notes.keys, "id a b"); /* each once */
    stop(dispatcher);
    ck_assert_int_eq(notes.messages, 1);
}
END_TEST

START_TEST(a_few_go_out_after_a_while)
{
    struct trace_dispatcher *dispatcher = start(20);
    put(dispatcher, "one", NULL, 10);
    put(dispatcher, "two", "k", 10);
    latch_wait(&notes.sent, 1);
    stop(dispatcher);
    ck_assert_int_eq(notes.records, 2);
}
END_TEST

START_TEST(the_end_sends_what_is_left)
{
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    for (int i = 0; i < 7; i++) put(dispatcher, "id", NULL, 10);
    stop(dispatcher);
    ck_assert_int_eq(notes.records, 7);
    ck_assert_str_eq(notes.keys, "id");
}
END_TEST

START_TEST(a_hung_sender_holds_up_nobody)
{
    notes.gated = true;
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    for (int i = 0; i < 10000; i++) put(dispatcher, "id", NULL, 10);
    latch_raise(&notes.gate);
    stop(dispatcher);
    /* What is in the queue and one batch that was on its way; the others were dropped. */
    ck_assert_int_ge(notes.records, TRACE_QUEUE_MOST);
    ck_assert_int_le(notes.records, TRACE_QUEUE_MOST + TRACE_BATCH_MOST);
}
END_TEST

START_TEST(no_time_left_means_dropped)
{
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    put(dispatcher, "id", NULL, 10);
    trace_dispatcher_stop(dispatcher, 0);
    trace_dispatcher_free(dispatcher);
    ck_assert_int_eq(notes.messages, 0);
    ck_assert_int_eq(service_live_count(), 0);
}
END_TEST

START_TEST(large_records_make_several_messages)
{
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    for (int i = 0; i < TRACE_BATCH_MOST; i++) put(dispatcher, "id", NULL, 50000);
    latch_wait(&notes.sent, 5);
    stop(dispatcher);
    ck_assert_int_eq(notes.records, TRACE_BATCH_MOST);
    ck_assert_int_eq(notes.messages, 5);
    ck_assert_uint_le(notes.largest, TRACE_BODY_BYTES);
}
END_TEST

START_TEST(keys_have_room_in_properties)
{
    char keys[20001];
    memset(keys, 'k', sizeof keys - 1);
    keys[sizeof keys - 1] = '\0';
    struct trace_dispatcher *dispatcher = start(NEVER_MS);
    put(dispatcher, "large", keys, 10); /* too long to be found by */
    keys[7000] = '\0';
    for (int i = 0; i < 4; i++) {
        keys[0] = (char)('a' + i);
        put(dispatcher, "id", keys, 10);
    }
    stop(dispatcher);
    ck_assert_int_eq(notes.records, 5);
    ck_assert_int_eq(notes.messages, 2);
}
END_TEST

START_TEST(a_failed_send_is_not_the_end)
{
    notes.status = MQC_TIMEOUT;
    struct trace_dispatcher *dispatcher = start(1);
    put(dispatcher, "one", NULL, 10);
    latch_wait(&notes.sent, 1);
    put(dispatcher, "two", NULL, 10);
    latch_wait(&notes.sent, 2);
    stop(dispatcher);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("trace_dispatcher");
    UNIT_CASE(suite, "batches", a_batch_goes_out_at_once, a_few_go_out_after_a_while,
              the_end_sends_what_is_left, large_records_make_several_messages,
              keys_have_room_in_properties);
    UNIT_CASE(suite, "trouble", a_hung_sender_holds_up_nobody, no_time_left_means_dropped,
              a_failed_send_is_not_the_end);
    return suite;
}
TEST_MAIN(suite)
