/* mqc consume: prints the messages of a topic as a member of a consumer group, until there were
 * enough, the time is over, or a signal comes. The listener prints on the consumer's worker
 * threads, one at a time; the main thread waits for the end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/arguments.h"
#include "tools/ending.h"
#include "tools/message_object.h"
#include "tools/metrics.h"
#include "tools/mqc.h"
#include "tools/output.h"

enum { DRAIN_MS = 5000 };

struct printer {
    const char *topic, *tag, *sql, *from, *metrics; /* as given on the command line */
    int count, timeout_s;                           /* 0: without end */
    bool json, quiet, orderly, pop, broadcast;
    struct ending ending; /* finished: nothing is printed any more; what still comes is refused */
    mqc_push_consumer *consumer;
    pthread_mutex_t lock; /* guards standard output and what follows; may be held for long when
                             the reader of standard output is slow */
    int printed;
    int write_failed; /* errno of a failed write */
};

static int check_usage(const struct arguments *arguments, struct printer *printer);
static int run(struct arguments *arguments, struct printer *printer);
static int consume(struct printer *printer);
static mqc_consume_status listen_to(mqc_delivery *delivery, void *arg);
static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg);
static bool print_message(const struct printer *printer, const mqc_message *message);
static int report_end(const struct printer *printer, enum ending_cause end);

static const char NAME[] = "consume";

int consume_command(int argc, char **argv)
{
    struct printer printer = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic to consume (required)", ARGUMENT_TEXT, &printer.topic, NULL},
        {'g', "group", "GROUP", "consumer group (required)", ARGUMENT_OPTION, NULL,
         "consumerGroup"},
        {0, "tag", "EXPRESSION", "only these tags: \"a || b\" (default: *, all)", ARGUMENT_TEXT,
         &printer.tag, NULL},
        {0, "sql", "EXPRESSION", "only what this SQL92 expression selects: \"price > 10\"",
         ARGUMENT_TEXT, &printer.sql, NULL},
        {0, "broadcast", NULL, "get all messages, whoever else gets them", ARGUMENT_FLAG,
         &printer.broadcast, NULL},
        {0, "from", "WHERE", "where a new group begins: first, last (default), or a time",
         ARGUMENT_TEXT, &printer.from, NULL},
        {0, "count", "N", "end after N messages", ARGUMENT_NUMBER, &printer.count, NULL},
        {0, "timeout", "S", "end after S seconds", ARGUMENT_NUMBER, &printer.timeout_s, NULL},
        {0, "orderly", NULL, "one message of a queue at a time in the whole group, in order",
         ARGUMENT_FLAG, &printer.orderly, NULL},
        {0, "pop", NULL, "pop, if that is the group's mode at the broker (5.x)", ARGUMENT_FLAG,
         &printer.pop, NULL},
        {0, "json", NULL, "print each message as an object", ARGUMENT_FLAG, &printer.json, NULL},
        {0, "metrics", "[HOST:]PORT", "serve statistics for Prometheus while it runs",
         ARGUMENT_TEXT, &printer.metrics, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC -g GROUP [option]…",
        .about =
            "Prints the body of each message on a line, until --count or --timeout is reached or\n"
            "a signal (INT, TERM, HUP) comes. What was printed is then committed for the group;\n"
            "messages beyond N are left or given back to it. Ends with 3 when --timeout came\n"
            "before --count. A time is yyyyMMddHHmmss in local time or milliseconds since 1970.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = check_usage(&arguments, &printer);
    if (code < 0) code = run(&arguments, &printer);
    arguments_done(&arguments);
    return code;
}

static int set_from(mqc_options *options, const char *from)
{
    mqc_error error;
    if (!from) return -1;
    bool first = strcmp(from, "first") == 0, last = strcmp(from, "last") == 0;
    const char *where = first  ? "CONSUME_FROM_FIRST_OFFSET"
                        : last ? "CONSUME_FROM_LAST_OFFSET"
                               : "CONSUME_FROM_TIMESTAMP";
    if (!first && !last && mqc_options_set(options, "consumeTimestamp", from, NULL))
        return usage_error(NAME,
                           "--from is \"%s\": give first, last, yyyyMMddHHmmss in local time, or "
                           "milliseconds since 1970 (13 digits)",
                           from);
    if (!mqc_options_set(options, "consumeFromWhere", where, &error)) return -1;
    return library_failure(NAME, "--from: ", &error);
}

static int check_usage(const struct arguments *arguments, struct printer *printer)
{
    if (!printer->topic) return usage_error(NAME, "the topic is missing: give -t TOPIC");
    if (arguments->rest_count > 0)
        return usage_error(NAME, "unexpected argument \"%s\"", arguments->rest[0]);
    if (printer->tag && printer->sql)
        return usage_error(NAME, "--tag and --sql are both given: give one of them");
    return set_from(arguments->options, printer->from);
}

static int run(struct arguments *arguments, struct printer *printer)
{
    mqc_client_options client = arguments_client(arguments);
    mqc_push_consumer_options options = {
        .client = &client,
        .listener = printer->orderly ? NULL : listen_to,
        .orderly_listener = printer->orderly ? listen_in_order : NULL,
        .pop = printer->pop,
        .listener_arg = printer,
        .threads = 1, /* more would only mix the order: they print one at a time */
    };
    mqc_options_to_push_consumer(arguments->options, &options);
    if (printer->broadcast) options.model = MQC_BROADCASTING;
    /* A tool leaves no files behind that nobody asked for. */
    if (options.model == MQC_BROADCASTING && !options.offset_store_path)
        options.offsets_in_memory = true;
    if (!options.group) return usage_error(NAME, "the group is missing: give -g GROUP");
    printer->quiet = arguments->quiet;
    ending_init(&printer->ending);
    mqc_error error;
    printer->consumer = mqc_push_consumer_new(&options, &error);
    int code = printer->consumer ? consume(printer) : library_failure(NAME, "", &error);
    mqc_push_consumer_free(printer->consumer);
    return code;
}

static mqc_stats *read_stats(void *consumer, mqc_error *error)
{
    return mqc_push_consumer_stats(consumer, error);
}

static int consume(struct printer *printer)
{
    mqc_error error;
    mqc_status status =
        printer->sql ? mqc_push_consumer_subscribe_sql(printer->consumer, printer->topic,
                                                       printer->sql, &error)
                     : mqc_push_consumer_subscribe(printer->consumer, printer->topic,
                                                   printer->tag ? printer->tag : "*", &error);
    if (status == MQC_OK) status = mqc_push_consumer_start(printer->consumer, &error);
    if (status != MQC_OK) return library_failure(NAME, "", &error);
    struct metrics *metrics = NULL;
    int said = metrics_start(NAME, printer->metrics, read_stats, printer->consumer, &metrics);
    if (said >= 0) return said;
    enum ending_cause end = ending_wait(&printer->ending, printer->timeout_s);
    metrics_stop(metrics);
    printer->ending.finished = true;
    status = mqc_push_consumer_shutdown(printer->consumer, DRAIN_MS, &error);
    int code = status ? library_failure(NAME, "end: ", &error) : report_end(printer, end);
    /* A listener still waits for the reader of standard output: waiting for it could be for ever.
     */
    if (status == MQC_TIMEOUT) _exit(code);
    return code;
}

/* Prints what may be printed of a delivery, under the lock; the number of messages done. */
static size_t print_delivery(struct printer *printer, const mqc_delivery *delivery)
{
    size_t done = 0;
    while (done < mqc_delivery_count(delivery) && !printer->ending.finished) {
        if (!print_message(printer, mqc_delivery_at(delivery, done))) {
            printer->write_failed = errno;
            ending_finish(&printer->ending);
            break;
        }
        done++;
        printer->printed++;
        if (printer->printed == printer->count) ending_finish(&printer->ending);
    }
    return done;
}

/* On a worker thread. What is not printed is refused, so that the group gets it again; pausing
 * keeps the number of those small. */
static mqc_consume_status listen_to(mqc_delivery *delivery, void *arg)
{
    struct printer *printer = arg;
    pthread_mutex_lock(&printer->lock);
    size_t done = print_delivery(printer, delivery);
    pthread_mutex_unlock(&printer->lock);
    if (printer->ending.finished) mqc_push_consumer_pause(printer->consumer, NULL);
    if (done == 0) return MQC_RECONSUME_LATER;
    mqc_delivery_done(delivery, done);
    return MQC_CONSUME_SUCCESS;
}

static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg)
{
    return listen_to(delivery, arg) == MQC_CONSUME_SUCCESS ? MQC_ORDER_SUCCESS : MQC_ORDER_SUSPEND;
}

static bool print_message(const struct printer *printer, const mqc_message *message)
{
    return printer->quiet || message_print(message, printer->json);
}

/* After the shutdown, when no listener runs any more. */
static int report_end(const struct printer *printer, enum ending_cause end)
{
    if (printer->write_failed) {
        errno = printer->write_failed;
        return output_failure(NAME);
    }
    if (printer->count == 0 || printer->printed >= printer->count) return EXIT_DONE;
    if (end == ENDING_SIGNAL)
        return failure(NAME, "ended by a signal after %d of %d messages", printer->printed,
                       printer->count);
    failure(NAME, "%d of %d messages in %d s", printer->printed, printer->count,
            printer->timeout_s);
    return EXIT_TIMEOUT;
}
