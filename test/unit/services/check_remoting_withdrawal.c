/* Calls whose time is over before they are written: they are not written any more, and are said not
 * to be done, while those around them go on. */
#include "test/unit/services/remoting_calls.h"

static atomic_int withdrawn_seen;

/* Reads nothing more until it is let; then answers each call with its own body. */
static void stall_then_echo(struct fake_server *server, int fd,
                            const struct remoting_command *command)
{
    latch_wait(server->arg, 1);
    if (slice_is(command->body, "withdrawn")) atomic_fetch_add(&withdrawn_seen, 1);
    echo(server, fd, command);
}

/* Until frames wait here that the network does not take. */
static void fill(struct remoting_client *client, const char *address)
{
    static const char body[100000];
    struct command_to_send request = request_of(slice_of(body, sizeof body));
    mqc_status status = MQC_OK;
    for (int i = 0; i < 1000 && status == MQC_OK; i++)
        status =
            remoting_client_call_oneway(client, address, &request, clock_deadline_ms(20), NULL);
    ck_assert_int_eq(status, MQC_BUSY);
}

START_TEST(what_nobody_waits_for_is_not_written)
{
    enum { CALLS = 5 };
    static const char *const bodies[CALLS] = {"before", "withdrawn", "between", "withdrawn",
                                              "behind"};
    struct fake_server server;
    struct latch go, two, others;
    struct outcome outcomes[CALLS];
    latch_init(&go);
    latch_init(&two);
    latch_init(&others);
    fake_start(&server, stall_then_echo, &go);
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    fill(client, server.address);
    for (int i = 0; i < CALLS; i++) {
        bool expires = i % 2 == 1;
        outcomes[i] = (struct outcome){.latch = expires ? &two : &others};
        call_async(client, server.address, bodies[i], expires ? 50 : PATIENCE_MS, &outcomes[i]);
    }
    latch_wait(&two, 2);
    for (int i = 1; i < CALLS; i += 2) {
        ck_assert_int_eq(outcomes[i].status, MQC_TIMEOUT);
        ck_assert(!outcomes[i].maybe_done);
    }
    latch_raise(&go);
    latch_wait(&others, 3);
    for (int i = 0; i < CALLS; i += 2) ck_assert_str_eq(outcomes[i].body, bodies[i]);
    ck_assert_int_eq(atomic_load(&withdrawn_seen), 0);
    client_down(client);
    fake_stop(&server);
    latch_done(&go);
    latch_done(&two);
    latch_done(&others);
}
END_TEST

START_TEST(what_comes_too_late_is_not_sent)
{
    struct fake_server server;
    struct latch go;
    struct remoting_response response;
    mqc_error error;
    latch_init(&go);
    latch_raise(&go);
    fake_start(&server, stall_then_echo, &go);
    struct remoting_client *client = client_up(PATIENCE_MS, -1);
    call_echo(client, server.address, "open");
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("withdrawn"), 0, &response, &error),
                     MQC_TIMEOUT);
    ck_assert(error.retryable && !error.maybe_done);
    ck_assert_ptr_nonnull(strstr(error.text, "no time was left for HEART_BEAT"));
    call_echo(client, server.address, "in time");
    ck_assert_int_eq(atomic_load(&withdrawn_seen), 0);
    client_down(client);
    fake_stop(&server);
    latch_done(&go);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("remoting_client: withdrawal");
    UNIT_CASE(s, "calls", what_nobody_waits_for_is_not_written, what_comes_too_late_is_not_sent);
    return s;
}

TEST_MAIN(suite)
