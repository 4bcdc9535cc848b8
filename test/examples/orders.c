/* See orders.h. A message is an order: its key is the order's number, its body the cents. */
#include "orders.h"

#include <stdio.h>
#include <stdlib.h>

enum { CENTS_DIGITS = 20, TO_DEAD_LETTERS = -1 };

struct orders {
    mqc_producer *producer;
    mqc_push_consumer *consumer;
    orders_charge *charge;
    void *charge_arg;
};

static mqc_consume_status pay(mqc_delivery *delivery, void *arg);

struct orders *orders_open(const mqc_client_options *client, orders_charge *charge, void *arg,
                           mqc_error *error)
{
    struct orders *orders = calloc(1, sizeof *orders);
    if (!orders) {
        *error = (mqc_error){.status = MQC_NO_MEMORY, .text = "no memory for the orders"};
        return NULL;
    }
    mqc_producer_options sending = {.client = client, .group = "order-desk"};
    mqc_push_consumer_options paying = {.client = client,
                                        .group = ORDERS_GROUP,
                                        .listener = pay,
                                        .listener_arg = orders,
                                        .from = MQC_FROM_FIRST,
                                        .max_reconsume_times = ORDERS_PAYMENT_RETRIES};
    orders->charge = charge;
    orders->charge_arg = arg;
    orders->producer = mqc_producer_new(&sending, error);
    orders->consumer = orders->producer ? mqc_push_consumer_new(&paying, error) : NULL;
    if (!orders->consumer || mqc_producer_start(orders->producer, error) != MQC_OK ||
        mqc_push_consumer_subscribe(orders->consumer, ORDERS_TOPIC, "*", error) != MQC_OK ||
        mqc_push_consumer_start(orders->consumer, error) != MQC_OK) {
        orders_close(orders);
        return NULL;
    }
    return orders;
}

mqc_status orders_place(struct orders *orders, const char *number, long cents, mqc_error *error)
{
    char body[CENTS_DIGITS + 1];
    int size = snprintf(body, sizeof body, "%ld", cents);
    mqc_message *message = mqc_message_new(ORDERS_TOPIC, body, (size_t)size);
    if (!message) {
        *error = (mqc_error){.status = MQC_NO_MEMORY, .text = "no memory for an order"};
        return MQC_NO_MEMORY;
    }
    mqc_status status = mqc_message_set_keys(message, number, error);
    if (status == MQC_OK) status = mqc_producer_send(orders->producer, message, NULL, NULL, error);
    mqc_message_free(message);
    return status;
}

void orders_close(struct orders *orders)
{
    if (!orders) return;
    mqc_producer_free(orders->producer);
    mqc_push_consumer_free(orders->consumer);
    free(orders);
}

static bool read_order(const mqc_message *message, const char **number, long *cents)
{
    char text[CENTS_DIGITS + 1], *end;
    mqc_view body = mqc_message_body(message);
    snprintf(text, sizeof text, "%.*s", (int)body.size, (const char *)body.data);
    *number = mqc_message_keys(message);
    *cents = strtol(text, &end, 10);
    return *number && end > text && *end == '\0';
}

/* The listener: one order a call, on a worker thread of the consumer. */
static mqc_consume_status pay(mqc_delivery *delivery, void *arg)
{
    struct orders *orders = arg;
    const char *number;
    long cents;
    if (!read_order(mqc_delivery_at(delivery, 0), &number, &cents)) {
        mqc_delivery_retry_level(delivery, TO_DEAD_LETTERS); /* it will not get any better */
        return MQC_RECONSUME_LATER;
    }
    return orders->charge(number, cents, orders->charge_arg) ? MQC_CONSUME_SUCCESS
                                                             : MQC_RECONSUME_LATER;
}
