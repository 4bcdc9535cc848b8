/* A scripted peer for the remoting client: one thread that accepts connections on loopback, splits
 * frames and asks a function what to do with each. Included by the tests that need it. */
#ifndef TEST_FAKE_SERVER_H
#define TEST_FAKE_SERVER_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <check.h>

#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/remoting_command.h"

enum { FAKE_CONNECTIONS = 32 };

struct fake_server;
/* Decides on one frame; answers with the functions below. Runs on the server's thread. */
typedef void fake_handler(struct fake_server *server, int fd,
                          const struct remoting_command *command);

struct fake_server {
    fake_handler *handler;
    void *arg;
    int listening, wake[2];
    char address[32];
    pthread_t thread;
    atomic_int accepted, closed, frames;
    int fds[FAKE_CONNECTIONS];
    struct frame_splitter splitters[FAKE_CONNECTIONS];
};

static inline void fake_send(int fd, const struct buffer *bytes)
{
    size_t at = 0;
    while (at < bytes->size) {
        ssize_t n = send(fd, bytes->data + at, bytes->size - at, MSG_NOSIGNAL);
        if (n <= 0) return; /* the client has gone: its test's business */
        at += (size_t)n;
    }
}

static inline void fake_answer(int fd, const struct remoting_command *command, int32_t code,
                               struct slice body)
{
    struct command_to_send answer = {.code = code, .flag = COMMAND_FLAG_RESPONSE, .body = body};
    struct buffer bytes;
    buffer_init(&bytes);
    ck_assert_int_eq(
        remoting_command_encode(&bytes, &answer, command->opaque, SERIALIZE_JSON, NULL, NULL),
        MQC_OK);
    fake_send(fd, &bytes);
    buffer_done(&bytes);
}

static inline void fake_close(struct fake_server *server, int fd)
{
    for (int i = 0; i < FAKE_CONNECTIONS; i++) {
        if (server->fds[i] != fd) continue;
        close(fd);
        frame_splitter_done(&server->splitters[i]);
        server->fds[i] = -1;
        atomic_fetch_add(&server->closed, 1);
    }
}

static inline void fake_accept(struct fake_server *server)
{
    int fd = accept(server->listening, NULL, NULL);
    for (int i = 0; fd >= 0 && i < FAKE_CONNECTIONS; i++) {
        if (server->fds[i] >= 0) continue;
        server->fds[i] = fd;
        frame_splitter_init(&server->splitters[i]);
        atomic_fetch_add(&server->accepted, 1);
        return;
    }
    ck_abort_msg("too many connections");
}

static inline void fake_read(struct fake_server *server, int i)
{
    char *at;
    size_t space;
    int fd = server->fds[i];
    ck_assert_int_eq(frame_splitter_space(&server->splitters[i], &at, &space, NULL), MQC_OK);
    ssize_t n = recv(fd, at, space, 0);
    if (n <= 0) {
        fake_close(server, fd);
        return;
    }
    frame_splitter_filled(&server->splitters[i], (size_t)n);
    while (server->fds[i] == fd) {
        struct slice frame;
        struct remoting_command command;
        ck_assert_int_eq(frame_splitter_next(&server->splitters[i], &frame, NULL), MQC_OK);
        if (!frame.data) return;
        ck_assert_int_eq(remoting_command_decode(&command, frame, NULL), MQC_OK);
        server->handler(server, fd, &command);
        remoting_command_done(&command);
        atomic_fetch_add(&server->frames, 1);
    }
}

static inline void *fake_main(void *arg)
{
    struct fake_server *server = arg;
    for (;;) {
        struct pollfd polled[FAKE_CONNECTIONS + 2] = {{server->wake[0], POLLIN, 0},
                                                      {server->listening, POLLIN, 0}};
        for (int i = 0; i < FAKE_CONNECTIONS; i++)
            polled[i + 2] = (struct pollfd){server->fds[i], POLLIN, 0};
        poll(polled, FAKE_CONNECTIONS + 2, -1);
        if (polled[0].revents) return NULL;
        for (int i = 0; i < FAKE_CONNECTIONS; i++)
            if (polled[i + 2].fd >= 0 && polled[i + 2].revents) fake_read(server, i);
        if (polled[1].revents) fake_accept(server);
    }
}

static inline void fake_start(struct fake_server *server, fake_handler *handler, void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *server = (struct fake_server){.handler = handler, .arg = arg};
    for (int i = 0; i < FAKE_CONNECTIONS; i++) server->fds[i] = -1;
    server->listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server->listening, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server->listening, 16), 0);
    ck_assert_int_eq(getsockname(server->listening, (struct sockaddr *)&address, &size), 0);
    snprintf(server->address, sizeof server->address, "127.0.0.1:%d", ntohs(address.sin_port));
    ck_assert_int_eq(pipe(server->wake), 0);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, fake_main, server), 0);
}

static inline void fake_stop(struct fake_server *server)
{
    ck_assert_int_eq(write(server->wake[1], "x", 1), 1);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < FAKE_CONNECTIONS; i++)
        if (server->fds[i] >= 0) fake_close(server, server->fds[i]);
    close(server->listening);
    close(server->wake[0]);
    close(server->wake[1]);
}

#endif
