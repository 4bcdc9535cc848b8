/* Asks for a price by a message and gets it by another; both sides are in this program, but are
 * otherwise processes of their own.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <string.h>

/* The side that answers: a listener with a producer of its own. */
static mqc_consume_status answer(mqc_delivery *delivery, void *arg)
{
    mqc_producer *producer = arg;
    const mqc_message *request = mqc_delivery_at(delivery, 0);
    mqc_error error;
    if (!mqc_message_is_request(request)) return MQC_CONSUME_SUCCESS;
    mqc_message *reply = mqc_message_new_reply(request, "42 EUR", 6, &error);
    /* Who asked may be gone: then nobody needs the reply any more. */
    if (!reply || mqc_producer_send(producer, reply, NULL, NULL, &error) != MQC_OK)
        fprintf(stderr, "no reply: %s\n", error.text);
    mqc_message_free(reply);
    return MQC_CONSUME_SUCCESS;
}

int main(int argc, char **argv)
{
    mqc_error error = {.text = "out of memory"};
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "price_askers"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_push_consumer *consumer = NULL;
    mqc_message *request = mqc_message_new("prices", "shoes", 5), *reply = NULL;
    int code = 1;

    if (producer && request && mqc_producer_start(producer, &error) == MQC_OK) {
        const mqc_push_consumer_options answers = {.client = &client,
                                                   .group = "price_tellers",
                                                   .listener = answer,
                                                   .listener_arg = producer,
                                                   .from = MQC_FROM_FIRST};
        consumer = mqc_push_consumer_new(&answers, &error);
    }
    const mqc_send_options patience = {.timeout_ms = 20000}; /* for the request and its reply */
    if (!consumer || mqc_push_consumer_subscribe(consumer, "prices", "*", &error) ||
        mqc_push_consumer_start(consumer, &error) ||
        mqc_producer_request(producer, request, &patience, &reply, &error)) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        mqc_view body = mqc_message_body(reply);
        printf("shoes are %.*s\n", (int)body.size, (const char *)body.data);
        code = 0;
    }
    mqc_message_free(reply);
    mqc_message_free(request);
    mqc_push_consumer_free(consumer); /* before the producer that it uses */
    mqc_producer_free(producer);
    return code;
}
