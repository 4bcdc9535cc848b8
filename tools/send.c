/* mqc send: one message from the command line, or every line of standard input as a message, each
 * sent and acknowledged before the next. Runs on the main thread alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/arguments.h"
#include "tools/mqc.h"
#include "tools/outgoing.h"
#include "tools/output.h"
#include "tools/transactions.h"

struct sender {
    struct outgoing outgoing;
    struct transactions transactions;
    bool json, quiet;
    mqc_producer *producer;
};

static int run(struct arguments *arguments, struct sender *sender);
static int send_lines(struct sender *sender);
static int send_body(struct sender *sender, const char *context, const char *body, size_t size);
static int print_result(const struct sender *sender, const mqc_send_result *result);

static const char NAME[] = "send";

int send_command(int argc, char **argv)
{
    struct sender sender = {0};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic to send to (required)", ARGUMENT_TEXT,
         &sender.outgoing.topic, NULL},
        {'k', "keys", "KEYS", "keys that the broker indexes, separated by spaces", ARGUMENT_TEXT,
         &sender.outgoing.keys, NULL},
        {'g', "tag", "TAG", "tag that consumers filter by", ARGUMENT_TEXT, &sender.outgoing.tag,
         NULL},
        {'p', "property", "NAME=VALUE", "a property; may be repeated", ARGUMENT_EACH,
         &sender.outgoing.properties, NULL},
        {0, "transaction", "STATE",
         "send in a transaction that ends so: commit, rollback or unknown", ARGUMENT_TEXT,
         &sender.transactions.state, NULL},
        {0, "check", "STATE",
         "with it: what the broker is answered when it asks (default: the same)", ARGUMENT_TEXT,
         &sender.transactions.check, NULL},
        {0, "timeout", "S", "with --check: wait at most S seconds for the broker (default: 120)",
         ARGUMENT_NUMBER, &sender.transactions.timeout_s, NULL},
        {0, "json", NULL, "print results as JSON lines", ARGUMENT_FLAG, &sender.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC [option]… [BODY|-]",
        .about = "Sends BODY as one message; without BODY, or with \"-\", each line of standard\n"
                 "input is a message, sent one after the other; the first that fails ends it.\n"
                 "Prints a line a message sent: its id, its queue and its offset there. The\n"
                 "producer's group is mqc_tool unless -X producerGroup=NAME is given.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &sender);
    arguments_done(&arguments);
    return code;
}

static int check_usage(const struct arguments *arguments, struct sender *sender)
{
    int code = outgoing_check(NAME, &sender->outgoing);
    if (code >= 0) return code;
    if (arguments->rest_count > 1)
        return usage_error(NAME, "there is one BODY only; unexpected argument \"%s\"",
                           arguments->rest[1]);
    return transactions_check(NAME, &sender->transactions);
}

static int run(struct arguments *arguments, struct sender *sender)
{
    int code = check_usage(arguments, sender);
    if (code >= 0) return code;
    sender->quiet = sender->transactions.quiet = arguments->quiet;
    sender->transactions.json = sender->json;
    mqc_client_options client = arguments_client(arguments);
    mqc_producer_options options = {.client = &client, .group = "mqc_tool"};
    mqc_options_to_producer(arguments->options, &options);
    mqc_error error;
    sender->producer = mqc_producer_new(&options, &error);
    if (!sender->producer || transactions_begin(&sender->transactions, sender->producer, &error) ||
        mqc_producer_start(sender->producer, &error)) {
        code = library_failure(NAME, "", &error);
    } else if (arguments->rest_count == 0 || strcmp(arguments->rest[0], "-") == 0) {
        code = send_lines(sender);
    } else {
        const char *body = arguments->rest[0];
        code = send_body(sender, "", body, strlen(body));
    }
    if (code == EXIT_DONE) code = transactions_wait(&sender->transactions);
    mqc_producer_free(sender->producer);
    return code;
}

static int send_lines(struct sender *sender)
{
    char *line = NULL;
    size_t room = 0;
    int code = EXIT_DONE;
    for (long number = 1; code == EXIT_DONE; number++) {
        errno = 0;
        ssize_t size = getline(&line, &room, stdin);
        if (size < 0) {
            if (!feof(stdin)) code = failure(NAME, "standard input: %s", strerror(errno));
            break;
        }
        if (line[size - 1] == '\n') size--;
        char context[40];
        snprintf(context, sizeof context, "line %ld: ", number);
        code = send_body(sender, context, line, (size_t)size);
    }
    free(line);
    return code;
}

static int send_body(struct sender *sender, const char *context, const char *body, size_t size)
{
    mqc_error error;
    mqc_send_result result;
    mqc_message *message = outgoing_message(&sender->outgoing, body, size, &error);
    if (!message) return library_failure(NAME, context, &error);
    if (sender->transactions.state) {
        int code = transactions_send(&sender->transactions, message, context);
        mqc_message_free(message);
        return code;
    }
    mqc_status status = mqc_producer_send(sender->producer, message, NULL, &result, &error);
    mqc_message_free(message);
    if (status) return library_failure(NAME, context, &error);
    return sender->quiet ? EXIT_DONE : print_result(sender, &result);
}

static const char *status_name(mqc_send_status status)
{
    switch (status) {
    case MQC_SEND_OK: return "SEND_OK";
    case MQC_SEND_FLUSH_DISK_TIMEOUT: return "FLUSH_DISK_TIMEOUT";
    case MQC_SEND_FLUSH_SLAVE_TIMEOUT: return "FLUSH_SLAVE_TIMEOUT";
    case MQC_SEND_SLAVE_NOT_AVAILABLE: return "SLAVE_NOT_AVAILABLE";
    }
    return "UNKNOWN";
}

static int print_result(const struct sender *sender, const mqc_send_result *result)
{
    bool printed;
    if (sender->json) {
        printed = output_json(json_pack(
            "{s:s, s:s, s:s, s:o, s:i, s:I, s:s}", "msgId", result->message_id, "offsetMsgId",
            result->offset_message_id, "topic", sender->outgoing.topic, "brokerName",
            json_text(result->queue.broker_name), "queueId", result->queue.queue_id, "queueOffset",
            (json_int_t)result->queue_offset, "sendStatus", status_name(result->status)));
    } else {
        bool good = result->status == MQC_SEND_OK;
        printed = printf("%s %s/%d %lld%s%s\n", result->message_id, result->queue.broker_name,
                         result->queue.queue_id, (long long)result->queue_offset, good ? "" : " ",
                         good ? "" : status_name(result->status)) >= 0 &&
                  fflush(stdout) == 0;
    }
    return printed ? EXIT_DONE : output_failure(NAME);
}
