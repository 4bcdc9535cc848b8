/* Transactions: half messages wait in a topic of the broker's own until their producer commits or
 * rolls back, and is asked when it does not (TransactionalMessageServiceImpl.java). Under the
 * cluster's lock. */
#ifndef EMBEDDED_TRANSACTIONS_H
#define EMBEDDED_TRANSACTIONS_H

#include "lib/embedded/broker.h"

#define TRANSACTION_HALF_TOPIC "RMQ_SYS_TRANS_HALF_TOPIC"
#define TRANSACTION_OP_TOPIC   "RMQ_SYS_TRANS_OP_HALF_TOPIC"

/* Stores a half message for its topic; NULL: no memory. */
struct record *transaction_prepare(struct broker *broker, struct topic *topic,
                                   struct mqc_message *message);
void transactions_forget_all(struct broker_data *data);

#endif
