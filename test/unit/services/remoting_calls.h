/* A remoting client and calls on it, for the tests that run it against the scripted peer. */
#ifndef TEST_REMOTING_CALLS_H
#define TEST_REMOTING_CALLS_H

#include <stdlib.h>

#include "lib/base/clock.h"
#include "services/remoting_client.h"
#include "services/service.h"
#include "test/unit/services/fake_server.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { PATIENCE_MS = 50000 };

/* Requests that the peer has sent to the client. */
static atomic_int pushed;

static inline void on_request(struct remoting_arrival *arrival, void *arg)
{
    (void)arg;
    atomic_fetch_add(&pushed, 1);
    if (remoting_command_is_oneway(arrival->command)) return;
    struct command_to_send answer = {.code = 77, .body = SLICE_LITERAL("pong")};
    ck_assert_int_eq(
        remoting_connection_reply(arrival->connection, arrival->command->opaque, &answer, NULL),
        MQC_OK);
}

static inline struct remoting_client *client_up(int connect_timeout_ms, int idle_close_ms)
{
    struct remoting_options options = {.connect_timeout_ms = connect_timeout_ms,
                                       .idle_close_ms = idle_close_ms};
    struct remoting_client *client;
    ck_assert_int_eq(remoting_client_new(&options, on_request, NULL, &client, NULL), MQC_OK);
    ck_assert_int_eq(remoting_client_start(client, NULL), MQC_OK);
    return client;
}

static inline void client_down(struct remoting_client *client)
{
    remoting_client_stop(client, clock_deadline_ms(PATIENCE_MS));
    remoting_client_free(client);
    ck_assert_int_eq(service_live_count(), 0);
}

static inline struct command_to_send request_of(struct slice body)
{
    return (struct command_to_send){.code = REQUEST_HEART_BEAT, .body = body};
}

static inline mqc_status call(struct remoting_client *client, const char *address,
                              struct slice body, int timeout_ms, struct remoting_response *response,
                              mqc_error *error)
{
    struct command_to_send request = request_of(body);
    return remoting_client_call(client, address, &request, clock_deadline_ms(timeout_ms), response,
                                error);
}

static inline void call_echo(struct remoting_client *client, const char *address, const char *text)
{
    struct remoting_response response;
    mqc_error error;
    ck_assert_msg(call(client, address, slice_text(text), PATIENCE_MS, &response, &error) == MQC_OK,
                  "%s", error.text);
    ck_assert_slice(response.command.body, text);
    remoting_response_done(&response);
}

static inline void echo(struct fake_server *server, int fd, const struct remoting_command *command)
{
    (void)server;
    if (!remoting_command_is_oneway(command)) fake_answer(fd, command, 0, command->body);
}

static inline void silence(struct fake_server *server, int fd,
                           const struct remoting_command *command)
{
    (void)server, (void)fd, (void)command;
}

struct outcome {
    struct latch *latch;
    atomic_int completions;
    mqc_status status;
    bool maybe_done;
    char body[64];
};

static inline void on_done(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
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

static inline void call_async(struct remoting_client *client, const char *address, const char *text,
                              int timeout_ms, struct outcome *outcome)
{
    struct command_to_send request = request_of(slice_text(text));
    ck_assert_int_eq(remoting_client_call_async(client, address, &request,
                                                clock_deadline_ms(timeout_ms), on_done, outcome,
                                                NULL),
                     MQC_OK);
}

#endif
