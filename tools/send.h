/* What the files of mqc send share. */
#ifndef TOOLS_SEND_H
#define TOOLS_SEND_H

#include <stdatomic.h>

#include <mqclient/mqclient.h>

#include "tools/outgoing.h"
#include "tools/progress.h"
#include "tools/transactions.h"

struct sender {
    /* As on the command line. */
    struct outgoing outgoing;
    struct transactions transactions;
    const char *order_key, *delay, *deliver_at, *priority_text, *file, *metrics;
    int delay_level, batch, rate;
    int priority; /* -1: none */
    bool json, quiet, async;

    mqc_producer *producer;
    mqc_send_options options;
    int64_t delay_ms, deliver_at_ms; /* 0: none */
    struct progress progress;
    atomic_long accepted;
};

/* A message with all that the command line says of it; NULL after saying why. *code is the exit
 * code then. `context` comes first in what is said: "line 3: ", or "". */
mqc_message *send_message_new(const struct sender *sender, const char *context, const char *body,
                              size_t size, int *code);

/* Sends a message and waits for its result, in a transaction if that is asked for, and prints it;
 * an exit code. */
int send_message(struct sender *sender, const mqc_message *message, const char *context);

/* "1500ms", "90s", "5m", "2h" or seconds; -1: none of these. */
int64_t send_parse_delay(const char *text);
/* "2026-11-24T08:00:00" or "2026-11-24 08:00" in local time, or milliseconds since 1970; -1. */
int64_t send_parse_time(const char *text);

/* 0 or more; -1: that is none. */
int send_parse_priority(const char *text);

/* Prints the line of a message that was sent, unless quiet; an exit code. */
int send_print(const struct sender *sender, const mqc_send_result *result);

/* Sends every line of the file (NULL or "-": standard input) as a message; an exit code. */
int send_lines(struct sender *sender);

#endif
