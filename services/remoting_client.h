/* The one way to talk to brokers and name servers: sends requests over one connection per address,
 * opened when needed, and matches answers by opaque (NettyRemotingClient.java).
 *
 * Threads: the I/O service connects, reads, completes asynchronous calls and closes. Synchronous
 * callers write their own frame and, while nobody else waits on the connection, read their own
 * answer. Completions and the request handler run on whichever thread reads, with no lock held, and
 * must neither block nor call the application's code. */
#ifndef SERVICES_REMOTING_CLIENT_H
#define SERVICES_REMOTING_CLIENT_H

#include <mqclient/client.h>

#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/remoting_command.h"
#include "lib/protocol/signature.h"

struct remoting_client;
struct remoting_connection;

struct remoting_options {
    int connect_timeout_ms;
    int idle_close_ms;
    const mqc_tls_options *tls;            /* borrowed during _new */
    const char *tls_crl_file;              /* the same; may be NULL */
    const struct credentials *credentials; /* NULL: unsigned; outlives the client */
};

/* A command that has just been read. Valid during the call that is given it. */
struct remoting_arrival {
    struct remoting_command *command;
    struct remoting_connection *connection;
    struct slice frame;
};

/* Keeps an arrival's bytes: a counted frame that the command's slices then point into. NULL: no
 * memory. */
struct frame *remoting_arrival_keep(struct remoting_arrival *arrival);

/* A request from a broker. To answer it later, count the connection up. */
typedef void remoting_request_handler(struct remoting_arrival *arrival, void *arg);

mqc_status remoting_client_new(const struct remoting_options *options,
                               remoting_request_handler *handler, void *handler_arg,
                               struct remoting_client **out, mqc_error *error);
mqc_status remoting_client_start(struct remoting_client *client, mqc_error *error);

/* At the deadline all calls that are left end with MQC_CANCELLED, and later ones at once: whoever
 * waits for an answer goes on and can be joined before the client is stopped. */
void remoting_client_end_calls(struct remoting_client *client, int64_t deadline_ms);

/* Refuses new calls, writes out what is queued at most until the deadline, fails the calls that are
 * left with MQC_CANCELLED, closes all connections and joins the I/O thread. */
void remoting_client_stop(struct remoting_client *client, int64_t deadline_ms);
void remoting_client_free(struct remoting_client *client); /* NULL is fine; stopped before */

/* The answer to a synchronous call. */
struct remoting_response {
    struct frame *frame;
    struct remoting_command command;
};
void remoting_response_done(struct remoting_response *response);

/* Sends and waits at most until the deadline. MQC_OK for any answer, whatever its code. */
mqc_status remoting_client_call(struct remoting_client *client, const char *address,
                                const struct command_to_send *request, int64_t deadline_ms,
                                struct remoting_response *response, mqc_error *error);

/* Exactly one of arrival and error is not NULL. Comes exactly once after a successful call_async.
 */
typedef void remoting_done(struct remoting_arrival *arrival, const mqc_error *error, void *arg);

mqc_status remoting_client_call_async(struct remoting_client *client, const char *address,
                                      const struct command_to_send *request, int64_t deadline_ms,
                                      remoting_done *done, void *arg, mqc_error *error);

/* Asynchronous calls with this completion and argument, if any still wait, end with MQC_CANCELLED
 * now, on the caller's thread; an answer that comes all the same is thrown away. Not those of a
 * client with a dresser. */
void remoting_client_cancel(struct remoting_client *client, remoting_done *done, void *arg);

/* Hands the frame over to be written; the request's flag gets COMMAND_FLAG_ONEWAY. While a quarter
 * of a megabyte waits to be written, so does the caller: MQC_BUSY when the deadline passes. */
mqc_status remoting_client_call_oneway(struct remoting_client *client, const char *address,
                                       const struct command_to_send *request, int64_t deadline_ms,
                                       mqc_error *error);

/* Called by the I/O thread when a connection to `address` has opened (a heartbeat is due there).
 * Set before start. */
typedef void remoting_opened(const char *address, void *arg);
void remoting_client_on_open(struct remoting_client *client, remoting_opened *opened, void *arg);

/* Called by whoever has run completions (a burst of answers, of expired or failed calls) when the
 * last one of them has returned. Set before start. */
typedef void remoting_completed(void *arg);
void remoting_client_on_completed(struct remoting_client *client, remoting_completed *completed,
                                  void *arg);

/* ---- seeing every request and its answer ---- */

enum { REMOTING_HEADER_BYTES = 1024, REMOTING_EXTRA_MOST = 48, REMOTING_ROOM_BYTES = 8192 };

/* A request that is changed before it is encoded: `request` to begin with what was asked for; it
 * may point into the room beside it from then on. */
struct remoting_dress {
    struct command_to_send request;
    union {
        long long align;
        char bytes[REMOTING_HEADER_BYTES];
    } header;
    struct command_field extra[REMOTING_EXTRA_MOST];
    char room[REMOTING_ROOM_BYTES];
    size_t room_used;
    struct credentials credentials; /* for request.own_credentials */
    mqc_credentials keys;           /* where those point to: wiped with the room */
};

/* Changes a request; a failure is the call's. On the caller's thread, with no lock held. */
typedef mqc_status remoting_dresser(const char *address, struct remoting_dress *dress, void *arg,
                                    mqc_error *error);
/* Sees what came of a request that was dressed: exactly one of answer and error is not NULL. Not of
 * oneway requests. On the thread that reads, or the caller's when the call did not begin. */
typedef void remoting_observer(const char *address, int32_t code,
                               const struct remoting_command *answer, const mqc_error *error,
                               void *arg);
/* Set before start. The observer may be NULL. */
void remoting_client_dress(struct remoting_client *client, remoting_dresser *dresser,
                           remoting_observer *observer, void *arg);

/* Closes the connections whose address `keep` refuses: name servers that left the list. */
void remoting_client_close_if(struct remoting_client *client,
                              bool (*unwanted)(const char *address, void *arg), void *arg);

/* Number of open or opening connections, for tests and statistics. */
size_t remoting_client_connections(struct remoting_client *client);

/* What has come and gone between here and one address, since the client was made. */
struct remoting_traffic {
    uint64_t opened, failures; /* connections */
    uint64_t requests, timeouts;
    uint64_t written_bytes, read_bytes;
    uint64_t connections, in_flight, unwritten_bytes; /* at present */
};

/* Visits every address that there ever was a connection to. With the client's lock held: quick, and
 * no calls. */
void remoting_client_each_peer(struct remoting_client *client,
                               void (*visit)(const char *address,
                                             const struct remoting_traffic *traffic, void *arg),
                               void *arg);

/* ---- answering a broker's request ---- */

struct remoting_connection *remoting_connection_ref(struct remoting_connection *connection);
void remoting_connection_unref(struct remoting_connection *connection); /* NULL is fine */
const char *remoting_connection_address(const struct remoting_connection *connection);

/* Sends a response (code, header, body of `response`) to the request with this opaque. */
mqc_status remoting_connection_reply(struct remoting_connection *connection, int32_t opaque,
                                     const struct command_to_send *response, mqc_error *error);

#endif
