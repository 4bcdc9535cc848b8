/* mqc pull: prints messages of one queue from an offset on, and where to go on. It joins no group;
 * on the main thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/arguments.h"
#include "tools/message_object.h"
#include "tools/mqc.h"
#include "tools/output.h"

enum { MOST_A_PULL = 1024 };

struct puller {
    const char *topic, *broker, *queue, *offset, *tag, *sql; /* as given on the command line */
    int count;
    bool json, quiet;
    mqc_pull_consumer *consumer;
};

static const char NAME[] = "pull";

static int check_usage(const struct arguments *arguments, const struct puller *puller);
static int run(struct arguments *arguments, struct puller *puller);
static int find_queue(struct puller *puller, const mqc_queue_list *queues,
                      mqc_message_queue *queue);
static int find_offset(struct puller *puller, const mqc_message_queue *queue, int64_t *offset);
static int pull(struct puller *puller, const mqc_message_queue *queue, int64_t offset);

int pull_command(int argc, char **argv)
{
    struct puller puller = {.count = 32};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "the topic (required)", ARGUMENT_TEXT, &puller.topic, NULL},
        {'b', "broker", "NAME", "the broker's name (default: the topic's only one)", ARGUMENT_TEXT,
         &puller.broker, NULL},
        {'i', "queue", "ID", "the queue's number there (required)", ARGUMENT_TEXT, &puller.queue,
         NULL},
        {'o', "offset", "WHERE", "first (default), last for what comes next, or a number",
         ARGUMENT_TEXT, &puller.offset, NULL},
        {0, "count", "N", "print at most N messages (default: 32)", ARGUMENT_NUMBER, &puller.count,
         NULL},
        {0, "tag", "EXPRESSION", "only these tags: \"a || b\" (default: *, all)", ARGUMENT_TEXT,
         &puller.tag, NULL},
        {0, "sql", "EXPRESSION", "only what this SQL92 expression selects: \"price > 10\"",
         ARGUMENT_TEXT, &puller.sql, NULL},
        {0, "json", NULL, "print each message as an object", ARGUMENT_FLAG, &puller.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC -i QUEUE [option]…",
        .about =
            "Prints the bodies of messages that a queue has, a line each, and then, on standard\n"
            "error, the offset to go on at. It waits for nothing and disturbs no group. Brokers "
            "know\n"
            "it as TOOLS_CONSUMER, unless -X consumerGroup=NAME is given.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = check_usage(&arguments, &puller);
    if (code < 0) code = run(&arguments, &puller);
    arguments_done(&arguments);
    return code;
}

/* A whole number from 0 on; -1 for anything else. */
static int64_t number_of(const char *text)
{
    char *end;
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 18) return -1;
    long long number = strtoll(text, &end, 10);
    return *end ? -1 : number;
}

static bool is_place(const char *text)
{
    return strcmp(text, "first") == 0 || strcmp(text, "last") == 0 || number_of(text) >= 0;
}

static int check_usage(const struct arguments *arguments, const struct puller *puller)
{
    if (!puller->topic) return usage_error(NAME, "the topic is missing: give -t TOPIC");
    if (!puller->queue) return usage_error(NAME, "the queue is missing: give -i ID");
    if (number_of(puller->queue) < 0 || number_of(puller->queue) > INT32_MAX)
        return usage_error(NAME, "-i is \"%s\": give the queue's number, from 0 on", puller->queue);
    if (puller->offset && !is_place(puller->offset))
        return usage_error(NAME, "--offset is \"%s\": give first, last, or a number from 0 on",
                           puller->offset);
    if (puller->tag && puller->sql)
        return usage_error(NAME, "--tag and --sql are both given: give one of them");
    if (arguments->rest_count > 0)
        return usage_error(NAME, "unexpected argument \"%s\"", arguments->rest[0]);
    return -1;
}

static int run(struct arguments *arguments, struct puller *puller)
{
    mqc_error error;
    mqc_queue_list queues = {0};
    mqc_message_queue queue;
    int64_t offset = 0;
    mqc_client_options client = arguments_client(arguments);
    mqc_push_consumer_options named = {.group = "TOOLS_CONSUMER"};
    mqc_options_to_push_consumer(arguments->options, &named);
    mqc_pull_consumer_options options = {.client = &client, .group = named.group};
    puller->quiet = arguments->quiet;
    puller->consumer = mqc_pull_consumer_new(&options, &error);
    if (!puller->consumer ||
        mqc_pull_consumer_fetch_queues(puller->consumer, puller->topic, &queues, &error)) {
        mqc_pull_consumer_free(puller->consumer);
        return library_failure(NAME, "", &error);
    }
    int code = find_queue(puller, &queues, &queue);
    if (code < 0) code = find_offset(puller, &queue, &offset);
    if (code < 0) code = pull(puller, &queue, offset);
    mqc_queue_list_free(&queues);
    mqc_pull_consumer_free(puller->consumer);
    return code;
}

/* -1: found. */
static int find_queue(struct puller *puller, const mqc_queue_list *queues, mqc_message_queue *queue)
{
    int64_t id = number_of(puller->queue);
    int found = 0;
    for (size_t i = 0; i < queues->count; i++) {
        const mqc_message_queue *one = &queues->queues[i];
        if (one->queue_id != id) continue;
        if (puller->broker && strcmp(one->broker_name, puller->broker) != 0) continue;
        *queue = *one;
        found++;
    }
    if (found == 1) return -1;
    if (found > 1)
        return usage_error(NAME, "topic %s has a queue %" PRId64 " on %d brokers: give -b NAME",
                           puller->topic, id, found);
    failure(NAME, "topic %s has no queue %" PRId64 "%s%s: see \"mqc topic route\"", puller->topic,
            id, puller->broker ? " on broker " : "", puller->broker ? puller->broker : "");
    return EXIT_FAILED;
}

static int find_offset(struct puller *puller, const mqc_message_queue *queue, int64_t *offset)
{
    mqc_error error;
    int64_t least, next;
    if (puller->offset && number_of(puller->offset) >= 0) {
        *offset = number_of(puller->offset);
        return -1;
    }
    if (mqc_pull_consumer_offsets(puller->consumer, queue, &least, &next, &error))
        return library_failure(NAME, "", &error);
    *offset = puller->offset && strcmp(puller->offset, "last") == 0 ? next : least;
    return -1;
}

static int pull(struct puller *puller, const mqc_message_queue *queue, int64_t offset)
{
    int printed = 0;
    for (bool more = true; more && printed < puller->count;) {
        mqc_error error;
        mqc_pull_result result;
        int left = puller->count - printed;
        mqc_pull_request request = {.queue = *queue,
                                    .offset = offset,
                                    .filter = puller->tag,
                                    .sql = puller->sql,
                                    .max_messages = left < MOST_A_PULL ? left : MOST_A_PULL};
        if (mqc_pull_consumer_pull(puller->consumer, &request, &result, &error))
            return library_failure(NAME, "", &error);
        if (result.status == MQC_PULL_OFFSET_ILLEGAL)
            return failure(NAME,
                           "there is no offset %" PRId64 ": the queue has %" PRId64 " to %" PRId64,
                           offset, result.least_offset, result.end_offset);
        size_t count = result.delivery ? mqc_delivery_count(result.delivery) : 0;
        bool good = true;
        for (size_t i = 0; i < count && good; i++, printed++)
            good =
                puller->quiet || message_print(mqc_delivery_at(result.delivery, i), puller->json);
        mqc_delivery_free(result.delivery);
        if (!good) return output_failure(NAME);
        more = result.status != MQC_PULL_NO_NEW && result.next_offset > offset;
        offset = result.next_offset;
    }
    if (!puller->quiet) fprintf(stderr, "next offset: %" PRId64 "\n", offset);
    return output_finish(NAME);
}
