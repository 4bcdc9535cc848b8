/* mqc send: one message from the command line, or every line of a file. Runs on the main thread. */
#include <stdio.h>
#include <string.h>

#include "tools/metrics.h"
#include "tools/mqc.h"
#include "tools/output.h"
#include "tools/send.h"

static int run(struct arguments *arguments, struct sender *sender);
static int send_body(struct sender *sender, const char *body);

static const char NAME[] = "send";

static const char ABOUT[] =
    "Sends BODY as one message; without BODY, or with \"-\" or --file, each line is a message, "
    "sent\n"
    "one after the other; the first that fails ends it. Prints a line a message sent: its id, its\n"
    "queue and its offset there; with --async in the order of the answers. On a terminal a bar\n"
    "shows how far it is. The producer's group is mqc_tool unless -X producerGroup=NAME is given.";

int send_command(int argc, char **argv)
{
    struct sender sender = {.priority = -1};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic to send to (required)", ARGUMENT_TEXT,
         &sender.outgoing.topic, NULL},
        {'k', "keys", "KEYS", "keys that the broker indexes, separated by spaces", ARGUMENT_TEXT,
         &sender.outgoing.keys, NULL},
        {'g', "tag", "TAG", "tag that consumers filter by", ARGUMENT_TEXT, &sender.outgoing.tag,
         NULL},
        {'p', "property", "NAME=VALUE", "a property; may be repeated", ARGUMENT_EACH,
         &sender.outgoing.properties, NULL},
        {'o', "order-key", "KEY", "messages of one key go to one queue, in order", ARGUMENT_TEXT,
         &sender.order_key, NULL},
        {'d', "delay", "TIME", "deliver later: 1500ms, 90s, 5m, 2h (brokers from 5.0)",
         ARGUMENT_TEXT, &sender.delay, NULL},
        {0, "deliver-at", "TIME", "deliver at 2026-11-24T08:00:00, or milliseconds since 1970",
         ARGUMENT_TEXT, &sender.deliver_at, NULL},
        {0, "delay-level", "N", "deliver later by the broker's table: 1 is 1 s, 18 is 2 h",
         ARGUMENT_NUMBER, &sender.delay_level, NULL},
        {0, "priority", "N", "in topics for priorities higher ones come first; 0 is the lowest",
         ARGUMENT_TEXT, &sender.priority_text, NULL},
        {'f', "file", "FILE", "each line of FILE is a message", ARGUMENT_TEXT, &sender.file, NULL},
        {'b', "batch", "N", "send so many lines in one request", ARGUMENT_NUMBER, &sender.batch,
         NULL},
        {0, "async", NULL, "send lines without waiting for the answers to those before",
         ARGUMENT_FLAG, &sender.async, NULL},
        {0, "rate", "N", "send at most so many lines a second", ARGUMENT_NUMBER, &sender.rate,
         NULL},
        {0, "compress", "TYPE", "ZLIB, LZ4 or ZSTD: for bodies of 4 KiB and more", ARGUMENT_OPTION,
         NULL, "compressType"},
        {0, "transaction", "STATE",
         "send in a transaction that ends so: commit, rollback or unknown", ARGUMENT_TEXT,
         &sender.transactions.state, NULL},
        {0, "check", "STATE",
         "with it: what the broker is answered when it asks (default: the same)", ARGUMENT_TEXT,
         &sender.transactions.check, NULL},
        {0, "timeout", "S", "with --check: wait at most S seconds for the broker (default: 120)",
         ARGUMENT_NUMBER, &sender.transactions.timeout_s, NULL},
        {0, "json", NULL, "print results as JSON lines", ARGUMENT_FLAG, &sender.json, NULL},
        {0, "metrics", "[HOST:]PORT", "serve statistics for Prometheus while it runs",
         ARGUMENT_TEXT, &sender.metrics, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC [option]… [BODY|-]",
        .about = ABOUT,
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &sender);
    arguments_done(&arguments);
    return code;
}

static int check_values(struct sender *sender)
{
    if (sender->priority_text &&
        (sender->priority = send_parse_priority(sender->priority_text)) < 0)
        return usage_error(NAME, "--priority is \"%s\": give 0, the lowest, or more",
                           sender->priority_text);
    if ((sender->delay != NULL) + (sender->deliver_at != NULL) + (sender->delay_level > 0) > 1)
        return usage_error(NAME, "of --delay, --deliver-at and --delay-level two are given: give "
                                 "one of them");
    if (sender->delay && (sender->delay_ms = send_parse_delay(sender->delay)) < 0)
        return usage_error(NAME, "--delay is \"%s\": write 1500ms, 90s, 5m, 2h or seconds",
                           sender->delay);
    if (sender->deliver_at && (sender->deliver_at_ms = send_parse_time(sender->deliver_at)) < 0)
        return usage_error(NAME,
                           "--deliver-at is \"%s\": write a local time as 2026-11-24T08:00:00, or "
                           "milliseconds since 1970",
                           sender->deliver_at);
    return -1;
}

static int check_usage(const struct arguments *arguments, struct sender *sender)
{
    bool body = arguments->rest_count == 1 && strcmp(arguments->rest[0], "-") != 0;
    int code = outgoing_check(NAME, &sender->outgoing);
    if (code >= 0) return code;
    if (arguments->rest_count > 1)
        return usage_error(NAME, "there is one BODY only; unexpected argument \"%s\"",
                           arguments->rest[1]);
    if (sender->file && arguments->rest_count == 1)
        return usage_error(NAME, "both BODY and --file are given: give one of them");
    if ((sender->batch > 0) + sender->async + (sender->transactions.state != NULL) > 1)
        return usage_error(NAME, "of --batch, --async and --transaction two are given: give one of "
                                 "them");
    if (sender->order_key && sender->transactions.state)
        return usage_error(NAME, "--order-key is not for messages of transactions");
    if (body && (sender->batch > 0 || sender->async || sender->rate > 0))
        return usage_error(NAME, "--batch, --async and --rate are for lines, not for one BODY");
    return transactions_check(NAME, &sender->transactions);
}

static mqc_stats *read_stats(void *producer, mqc_error *error)
{
    return mqc_producer_stats(producer, error);
}

static int run(struct arguments *arguments, struct sender *sender)
{
    int code = check_usage(arguments, sender);
    if (code < 0) code = check_values(sender);
    if (code >= 0) return code;
    sender->quiet = sender->transactions.quiet = arguments->quiet;
    sender->transactions.json = sender->json;
    sender->options.order_key = sender->order_key;
    mqc_client_options client = arguments_client(arguments);
    mqc_producer_options options = {.client = &client, .group = "mqc_tool"};
    mqc_options_to_producer(arguments->options, &options);
    mqc_error error;
    struct metrics *metrics = NULL;
    sender->producer = mqc_producer_new(&options, &error);
    if (!sender->producer || transactions_begin(&sender->transactions, sender->producer, &error) ||
        mqc_producer_start(sender->producer, &error))
        code = library_failure(NAME, "", &error);
    else if ((code = metrics_start(NAME, sender->metrics, read_stats, sender->producer,
                                   &metrics)) >= 0)
        ; /* said */
    else if (arguments->rest_count == 0 || strcmp(arguments->rest[0], "-") == 0)
        code = send_lines(sender);
    else
        code = send_body(sender, arguments->rest[0]);
    if (code == EXIT_DONE) code = transactions_wait(&sender->transactions);
    metrics_stop(metrics);
    mqc_producer_free(sender->producer);
    return code;
}

static int send_body(struct sender *sender, const char *body)
{
    int code = EXIT_DONE;
    mqc_message *message = send_message_new(sender, "", body, strlen(body), &code);
    if (message) code = send_message(sender, message, "");
    mqc_message_free(message);
    return code;
}
