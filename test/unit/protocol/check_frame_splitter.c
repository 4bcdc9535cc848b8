/* Tests of lib/protocol/frame_splitter.c. */
#include "lib/protocol/frame_splitter.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/golden_frames.h"

/* A stream of frames, each a prefix and bytes that follow from its number. */
struct stream {
    char *bytes;
    size_t size;
    size_t count;
    size_t begins[512];
};

static char pattern(size_t frame, size_t i)
{
    return (char)(frame * 31 + i * 7 + (i >> 8));
}

static void add_frame(struct stream *stream, size_t frame_size)
{
    char *frame = stream->bytes + stream->size;
    put_u32(frame, (uint32_t)frame_size - 4);
    put_u32(frame + 4, (uint32_t)(frame_size - 8) / 2 + 1);
    for (size_t i = 8; i < frame_size; i++) frame[i] = pattern(stream->count, i);
    stream->begins[stream->count++] = stream->size;
    stream->size += frame_size;
}

static const size_t interesting_sizes[] = {12,
                                           13,
                                           100,
                                           1000,
                                           FRAME_OWN_BLOCK_BYTES - 1,
                                           FRAME_OWN_BLOCK_BYTES,
                                           FRAME_OWN_BLOCK_BYTES + 1,
                                           FRAME_INBOX_BYTES - 1,
                                           FRAME_INBOX_BYTES,
                                           FRAME_INBOX_BYTES + 1,
                                           300000};
enum { INTERESTING = sizeof interesting_sizes / sizeof *interesting_sizes };

static struct stream stream_of(uint64_t *random, size_t count)
{
    struct stream stream = {.bytes = malloc(count * 300000)};
    for (size_t i = 0; i < count; i++) {
        size_t size = 12 + random_below(random, 600);
        if (random_below(random, 4) == 0)
            size = interesting_sizes[random_below(random, INTERESTING)];
        else if (random_below(random, 6) == 0)
            size = 12 + random_below(random, 40000);
        add_frame(&stream, size);
    }
    return stream;
}

/* Takes out what is whole and compares; returns how many frames that were. */
static size_t take_frames(struct frame_splitter *splitter, const struct stream *stream,
                          size_t taken)
{
    size_t before = taken;
    for (;;) {
        struct slice frame;
        REQUIRE(frame_splitter_next(splitter, &frame, NULL) == MQC_OK);
        if (!frame.data) return taken - before;
        REQUIRE(taken < stream->count);
        size_t begin = stream->begins[taken],
               end = taken + 1 < stream->count ? stream->begins[taken + 1] : stream->size;
        REQUIRE(frame.size == end - begin);
        REQUIRE(memcmp(frame.data, stream->bytes + begin, frame.size) == 0);
        taken++;
    }
}

/* Feeds the stream in pieces of 1 to `most` bytes, or (0) of all that there is room for. */
static void feed(const struct stream *stream, size_t most, uint64_t *random)
{
    struct frame_splitter splitter;
    frame_splitter_init(&splitter);
    size_t fed = 0, taken = 0;
    while (fed < stream->size) {
        char *at;
        size_t room;
        REQUIRE(frame_splitter_space(&splitter, &at, &room, NULL) == MQC_OK);
        REQUIRE(room > 0);
        size_t piece = most == 0 ? room : 1 + random_below(random, most);
        if (piece > room) piece = room;
        if (piece > stream->size - fed) piece = stream->size - fed;
        memcpy(at, stream->bytes + fed, piece);
        frame_splitter_filled(&splitter, piece);
        fed += piece;
        taken += take_frames(&splitter, stream, taken);
    }
    ck_assert_uint_eq(taken, stream->count);
    frame_splitter_done(&splitter);
}

START_TEST(any_split_gives_the_same_frames)
{
    uint64_t random = 20261123;
    long before = memory_live_blocks();
    for (int round = 0; round < 40; round++) {
        static const size_t most[] = {0, 100000, 20000, 5000, 700, 60};
        struct stream stream = stream_of(&random, 60);
        for (size_t i = 0; i < sizeof most / sizeof *most; i++) feed(&stream, most[i], &random);
        free(stream.bytes);
    }
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(byte_by_byte)
{
    uint64_t random = 1;
    struct stream stream = {.bytes = malloc(100000)};
    static const size_t sizes[] = {12, 50, FRAME_OWN_BLOCK_BYTES, 12, FRAME_OWN_BLOCK_BYTES - 1,
                                   20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) add_frame(&stream, sizes[i]);
    feed(&stream, 1, &random);
    free(stream.bytes);
}
END_TEST

static void fill(struct frame_splitter *splitter, const char *bytes, size_t size)
{
    while (size > 0) {
        char *at;
        size_t room;
        ck_assert_int_eq(frame_splitter_space(splitter, &at, &room, NULL), MQC_OK);
        if (room > size) room = size;
        memcpy(at, bytes, room);
        frame_splitter_filled(splitter, room);
        bytes += room;
        size -= room;
        struct slice frame;
        if (size > 0) ck_assert_int_eq(frame_splitter_next(splitter, &frame, NULL), MQC_OK);
    }
}

START_TEST(hostile_prefixes_allocate_nothing)
{
    static const char *const hostile[] = {
        "00000000",          "00000001",          "00000007",          "00000003 00",
        "80000000",          "ffffffff",          "fffffffc 00000001", "00fffffd",
        "01000000 00000010", "00000010 02000004", "00000010 00000000", "00000010 0000000d",
        "00100000 00ffffff", "47455420 2f204854"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct frame_splitter splitter;
        struct slice bytes = hex(hostile[i]), frame;
        mqc_error error = {0};
        frame_splitter_init(&splitter);
        fill(&splitter, bytes.data, bytes.size);
        memory_fail_from(1);
        mqc_status status = frame_splitter_next(&splitter, &frame, &error);
        mqc_status again = frame_splitter_next(&splitter, &frame, NULL);
        memory_fail_from(0);
        ck_assert_msg(status == MQC_BAD_FRAME, "%s: %d", hostile[i], (int)status);
        ck_assert_int_eq(again, MQC_BAD_FRAME);
        ck_assert_uint_gt(strlen(error.text), 20);
        ck_assert_ptr_null(frame.data);
        frame_splitter_done(&splitter);
    }
}
END_TEST

START_TEST(good_frames_before_bad_bytes_are_delivered)
{
    struct frame_splitter splitter;
    struct stream stream = {.bytes = malloc(1000)};
    struct slice frame;
    add_frame(&stream, 40);
    put_u32(stream.bytes + 40, 0);
    frame_splitter_init(&splitter);
    fill(&splitter, stream.bytes, 44);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_OK);
    ck_assert_uint_eq(frame.size, 40);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_BAD_FRAME);
    frame_splitter_done(&splitter);
    free(stream.bytes);
}
END_TEST

START_TEST(large_frames_are_read_in_place_and_kept_uncopied)
{
    struct frame_splitter splitter;
    struct stream stream = {.bytes = malloc(200000)};
    struct slice frame;
    char *at;
    size_t room;
    add_frame(&stream, 100000);
    add_frame(&stream, 30);
    frame_splitter_init(&splitter);
    fill(&splitter, stream.bytes, 10);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_OK);
    ck_assert_ptr_null(frame.data);
    ck_assert_int_eq(frame_splitter_space(&splitter, &at, &room, NULL), MQC_OK);
    ck_assert_uint_eq(room, 100000 - 10); /* the rest of the frame and nothing behind it */
    memcpy(at, stream.bytes + 10, room);
    frame_splitter_filled(&splitter, room);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_OK);
    ck_assert_ptr_eq(frame.data, at - 10);
    memory_fail_from(1); /* keeping takes no memory */
    struct frame *kept = frame_splitter_keep(&splitter, frame);
    memory_fail_from(0);
    ck_assert_ptr_nonnull(kept);
    ck_assert_ptr_eq(kept->bytes, frame.data);
    ck_assert_uint_eq(kept->size, 100000);
    fill(&splitter, stream.bytes + 100000, 30);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_OK);
    ck_assert_uint_eq(frame.size, 30);
    frame_splitter_done(&splitter);
    ck_assert_mem_eq(kept->bytes, stream.bytes, 100000);
    ck_assert_int_eq(kept->bytes[kept->size], 0);
    frame_unref(kept);
    free(stream.bytes);
}
END_TEST

START_TEST(small_frames_are_kept_as_copies)
{
    struct frame_splitter splitter;
    struct stream stream = {.bytes = malloc(100)};
    struct slice frame;
    add_frame(&stream, 60);
    frame_splitter_init(&splitter);
    fill(&splitter, stream.bytes, 60);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_OK);
    memory_fail_from(1);
    ck_assert_ptr_null(frame_splitter_keep(&splitter, frame));
    memory_fail_from(0);
    struct frame *kept = frame_splitter_keep(&splitter, frame);
    frame_splitter_done(&splitter);
    ck_assert_uint_eq(kept->size, 60);
    ck_assert_mem_eq(kept->bytes, stream.bytes, 60);
    ck_assert_int_eq(kept->bytes[60], 0);
    ck_assert_ptr_eq(frame_ref(kept), kept);
    frame_unref(kept);
    frame_unref(kept);
    frame_unref(NULL);
    free(stream.bytes);
}
END_TEST

/* Memory that is short now may be there later: nothing of the stream is lost. */
START_TEST(without_memory_nothing_is_lost)
{
    struct frame_splitter splitter;
    struct stream stream = {.bytes = malloc(50000)};
    struct slice frame;
    char *at;
    size_t room;
    add_frame(&stream, 20000);
    add_frame(&stream, 20);
    frame_splitter_init(&splitter);
    memory_fail_from(1);
    ck_assert_int_eq(frame_splitter_space(&splitter, &at, &room, NULL), MQC_NO_MEMORY);
    memory_fail_from(0);
    fill(&splitter, stream.bytes, 20020);
    memory_fail_from(1);
    ck_assert_int_eq(frame_splitter_next(&splitter, &frame, NULL), MQC_NO_MEMORY);
    memory_fail_from(0);
    ck_assert_uint_eq(take_frames(&splitter, &stream, 0), 2);
    frame_splitter_done(&splitter);
    free(stream.bytes);
}
END_TEST

static Suite *frame_splitter_suite(void)
{
    Suite *suite = suite_create("frame_splitter");
    UNIT_CASE(suite, "splitting", any_split_gives_the_same_frames, byte_by_byte,
              hostile_prefixes_allocate_nothing, good_frames_before_bad_bytes_are_delivered);
    UNIT_CASE(suite, "blocks", large_frames_are_read_in_place_and_kept_uncopied,
              small_frames_are_kept_as_copies, without_memory_nothing_is_lost);
    return suite;
}

TEST_MAIN(frame_splitter_suite)
