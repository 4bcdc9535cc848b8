/* mqc message recall: takes messages with a time of delivery back. Main thread. */
#include <stdio.h>

#include "tools/message.h"
#include "tools/mqc.h"
#include "tools/output.h"

static const char NAME[] = "message recall";

struct recaller {
    const char *topic;
    int timeout_s; /* 0: the producer's own */
    bool json, quiet;
};

static int run(struct arguments *arguments, const struct recaller *recaller);
static int recall(const struct recaller *recaller, mqc_producer *producer, const char *handle);

int message_recall_command(int argc, char **argv)
{
    struct recaller recaller = {0};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic that they were sent to (required)", ARGUMENT_TEXT,
         &recaller.topic, NULL},
        {0, "timeout", "S", "wait at most S seconds for the broker (default: sendMsgTimeout, 3)",
         ARGUMENT_NUMBER, &recaller.timeout_s, NULL},
        {0, "json", NULL, "print JSON lines", ARGUMENT_FLAG, &recaller.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC [option]… HANDLE…",
        .about =
            "Takes back messages that were sent with a time of delivery and are not delivered\n"
            "yet, and prints their ids. A HANDLE is the recallHandle that \"mqc send --json\"\n"
            "prints. Brokers allow it from 5.4 on, with recallMessageEnable=true. The first\n"
            "that fails ends it.",
        .own = own,
        .own_count = COUNT_OF(own),
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &recaller);
    arguments_done(&arguments);
    return code;
}

static int run(struct arguments *arguments, const struct recaller *recaller)
{
    struct recaller with_quiet = *recaller;
    int code = EXIT_DONE;
    if (!recaller->topic) return usage_error(NAME, "the topic is missing: give -t TOPIC");
    if (arguments->rest_count == 0)
        return usage_error(NAME, "the handle is missing: give the recallHandle that \"mqc send "
                                 "--json\" has printed");
    with_quiet.quiet = arguments->quiet;
    mqc_client_options client = arguments_client(arguments);
    mqc_producer_options options = {.client = &client, .group = "mqc_tool"};
    mqc_options_to_producer(arguments->options, &options);
    mqc_error error;
    mqc_producer *producer = mqc_producer_new(&options, &error);
    if (!producer || mqc_producer_start(producer, &error)) code = library_failure(NAME, "", &error);
    for (int i = 0; i < arguments->rest_count && code == EXIT_DONE; i++)
        code = recall(&with_quiet, producer, arguments->rest[i]);
    mqc_producer_free(producer);
    return code;
}

static int recall(const struct recaller *recaller, mqc_producer *producer, const char *handle)
{
    mqc_error error;
    char id[64];
    if (mqc_producer_recall(producer, recaller->topic, handle, recaller->timeout_s * 1000, id,
                            &error))
        return library_failure(NAME, "", &error);
    if (recaller->quiet) return EXIT_DONE;
    bool printed = recaller->json ? output_json(json_pack("{s:s}", "recalled", id))
                                  : printf("%s\n", id) >= 0 && fflush(stdout) == 0;
    return printed ? EXIT_DONE : output_failure(NAME);
}
