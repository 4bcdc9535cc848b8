/* One client's connection to a broker or the name server: bytes in and out, TLS. On the cluster's
 * I/O thread, under its lock; closing may also be asked for by the public API. */
#ifndef EMBEDDED_CONNECTION_H
#define EMBEDDED_CONNECTION_H

#include "lib/base/buffer.h"
#include "lib/base/list.h"
#include "lib/embedded/timers.h"
#include "lib/net/tls.h"
#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/message_id.h"

struct broker;
struct mqc_embedded;

/* What an event of the poller is about. */
enum watched { WATCHED_LISTENER, WATCHED_CONNECTION };

struct listener {
    enum watched watched; /* first, as in struct connection */
    struct mqc_embedded *cluster;
    struct broker *broker; /* NULL: the name server */
    int fd;                /* -1: down */
    uint16_t port;
    struct timer rest; /* set while it accepts nothing, for want of descriptors */
};

/* Something that is pointless without its connection; `lost` must take it out of the list. */
struct bond {
    struct link in_connection;
    void (*lost)(struct bond *bond);
};

struct connection {
    enum watched watched;
    struct link in_cluster;
    struct listener *listener;
    int fd; /* -1: closed */
    struct tls_session *tls;
    bool tls_decided; /* whether this is a TLS connection */
    bool handshaking;
    bool stalled; /* a fault: never read */
    bool close_when_written;
    int interest;    /* as told to the poller */
    int read_wants;  /* POLL_* bit that reading waits for */
    int write_wants; /* likewise for writing, 0: nothing to write */
    struct frame_splitter splitter;
    struct buffer output;
    size_t written; /* of output */
    int trickle_ms; /* a fault: one byte in so many ms; 0: at full speed */
    struct timer trickle;
    struct link bonds;
    int64_t active_ms; /* last traffic, monotonic */
    char *client_id;   /* from the heartbeat; NULL before */
    char peer[ADDRESS_TEXT_BYTES];
    struct host peer_host;
};

/* Takes the socket over; NULL (and the socket closed) when there is no memory. */
struct connection *connection_new(struct listener *listener, int fd);
/* Frees one that was closed. */
void connection_free(struct connection *connection);

/* Ends it and all that hangs on it; its memory stays until no event can name it. Twice is fine. */
void connection_close(struct connection *connection);

/* The socket is ready for `ready` (POLL_*). */
void connection_ready(struct connection *connection, int ready);

/* Sends whole frames, or other bytes. Never waits: what the socket does not take is kept. */
void connection_send(struct connection *connection, struct slice bytes);
/* Closes as soon as all that was sent is written. */
void connection_finish(struct connection *connection);

void connection_add_bond(struct connection *connection, struct bond *bond,
                         void (*lost)(struct bond *bond));

#endif
