/* Connected sockets on 127.0.0.1 for the tests of lib/net. Everything fails the test by itself. */
#ifndef TEST_UNIT_NET_LOOPBACK_H
#define TEST_UNIT_NET_LOOPBACK_H

#include <check.h>

#include "lib/base/clock.h"
#include "lib/net/socket.h"

static inline struct socket_address loopback_address(uint16_t port)
{
    struct address address = {.host = "127.0.0.1", .port = port};
    struct socket_address resolved;
    size_t count;
    mqc_error error;
    ck_assert_msg(address_resolve(&address, &resolved, 1, &count, &error) == MQC_OK, "%s",
                  error.text);
    return resolved;
}

static inline int loopback_listen(uint16_t *port)
{
    struct socket_address any = loopback_address(0);
    int listening;
    mqc_error error;
    ck_assert_msg(socket_listen(&any, &listening, port, &error) == MQC_OK, "%s", error.text);
    return listening;
}

static inline int loopback_connect(uint16_t port)
{
    struct socket_address to = loopback_address(port);
    int fd;
    mqc_error error;
    ck_assert_msg(socket_connect(&to, &fd, &error) == MQC_OK, "%s", error.text);
    ck_assert(socket_wait(fd, true, CLOCK_NEVER));
    ck_assert_msg(socket_connect_result(fd, "loopback", &error) == MQC_OK, "%s", error.text);
    return fd;
}

static inline int loopback_accept(int listening)
{
    int fd;
    ck_assert(socket_wait(listening, false, CLOCK_NEVER));
    ck_assert_int_eq(socket_accept(listening, &fd), IO_DONE);
    return fd;
}

static inline void loopback_pair(int *client, int *server)
{
    uint16_t port;
    int listening = loopback_listen(&port);
    *client = loopback_connect(port);
    *server = loopback_accept(listening);
    socket_close(listening);
}

static inline void loopback_say(int fd, const char *text)
{
    size_t moved;
    ck_assert_int_eq(socket_write(fd, text, strlen(text), &moved), IO_DONE);
    ck_assert_uint_eq(moved, strlen(text));
}

#endif
