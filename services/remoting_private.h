/* Shared by the files of the remoting client only: one connection's state and how the files divide
 * the work on it. remoting_client.c: life and table; remoting_call.c: calls;
 * remoting_io.c: the I/O thread; remoting_connection.c: opening, failing, closing;
 * remoting_output.c: writing; remoting_input.c: reading and dispatching; remoting_pending.c: calls
 * waiting for answers; remoting_peers.c: figures. */
#ifndef SERVICES_REMOTING_PRIVATE_H
#define SERVICES_REMOTING_PRIVATE_H

#include <stdatomic.h>

#include "lib/base/bell.h"
#include "lib/base/id_map.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/net/poller.h"
#include "lib/net/tls.h"
#include "services/remoting_client.h"
#include "services/resolver.h"
#include "services/service.h"

enum {
    GATHER_MS = 2, /* most that a frame waits for others */
    LEASE_AFTER_CALLS = 4,
    LEASE_IDLE_MS = 20 /* a reader's lease that is unused so long goes back to the I/O thread */
};

struct remoting_client {
    struct service io;
    struct poller *poller;
    struct tls_context *tls; /* NULL: plain */
    const struct credentials *credentials;
    int connect_timeout_ms;
    int idle_close_ms;
    remoting_request_handler *handler;
    void *handler_arg;
    remoting_opened *opened;
    void *opened_arg;
    remoting_completed *completed;
    void *completed_arg;
    remoting_dresser *dresser; /* NULL: requests go out as they are */
    remoting_observer *observer;
    void *dresser_arg;

    struct lock lock;       /* guards the tables, the two lists and `stopping` */
    struct map connections; /* by address: the connection that new calls use (counted) */
    struct map peers;       /* by address: struct remoting_peer, kept until the end */
    struct link all;        /* every connection that is not finished (counted) */
    struct link attention;  /* those that the I/O thread must look at (counted) */
    bool stopping;
    int64_t stop_deadline_ms;

    atomic_bool attention_any; /* set after an append to `attention` */
    atomic_bool io_waiting;    /* the I/O thread is about to wait, or waits */
    _Atomic int64_t next_due_ms;
    _Atomic int64_t calls_end_ms; /* no call lasts longer; CLOCK_NEVER until the client ends */

    struct resolver *resolver; /* of names; its questions count their connection */
};

enum connection_state {
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKING,
    CONNECTION_OPEN,
    CONNECTION_CONDEMNED, /* failed; the I/O thread will finish it */
    CONNECTION_FINISHED
};

struct pending_call {
    struct pending_call *next_free;
    int32_t opaque;
    int32_t code;
    int64_t sent_ms;
    int64_t deadline_ms;
    uint64_t frame_begin; /* in the connection's count of queued bytes */
    size_t frame_bytes;
    bool gathers;
    bool withdrawn; /* its frame was taken out of what waits to be written */
    remoting_done *done;
    void *arg;
};

/* An address that there were connections to. Guarded by the client's lock but for the atomics. */
struct remoting_peer {
    _Atomic uint64_t opened, failures, timeouts;
    struct remoting_traffic past; /* of connections that are finished */
};

struct remoting_connection {
    struct reference references;
    struct remoting_client *client;
    struct remoting_peer *peer;
    struct link in_all;
    struct link in_attention;
    atomic_bool attention; /* is in client->attention */
    atomic_bool usable;    /* new calls may use it */
    char address_text[ADDRESS_TEXT_BYTES];
    struct address address;

    struct lock lock; /* guards everything below but what belongs to the reader */
    enum connection_state state;
    int fd; /* closed with the last reference, so that nobody polls a number used anew */
    struct socket_address candidates[RESOLVER_ADDRESSES_MOST];
    size_t candidate_count, candidate_next;
    int64_t connect_deadline_ms;
    int64_t candidate_deadline_ms; /* of the present one, which leaves the next ones their share */
    int64_t last_used_ms;
    _Atomic int64_t last_read_ms; /* written by the reader, as is the next */
    _Atomic uint64_t read_total;
    mqc_error failure; /* why it was condemned */
    bool retired;      /* the broker said GO_AWAY: closes with its last pending call */
    bool rested;       /* it ends because nobody used it */

    struct buffer queued;  /* frames to be written */
    struct buffer writing; /* what the present writer writes, from `written` on */
    size_t written;
    bool writer_busy;
    struct condition room; /* `queued` was taken to be written, or the connection failed */
    int waiting_for_room;
    bool write_blocked; /* the socket is full: the I/O thread goes on when it is writable */
    uint64_t queued_total, written_total;
    uint64_t requests;

    bool reader_busy; /* somebody reads; the splitter is theirs */
    bool leased;      /* synchronous callers read; the I/O thread does not wait for input */
    int64_t lease_used_ms;
    int lonely_calls; /* the last so many synchronous calls found nobody else waiting */

    struct id_map pending;
    size_t gathering;        /* calls pending that gather */
    size_t gathering_queued; /* frames of such calls in `queued` */
    struct pending_call *free_calls;
    int32_t next_opaque;
    struct bell_tower finished_calls; /* of synchronous callers; not guarded */

    struct lock tls_lock; /* guards the session: reader and writer are different threads */
    struct tls_session *tls;

    struct frame_splitter splitter; /* the reader's */
    bool heard;                     /* the reader's: the peer has sent something */
};

/* ---- remoting_client.c ---- */
bool remoting_client_calls_ended(const struct remoting_client *client);
/* The connection that new calls to the address use, counted up; opened if there is none. */
mqc_status remoting_client_acquire(struct remoting_client *client, const char *address,
                                   struct remoting_connection **out, mqc_error *error);

/* ---- remoting_peers.c ---- */
/* Of an address, new if need be; NULL: no memory. */
struct remoting_peer *remoting_peer_of(struct remoting_client *client, const char *address)
    REQUIRES(client->lock);
/* The connection is out of the list: what it has counted stays with its peer. */
void remoting_peer_keep(struct remoting_client *client, struct remoting_connection *connection,
                        bool cancelled) REQUIRES(client->lock);
void remoting_peers_done(struct remoting_client *client);

/* ---- remoting_io.c ---- */
void remoting_io_main(void *client);
void remoting_io_interrupt(void *client);
void remoting_io_attend(struct remoting_connection *connection); /* asks the I/O thread to look */
void remoting_io_due_by(struct remoting_client *client, int64_t time_ms);
void remoting_io_update_interest(struct remoting_connection *connection) REQUIRES(connection->lock);

/* ---- remoting_dress.c: the three calls of a client with a dresser ---- */
mqc_status remoting_dressed_call(struct remoting_client *client, const char *address,
                                 const struct command_to_send *request, int64_t deadline_ms,
                                 struct remoting_response *response, mqc_error *error);
mqc_status remoting_dressed_async(struct remoting_client *client, const char *address,
                                  const struct command_to_send *request, int64_t deadline_ms,
                                  remoting_done *done, void *arg, mqc_error *error);
mqc_status remoting_dressed_oneway(struct remoting_client *client, const char *address,
                                   const struct command_to_send *request, int64_t deadline_ms,
                                   mqc_error *error);

/* ---- remoting_connection.c ---- */
mqc_status remoting_connection_new(struct remoting_client *client, const char *address,
                                   struct remoting_connection **out, mqc_error *error);
void remoting_connection_open(struct remoting_connection *connection);
void remoting_connection_progress(struct remoting_connection *connection); /* I/O thread */
void remoting_connection_condemn(struct remoting_connection *connection, const mqc_error *why);
void remoting_connection_finish(struct remoting_connection *connection); /* I/O thread */
/* Goes on to the next of a name's addresses when the present one has had its share of the time. */
void remoting_connection_hurry(struct remoting_connection *connection, int64_t now_ms);

/* ---- remoting_output.c ---- */
/* Writes what is queued unless somebody else does; takes and releases the lock on the way. */
void remoting_output_flush(struct remoting_connection *connection) REQUIRES(connection->lock);
/* Whether what is queued may wait for more to leave with it, at most GATHER_MS: the peer has enough
 * to do, and its next answers flush. */
bool remoting_output_may_gather(const struct remoting_connection *connection)
    REQUIRES(connection->lock);
/* Waits while too much is queued for frames that nobody waits for, until the deadline; false when
 * it still is. */
bool remoting_output_wait_for_room(struct remoting_connection *connection, int64_t deadline_ms)
    REQUIRES(connection->lock);
void remoting_output_room(struct remoting_connection *connection) REQUIRES(connection->lock);
/* Whether so much more may wait to be written; MQC_BUSY when it may not. */
bool remoting_output_has_room(const struct remoting_connection *connection, size_t bytes)
    REQUIRES(connection->lock);
mqc_status remoting_output_full(const struct remoting_connection *connection, mqc_error *error)
    REQUIRES(connection->lock);
/* Frames that begin before this place of the stream may have reached the peer. */
uint64_t remoting_output_reach(const struct remoting_connection *connection)
    REQUIRES(connection->lock);
bool remoting_output_empty(const struct remoting_connection *connection) REQUIRES(connection->lock);

/* ---- remoting_input.c ---- */
enum input_result { INPUT_MORE, INPUT_NOTHING_LEFT, INPUT_BROKEN };
/* Reads once and dispatches the whole frames. The caller has the reader's role. */
enum input_result remoting_input_read(struct remoting_connection *connection);

/* ---- remoting_pending.c ---- */
/* Queues a request's frame; with `done` its answer is awaited. */
mqc_status remoting_pending_add(struct remoting_connection *connection,
                                const struct command_to_send *request, int64_t deadline_ms,
                                remoting_done *done, void *arg, mqc_error *error)
    REQUIRES(connection->lock);
/* Takes the call with this opaque; false when there is none (late, or cancelled). */
bool remoting_pending_take(struct remoting_connection *connection, int32_t opaque,
                           struct pending_call *out) REQUIRES(connection->lock);
/* Completes every call whose deadline has passed, or all of them with `why`. I/O thread. */
bool remoting_pending_take_of(struct remoting_connection *connection, remoting_done *done,
                              void *arg, struct pending_call *out) REQUIRES(connection->lock);
void remoting_pending_expire(struct remoting_connection *connection, int64_t now_ms);
void remoting_pending_fail_all(struct remoting_connection *connection, const mqc_error *why);
int64_t remoting_pending_earliest(const struct remoting_connection *connection)
    REQUIRES(connection->lock);
/* After completions: wakes the callers and threads that they were for, all at a time. */
void remoting_pending_completed(struct remoting_connection *connection);
void remoting_pending_done(struct remoting_connection *connection); /* frees the memory */

#endif
