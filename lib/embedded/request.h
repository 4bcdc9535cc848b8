/* A request being handled and its answer. A handler answers exactly once before it returns, or
 * keeps the struct reply and answers later. */
#ifndef EMBEDDED_REQUEST_H
#define EMBEDDED_REQUEST_H

#include "lib/embedded/connection.h"
#include "lib/protocol/remoting_command.h"

/* What a fault does to an answer (MQC_FAULT_*); kind 0: nothing. */
struct fault_effect {
    int kind;
    int64_t value;
};

/* Where an answer goes. May be copied; lives no longer than its connection. */
struct reply {
    struct connection *connection;
    int32_t opaque;
    bool wanted; /* neither one-way nor lost by a fault */
    struct fault_effect effect;
    int64_t log_number; /* in the request log */
    int64_t note;       /* the handler's own, for the answer that comes later */
};

struct request {
    struct mqc_embedded *cluster;
    struct broker *broker; /* NULL: the name server */
    struct connection *connection;
    const struct remoting_command *command;
    struct slice frame; /* the whole of it */
    struct reply reply;
};

/* Everything is borrowed. */
struct answer {
    int32_t code;
    struct slice remark;
    const struct header_layout *layout;
    const void *header;
    const struct command_field *extra;
    size_t extra_count;
    struct slice body;
};

void reply_send(const struct reply *reply, const struct answer *answer);
void reply_refuse(const struct reply *reply, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void request_answer(struct request *request, const struct answer *answer)
{
    reply_send(&request->reply, answer);
}

void request_done(struct request *request); /* code 0, nothing else */
void request_refuse(struct request *request, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void request_no_memory(struct request *request);

/* Answers with a body that was just encoded; code 1 when that failed for want of memory. */
void request_answer_body(struct request *request, const struct buffer *body);

/* Decodes the header; false when it is wrong: then it is answered, code 1 as Java's exception. */
bool request_header(struct request *request, const struct header_layout *layout, void *header);

/* Sends a request of our own to a client, one-way (NOTIFY_CONSUMER_IDS_CHANGED and the like). */
void push_oneway(struct connection *connection, int32_t code, const struct header_layout *layout,
                 const void *header, struct slice body);

/* Sends a request to a client and gives its answer to `done`; `answer` is NULL when none came in
 * time or the connection was lost. The origin's connection may end meanwhile: then `done` is
 * called with NULL, too, and must not answer. False: no memory, `done` is not called. */
typedef void forwarded_done(const struct reply *origin, const struct remoting_command *answer);
bool push_request(struct connection *connection, int32_t code, const struct header_layout *layout,
                  const void *header, struct slice body, int timeout_ms, const struct reply *origin,
                  forwarded_done *done);
/* A frame with the response flag came in. */
void push_answered(struct connection *connection, const struct remoting_command *answer);

/* Handles one frame of a connection. */
void dispatch_frame(struct connection *connection, struct slice frame);

#define FAQ_HINT "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."

#endif
