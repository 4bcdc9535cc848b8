#include "lib/net/poller.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/memory.h"
#include "test/unit/net/loopback.h"
#include "test/unit/unit.h"

static struct poller *new_poller(void)
{
    struct poller *poller;
    mqc_error error;
    ck_assert_msg(poller_new(&poller, &error) == MQC_OK, "%s", error.text);
    return poller;
}

static void add(struct poller *poller, int fd, int interest, void *owner)
{
    mqc_error error;
    ck_assert_msg(poller_add(poller, fd, interest, owner, &error) == MQC_OK, "%s", error.text);
}

/* Waits until there is an event; spurious ends of a wait are allowed. */
static struct poll_event next_event(struct poller *poller)
{
    struct poll_event event;
    while (poller_wait(poller, &event, 1, CLOCK_NEVER) == 0) {
    }
    return event;
}

static size_t events_now(struct poller *poller)
{
    struct poll_event events[8];
    return poller_wait(poller, events, 8, clock_now_ms());
}

START_TEST(readiness_is_level_triggered)
{
    struct poller *poller = new_poller();
    int client, server, owner;
    char byte;
    size_t moved;
    loopback_pair(&client, &server);
    add(poller, server, POLL_READABLE, &owner);
    ck_assert_uint_eq(events_now(poller), 0);
    loopback_say(client, "x");
    for (int i = 0; i < 3; i++) {
        struct poll_event event = next_event(poller);
        ck_assert_ptr_eq(event.owner, &owner);
        ck_assert_int_eq(event.ready, POLL_READABLE);
    }
    ck_assert_int_eq(socket_read(server, &byte, 1, &moved), IO_DONE);
    ck_assert_uint_eq(events_now(poller), 0);
    poller_remove(poller, server);
    poller_free(poller);
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(interest_and_owner_can_change)
{
    struct poller *poller = new_poller();
    int client, server, one, two;
    loopback_pair(&client, &server);
    add(poller, server, 0, &one);
    loopback_say(client, "x");
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    ck_assert_uint_eq(events_now(poller), 0);
    poller_change(poller, server, POLL_READABLE | POLL_WRITABLE, &two);
    struct poll_event event = next_event(poller);
    ck_assert_ptr_eq(event.owner, &two);
    ck_assert_int_eq(event.ready, POLL_READABLE | POLL_WRITABLE);
    poller_change(poller, server, POLL_WRITABLE, &one);
    event = next_event(poller);
    ck_assert_ptr_eq(event.owner, &one);
    ck_assert_int_eq(event.ready, POLL_WRITABLE);
    poller_change(poller, server, 0, &one);
    ck_assert_uint_eq(events_now(poller), 0);
    poller_remove(poller, server);
    poller_remove(poller, server); /* once more is fine */
    poller_free(poller);
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(the_end_of_the_peer_is_an_event)
{
    struct poller *poller = new_poller();
    int client, server;
    struct linger at_once = {1, 0};
    loopback_pair(&client, &server);
    add(poller, server, 0, &server);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    socket_close(client); /* a reset: broken whatever the interest is */
    ck_assert(next_event(poller).ready & POLL_BROKEN);
    poller_remove(poller, server);
    socket_close(server);

    loopback_pair(&client, &server);
    add(poller, server, POLL_READABLE, &server);
    socket_close(client); /* an orderly end: there is something to read, the end */
    ck_assert(next_event(poller).ready & POLL_READABLE);
    poller_free(poller);
    socket_close(server);
}
END_TEST

START_TEST(waiting_ends_at_the_deadline_and_not_before)
{
    struct poller *poller = new_poller();
    struct poll_event event;
    for (int i = 0; i < 100; i++) poller_wake(poller);
    ck_assert_uint_eq(poller_wait(poller, &event, 1, CLOCK_NEVER), 0);
    /* Nothing of the hundred is left. */
    int64_t deadline_ms = clock_now_ms() + 30;
    ck_assert_uint_eq(poller_wait(poller, &event, 1, deadline_ms), 0);
    ck_assert_int_ge(clock_now_ms(), deadline_ms);
    poller_wake(poller);
    ck_assert_uint_eq(poller_wait(poller, &event, 1, CLOCK_NEVER), 0);
    poller_free(poller);
}
END_TEST

enum { MANY = 200 };

START_TEST(of_many_sockets_none_starves)
{
    struct poller *poller = new_poller();
    int clients[MANY], servers[MANY];
    bool seen[MANY] = {false};
    for (int i = 0; i < MANY; i++) {
        loopback_pair(&clients[i], &servers[i]);
        add(poller, servers[i], POLL_READABLE, &servers[i]);
        loopback_say(clients[i], "x");
    }
    /* Level-triggered and none is read: with room for 7 each must have its turn all the same. */
    for (int left = MANY; left > 0;) {
        struct poll_event events[7];
        size_t count = poller_wait(poller, events, 7, CLOCK_NEVER);
        ck_assert_uint_le(count, 7);
        for (size_t i = 0; i < count; i++) {
            size_t which = (size_t)((int *)events[i].owner - servers);
            ck_assert_uint_lt(which, MANY);
            if (!seen[which]) left--;
            seen[which] = true;
        }
    }
    for (int i = 0; i < MANY; i += 2) poller_remove(poller, servers[i]);
    for (int rounds = 0; rounds < 2 * MANY; rounds++) {
        size_t which = (size_t)((int *)next_event(poller).owner - servers);
        ck_assert_uint_eq(which % 2, 1);
    }
    for (int i = 0; i < MANY; i++) {
        poller_remove(poller, servers[i]);
        socket_close(clients[i]);
        socket_close(servers[i]);
    }
    ck_assert_uint_eq(events_now(poller), 0);
    poller_free(poller);
}
END_TEST

/* A thread that waits for ever and counts the ends of its waits and its events. */
struct waiter {
    struct poller *poller;
    struct poller *answers; /* woken after every wait */
    atomic_int waits;
    atomic_int events;
    atomic_bool stop;
    int fd_to_quiet; /* its interest is set to none when it was ready */
    pthread_t thread;
};

static void *wait_and_count(void *argument)
{
    struct waiter *waiter = argument;
    while (!atomic_load(&waiter->stop)) {
        struct poll_event event;
        size_t count = poller_wait(waiter->poller, &event, 1, CLOCK_NEVER);
        if (count > 0 && waiter->fd_to_quiet >= 0)
            poller_change(waiter->poller, waiter->fd_to_quiet, 0, waiter);
        atomic_fetch_add(&waiter->events, (int)count);
        atomic_fetch_add(&waiter->waits, 1);
        poller_wake(waiter->answers);
    }
    return NULL;
}

static void start(struct waiter *waiter, int fd_to_quiet)
{
    *waiter = (struct waiter){.poller = new_poller(), .answers = new_poller()};
    waiter->fd_to_quiet = fd_to_quiet;
    atomic_init(&waiter->waits, 0);
    atomic_init(&waiter->events, 0);
    atomic_init(&waiter->stop, false);
    ck_assert_int_eq(pthread_create(&waiter->thread, NULL, wait_and_count, waiter), 0);
}

static void stop(struct waiter *waiter)
{
    atomic_store(&waiter->stop, true);
    poller_wake(waiter->poller);
    pthread_join(waiter->thread, NULL);
    poller_free(waiter->poller);
    poller_free(waiter->answers);
}

static void await_more_than(struct waiter *waiter, atomic_int *counter, int before)
{
    struct poll_event event;
    while (atomic_load(counter) <= before) poller_wait(waiter->answers, &event, 1, CLOCK_NEVER);
}

/* A lost wake-up makes this hang until Check's limit. */
START_TEST(no_wake_up_is_lost)
{
    struct waiter waiter;
    start(&waiter, -1);
    for (int i = 0; i < 5000; i++) {
        int before = atomic_load(&waiter.waits);
        poller_wake(waiter.poller);
        await_more_than(&waiter, &waiter.waits, before);
    }
    ck_assert_int_eq(atomic_load(&waiter.events), 0);
    stop(&waiter);
}
END_TEST

START_TEST(another_thread_can_change_the_interest)
{
    struct waiter waiter;
    int client, server;
    loopback_pair(&client, &server);
    start(&waiter, server);
    add(waiter.poller, server, 0, &waiter);
    loopback_say(client, "x"); /* never read: only the interest decides */
    for (int i = 0; i < 2000; i++) {
        int before = atomic_load(&waiter.events);
        poller_change(waiter.poller, server, POLL_READABLE, &waiter);
        await_more_than(&waiter, &waiter.events, before);
    }
    stop(&waiter);
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(another_thread_can_add_and_remove)
{
    struct waiter waiter;
    start(&waiter, -1);
    for (int i = 0; i < 200; i++) {
        int client, server, before = atomic_load(&waiter.events);
        loopback_pair(&client, &server);
        add(waiter.poller, server, POLL_READABLE, &waiter);
        loopback_say(client, "x");
        await_more_than(&waiter, &waiter.events, before);
        poller_remove(waiter.poller, server);
        socket_close(client);
        socket_close(server);
    }
    stop(&waiter);
}
END_TEST

START_TEST(a_removed_socket_gives_no_more_events)
{
    struct poller *poller = new_poller();
    int client, server, others[2];
    loopback_pair(&client, &server);
    loopback_pair(&others[0], &others[1]);
    add(poller, server, POLL_READABLE, &server);
    add(poller, others[1], POLL_WRITABLE, &others);
    loopback_say(client, "x");
    ck_assert(socket_wait(server, false, CLOCK_NEVER));
    poller_remove(poller, server);
    for (int i = 0; i < 5; i++) ck_assert_ptr_eq(next_event(poller).owner, &others);
    add(poller, server, POLL_READABLE, &server); /* back again */
    while (next_event(poller).owner != &server) {
    }
    poller_free(poller);
    socket_close(client);
    socket_close(server);
    socket_close(others[0]);
    socket_close(others[1]);
}
END_TEST

START_TEST(adding_what_cannot_be_is_an_error)
{
    struct poller *poller = new_poller();
    int client, server;
    mqc_error error;
    loopback_pair(&client, &server);
    ck_assert_int_eq(poller_add(poller, -1, POLL_READABLE, NULL, &error), MQC_SYSTEM);
    add(poller, server, POLL_READABLE, NULL);
    ck_assert_int_eq(poller_add(poller, server, POLL_READABLE, NULL, &error), MQC_SYSTEM);
    poller_remove(poller, client); /* never added */
    poller_free(poller);
    poller_free(NULL);
    socket_close(client);
    socket_close(server);
}
END_TEST

START_TEST(no_memory_is_an_ordinary_error)
{
    int client, server;
    loopback_pair(&client, &server);
    long before = memory_live_blocks();
    bool done = false;
    for (long nth = 1; !done; nth++) {
        struct poller *poller;
        memory_fail_from(nth);
        mqc_status status = poller_new(&poller, NULL);
        if (status == MQC_OK) {
            status = poller_add(poller, server, POLL_WRITABLE, &server, NULL);
            memory_fail_from(0);
            if (status == MQC_OK) {
                ck_assert_ptr_eq(next_event(poller).owner, &server);
                done = true;
            } else {
                ck_assert_uint_eq(events_now(poller), 0);
            }
            poller_free(poller);
        }
        memory_fail_from(0);
        ck_assert(status == MQC_OK || status == MQC_NO_MEMORY);
        ck_assert(nth > 1 || status == MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
    socket_close(client);
    socket_close(server);
}
END_TEST

static Suite *poller_suite(void)
{
#ifdef MQC_POLLER_poll
    Suite *suite = suite_create("net/poller (poll)");
#else
    Suite *suite = suite_create("net/poller (epoll)");
#endif
    UNIT_CASE(suite, "events", readiness_is_level_triggered, interest_and_owner_can_change,
              the_end_of_the_peer_is_an_event, of_many_sockets_none_starves,
              a_removed_socket_gives_no_more_events, adding_what_cannot_be_is_an_error,
              no_memory_is_an_ordinary_error);
    UNIT_CASE(suite, "threads", waiting_ends_at_the_deadline_and_not_before, no_wake_up_is_lost,
              another_thread_can_change_the_interest, another_thread_can_add_and_remove);
    return suite;
}
TEST_MAIN(poller_suite)
