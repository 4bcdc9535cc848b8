/* The remoting client against a scripted peer: answers, orders, failures, deadlines, shutdown. */
#include "services/remoting_client.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "services/service.h"
#include "test/unit/services/fake_server.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { PATIENCE_MS = 50000 };

static atomic_int pushed;

static void on_request(struct remoting_arrival *arrival, void *arg)
{
    (void)arg;
    atomic_fetch_add(&pushed, 1);
    if (remoting_command_is_oneway(arrival->command)) return;
    struct command_to_send answer = {.code = 77, .body = SLICE_LITERAL("pong")};
    ck_assert_int_eq(
        remoting_connection_reply(arrival->connection, arrival->command->opaque, &answer, NULL),
        MQC_OK);
}

static struct remoting_client *client_up(int connect_timeout_ms, int idle_close_ms)
{
    struct remoting_options options = {.connect_timeout_ms = connect_timeout_ms,
                                       .idle_close_ms = idle_close_ms};
    struct remoting_client *client;
    ck_assert_int_eq(remoting_client_new(&options, on_request, NULL, &client, NULL), MQC_OK);
    ck_assert_int_eq(remoting_client_start(client, NULL), MQC_OK);
    return client;
}

static void client_down(struct remoting_client *client)
{
    remoting_client_stop(client, clock_deadline_ms(PATIENCE_MS));
    remoting_client_free(client);
    ck_assert_int_eq(service_live_count(), 0);
}

static struct command_to_send request_of(struct slice body)
{
    return (struct command_to_send){.code = REQUEST_HEART_BEAT, .body = body};
}

static mqc_status call(struct remoting_client *client, const char *address, struct slice body,
                       int timeout_ms, struct remoting_response *response, mqc_error *error)
{
    struct command_to_send request = request_of(body);
    return remoting_client_call(client, address, &request, clock_deadline_ms(timeout_ms), response,
                                error);
}

static void call_echo(struct remoting_client *client, const char *address, const char *text)
{
    struct remoting_response response;
    mqc_error error;
    ck_assert_msg(call(client, address, slice_text(text), PATIENCE_MS, &response, &error) == MQC_OK,
                  "%s", error.text);
    ck_assert_slice(response.command.body, text);
    remoting_response_done(&response);
}

static void echo(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server;
    if (!remoting_command_is_oneway(command)) fake_answer(fd, command, 0, command->body);
}

static void silence(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server, (void)fd, (void)command;
}

START_TEST(answers_come_to_their_callers)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    for (int i = 0; i < 100; i++) call_echo(client, server.address, i % 2 ? "odd" : "even");
    ck_assert_int_eq(atomic_load(&server.accepted), 1);
    client_down(client);
    fake_stop(&server);
}
END_TEST

struct caller {
    struct remoting_client *client;
    const char *address;
    int number;
};

static void *call_many(void *arg)
{
    struct caller *caller = arg;
    for (int i = 0; i < 200; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d of %d", i, caller->number);
        call_echo(caller->client, caller->address, text);
    }
    return NULL;
}

START_TEST(many_callers_share_a_connection)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct caller callers[16];
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        callers[i] = (struct caller){client, server.address, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_many, &callers[i]), 0);
    }
    for (int i = 0; i < 16; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&server.accepted), 1);
    client_down(client);
    fake_stop(&server);
}
END_TEST

struct outcome {
    struct latch *latch;
    atomic_int completions;
    mqc_status status;
    bool maybe_done;
    char body[64];
};

static void on_done(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct outcome *outcome = arg;
    ck_assert((arrival == NULL) != (error == NULL));
    outcome->status = error ? error->status : MQC_OK;
    outcome->maybe_done = error && error->maybe_done;
    if (arrival)
        snprintf(outcome->body, sizeof outcome->body, "%.*s", SLICE_FORMAT(arrival->command->body));
    atomic_fetch_add(&outcome->completions, 1);
    latch_raise(outcome->latch);
}

static void call_async(struct remoting_client *client, const char *address, const char *text,
                       int timeout_ms, struct outcome *outcome)
{
    struct command_to_send request = request_of(slice_text(text));
    ck_assert_int_eq(remoting_client_call_async(client, address, &request,
                                                clock_deadline_ms(timeout_ms), on_done, outcome,
                                                NULL),
                     MQC_OK);
}

START_TEST(asynchronous_calls_complete_once)
{
    enum { CALLS = 2000 };
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct latch latch;
    latch_init(&latch);
    struct outcome *outcomes = calloc(CALLS, sizeof *outcomes);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        snprintf(text, sizeof text, "call %d", i);
        outcomes[i].latch = &latch;
        call_async(client, server.address, text, PATIENCE_MS, &outcomes[i]);
    }
    latch_wait(&latch, CALLS);
    client_down(client);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        snprintf(text, sizeof text, "call %d", i);
        ck_assert_int_eq(outcomes[i].status, MQC_OK);
        ck_assert_int_eq(atomic_load(&outcomes[i].completions), 1);
        ck_assert_str_eq(outcomes[i].body, text);
    }
    free(outcomes);
    latch_done(&latch);
    fake_stop(&server);
}
END_TEST

START_TEST(oneway_calls_are_written_before_the_stop)
{
    struct fake_server server;
    fake_start(&server, echo, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    call_echo(client, server.address, "open");
    struct command_to_send request = request_of(SLICE_LITERAL("away"));
    for (int i = 0; i < 500; i++)
        ck_assert_int_eq(remoting_client_call_oneway(client, server.address, &request, NULL),
                         MQC_OK);
    client_down(client);
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&server.closed) == 0 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&server.frames), 501);
    fake_stop(&server);
}
END_TEST

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

/* The answers in reverse order, after a push of the server's own with the same opaque. */
static void reverse(struct fake_server *server, int fd, const struct remoting_command *command)
{
    static struct remoting_command held[3];
    static char bodies[3][16];
    static int count;
    (void)server;
    if (remoting_command_is_response(command)) {
        ck_assert_int_eq(command->code, 77);
        return;
    }
    held[count] = *command;
    snprintf(bodies[count], sizeof bodies[count], "%.*s", SLICE_FORMAT(command->body));
    if (++count < 3) return;
    struct command_to_send push = {.code = REQUEST_GET_CONSUMER_RUNNING_INFO};
    struct buffer bytes;
    buffer_init(&bytes);
    remoting_command_encode(&bytes, &push, held[0].opaque, SERIALIZE_JSON, NULL, NULL);
    fake_send(fd, &bytes);
    buffer_done(&bytes);
    while (count-- > 0) fake_answer(fd, &held[count], 0, slice_text(bodies[count]));
    count = 0;
}

START_TEST(order_does_not_matter_and_pushes_are_answered)
{
    struct fake_server server;
    fake_start(&server, reverse, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct latch latch;
    latch_init(&latch);
    struct outcome outcomes[3] = {{.latch = &latch}, {.latch = &latch}, {.latch = &latch}};
    static const char *const texts[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        call_async(client, server.address, texts[i], PATIENCE_MS, &outcomes[i]);
    latch_wait(&latch, 3);
    for (int i = 0; i < 3; i++) ck_assert_str_eq(outcomes[i].body, texts[i]);
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&server.frames) < 4 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&server.frames), 4); /* three calls and the push's answer */
    ck_assert_int_eq(atomic_load(&pushed), 1);
    client_down(client);
    latch_done(&latch);
    fake_stop(&server);
}
END_TEST

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

static void big(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server;
    size_t size = (size_t)atoi(command->body.data);
    char *bytes = malloc(size);
    memset(bytes, 'z', size);
    fake_answer(fd, command, 0, slice_of(bytes, size));
    free(bytes);
}

START_TEST(large_answers_arrive_whole)
{
    struct fake_server server;
    fake_start(&server, big, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    static const char *const sizes[] = {"1", "16000", "17000", "65536", "70000", "5000000"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct remoting_response response;
        ck_assert_int_eq(
            call(client, server.address, slice_text(sizes[i]), PATIENCE_MS, &response, NULL),
            MQC_OK);
        ck_assert_uint_eq(response.command.body.size, (size_t)atoi(sizes[i]));
        ck_assert_int_eq(response.command.body.data[response.command.body.size - 1], 'z');
        remoting_response_done(&response);
    }
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
    Suite *suite = suite_create("remoting_client");
    UNIT_CASE(suite, "calls", answers_come_to_their_callers, many_callers_share_a_connection,
              asynchronous_calls_complete_once, oneway_calls_are_written_before_the_stop,
              order_does_not_matter_and_pushes_are_answered, large_answers_arrive_whole);
    UNIT_CASE(suite, "failures", a_call_without_an_answer_times_out, a_late_answer_is_nobodys,
              nobody_listens, a_broken_connection_is_replaced, garbage_ends_the_connection,
              go_away_leads_to_a_new_connection, bad_addresses_and_unknown_names_fail);
    UNIT_CASE(suite, "life", stopping_cancels_what_is_left, an_idle_connection_is_closed);
    return suite;
}

TEST_MAIN(suite)
