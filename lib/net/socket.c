/* Non-blocking TCP sockets. Any thread; only socket_wait blocks. Called by the remoting client, TLS
 * sessions and the embedded cluster. */
#include "lib/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there SO_NOSIGPIPE does it */
#endif

static mqc_status new_socket(int family, int *fd, mqc_error *error);
static bool prepare(int fd);
static mqc_status cannot_connect(int errno_value, const char *peer, mqc_error *error);
static void end_text(const struct socket_address *end, char out[ADDRESS_TEXT_BYTES]);
static bool is_connected_to_itself(int fd);

mqc_status socket_connect(const struct socket_address *address, int *fd, mqc_error *error)
{
    int made;
    *fd = -1;
    mqc_status status = new_socket(address->storage.ss_family, &made, error);
    if (status != MQC_OK) return status;
    const struct sockaddr *to = (const struct sockaddr *)&address->storage;
    /* After EINTR connecting goes on in the background just as after EINPROGRESS. */
    if (connect(made, to, address->size) != 0 && errno != EINPROGRESS && errno != EINTR) {
        char peer[ADDRESS_TEXT_BYTES];
        int reason = errno;
        socket_close(made);
        end_text(address, peer);
        return cannot_connect(reason, peer, error);
    }
    *fd = made;
    return MQC_OK;
}

mqc_status socket_connect_result(int fd, const char *peer, mqc_error *error)
{
    int reason = 0;
    socklen_t size = sizeof reason;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0) reason = errno;
    if (reason == 0 && is_connected_to_itself(fd)) reason = ECONNREFUSED;
    return reason == 0 ? MQC_OK : cannot_connect(reason, peer, error);
}

/* TCP lets a socket that happens to get its target's port as its own connect to itself when nobody
 * listens there: seen on one host with a stopped server on a port from the ephemeral range. */
static bool is_connected_to_itself(int fd)
{
    char local[ADDRESS_TEXT_BYTES], peer[ADDRESS_TEXT_BYTES];
    socket_local_host(fd, local);
    socket_peer_host(fd, peer);
    return local[0] != '\0' && strcmp(local, peer) == 0;
}

static const char *connect_reason(int errno_value)
{
    switch (errno_value) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "connection reset by the peer";
    case ETIMEDOUT: return "connecting timed out";
    case EHOSTUNREACH: return "no route to the host";
    case ENETUNREACH: return "the network cannot be reached";
    case EADDRNOTAVAIL: return "no local address or port to connect from";
    case EAFNOSUPPORT: return "this system does not support the address family";
    default: return NULL;
    }
}

static mqc_status cannot_connect(int errno_value, const char *peer, mqc_error *error)
{
    const char *reason = connect_reason(errno_value);
    mqc_error system;
    if (reason) {
        error_set(error, MQC_NO_CONNECTION, "%s: %s", peer, reason);
    } else {
        mqc_status status = error_system(&system, errno_value, peer);
        if (status == MQC_NO_MEMORY) return error_set(error, status, "%s", system.text);
        error_set(error, MQC_NO_CONNECTION, "%s", system.text);
    }
    error_mark_retryable(error);
    return MQC_NO_CONNECTION;
}

static mqc_status new_socket(int family, int *fd, mqc_error *error)
{
#ifdef SOCK_NONBLOCK
    int made = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    int made = socket(family, SOCK_STREAM, 0);
#endif
    if (made >= 0 && prepare(made)) {
        *fd = made;
        return MQC_OK;
    }
    int reason = errno;
    if (made >= 0) socket_close(made);
    if (reason == EAFNOSUPPORT) return cannot_connect(reason, "making a socket", error);
    return error_system(error, reason, "making a socket");
}

/* What every socket of ours has; the flags only where socket(2) and accept4(2) cannot set them. */
static bool prepare(int fd)
{
    int on = 1;
#ifndef SOCK_NONBLOCK
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return false;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return false;
#endif
#ifdef SO_NOSIGPIPE
    if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) != 0) return false;
#endif
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

mqc_status socket_listen(const struct socket_address *address, int *fd, uint16_t *port,
                         mqc_error *error)
{
    int made, on = 1;
    char text[ADDRESS_TEXT_BYTES + 20] = "listen on ";
    struct address bound;
    *fd = -1;
    mqc_status status = new_socket(address->storage.ss_family, &made, error);
    if (status != MQC_OK) return status;
    struct socket_address local = {.size = sizeof local.storage};
    if (setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(made, (const struct sockaddr *)&address->storage, address->size) != 0 ||
        listen(made, SOMAXCONN) != 0 ||
        getsockname(made, (struct sockaddr *)&local.storage, &local.size) != 0) {
        int reason = errno;
        socket_close(made);
        end_text(address, text + strlen(text));
        return error_system(error, reason, text);
    }
    address_of_socket(&local, &bound);
    *port = bound.port;
    *fd = made;
    return MQC_OK;
}

enum io_result socket_accept(int listening, int *fd)
{
    *fd = -1;
    for (;;) {
#ifdef SOCK_NONBLOCK
        int made = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
        int made = accept(listening, NULL, NULL);
#endif
        if (made >= 0) {
            if (!prepare(made)) { /* macOS: the peer is gone already */
                socket_close(made);
                continue;
            }
            *fd = made;
            return IO_DONE;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return IO_WANT_READ;
        /* EPROTO and ECONNABORTED: the peer went away while it waited. */
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) return IO_FAILED;
    }
}

static enum io_result io_failure(int errno_value, enum io_result want)
{
    switch (errno_value) {
#if EAGAIN != EWOULDBLOCK
    case EWOULDBLOCK:
#endif
    case EAGAIN: return want;
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN: return IO_CLOSED;
    default: return IO_FAILED;
    }
}

enum io_result socket_read(int fd, char *at, size_t bytes, size_t *moved)
{
    *moved = 0;
    if (bytes == 0) return IO_DONE;
    ssize_t got;
    do got = recv(fd, at, bytes, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return io_failure(errno, IO_WANT_READ);
    *moved = (size_t)got;
    return got == 0 ? IO_CLOSED : IO_DONE;
}

enum io_result socket_write(int fd, const char *bytes, size_t size, size_t *moved)
{
    *moved = 0;
    if (size == 0) return IO_DONE;
    ssize_t put;
    do put = send(fd, bytes, size, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0) return io_failure(errno, IO_WANT_WRITE);
    *moved = (size_t)put;
    return IO_DONE;
}

bool socket_wait(int fd, bool for_writing, int64_t deadline_ms)
{
    struct pollfd item = {.fd = fd, .events = for_writing ? POLLOUT : POLLIN};
    for (;;) {
        int left_ms = clock_left_ms(deadline_ms);
        int ready = poll(&item, 1, left_ms);
        if (ready > 0) return true; /* also a broken socket: the next use of it will tell */
        if (ready == 0 && left_ms == 0) return false;
    }
}

static void end_text(const struct socket_address *end, char out[ADDRESS_TEXT_BYTES])
{
    struct address address;
    address_of_socket(end, &address);
    out[0] = '\0';
    if (address.host[0] != '\0') address_format(&address, out);
}

void socket_local_host(int fd, char out[ADDRESS_TEXT_BYTES])
{
    struct socket_address end = {.size = sizeof end.storage};
    out[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&end.storage, &end.size) == 0) end_text(&end, out);
}

void socket_peer_host(int fd, char out[ADDRESS_TEXT_BYTES])
{
    struct socket_address end = {.size = sizeof end.storage};
    out[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&end.storage, &end.size) == 0) end_text(&end, out);
}

void socket_close(int fd)
{
    close(fd); /* not again after EINTR: Linux has closed it */
}
