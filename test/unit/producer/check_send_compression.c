/* Tests of the compression of bodies in lib/producer/send_request.c. */
#include "lib/producer/send_request.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/protocol/compression.h"
#include "lib/protocol/message.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/unit.h"

enum { BODY_BYTES = 20000, LEAST_BYTES = 4096, LEVEL = 5 };

static const mqc_message_queue QUEUE = {"golden", "broker-a", 3};

static const struct {
    mqc_compression compression;
    enum compression_type type;
    int32_t sys_flag; /* MessageSysFlag.java */
} CASES[] = {
    {MQC_COMPRESS_ZLIB, COMPRESSION_ZLIB, 0x301},
    {MQC_COMPRESS_LZ4, COMPRESSION_LZ4, 0x101},
    {MQC_COMPRESS_ZSTD, COMPRESSION_ZSTD, 0x201},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static struct send_origin origin_of(mqc_compression compression, int least, int level)
{
    return (struct send_origin){.group = "group",
                                .create_topic_key = "TBW102",
                                .default_topic_queues = 4,
                                .compress_above_bytes = least,
                                .compression = compression,
                                .compress_level = level};
}

/* A message and its send. */
struct sending {
    mqc_message *message;
    struct send_content content;
    struct send_message_header header;
    struct command_to_send request;
    char body[BODY_BYTES];
};

typedef void fill(char *body, size_t bytes);

static void text(char *body, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) body[i] = (char)(i * i / 64 % 26 + 'a');
}

static void dull(char *body, size_t bytes)
{
    memset(body, 'a', bytes);
}

/* No compressor finds anything in it. */
static void noise(char *body, size_t bytes)
{
    uint32_t state = 2463534242;
    for (size_t i = 0; i < bytes; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        body[i] = (char)(state >> 24);
    }
}

static struct sending *sending_new_of(fill *fill_body, size_t bytes)
{
    struct sending *sending = calloc(1, sizeof *sending);
    fill_body(sending->body, bytes);
    sending->message = mqc_message_new("golden", sending->body, bytes);
    ck_assert_int_eq(send_content_init(&sending->content, sending->message, NULL), MQC_OK);
    return sending;
}

static struct sending *sending_new(size_t bytes)
{
    return sending_new_of(text, bytes);
}

static void sending_make(struct sending *sending, const struct send_origin *origin)
{
    send_request_make(&sending->content, origin, &QUEUE, &sending->header, &sending->request);
}

static void sending_free(struct sending *sending)
{
    send_content_done(&sending->content);
    mqc_message_free(sending->message);
    free(sending);
}

static void assert_raw(const struct sending *sending)
{
    mqc_view body = mqc_message_body(sending->message);
    ck_assert_int_eq(sending->header.sys_flag, 0);
    ck_assert(slice_equal(sending->request.body, slice_of(body.data, body.size)));
    ck_assert_ptr_null(sending->content.compressed);
}

static void assert_compressed(const struct sending *sending, enum compression_type type)
{
    mqc_view body = mqc_message_body(sending->message);
    ck_assert_int_eq(sending->header.sys_flag, compression_to_sys_flag(type));
    ck_assert_uint_lt(sending->request.body.size, body.size);
    struct buffer inflated;
    buffer_init(&inflated);
    ck_assert_int_eq(
        compression_inflate(type, sending->request.body, INFLATED_MAX_BYTES, &inflated, NULL),
        MQC_OK);
    ck_assert(slice_equal(buffer_slice(&inflated), slice_of(body.data, body.size)));
    buffer_done(&inflated);
}

START_TEST(each_type_says_itself)
{
    struct send_origin origin = origin_of(CASES[_i].compression, LEAST_BYTES, LEVEL);
    long before = memory_live_blocks();
    struct sending *sending = sending_new(BODY_BYTES);
    sending_make(sending, &origin);
    ck_assert_int_eq(sending->header.sys_flag, CASES[_i].sys_flag);
    assert_compressed(sending, CASES[_i].type);
    sending_free(sending);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(the_message_is_unchanged)
{
    struct send_origin origin = origin_of(MQC_COMPRESS_ZLIB, LEAST_BYTES, LEVEL);
    struct sending *sending = sending_new(BODY_BYTES);
    mqc_view body = mqc_message_body(sending->message);
    sending_make(sending, &origin);
    assert_compressed(sending, COMPRESSION_ZLIB);
    mqc_view after = mqc_message_body(sending->message);
    ck_assert_ptr_eq(after.data, body.data);
    ck_assert_uint_eq(after.size, BODY_BYTES);
    ck_assert_int_eq(memcmp(after.data, sending->body, BODY_BYTES), 0);
    ck_assert_int_eq(sending->message->sys_flag, 0);
    sending_free(sending);
}
END_TEST

/* A further attempt has the same bytes at the same place. LZ4 leaves long runs of a text this dull,
 * in which zlib would still find something. */
START_TEST(once_for_all_attempts)
{
    struct send_origin origin = origin_of(MQC_COMPRESS_LZ4, LEAST_BYTES, LEVEL);
    struct send_origin another = origin_of(MQC_COMPRESS_ZLIB, 1, LEVEL);
    struct sending *sending = sending_new_of(dull, BODY_BYTES);
    sending_make(sending, &origin);
    struct slice first = sending->request.body;
    struct buffer again;
    buffer_init(&again);
    ck_assert_int_eq(compression_deflate(COMPRESSION_ZLIB, LEVEL, first, &again, NULL), MQC_OK);
    ck_assert_uint_lt(again.size, first.size);
    buffer_done(&again);
    sending_make(sending, &another);
    ck_assert_ptr_eq(sending->request.body.data, first.data);
    ck_assert_uint_eq(sending->request.body.size, first.size);
    assert_compressed(sending, COMPRESSION_LZ4);
    sending_free(sending);
}
END_TEST

/* A content that was sent raw stays so, although memory would be there for a later attempt: what
 * one attempt left at a broker and what the next one sends are the same. */
START_TEST(once_also_when_it_failed)
{
    struct send_origin origin = origin_of(MQC_COMPRESS_ZLIB, LEAST_BYTES, LEVEL);
    struct sending *sending = sending_new(BODY_BYTES);
    memory_fail_from(1);
    sending_make(sending, &origin);
    memory_fail_from(0);
    assert_raw(sending);
    sending_make(sending, &origin);
    assert_raw(sending);
    sending_free(sending);
}
END_TEST

START_TEST(from_the_threshold_on)
{
    struct send_origin origin = origin_of(MQC_COMPRESS_ZLIB, LEAST_BYTES, LEVEL);
    struct sending *below = sending_new(LEAST_BYTES - 1), *at = sending_new(LEAST_BYTES);
    sending_make(below, &origin);
    assert_raw(below);
    sending_make(at, &origin);
    assert_compressed(at, COMPRESSION_ZLIB);
    sending_free(below);
    sending_free(at);
}
END_TEST

START_TEST(never)
{
    static const int NEVER[] = {-1, 0}; /* an option, and an origin that says nothing */
    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++) {
        struct send_origin origin = origin_of(MQC_COMPRESS_ZLIB, NEVER[i], LEVEL);
        struct sending *sending = sending_new(BODY_BYTES);
        sending_make(sending, &origin);
        assert_raw(sending);
        sending_free(sending);
    }
}
END_TEST

START_TEST(what_does_not_shrink_is_sent_raw)
{
    struct send_origin origin = origin_of(CASES[_i].compression, 1, LEVEL);
    long before = memory_live_blocks();
    struct sending *hopeless = sending_new_of(noise, BODY_BYTES);
    struct sending *short_one = sending_new(3);
    sending_make(hopeless, &origin);
    assert_raw(hopeless);
    sending_make(short_one, &origin);
    assert_raw(short_one);
    sending_free(hopeless);
    sending_free(short_one);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

/* Every allocation in turn fails: raw or compressed, but always sent and never leaked. */
START_TEST(failing_memory_costs_nothing_but_bytes)
{
    struct send_origin origin = origin_of(CASES[_i].compression, LEAST_BYTES, LEVEL);
    long before = memory_live_blocks();
    bool compressed = false;
    int raw = 0;
    for (long failing = 1; !compressed; failing++) {
        struct sending *sending = sending_new(BODY_BYTES);
        memory_fail_from(failing);
        sending_make(sending, &origin);
        memory_fail_from(0);
        compressed = sending->content.compressed != NULL;
        if (compressed)
            assert_compressed(sending, CASES[_i].type);
        else
            assert_raw(sending);
        raw += !compressed;
        sending_free(sending);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
    ck_assert_int_ge(raw, 1);
}
END_TEST

START_TEST(the_level_is_heeded)
{
    static const mqc_compression LEVELLED[] = {MQC_COMPRESS_ZLIB, MQC_COMPRESS_ZSTD};
    struct send_origin fast = origin_of(LEVELLED[_i], LEAST_BYTES, 1);
    struct send_origin small = origin_of(LEVELLED[_i], LEAST_BYTES, LEVELLED[_i] ? 22 : 9);
    struct sending *first = sending_new(BODY_BYTES), *second = sending_new(BODY_BYTES);
    sending_make(first, &fast);
    sending_make(second, &small);
    ck_assert_uint_lt(second->request.body.size, first->request.body.size);
    sending_free(first);
    sending_free(second);
}
END_TEST

START_TEST(a_level_above_zlib_s_is_its_highest)
{
    struct send_origin nine = origin_of(MQC_COMPRESS_ZLIB, LEAST_BYTES, 9);
    struct send_origin above = origin_of(MQC_COMPRESS_ZLIB, LEAST_BYTES, 22);
    struct sending *first = sending_new(BODY_BYTES), *second = sending_new(BODY_BYTES);
    sending_make(first, &nine);
    sending_make(second, &above);
    ck_assert(slice_equal(first->request.body, second->request.body));
    sending_free(first);
    sending_free(second);
}
END_TEST

/* Received compressed with one type, sent on raw or with another: from the inflated body. */
START_TEST(a_received_message_is_compressed_anew)
{
    struct send_origin lz4 = origin_of(MQC_COMPRESS_LZ4, LEAST_BYTES, LEVEL);
    struct send_origin raw = origin_of(MQC_COMPRESS_LZ4, -1, LEVEL);
    struct sending *original = sending_new(BODY_BYTES);
    struct buffer deflated, record;
    buffer_init(&deflated);
    buffer_init(&record);
    ck_assert_int_eq(
        compression_deflate(COMPRESSION_ZLIB, LEVEL, original->content.body, &deflated, NULL),
        MQC_OK);
    struct slice body = original->message->body;
    original->message->body = buffer_slice(&deflated);
    original->message->sys_flag = 0x301;
    message_record_encode(original->message, &record);
    original->message->body = body;
    original->message->sys_flag = 0;
    struct message_block *block = NULL;
    ck_assert_int_eq(message_block_decode(NULL, buffer_slice(&record), &block, NULL), MQC_OK);
    ck_assert_int_eq(message_inflate(&block->messages[0], false, NULL), MQC_OK);
    for (int i = 0; i < 2; i++) {
        struct sending *forwarded = calloc(1, sizeof *forwarded);
        forwarded->message = mqc_message_ref(&block->messages[0]);
        ck_assert_int_eq(send_content_init(&forwarded->content, forwarded->message, NULL), MQC_OK);
        ck_assert(slice_equal(forwarded->content.body, body));
        sending_make(forwarded, i ? &raw : &lz4);
        if (i)
            assert_raw(forwarded);
        else
            assert_compressed(forwarded, COMPRESSION_LZ4);
        sending_free(forwarded);
    }
    message_block_unref(block);
    buffer_done(&record);
    buffer_done(&deflated);
    sending_free(original);
}
END_TEST

static Suite *send_compression_suite(void)
{
    Suite *suite = suite_create("send_compression");
    TCase *types = tcase_create("each type");
    tcase_add_loop_test(types, each_type_says_itself, 0, CASE_COUNT);
    tcase_add_loop_test(types, what_does_not_shrink_is_sent_raw, 0, CASE_COUNT);
    tcase_add_loop_test(types, failing_memory_costs_nothing_but_bytes, 0, CASE_COUNT);
    tcase_add_loop_test(types, the_level_is_heeded, 0, 2);
    suite_add_tcase(suite, types);
    UNIT_CASE(suite, "one send", the_message_is_unchanged, once_for_all_attempts,
              once_also_when_it_failed, from_the_threshold_on, never,
              a_level_above_zlib_s_is_its_highest, a_received_message_is_compressed_anew);
    return suite;
}

TEST_MAIN(send_compression_suite)
