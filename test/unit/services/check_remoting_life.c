/* How calls and connections of the remoting client end, against a scripted peer. */
#include "test/unit/services/remoting_calls.h"

START_TEST(stopping_cancels_what_is_left)
{
    struct fake_server server;
    fake_start(&server, silence, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct latch latch;
    latch_init(&latch);
    struct outcome outcomes[100] = {0};
    for (int i = 0; i < 100; i++) {
        outcomes[i].latch = &latch;
        call_async(client, server.address, "?", PATIENCE_MS, &outcomes[i]);
    }
    remoting_client_stop(client, clock_now_ms());
    latch_wait(&latch, 100);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(outcomes[i].status, MQC_CANCELLED);
        ck_assert_int_eq(atomic_load(&outcomes[i].completions), 1);
    }
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("?"), 1000, &response, &error),
                     MQC_CANCELLED);
    remoting_client_free(client);
    latch_done(&latch);
    fake_stop(&server);
}
END_TEST

/* Answers all that it was asked when it is asked the third time. */
static void at_the_third(struct fake_server *server, int fd, const struct remoting_command *command)
{
    static struct remoting_command held[2];
    int number = atomic_load(&server->frames);
    if (number < 2) {
        held[number] = *command;
        return;
    }
    for (int i = 0; i < 2; i++) fake_answer(fd, &held[i], 0, SLICE_LITERAL("late"));
    echo(server, fd, command);
}

START_TEST(a_cancelled_call_ends_once)
{
    struct fake_server server;
    fake_start(&server, at_the_third, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct latch latch;
    latch_init(&latch);
    struct outcome cancelled = {.latch = &latch}, other = {.latch = &latch};
    call_async(client, server.address, "cancelled", PATIENCE_MS, &cancelled);
    call_async(client, server.address, "other", PATIENCE_MS, &other);
    remoting_client_cancel(client, on_done, &cancelled);
    ck_assert_int_eq(atomic_load(&cancelled.completions), 1);
    ck_assert_int_eq(cancelled.status, MQC_CANCELLED);
    ck_assert(cancelled.maybe_done);
    remoting_client_cancel(client, on_done, &cancelled); /* not there any more */
    call_echo(client, server.address, "third");
    latch_wait(&latch, 2);
    ck_assert_str_eq(other.body, "late");
    remoting_client_cancel(client, on_done, &other);
    client_down(client);
    ck_assert_int_eq(atomic_load(&cancelled.completions), 1);
    ck_assert_int_eq(atomic_load(&other.completions), 1);
    latch_done(&latch);
    fake_stop(&server);
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(3000, 50);
    call_echo(client, server.address, "once");
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&server.closed) == 0 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&server.closed), 1);
    call_echo(client, server.address, "and again");
    client_down(client);
    fake_stop(&server);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("remoting_life");
    UNIT_CASE(suite, "ends", stopping_cancels_what_is_left, a_cancelled_call_ends_once,
              an_idle_connection_is_closed);
    return suite;
}

TEST_MAIN(suite)
