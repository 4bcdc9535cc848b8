/* Ids of messages. This program brings its own clock, so that time stands still, steps back and
 * crosses the end of a month as a test wants. */
#include "lib/protocol/message_id.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "test/unit/protocol/damage.h"

enum { THREADS = 8, IDS_EACH = 200000, DIGITS = 32 };

static _Atomic int64_t unix_ms = INT64_C(1795436413642);

int64_t clock_unix_ms(void)
{
    return unix_ms;
}

int64_t clock_unix_us(void)
{
    return unix_ms * 1000;
}

int64_t clock_now_ms(void)
{
    return unix_ms;
}

int64_t clock_now_us(void)
{
    return unix_ms * 1000;
}

int64_t clock_deadline_ms(int64_t timeout_ms)
{
    return unix_ms + timeout_ms;
}

int clock_left_ms(int64_t deadline_ms)
{
    return deadline_ms > unix_ms;
}

static uint64_t hex_part(const char *id, size_t from, size_t digits)
{
    char text[20] = "";
    memcpy(text, id + from, digits);
    return strtoull(text, NULL, 16);
}

START_TEST(layout)
{
    struct host host = {.address = {192, 168, 0, 1}};
    message_id_set_host(&host);
    char id[MESSAGE_ID_BYTES], next[MESSAGE_ID_BYTES];
    message_id_make(id);
    message_id_make(next);
    ck_assert_uint_eq(strlen(id), DIGITS);
    ck_assert_uint_eq(strspn(id, "0123456789ABCDEF"), DIGITS);
    ck_assert_int_eq(memcmp(id, "C0A80001", 8), 0);
    ck_assert_uint_eq(hex_part(id, 8, 4), (unsigned)getpid() & 0xFFFF);
    time_t now = (time_t)(unix_ms / 1000);
    struct tm first;
    localtime_r(&now, &first);
    first.tm_mday = 1;
    first.tm_hour = first.tm_min = first.tm_sec = 0;
    first.tm_isdst = -1;
    int64_t month_start_ms = (int64_t)mktime(&first) * 1000;
    ck_assert_uint_eq(hex_part(id, 20, 8), (uint64_t)(unix_ms - month_start_ms));
    ck_assert_uint_eq(hex_part(id, 28, 4), 0);
    ck_assert_uint_eq(hex_part(next, 28, 4), 1);
    ck_assert_int_eq(memcmp(id, next, 28), 0);
}
END_TEST

START_TEST(host_may_be_set_late_and_ipv6)
{
    char before[MESSAGE_ID_BYTES], after[MESSAGE_ID_BYTES];
    message_id_make(before);
    struct host host = {.ipv6 = true, .address = {0xFD, 0, 0, 1, 0, 0, 0, 0, 0x10, 0, 0, 2}};
    message_id_set_host(&host);
    message_id_make(after);
    ck_assert_int_eq(memcmp(after, "ED000003", 8), 0);
    ck_assert_uint_ne(hex_part(before, 0, 8), 0);
}
END_TEST

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, DIGITS);
}

static void assert_all_different(char (*ids)[DIGITS], size_t count)
{
    qsort(ids, count, DIGITS, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (memcmp(ids[i - 1], ids[i], DIGITS) == 0) ck_abort_msg("twice: %.32s", ids[i]);
}

static void *make_many(void *arg)
{
    char(*ids)[DIGITS] = arg;
    for (size_t i = 0; i < IDS_EACH; i++) {
        char id[MESSAGE_ID_BYTES];
        message_id_make(id);
        memcpy(ids[i], id, DIGITS);
        /* The clock goes forth and back under the threads' feet, and mostly stands. */
        if (i % 1000 == 0) atomic_fetch_add(&unix_ms, i % 3000 == 0 ? 7 : -3);
    }
    return NULL;
}

START_TEST(different_on_many_threads)
{
    static char ids[THREADS * IDS_EACH][DIGITS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_many, ids[i * IDS_EACH]), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_all_different(ids, THREADS * IDS_EACH);
}
END_TEST

/* The counter has 65536 values a ms: more ids than that run ahead of the clock. */
START_TEST(different_in_one_ms)
{
    char id[MESSAGE_ID_BYTES], last[MESSAGE_ID_BYTES] = "";
    for (int i = 0; i < 300000; i++) {
        message_id_make(id);
        ck_assert_often(strcmp(last, id) < 0);
        memcpy(last, id, sizeof last);
    }
    ck_assert_uint_eq(hex_part(id, 28, 4), (300000 - 1) % 65536);
}
END_TEST

START_TEST(different_when_the_clock_steps_back)
{
    char id[MESSAGE_ID_BYTES], last[MESSAGE_ID_BYTES] = "";
    for (int i = 0; i < 1000; i++) {
        unix_ms -= 60000;
        message_id_make(id);
        ck_assert_int_lt(strcmp(last, id), 0);
        memcpy(last, id, sizeof last);
    }
}
END_TEST

/* The same ms and counter in the next months: the number differs. */
START_TEST(different_in_every_month)
{
    enum { MONTHS = 60, EACH = 50 };
    static char ids[MONTHS * EACH][DIGITS];
    for (int month = 0; month < MONTHS; month++) {
        struct tm start = {.tm_year = 126, .tm_mon = 11 + month, .tm_mday = 1, .tm_isdst = -1};
        unix_ms = (int64_t)mktime(&start) * 1000 + 5;
        for (int i = 0; i < EACH; i++) {
            char id[MESSAGE_ID_BYTES];
            message_id_make(id);
            ck_assert_uint_eq(hex_part(id, 20, 12), 5U << 16 | (unsigned)i);
            memcpy(ids[month * EACH + i], id, DIGITS);
        }
    }
    assert_all_different(ids, MONTHS * EACH);
}
END_TEST

START_TEST(absurd_clocks)
{
    const int64_t times[] = {0, -5, 1, INT64_C(1) << 46, INT64_C(140737488355327)};
    char id[MESSAGE_ID_BYTES], last[MESSAGE_ID_BYTES] = "";
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        unix_ms = times[i];
        message_id_make(id);
        ck_assert_uint_eq(strlen(id), DIGITS);
        ck_assert_str_ne(id, last);
        memcpy(last, id, sizeof last);
    }
}
END_TEST

START_TEST(different_in_a_forked_child)
{
    char mine[MESSAGE_ID_BYTES], childs[MESSAGE_ID_BYTES];
    message_id_make(mine);
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        message_id_make(childs);
        _exit(write(pipes[1], childs, sizeof childs) == (ssize_t)sizeof childs ? 0 : 1);
    }
    message_id_make(mine);
    ck_assert_int_eq(read(pipes[0], childs, sizeof childs), (ssize_t)sizeof childs);
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    /* Both made their second id; neither the process id nor the number is the same. */
    ck_assert_int_eq(memcmp(mine + 20, childs + 20, 12), 0);
    ck_assert_int_ne(memcmp(mine + 8, childs + 8, 4), 0);
    ck_assert_int_ne(memcmp(mine + 12, childs + 12, 8), 0);
}
END_TEST

START_TEST(offset_ids)
{
    struct host host = {.address = {127, 0, 0, 1}, .port = 10911};
    char id[MESSAGE_ID_BYTES];
    offset_id_make(&host, 0xF48460DC, id);
    ck_assert_str_eq(id, "7F00000100002A9F00000000F48460DC");
    struct host parsed;
    int64_t offset;
    mqc_error error;
    assert_ok(offset_id_parse(slice_text(id), &parsed, &offset, &error), &error);
    ck_assert_int_eq(offset, 0xF48460DC);
    ck_assert_int_eq(parsed.port, 10911);
    ck_assert(!parsed.ipv6);
    ck_assert_int_eq(memcmp(parsed.address, host.address, 4), 0);

    host = (struct host){.ipv6 = true, .address = {[0] = 0xFE, [15] = 1}, .port = -1};
    offset_id_make(&host, -2, id);
    ck_assert_str_eq(id, "FE000000000000000000000000000001FFFFFFFFFFFFFFFFFFFFFFFE");
    for (char *c = id; *c; c++) *c |= *c >= 'A' ? 0x20 : 0;
    assert_ok(offset_id_parse(slice_text(id), &parsed, &offset, &error), &error);
    ck_assert_int_eq(offset, -2);
    ck_assert_int_eq(parsed.port, -1);
    ck_assert(parsed.ipv6);
    ck_assert_int_eq(memcmp(parsed.address, host.address, 16), 0);
}
END_TEST

START_TEST(bad_offset_ids)
{
    const char *const bad[] = {
        "",
        "7F",
        "7F00000100002A9F00000000F48460D",
        "7F00000100002A9F00000000F48460DCC",
        "7F00000100002A9F00000000F48460DG",
        "FE000000000000000000000000000001FFFFFFFFFFFFFFFFFFFFFF E",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct host host;
        int64_t offset;
        mqc_error error;
        ck_assert_int_eq(offset_id_parse(slice_text(bad[i]), &host, &offset, &error),
                         MQC_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(error.text, "32 or 56"));
    }
}
END_TEST

START_TEST(hosts_as_text)
{
    char text[HOST_TEXT_BYTES];
    host_format(&(struct host){.address = {10, 1, 2, 255}, .port = 51714}, text);
    ck_assert_str_eq(text, "10.1.2.255:51714");
    host_format(&(struct host){.ipv6 = true, .address = {[15] = 1}, .port = 9876}, text);
    ck_assert_str_eq(text, "[::1]:9876");
    struct host longest = {.ipv6 = true, .port = INT32_MIN};
    memset(longest.address, 0xFF, sizeof longest.address);
    host_format(&longest, text);
    ck_assert_str_eq(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:-2147483648");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("message_id");
    UNIT_CASE(s, "unique ids", layout, host_may_be_set_late_and_ipv6, different_on_many_threads,
              different_in_one_ms, different_when_the_clock_steps_back, different_in_every_month,
              absurd_clocks, different_in_a_forked_child);
    UNIT_CASE(s, "offset ids", offset_ids, bad_offset_ids, hosts_as_text);
    return s;
}
TEST_MAIN(suite)
