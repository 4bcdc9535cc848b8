/* A producer's transactions: what is known of each, the broker's checks, and how their ends are
 * told to the broker. Private to the producer.
 *
 * One decision for a transaction, told once: a broker takes every commit that names a half message,
 * also of one that has ended already, and it stores the half message anew with each check. So what
 * has run or was decided in this process is remembered, and checks are answered from it:
 *
 *   EXECUTING  unknown; the end will name the half message as the check did
 *   ENDING     unknown; the end is on its way
 *   DECIDED    the decision again, until the broker has acknowledged it; after that rollback,
 *              which only removes the copy that the check is about
 *   otherwise  the listener is asked */
#ifndef PRODUCER_TRANSACTIONS_H
#define PRODUCER_TRANSACTIONS_H

#include <mqclient/transaction.h>

#include "lib/base/lock.h"
#include "lib/base/map.h"
#include "lib/client/client_role.h"
#include "services/callback_executor.h"

enum {
    TRANSACTIONS_REMEMBERED = 16384, /* decided ones; the oldest are forgotten first */
    TRANSACTION_CHECKS_MOST = 2000   /* that wait: TransactionMQProducer.checkRequestHoldMax */
};

enum transaction_phase { TRANSACTION_EXECUTING, TRANSACTION_ENDING, TRANSACTION_DECIDED };

/* The half message as its broker knows it now, and where to tell. */
struct half_place {
    char address[ADDRESS_TEXT_BYTES];
    int64_t table_offset;
    int64_t commit_log_offset;
};

struct transaction {
    struct link link; /* among the decided, oldest first; or of itself */
    char id[MESSAGE_ID_BYTES];
    enum transaction_phase phase;
    mqc_transaction_state decision;
    bool acknowledged; /* the broker has said that it knows the decision */
    bool checked;      /* while it was executing, last at `place` */
    struct half_place place;
};

struct transactions {
    mqc_transaction_listener *check; /* both set before start */
    void *check_arg;
    struct lock lock; /* guards everything below */
    struct map by_id; /* struct transaction */
    struct link decided;
    size_t decided_count;
    struct link checks; /* struct transaction_check: those that wait */
    size_t check_count;
    bool checking; /* the task is submitted or runs */
    struct callback_task task;
};

void transactions_init(struct transactions *transactions);
void transactions_done(struct transactions *transactions);

/* ---- transaction_memory.c; any thread ---- */

/* A transaction begins; NULL: no memory. It stays until it has been decided and forgotten. */
struct transaction *transaction_begin(struct transactions *transactions, const char *id);

/* `execute` has returned, or is never going to run: from now on checks are told to wait for the
 * end. True when a check came meanwhile, and *place is what the end has to name. */
bool transaction_ending(struct transactions *transactions, struct transaction *transaction,
                        struct half_place *place);

/* The end was told, or could not be. The transaction belongs to the memory from here on, and may be
 * gone at once. */
void transaction_decided(struct transactions *transactions, struct transaction *transaction,
                         mqc_transaction_state decision, bool acknowledged);

/* Nothing was sent: there is nothing to remember. */
void transaction_forget(struct transactions *transactions, struct transaction *transaction);

/* What a check is to be answered. True: *answer; false: the listener is to be asked. */
bool transaction_recall(struct transactions *transactions, const struct transaction_check *check,
                        mqc_transaction_state *answer);

/* Remembers how a check was answered. */
void transaction_answered(struct transactions *transactions, const char *id,
                          mqc_transaction_state decision, bool acknowledged);

/* ---- transaction_end.c ---- */

/* What END_TRANSACTION says. */
struct transaction_end {
    const struct half_place *place;
    const mqc_message *message; /* the half one */
    const char *topic;
    const char *broker_name;
    const char *message_id;
    const char *transaction_id;
    mqc_transaction_state state;
    bool from_check;
    const char *remark; /* may be NULL */
};

struct sender;
/* Tells the broker and waits for its answer, at most until the deadline; unknown is never answered,
 * and not waited for. */
mqc_status transaction_end_tell(struct sender *sender, const struct transaction_end *end,
                                int64_t deadline_ms, mqc_error *error);

/* ---- transaction_check.c ---- */

/* The role's function: takes the check over. */
void transaction_check_take(struct client_role *role, struct transaction_check *check);

/* Drops the checks that wait; one that runs goes on. */
void transaction_checks_cancel(struct mqc_producer *producer);

const char *transaction_state_name(mqc_transaction_state state);

#endif
