/* Non-blocking TCP sockets. errno is turned into statuses here and nowhere above. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "lib/net/address.h"

/* What one attempt to move bytes came to. */
enum io_result { IO_DONE, IO_WANT_READ, IO_WANT_WRITE, IO_CLOSED, IO_FAILED };

/* A new non-blocking, close-on-exec socket with TCP_NODELAY on which connecting has begun. */
mqc_status socket_connect(const struct socket_address *address, int *fd, mqc_error *error);
/* How connecting ended, once the socket is writable. `peer` is for the error's text. */
mqc_status socket_connect_result(int fd, const char *peer, mqc_error *error);

/* A listening socket on 127.0.0.1 or another address; port 0 takes a free one. */
mqc_status socket_listen(const struct socket_address *address, int *fd, uint16_t *port,
                         mqc_error *error);
/* The next connection, non-blocking; IO_WANT_READ when there is none. */
enum io_result socket_accept(int listening, int *fd);

/* Moves what can be moved now; *moved is how much. Never raises SIGPIPE. IO_CLOSED: the peer ended
 * or lost the connection; IO_FAILED: the socket is unusable. */
enum io_result socket_read(int fd, char *at, size_t bytes, size_t *moved);
enum io_result socket_write(int fd, const char *bytes, size_t size, size_t *moved);

/* Waits for one socket; false when the deadline passed. */
bool socket_wait(int fd, bool for_writing, int64_t deadline_ms);

/* "host:port" of either end in numbers; empty when the socket has none (any more). */
void socket_local_host(int fd, char out[ADDRESS_TEXT_BYTES]);
void socket_peer_host(int fd, char out[ADDRESS_TEXT_BYTES]);
void socket_close(int fd);

#endif
