/* Tests of lib/producer/send_window.c. */
#include "lib/producer/send_window.h"

#include <pthread.h>

#include "lib/base/clock.h"
#include "services/service.h"
#include "test/unit/unit.h"

static mqc_error error;

static mqc_status take(struct send_window *window, size_t bytes)
{
    return send_window_take(window, bytes, 0, &error);
}

START_TEST(counts_sends)
{
    struct send_window window;
    send_window_init(&window, 2, -1, MQC_WHEN_FULL_FAIL);
    ck_assert_int_eq(take(&window, 1000), MQC_OK);
    ck_assert_int_eq(take(&window, 0), MQC_OK);
    ck_assert_int_eq(take(&window, 1), MQC_BUSY);
    ck_assert(error.retryable);
    ck_assert(!error.maybe_done);
    ck_assert_ptr_nonnull(strstr(error.text, "2 asynchronous sends with 1000 bytes"));
    ck_assert_ptr_nonnull(strstr(error.text, "max_async_sends"));
    send_window_give_back(&window, 1000);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    ck_assert(!send_window_try(&window, 1));
    send_window_done(&window);
}
END_TEST

START_TEST(counts_bytes)
{
    struct send_window window;
    send_window_init(&window, -1, 100, MQC_WHEN_FULL_FAIL);
    ck_assert_int_eq(take(&window, 60), MQC_OK);
    ck_assert_int_eq(take(&window, 40), MQC_OK);
    ck_assert_int_eq(take(&window, 1), MQC_BUSY);
    ck_assert_int_eq(take(&window, 0), MQC_OK);
    send_window_give_back(&window, 40);
    ck_assert_int_eq(take(&window, 41), MQC_BUSY);
    ck_assert_int_eq(take(&window, 40), MQC_OK);
    send_window_done(&window);
}
END_TEST

/* In Java such a body waits for ever. */
START_TEST(a_body_above_the_limit_goes_alone)
{
    struct send_window window;
    send_window_init(&window, -1, 100, MQC_WHEN_FULL_FAIL);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    ck_assert_int_eq(take(&window, 101), MQC_BUSY);
    send_window_give_back(&window, 1);
    ck_assert_int_eq(take(&window, 101), MQC_OK);
    ck_assert_int_eq(take(&window, 1), MQC_BUSY);
    send_window_give_back(&window, 101);
    ck_assert_uint_eq(atomic_load(&window.used), 0);
    send_window_done(&window);
}
END_TEST

START_TEST(no_limits)
{
    struct send_window window;
    send_window_init(&window, -1, -1, MQC_WHEN_FULL_WAIT);
    for (int i = 0; i < 5000; i++) ck_assert_int_eq(take(&window, 4 << 20), MQC_OK);
    for (int i = 0; i < 5000; i++) send_window_give_back(&window, 4 << 20);
    ck_assert_uint_eq(atomic_load(&window.used), 0);
    send_window_done(&window);
}
END_TEST

START_TEST(waits_until_the_deadline)
{
    struct send_window window;
    send_window_init(&window, 1, -1, MQC_WHEN_FULL_WAIT);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    int64_t begin_ms = clock_now_ms();
    ck_assert_int_eq(send_window_take(&window, 1, begin_ms + 30, &error), MQC_BUSY);
    ck_assert_int_ge(clock_now_ms(), begin_ms + 30);
    ck_assert_ptr_nonnull(strstr(error.text, "no room within the timeout"));
    send_window_done(&window);
}
END_TEST

/* ---- several threads ---- */

struct taker {
    pthread_t thread;
    struct send_window *window;
    mqc_status status;
};

static void *take_for_long(void *arg)
{
    struct taker *taker = arg;
    taker->status = send_window_take(taker->window, 1, CLOCK_NEVER, NULL);
    return NULL;
}

static void await_waiting(struct send_window *window, int count)
{
    while (atomic_load(&window->waiting) < count) sched_yield();
}

START_TEST(room_wakes_one_after_the_other)
{
    enum { TAKERS = 4 };
    struct send_window window;
    struct taker takers[TAKERS];
    send_window_init(&window, 1, -1, MQC_WHEN_FULL_WAIT);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    for (int i = 0; i < TAKERS; i++) {
        takers[i].window = &window;
        pthread_create(&takers[i].thread, NULL, take_for_long, &takers[i]);
    }
    await_waiting(&window, TAKERS);
    for (int i = TAKERS; i > 0; i--) {
        send_window_give_back(&window, 1);
        while (atomic_load(&window.waiting) >= i) sched_yield();
    }
    for (int i = 0; i < TAKERS; i++) {
        pthread_join(takers[i].thread, NULL);
        ck_assert_int_eq(takers[i].status, MQC_OK);
    }
    send_window_done(&window);
}
END_TEST

START_TEST(room_for_many_wakes_all_who_fit)
{
    struct send_window window;
    struct taker takers[3];
    send_window_init(&window, -1, 3, MQC_WHEN_FULL_WAIT);
    ck_assert_int_eq(take(&window, 3), MQC_OK);
    for (int i = 0; i < 3; i++) {
        takers[i].window = &window;
        pthread_create(&takers[i].thread, NULL, take_for_long, &takers[i]);
    }
    await_waiting(&window, 3);
    send_window_give_back(&window, 3); /* once for all three */
    for (int i = 0; i < 3; i++) {
        pthread_join(takers[i].thread, NULL);
        ck_assert_int_eq(takers[i].status, MQC_OK);
    }
    send_window_done(&window);
}
END_TEST

START_TEST(closing_ends_the_waiting)
{
    struct send_window window;
    struct taker taker = {.window = &window};
    send_window_init(&window, 1, -1, MQC_WHEN_FULL_WAIT);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    pthread_create(&taker.thread, NULL, take_for_long, &taker);
    await_waiting(&window, 1);
    send_window_close(&window);
    pthread_join(taker.thread, NULL);
    ck_assert_int_eq(taker.status, MQC_CANCELLED);
    send_window_done(&window);
}
END_TEST

static void *take_and_give(void *arg)
{
    struct taker *taker = arg;
    for (int i = 0; i < 2000 && taker->status == MQC_OK; i++) {
        size_t bytes = (size_t)i % 7;
        taker->status = send_window_take(taker->window, bytes, CLOCK_NEVER, NULL);
        if (taker->status != MQC_OK) break;
        uint64_t sends = atomic_load(&taker->window->used) >> SEND_WINDOW_BYTE_BITS;
        if (sends > 3) taker->status = MQC_SYSTEM;
        send_window_give_back(taker->window, bytes);
    }
    return NULL;
}

START_TEST(many_threads_keep_the_limit)
{
    enum { TAKERS = 8 };
    struct send_window window;
    struct taker takers[TAKERS];
    send_window_init(&window, 3, 10, MQC_WHEN_FULL_WAIT);
    for (int i = 0; i < TAKERS; i++) {
        takers[i] = (struct taker){.window = &window};
        pthread_create(&takers[i].thread, NULL, take_and_give, &takers[i]);
    }
    for (int i = 0; i < TAKERS; i++) {
        pthread_join(takers[i].thread, NULL);
        ck_assert_int_eq(takers[i].status, MQC_OK);
    }
    ck_assert_uint_eq(atomic_load(&window.used), 0);
    send_window_done(&window);
}
END_TEST

/* ---- places that are handed on ---- */

START_TEST(a_callback_may_use_the_place_of_its_send)
{
    struct send_window window;
    send_window_init(&window, 1, 10, MQC_WHEN_FULL_FAIL);
    ck_assert_int_eq(take(&window, 8), MQC_OK);
    send_window_hand(&window, 8);
    ck_assert_int_eq(take(&window, 3), MQC_OK); /* although it is full */
    ck_assert_int_eq(take(&window, 1), MQC_BUSY);
    send_window_hand_end();
    ck_assert_int_eq(take(&window, 1), MQC_BUSY);
    send_window_hand(&window, 3);
    ck_assert_int_eq(take(&window, 20), MQC_OK); /* also a larger one */
    send_window_hand_end();
    send_window_give_back(&window, 20);
    ck_assert_uint_eq(atomic_load(&window.used), 0);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    send_window_hand(&window, 1); /* and not used */
    send_window_hand_end();
    ck_assert_uint_eq(atomic_load(&window.used), 0);
    send_window_done(&window);
}
END_TEST

START_TEST(a_place_is_of_one_window)
{
    struct send_window one, other;
    send_window_init(&one, 1, -1, MQC_WHEN_FULL_FAIL);
    send_window_init(&other, 1, -1, MQC_WHEN_FULL_FAIL);
    ck_assert_int_eq(take(&one, 1), MQC_OK);
    ck_assert_int_eq(take(&other, 1), MQC_OK);
    send_window_hand(&one, 1);
    ck_assert_int_eq(take(&other, 1), MQC_BUSY);
    ck_assert_int_eq(take(&one, 1), MQC_OK);
    send_window_hand_end();
    send_window_done(&one);
    send_window_done(&other);
}
END_TEST

/* What a callback thread waited for might be itself. */
static void take_on_own_thread(void *arg)
{
    struct taker *taker = arg;
    taker->status = send_window_take(taker->window, 1, CLOCK_NEVER, NULL);
}

START_TEST(threads_of_the_library_never_wait)
{
    struct send_window window;
    struct taker taker = {.window = &window};
    struct service service;
    send_window_init(&window, 1, -1, MQC_WHEN_FULL_WAIT);
    ck_assert_int_eq(take(&window, 1), MQC_OK);
    service_init(&service, "test", take_on_own_thread, NULL, &taker);
    ck_assert_int_eq(service_start(&service, NULL), MQC_OK);
    service_stop(&service);
    service_join(&service);
    service_done(&service);
    ck_assert_int_eq(taker.status, MQC_BUSY);
    send_window_done(&window);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("send_window");
    UNIT_CASE(suite, "limits", counts_sends, counts_bytes, a_body_above_the_limit_goes_alone,
              no_limits, waits_until_the_deadline);
    UNIT_CASE(suite, "threads", room_wakes_one_after_the_other, room_for_many_wakes_all_who_fit,
              closing_ends_the_waiting, many_threads_keep_the_limit);
    UNIT_CASE(suite, "handed on", a_callback_may_use_the_place_of_its_send,
              a_place_is_of_one_window, threads_of_the_library_never_wait);
    return suite;
}

TEST_MAIN(suite)
