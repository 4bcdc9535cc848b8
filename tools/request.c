/* mqc request: sends a message and prints the reply to it. Runs on the main thread alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/mqc.h"
#include "tools/outgoing.h"
#include "tools/output.h"

static const char NAME[] = "request";

struct asker {
    struct outgoing outgoing;
    int timeout_s; /* 0: the producer's own */
    bool json, quiet;
};

static int run(struct arguments *arguments, struct asker *asker);
static int ask(const struct asker *asker, mqc_producer *producer, const char *body, size_t size);
static int print_reply(const struct asker *asker, const mqc_message *reply);
static bool add_property(const char *name, const char *value, void *arg);
static int read_all(char **body, size_t *size);

int request_command(int argc, char **argv)
{
    struct asker asker = {0};
    struct outgoing *outgoing = &asker.outgoing;
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic of those who answer (required)", ARGUMENT_TEXT,
         &outgoing->topic, NULL},
        {'k', "keys", "KEYS", "keys that the broker indexes, separated by spaces", ARGUMENT_TEXT,
         &outgoing->keys, NULL},
        {'g', "tag", "TAG", "tag that consumers filter by", ARGUMENT_TEXT, &outgoing->tag, NULL},
        {'p', "property", "NAME=VALUE", "a property; may be repeated", ARGUMENT_EACH,
         &outgoing->properties, NULL},
        {0, "timeout", "S", "wait at most S seconds for the reply (default: sendMsgTimeout, 3)",
         ARGUMENT_NUMBER, &asker.timeout_s, NULL},
        {0, "json", NULL, "print the reply as an object", ARGUMENT_FLAG, &asker.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC [option]… [BODY|-]",
        .about =
            "Sends BODY, or standard input without one or with \"-\", as a request, waits for\n"
            "the reply of one consumer and prints its body. Ends with 3 when none came in\n"
            "time. The producer's group is mqc_tool unless -X producerGroup=NAME is given.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &asker);
    arguments_done(&arguments);
    return code;
}

static int run(struct arguments *arguments, struct asker *asker)
{
    if (arguments->rest_count > 1)
        return usage_error(NAME, "there is one BODY only; unexpected argument \"%s\"",
                           arguments->rest[1]);
    int code = outgoing_check(NAME, &asker->outgoing);
    if (code >= 0) return code;
    asker->quiet = arguments->quiet;
    mqc_client_options client = arguments_client(arguments);
    mqc_producer_options options = {.client = &client, .group = "mqc_tool"};
    mqc_options_to_producer(arguments->options, &options);
    mqc_error error;
    mqc_producer *producer = mqc_producer_new(&options, &error);
    if (!producer || mqc_producer_start(producer, &error)) {
        code = library_failure(NAME, "", &error);
    } else if (arguments->rest_count == 1 && strcmp(arguments->rest[0], "-") != 0) {
        code = ask(asker, producer, arguments->rest[0], strlen(arguments->rest[0]));
    } else {
        char *body = NULL;
        size_t size = 0;
        code = read_all(&body, &size);
        if (code < 0) code = ask(asker, producer, body, size);
        free(body);
    }
    mqc_producer_free(producer);
    return code;
}

/* Standard input to its end: -1, or the exit code of what went wrong. */
static int read_all(char **body, size_t *size)
{
    size_t room = 0;
    errno = 0;
    do {
        if (*size == room) {
            room = room ? room * 2 : 4096;
            char *larger = realloc(*body, room);
            if (!larger) return failure(NAME, "out of memory");
            *body = larger;
        }
        *size += fread(*body + *size, 1, room - *size, stdin);
    } while (!feof(stdin) && !ferror(stdin));
    if (ferror(stdin)) return failure(NAME, "standard input: %s", strerror(errno));
    return -1;
}

static int ask(const struct asker *asker, mqc_producer *producer, const char *body, size_t size)
{
    mqc_error error;
    mqc_message *reply = NULL;
    mqc_message *message = outgoing_message(&asker->outgoing, body, size, &error);
    mqc_send_options options = {.timeout_ms = asker->timeout_s * 1000};
    mqc_status status =
        message ? mqc_producer_request(producer, message, &options, &reply, &error) : error.status;
    mqc_message_free(message);
    if (status) return library_failure(NAME, "", &error);
    int code = asker->quiet ? EXIT_DONE : print_reply(asker, reply);
    mqc_message_free(reply);
    return code;
}

static int print_reply(const struct asker *asker, const mqc_message *reply)
{
    mqc_view body = mqc_message_body(reply);
    bool printed;
    if (asker->json) {
        json_t *properties = json_object();
        mqc_message_each_property(reply, add_property, properties);
        json_t *object =
            json_pack("{s:o, s:o, s:o, s:o, s:I}", "topic", json_text(mqc_message_topic(reply)),
                      "msgId", json_text(mqc_message_id(reply)), "bornHost",
                      json_text(mqc_message_born_host(reply)), "properties", properties,
                      "storeTimestamp", (json_int_t)mqc_message_stored_unix_ms(reply));
        bool whole = object && json_add_body(object, body);
        if (!whole) json_decref(object);
        printed = output_json(whole ? object : NULL);
    } else {
        printed = output_line(body.size > 0 ? body.data : "", body.size);
    }
    return printed ? EXIT_DONE : output_failure(NAME);
}

static bool add_property(const char *name, const char *value, void *arg)
{
    json_object_set_new(arg, name, json_text(value));
    return true;
}
