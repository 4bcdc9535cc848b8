/* An application to be tested: it takes orders and has them paid. Orders go through RocketMQ, so
 * that a payment provider that is slow or down keeps no customer waiting. */
#ifndef EXAMPLES_ORDERS_H
#define EXAMPLES_ORDERS_H

#include <mqclient/mqclient.h>

#define ORDERS_TOPIC "orders"
#define ORDERS_GROUP "order-payments"

/* A payment that fails is tried again after 10 s, 30 s and 1 min, then it is a dead letter. */
enum { ORDERS_PAYMENT_RETRIES = 3 };

struct orders;

/* Charges for one order; false when it did not work this time. Runs on several threads at once. As
 * messages may come twice, it must charge once for a number however often it is called. */
typedef bool orders_charge(const char *number, long cents, void *arg);

/* Opens for business; NULL and `error` when that fails. */
struct orders *orders_open(const mqc_client_options *client, orders_charge *charge, void *arg,
                           mqc_error *error);

/* Takes an order: when this returns MQC_OK, it will be paid or end in the dead letters. */
mqc_status orders_place(struct orders *orders, const char *number, long cents, mqc_error *error);

/* Finishes the payments that are running, and frees. NULL is fine. */
void orders_close(struct orders *orders);

#endif
