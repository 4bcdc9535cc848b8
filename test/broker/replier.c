/* Answers requests, for the real-broker suite: "re: " and the request's body, until SIGTERM.
 *
 *   replier TOPIC GROUP [-X name=value]…
 *     says "consuming" on standard error when it has started, and prints "answered" or what went
 *     wrong for each request
 *
 * -X takes the options of docs/options.md. */
#include <mqclient/mqclient.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(mqc_status status, const mqc_error *error)
{
    if (status == MQC_OK) return;
    fprintf(stderr, "replier: %s: %s\n", mqc_status_name(error->status), error->text);
    exit(1);
}

static mqc_message *reply_to(const mqc_message *request, mqc_error *error)
{
    mqc_view body = mqc_message_body(request);
    char *text = malloc(body.size + 4);
    if (!text) abort();
    memcpy(text, "re: ", 4);
    memcpy(text + 4, body.data, body.size);
    mqc_message *reply = mqc_message_new_reply(request, text, body.size + 4, error);
    free(text);
    return reply;
}

static mqc_consume_status answer(mqc_delivery *delivery, void *arg)
{
    mqc_error error;
    mqc_message *reply = reply_to(mqc_delivery_at(delivery, 0), &error);
    bool sent = reply && mqc_producer_send(arg, reply, NULL, NULL, &error) == MQC_OK;
    puts(sent ? "answered" : error.text);
    fflush(stdout);
    mqc_message_free(reply);
    return MQC_CONSUME_SUCCESS;
}

static void read_settings(mqc_options *options, int count, char **arguments)
{
    mqc_error error;
    for (int i = 0; i + 1 < count; i += 2) {
        char *value = strchr(arguments[i + 1], '=');
        if (!value) abort();
        *value = '\0';
        check(mqc_options_set(options, arguments[i + 1], value + 1, &error), &error);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    mqc_error error;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    mqc_options *settings = mqc_options_new();
    read_settings(settings, argc - 3, argv + 3);
    mqc_client_options client = {0};
    mqc_options_to_client(settings, &client);
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "repliers"}, &error);
    if (!producer) check(error.status, &error);
    check(mqc_producer_start(producer, &error), &error);
    mqc_push_consumer *consumer =
        mqc_push_consumer_new(&(mqc_push_consumer_options){.client = &client,
                                                           .group = argv[2],
                                                           .listener = answer,
                                                           .listener_arg = producer,
                                                           .from = MQC_FROM_FIRST},
                              &error);
    if (!consumer) check(error.status, &error);
    check(mqc_push_consumer_subscribe(consumer, argv[1], "*", &error), &error);
    check(mqc_push_consumer_start(consumer, &error), &error);
    fputs("consuming\n", stderr);
    int number;
    sigwait(&ends, &number);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    mqc_options_free(settings);
    return 0;
}
