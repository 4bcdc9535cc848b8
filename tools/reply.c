/* mqc reply: answers the requests that come to a topic, with a given text, with what a command
 * makes of them, or with themselves. Listeners answer on the consumer's worker threads; the main
 * thread waits for the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/arguments.h"
#include "tools/ending.h"
#include "tools/message_object.h"
#include "tools/mqc.h"
#include "tools/output.h"
#include "tools/shell.h"

enum { DRAIN_MS = 5000, THREADS = 4 };

static const char NAME[] = "reply";

struct clerk {
    const char *topic, *tag, *command, *body; /* as given on the command line */
    int count, timeout_s;                     /* 0: without end */
    bool json, quiet;
    struct ending ending; /* finished: what still comes is refused */
    mqc_producer *producer;
    pthread_mutex_t lock; /* guards standard output and what follows */
    int begun, answered;
    int write_failed; /* errno of a failed write */
};

static int run(struct arguments *arguments, struct clerk *clerk);
static int serve(struct clerk *clerk, mqc_push_consumer *consumer);
static mqc_consume_status listen_to(mqc_delivery *delivery, void *arg);
static bool answer(struct clerk *clerk, const mqc_message *request);
static int report_end(const struct clerk *clerk, enum ending_cause end);

int reply_command(int argc, char **argv)
{
    struct clerk clerk = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic that requests come to (required)", ARGUMENT_TEXT,
         &clerk.topic, NULL},
        {'g', "group", "GROUP", "consumer group of those who answer (required)", ARGUMENT_OPTION,
         NULL, "consumerGroup"},
        {0, "tag", "EXPRESSION", "only these tags: \"a || b\" (default: *, all)", ARGUMENT_TEXT,
         &clerk.tag, NULL},
        {'e', "exec", "COMMAND", "reply what this shell command prints of the request's body",
         ARGUMENT_TEXT, &clerk.command, NULL},
        {0, "count", "N", "end after N replies", ARGUMENT_NUMBER, &clerk.count, NULL},
        {0, "timeout", "S", "end after S seconds", ARGUMENT_NUMBER, &clerk.timeout_s, NULL},
        {0, "json", NULL, "print each request as an object", ARGUMENT_FLAG, &clerk.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC -g GROUP [option]… [BODY]",
        .about =
            "Answers each request that comes to the topic, as \"mqc request\" sends them: with\n"
            "BODY, with what COMMAND prints when it reads the request's body, or without either\n"
            "with the request's own body. Prints the body of each request that was answered on\n"
            "a line. Goes on until --count or --timeout is reached or a signal (INT, TERM, HUP)\n"
            "comes. Of a COMMAND that fails or prints nothing there is no reply; messages that\n"
            "are no requests are passed over. Ends with 3 when --timeout came before --count.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &clerk);
    arguments_done(&arguments);
    return code;
}

static int check_usage(const struct arguments *arguments, struct clerk *clerk)
{
    if (!clerk->topic) return usage_error(NAME, "the topic is missing: give -t TOPIC");
    if (arguments->rest_count > 1)
        return usage_error(NAME, "there is one BODY only; unexpected argument \"%s\"",
                           arguments->rest[1]);
    clerk->body = arguments->rest_count > 0 ? arguments->rest[0] : NULL;
    if (clerk->body && clerk->command)
        return usage_error(NAME, "BODY and --exec are both given: give one of them");
    if (clerk->body && !clerk->body[0])
        return usage_error(NAME, "BODY is empty: RocketMQ has no empty messages");
    return -1;
}

static int run(struct arguments *arguments, struct clerk *clerk)
{
    int code = check_usage(arguments, clerk);
    if (code >= 0) return code;
    mqc_error error;
    mqc_client_options client = arguments_client(arguments);
    mqc_push_consumer_options options = {
        .client = &client, .listener = listen_to, .listener_arg = clerk, .threads = THREADS};
    mqc_producer_options producer = {.client = &client, .group = "mqc_tool"};
    mqc_options_to_push_consumer(arguments->options, &options);
    mqc_options_to_producer(arguments->options, &producer);
    options.listener_batch = 1;
    if (!options.group) return usage_error(NAME, "the group is missing: give -g GROUP");
    clerk->quiet = arguments->quiet;
    ending_init(&clerk->ending);
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    if (consumer) clerk->producer = mqc_producer_new(&producer, &error);
    if (!clerk->producer || mqc_producer_start(clerk->producer, &error))
        code = library_failure(NAME, "", &error);
    else
        code = serve(clerk, consumer);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(clerk->producer);
    return code;
}

static int serve(struct clerk *clerk, mqc_push_consumer *consumer)
{
    mqc_error error;
    mqc_status status =
        mqc_push_consumer_subscribe(consumer, clerk->topic, clerk->tag ? clerk->tag : "*", &error);
    if (status == MQC_OK) status = mqc_push_consumer_start(consumer, &error);
    if (status != MQC_OK) return library_failure(NAME, "", &error);
    enum ending_cause end = ending_wait(&clerk->ending, clerk->timeout_s);
    clerk->ending.finished = true;
    status = mqc_push_consumer_shutdown(consumer, DRAIN_MS, &error);
    int code = status ? library_failure(NAME, "end: ", &error) : report_end(clerk, end);
    /* A command or the reader of standard output takes its time: it could be for ever. */
    if (status == MQC_TIMEOUT) _exit(code);
    return code;
}

/* ---- on the worker threads ---- */

/* Whether one more may be answered: no more than --count are begun. */
static bool begin(struct clerk *clerk)
{
    pthread_mutex_lock(&clerk->lock);
    bool may = !clerk->ending.finished && (clerk->count == 0 || clerk->begun < clerk->count);
    clerk->begun += may;
    pthread_mutex_unlock(&clerk->lock);
    return may;
}

static void end(struct clerk *clerk, const mqc_message *request, bool answered)
{
    pthread_mutex_lock(&clerk->lock);
    if (answered) {
        clerk->answered++;
        if (!clerk->quiet && !message_print(request, clerk->json)) clerk->write_failed = errno;
    } else {
        clerk->begun--;
    }
    if (clerk->write_failed || (clerk->count > 0 && clerk->answered == clerk->count))
        ending_finish(&clerk->ending);
    pthread_mutex_unlock(&clerk->lock);
}

/* What is not answered for want of a reply is done all the same: whoever asks again asks anew. */
static mqc_consume_status listen_to(mqc_delivery *delivery, void *arg)
{
    struct clerk *clerk = arg;
    const mqc_message *request = mqc_delivery_at(delivery, 0);
    if (!mqc_message_is_request(request)) return MQC_CONSUME_SUCCESS;
    if (!begin(clerk)) return MQC_RECONSUME_LATER;
    end(clerk, request, answer(clerk, request));
    return MQC_CONSUME_SUCCESS;
}

static bool answer(struct clerk *clerk, const mqc_message *request)
{
    mqc_view body = mqc_message_body(request);
    char *printed = NULL, why[128];
    if (clerk->body) {
        body = (mqc_view){clerk->body, strlen(clerk->body)};
    } else if (clerk->command) {
        size_t size;
        if (!shell_run(clerk->command, body.data, body.size, &printed, &size, why)) {
            failure(NAME, "request %s: %s", mqc_message_id(request), why);
            return false;
        }
        body = (mqc_view){printed, size};
    }
    mqc_error error;
    mqc_message *reply = mqc_message_new_reply(request, body.data, body.size, &error);
    bool sent = reply && mqc_producer_send(clerk->producer, reply, NULL, NULL, &error) == MQC_OK;
    if (!sent) failure(NAME, "request %s: %s", mqc_message_id(request), error.text);
    mqc_message_free(reply);
    free(printed);
    return sent;
}

/* After the shutdown, when no listener runs any more. */
static int report_end(const struct clerk *clerk, enum ending_cause end)
{
    if (clerk->write_failed) {
        errno = clerk->write_failed;
        return output_failure(NAME);
    }
    if (clerk->count == 0 || clerk->answered >= clerk->count) return EXIT_DONE;
    if (end == ENDING_SIGNAL)
        return failure(NAME, "ended by a signal after %d of %d replies", clerk->answered,
                       clerk->count);
    failure(NAME, "%d of %d replies in %d s", clerk->answered, clerk->count, clerk->timeout_s);
    return EXIT_TIMEOUT;
}
