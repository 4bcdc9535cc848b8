/* mqc send --transaction: local transactions that are nothing but their outcome. */
#ifndef TOOLS_TRANSACTIONS_H
#define TOOLS_TRANSACTIONS_H

#include <mqclient/mqclient.h>

struct transactions {
    const char *state, *check; /* as given: "commit", …; no state: no transactions */
    int timeout_s;             /* 0: the default */
    bool json, quiet;
    mqc_producer *producer;
    mqc_transaction_state execute_says, check_says;
};

/* -1 when all is well, else the exit code of what was said about it. */
int transactions_check(const char *command, struct transactions *transactions);

/* Before the producer is started. */
mqc_status transactions_begin(struct transactions *transactions, mqc_producer *producer,
                              mqc_error *error);

/* Sends and prints; an exit code. */
int transactions_send(struct transactions *transactions, const mqc_message *message,
                      const char *context);

/* With --check, waits until the broker has asked about each that was sent as unknown. */
int transactions_wait(struct transactions *transactions);

#endif
