/* A queue that event loops can watch: order, waiting, holding, closing, and a descriptor that says
 * exactly when there is something. */
#include "lib/consumer/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "test/unit/unit.h"

enum { MANY = 2000, TAKERS = 3 };

struct letter {
    struct link link;
    int number;
    int taken;
};

static struct mailbox mailbox;
static struct letter letters[MANY];
static mqc_error error;

static void put(int number)
{
    struct link list;
    list_init(&list);
    letters[number].number = number;
    list_append(&list, &letters[number].link);
    ck_assert(mailbox_put(&mailbox, &list));
    ck_assert(list_empty(&list));
}

static int take(void)
{
    struct link *item = mailbox_take(&mailbox);
    return item ? CONTAINER_OF(item, struct letter, link)->number : -1;
}

static bool is_readable(void)
{
    struct pollfd one = {.fd = mailbox_fd(&mailbox, &error), .events = POLLIN};
    ck_assert_int_ge(one.fd, 0);
    ck_assert_int_ge(poll(&one, 1, 0), 0);
    return (one.revents & POLLIN) != 0;
}

START_TEST(test_in_order)
{
    struct link list;
    mailbox_init(&mailbox);
    ck_assert_int_eq(take(), -1);
    for (int i = 0; i < 5; i++) put(i);
    ck_assert_int_eq(take(), 0);
    ck_assert_int_eq(take(), 1);
    list_init(&list);
    list_append(&list, &letters[0].link);
    list_append(&list, &letters[1].link);
    ck_assert(mailbox_put_back(&mailbox, &list));
    for (int i = 0; i < 3; i++) ck_assert_int_eq(take(), i);
    mailbox_take_all(&mailbox, &list);
    ck_assert_ptr_eq(list_take_first(&list), &letters[3].link);
    ck_assert_ptr_eq(list_take_first(&list), &letters[4].link);
    ck_assert(list_empty(&list));
    mailbox_done(&mailbox);
}
END_TEST

START_TEST(test_readable_while_there_is_something)
{
    mailbox_init(&mailbox);
    put(0); /* before there is a descriptor */
    ck_assert(is_readable());
    put(1);
    ck_assert_int_eq(take(), 0);
    ck_assert(is_readable());
    ck_assert_int_eq(take(), 1);
    ck_assert(!is_readable());
    ck_assert_int_eq(mailbox_fd(&mailbox, &error), mailbox_fd(&mailbox, &error));
    put(2);
    ck_assert(is_readable());
    mailbox_hold(&mailbox, true);
    ck_assert(!is_readable());
    ck_assert_int_eq(take(), -1);
    mailbox_hold(&mailbox, false);
    ck_assert(is_readable());
    ck_assert_int_eq(take(), 2);
    mailbox_close(&mailbox);
    ck_assert(is_readable());
    int fd = mailbox_fd(&mailbox, &error);
    mailbox_done(&mailbox);
    ck_assert_int_eq(close(fd), -1);
}
END_TEST

START_TEST(test_waiting)
{
    mailbox_init(&mailbox);
    ck_assert_int_eq(mailbox_wait(&mailbox, clock_deadline_ms(1)), MAILBOX_TIMEOUT);
    ck_assert_int_eq(mailbox_wait(&mailbox, 0), MAILBOX_TIMEOUT);
    put(0);
    ck_assert_int_eq(mailbox_wait(&mailbox, CLOCK_NEVER), MAILBOX_READY);
    mailbox_hold(&mailbox, true);
    ck_assert_int_eq(mailbox_wait(&mailbox, clock_deadline_ms(1)), MAILBOX_TIMEOUT);
    mailbox_close(&mailbox);
    ck_assert_int_eq(mailbox_wait(&mailbox, CLOCK_NEVER), MAILBOX_CLOSED);
    struct link list;
    list_init(&list);
    mailbox_take_all(&mailbox, &list);
    ck_assert_ptr_eq(list_take_first(&list), &letters[0].link);
    list_append(&list, &letters[1].link);
    ck_assert(!mailbox_put(&mailbox, &list));
    ck_assert(!mailbox_put_back(&mailbox, &list));
    ck_assert_ptr_eq(list_take_first(&list), &letters[1].link);
    ck_assert_int_eq(take(), -1);
    mailbox_done(&mailbox);
}
END_TEST

static void *take_until_closed(void *arg)
{
    int *count = arg;
    for (;;) {
        int number = take();
        if (number >= 0) {
            letters[number].taken++;
            ++*count;
        } else if (mailbox_wait(&mailbox, CLOCK_NEVER) == MAILBOX_CLOSED) {
            return NULL;
        }
    }
}

START_TEST(test_several_threads)
{
    pthread_t threads[TAKERS];
    int counts[TAKERS] = {0};
    mailbox_init(&mailbox);
    mailbox_fd(&mailbox, &error);
    for (int i = 0; i < TAKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_until_closed, &counts[i]), 0);
    for (int i = 0; i < MANY; i++) put(i);
    while (mailbox_wait(&mailbox, 0) == MAILBOX_READY) {
    }
    mailbox_close(&mailbox);
    int sum = 0;
    for (int i = 0; i < TAKERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        sum += counts[i];
    }
    ck_assert_int_eq(sum, MANY);
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(letters[i].taken, 1);
    mailbox_done(&mailbox);
}
END_TEST

static Suite *mailbox_suite(void)
{
    Suite *suite = suite_create("mailbox");
    UNIT_CASE(suite, "mailbox", test_in_order, test_readable_while_there_is_something, test_waiting,
              test_several_threads);
    return suite;
}

TEST_MAIN(mailbox_suite)
