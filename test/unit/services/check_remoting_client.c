/* The remoting client against a scripted peer: answers in all orders and sizes. */
#include "test/unit/services/remoting_calls.h"

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

/* Nobody is answered before all have asked. */
static void hold(struct fake_server *server, int fd, const struct remoting_command *command)
{
    enum { CALLERS = 16 };
    static struct remoting_command held[CALLERS];
    static char bodies[CALLERS][32];
    static int count;
    (void)server;
    held[count] = *command;
    snprintf(bodies[count], sizeof bodies[count], "%.*s", SLICE_FORMAT(command->body));
    if (++count < CALLERS) return;
    while (count > 0) {
        count--;
        fake_answer(fd, &held[count], 0, slice_text(bodies[count]));
    }
}

static void *call_gathering(void *arg)
{
    struct caller *caller = arg;
    for (int i = 0; i < 20; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d of %d", i, caller->number);
        struct command_to_send request = request_of(slice_text(text));
        request.gathers = true;
        struct remoting_response response;
        ck_assert_int_eq(remoting_client_call(caller->client, caller->address, &request,
                                              clock_deadline_ms(PATIENCE_MS), &response, NULL),
                         MQC_OK);
        ck_assert_slice(response.command.body, text);
        remoting_response_done(&response);
    }
    return NULL;
}

/* Frames that wait for others to leave with them leave also when no answer makes them. */
START_TEST(gathered_calls_do_not_wait_for_answers)
{
    struct fake_server server;
    fake_start(&server, hold, NULL);
    struct remoting_client *client = client_up(3000, 60000);
    struct caller callers[16];
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        callers[i] = (struct caller){client, server.address, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_gathering, &callers[i]), 0);
    }
    for (int i = 0; i < 16; i++) pthread_join(threads[i], NULL);
    client_down(client);
    fake_stop(&server);
}
END_TEST

static void echo_90(struct fake_server *server, int fd, const struct remoting_command *command)
{
    if (atomic_load(&server->frames) < 90) echo(server, fd, command);
}

struct seen {
    struct outcome *outcomes;
    atomic_int completed; /* of them, when the function was called last */
};

static void on_completed(void *arg)
{
    struct seen *seen = arg;
    int completed = 0;
    for (int i = 0; i < 100; i++) completed += atomic_load(&seen->outcomes[i].completions);
    atomic_store(&seen->completed, completed);
}

START_TEST(says_when_completions_have_run)
{
    struct fake_server server;
    fake_start(&server, echo_90, NULL);
    struct remoting_options options = {.connect_timeout_ms = 3000, .idle_close_ms = 60000};
    struct remoting_client *client;
    struct latch latch;
    latch_init(&latch);
    struct outcome outcomes[100] = {0};
    struct seen seen = {.outcomes = outcomes};
    ck_assert_int_eq(remoting_client_new(&options, on_request, NULL, &client, NULL), MQC_OK);
    remoting_client_on_completed(client, on_completed, &seen);
    ck_assert_int_eq(remoting_client_start(client, NULL), MQC_OK);
    for (int i = 0; i < 90; i++) {
        outcomes[i].latch = &latch;
        call_async(client, server.address, "?", PATIENCE_MS, &outcomes[i]);
    }
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&seen.completed) < 90 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&seen.completed), 90);
    for (int i = 90; i < 100; i++) {
        outcomes[i].latch = &latch;
        call_async(client, server.address, "?", PATIENCE_MS, &outcomes[i]);
    }
    fake_stop(&server); /* these fail, and that is said, too */
    while (atomic_load(&seen.completed) < 100 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&seen.completed), 100);
    client_down(client);
    latch_done(&latch);
}
END_TEST

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
        ck_assert_int_eq(remoting_client_call_oneway(client, server.address, &request,
                                                     clock_deadline_ms(PATIENCE_MS), NULL),
                         MQC_OK);
    client_down(client);
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&server.closed) == 0 && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&server.frames), 501);
    fake_stop(&server);
}
END_TEST

/* Reads nothing until it is let. */
static void stall(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)fd, (void)command;
    latch_wait(server->arg, 1);
}

/* Frames that nobody waits for do not fill the memory when the peer does not read. */
START_TEST(oneway_calls_wait_for_a_peer_that_is_slow)
{
    enum { BODY_BYTES = 100000 };
    struct fake_server server;
    struct latch latch;
    latch_init(&latch);
    fake_start(&server, stall, &latch);
    struct remoting_client *client = client_up(3000, 60000);
    char *body = calloc(1, BODY_BYTES);
    struct command_to_send request = request_of(slice_of(body, BODY_BYTES));
    int sent = 0;
    mqc_error error;
    mqc_status status = MQC_OK;
    for (; status == MQC_OK && sent < 1000; sent++)
        status = remoting_client_call_oneway(client, server.address, &request,
                                             clock_deadline_ms(100), &error);
    ck_assert_int_eq(status, MQC_BUSY);
    ck_assert(error.retryable && !error.maybe_done);
    latch_raise(&latch);
    ck_assert_int_eq(remoting_client_call_oneway(client, server.address, &request,
                                                 clock_deadline_ms(PATIENCE_MS), &error),
                     MQC_OK);
    client_down(client);
    int64_t deadline = clock_deadline_ms(PATIENCE_MS);
    while (atomic_load(&server.frames) < sent && clock_now_ms() < deadline) sched_yield();
    ck_assert_int_eq(atomic_load(&server.frames), sent); /* one failed, one came behind it */
    fake_stop(&server);
    latch_done(&latch);
    free(body);
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

static Suite *suite(void)
{
    Suite *suite = suite_create("remoting_client");
    UNIT_CASE(suite, "calls", answers_come_to_their_callers, many_callers_share_a_connection,
              gathered_calls_do_not_wait_for_answers, says_when_completions_have_run,
              asynchronous_calls_complete_once, oneway_calls_are_written_before_the_stop,
              oneway_calls_wait_for_a_peer_that_is_slow,
              order_does_not_matter_and_pushes_are_answered, large_answers_arrive_whole);
    return suite;
}

TEST_MAIN(suite)
