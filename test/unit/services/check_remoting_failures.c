/* The remoting client when the peer is silent, late, gone, broken or going away. */
#include "test/unit/services/remoting_calls.h"

START_TEST(a_call_without_an_answer_times_out)
{
    struct fake_server server;
    fake_start(&server, silence, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("?"), 300, &response, &error),
                     MQC_TIMEOUT);
    ck_assert(error.retryable);
    ck_assert(error.maybe_done);
    ck_assert_ptr_nonnull(strstr(error.text, "HEART_BEAT"));
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void end_calls(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)fd, (void)command;
    remoting_client_end_calls(server->arg, clock_now_ms());
}

START_TEST(calls_end_when_the_client_does)
{
    struct fake_server server;
    struct remoting_client *client = client_up(3000, 60000);
    fake_start(&server, end_calls, client);
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("?"), 600000, &response, &error),
                     MQC_CANCELLED);
    ck_assert(error.maybe_done);
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("?"), 600000, &response, &error),
                     MQC_CANCELLED);
    ck_assert(!error.maybe_done);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void end_calls_when_asked(struct fake_server *server, int fd,
                                 const struct remoting_command *command)
{
    if (slice_is(command->body, "?"))
        end_calls(server, fd, command);
    else
        fake_answer(fd, command, 0, command->body);
}

/* Who has called some times alone waits for its answer at the socket. */
START_TEST(a_caller_that_reads_itself_ends_when_the_client_does)
{
    struct fake_server server;
    struct remoting_client *client = client_up(3000, 60000);
    fake_start(&server, end_calls_when_asked, client);
    struct remoting_response response;
    mqc_error error;
    for (int i = 0; i < 10; i++) call_echo(client, server.address, "lonely");
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("?"), 600000, &response, &error),
                     MQC_CANCELLED);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void answer_late(struct fake_server *server, int fd, const struct remoting_command *command)
{
    static int32_t first;
    (void)server;
    if (slice_is(command->body, "first")) {
        first = command->opaque;
        return;
    }
    struct remoting_command late = *command;
    late.opaque = first;
    fake_answer(fd, &late, 0, SLICE_LITERAL("late"));
    fake_answer(fd, command, 0, command->body);
}

START_TEST(a_late_answer_is_nobodys)
{
    struct fake_server server;
    fake_start(&server, answer_late, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(call(client, server.address, SLICE_LITERAL("first"), 100, &response, &error),
                     MQC_TIMEOUT);
    call_echo(client, server.address, "second");
    ck_assert_int_eq(atomic_load(&server.accepted), 1);
    client_down(client);
    fake_stop(&server);
}
END_TEST

START_TEST(nobody_listens)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    char address[32];
    snprintf(address, sizeof address, "%s", server.address);
    fake_stop(&server);
    struct remoting_client *client = client_up(3000, 60000);
    struct remoting_response response;
    mqc_error error;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(call(client, address, SLICE_LITERAL("?"), PATIENCE_MS, &response, &error),
                         MQC_NO_CONNECTION);
        ck_assert(error.retryable);
        ck_assert(!error.maybe_done);
        ck_assert_ptr_nonnull(strstr(error.text, address));
    }
    client_down(client);
}
END_TEST

static void hang_up(struct fake_server *server, int fd, const struct remoting_command *command)
{
    if (slice_is(command->body, "close"))
        fake_close(server, fd);
    else
        echo(server, fd, command);
}

START_TEST(a_broken_connection_is_replaced)
{
    struct fake_server server;
    fake_start(&server, hang_up, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    for (int i = 0; i < 5; i++) {
        struct remoting_response response;
        mqc_error error;
        call_echo(client, server.address, "fine");
        ck_assert_int_eq(
            call(client, server.address, SLICE_LITERAL("close"), PATIENCE_MS, &response, &error),
            MQC_NO_CONNECTION);
        ck_assert(error.maybe_done);
    }
    call_echo(client, server.address, "fine again");
    ck_assert_int_eq(atomic_load(&server.accepted), 6);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void say_garbage(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server, (void)command;
    struct buffer bytes;
    buffer_init(&bytes);
    buffer_put_text(&bytes, "HTTP/1.1 400 Bad Request\r\n\r\n");
    fake_send(fd, &bytes);
    buffer_done(&bytes);
}

START_TEST(garbage_ends_the_connection)
{
    struct fake_server server;
    fake_start(&server, say_garbage, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(
        call(client, server.address, SLICE_LITERAL("?"), PATIENCE_MS, &response, &error),
        MQC_BAD_FRAME);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void go_away_once(struct fake_server *server, int fd, const struct remoting_command *command)
{
    if (atomic_load(&server->accepted) == 1)
        fake_answer(fd, command, RESPONSE_GO_AWAY, SLICE_ABSENT);
    else
        echo(server, fd, command);
}

START_TEST(go_away_leads_to_a_new_connection)
{
    struct fake_server server;
    fake_start(&server, go_away_once, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    call_echo(client, server.address, "moved");
    ck_assert_int_eq(atomic_load(&server.accepted), 2);
    client_down(client);
    fake_stop(&server);
}
END_TEST

START_TEST(bad_addresses_and_unknown_names_fail)
{
    struct remoting_client *client = client_up(3000, 60000);
    struct remoting_response response;
    mqc_error error;
    ck_assert_int_eq(call(client, "nonsense", SLICE_LITERAL("?"), 1000, &response, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_int_eq(call(client, "no-such-host.invalid:9876", SLICE_LITERAL("?"), PATIENCE_MS,
                          &response, &error),
                     MQC_NO_CONNECTION);
    ck_assert_ptr_nonnull(strstr(error.text, "no-such-host.invalid"));
    client_down(client);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("remoting_client: failures");
    UNIT_CASE(suite, "failures", a_call_without_an_answer_times_out, calls_end_when_the_client_does,
              a_caller_that_reads_itself_ends_when_the_client_does, a_late_answer_is_nobodys,
              nobody_listens, a_broken_connection_is_replaced, garbage_ends_the_connection,
              go_away_leads_to_a_new_connection, bad_addresses_and_unknown_names_fail);
    return suite;
}

TEST_MAIN(suite)
