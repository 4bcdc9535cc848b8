/* Transactional messages: a message that consumers get if, and only if, a local transaction of the
 * application commits. The broker first stores it where nobody sees it (the half message), then the
 * local transaction runs, then the broker is told how it ended. When it is not told, because the
 * process died or the network broke, it asks any producer of the same group: the check listener.
 *
 *   start:    mqc_producer_on_check(producer, check, ...), then mqc_producer_start
 *   a sale:   mqc_producer_send_transaction(producer, message, NULL, sell, sale, &result, &error)
 *   in sell:  change the database, with transaction->id in the same local transaction
 *   in check: look transaction->id up there: COMMIT when it is found, ROLLBACK when it cannot come
 *
 * docs/transactions.md has the whole program, and says what is promised when. */
#ifndef MQCLIENT_TRANSACTION_H
#define MQCLIENT_TRANSACTION_H

#include <mqclient/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mqc_transaction_state {
    MQC_TRANSACTION_UNKNOWN, /* cannot be said yet: the broker asks (again) later */
    MQC_TRANSACTION_COMMIT,  /* consumers get the message */
    MQC_TRANSACTION_ROLLBACK /* nobody ever gets it */
} mqc_transaction_state;

/* What a listener is asked about; valid during its call. The struct may grow at the end. */
typedef struct mqc_transaction {
    const char *id; /* the message's unique id: the same whoever is asked, and how often */
    const mqc_message *message;
    int checks; /* how often the broker has asked, this time included; 0 for the local transaction
                   itself */
} mqc_transaction;

/* Runs or looks up a local transaction and says how it stands. No lock of the library is held: it
 * may block and send, but must not shut down its producer. */
typedef mqc_transaction_state mqc_transaction_listener(const mqc_transaction *transaction,
                                                       void *arg);

typedef struct mqc_transaction_result {
    mqc_send_result half;        /* of the half message; its message_id is the transaction's id */
    mqc_transaction_state state; /* as `execute` said */
    bool executed;               /* `execute` has run: do not send this again */
    bool ended;                  /* the broker has acknowledged the commit or rollback */
} mqc_transaction_result;

/* Sets the listener that answers the broker's checks, once, before the producer is started
 * (MQC_WRONG_STATE after). It runs on a callback thread of the instance, one check at a time, and
 * is asked about transactions of all producers of the group, those that have died above all; a
 * transaction whose `execute` still runs here, or has decided here, is answered without it. Of
 * checks that come faster than it answers 2000 wait, the others are dropped: the broker asks again.
 * A process that sends nothing by itself is asked when option `topics` names the topics. */
MQC_API mqc_status mqc_producer_on_check(mqc_producer *producer, mqc_transaction_listener *check,
                                         void *arg, mqc_error *error);

/* Sends the half message, runs `execute` on the calling thread when it is safely stored, and tells
 * the broker how the transaction ended. `options` are the half message's (timeout, queue); `result`
 * and `error` may be NULL. The message is borrowed and unchanged; it may have no delay. Blocks for
 * the send, `execute`, and at most one more send timeout for the end.
 *   MQC_OK  `execute` has run, and the broker knows how it ended (or that it is not known yet).
 *   else    when result->executed is false there was no local transaction: send again if you like.
 *           When it is true, the transaction is decided as result->state says but the end was not
 *           acknowledged (error->maybe_done): do not repeat it, the broker asks and is told.
 * A half message stored with another status than MQC_SEND_OK is rolled back and not executed:
 * MQC_REFUSED. MQC_WRONG_STATE without a check listener: a lost end could never be made good. */
MQC_API mqc_status mqc_producer_send_transaction(mqc_producer *producer, const mqc_message *message,
                                                 const mqc_send_options *options,
                                                 mqc_transaction_listener *execute, void *arg,
                                                 mqc_transaction_result *result, mqc_error *error);

/* When the broker asks for the first time, in seconds from 1 (default: its transactionTimeOut, 6
 * s); 0 removes it. With it, a broker also refuses an end that comes later than that and is no
 * answer to a check, so that a producer that was stalled does not commit what another one of its
 * group has rolled back meanwhile. */
MQC_API mqc_status mqc_message_set_check_after(mqc_message *message, int seconds, mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
