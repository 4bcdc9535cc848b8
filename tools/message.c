/* mqc message get|find|print; the subcommands that do something with messages are in
 * message_actions.c. Main thread. */
#include "tools/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const char *topic, *id, *key, *body_file;
    const char *begin, *end, *broker, *queue, *from_offset, *to_offset, *tags;
    int most;
    mqc_message_range range;
    struct admin_command command;
};

static int get_command(int argc, char **argv);
static int find_command(int argc, char **argv);
static int print_command(int argc, char **argv);

int message_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"get", get_command, "print the message with an id"},
        {"find", find_command, "print the messages with a key"},
        {"print", print_command, "print the messages of a topic, by time or offset"},
        {"track", message_track_command, "print which groups have consumed a message"},
        {"trace", message_trace_command, "print what clients have told of a message"},
        {"consume", message_consume_command, "have a member consume a message now"},
        {"recall", message_recall_command, "take a message back before it is delivered"},
        {"resend", message_resend_command, "send a copy of a message"},
        {"dlq", message_dlq_command, "print the dead letters of a group"},
        {"replay", message_replay_command, "give dead letters to their group again"},
    };
    return subcommands_run("message", "Finds stored messages and gives them to consumers again.",
                           SUBCOMMANDS, COUNT_OF(SUBCOMMANDS), argc, argv);
}

/* ---- many messages ---- */

static const struct column COLUMNS[] = {
    {"STORED", "", COLUMN_TIME},   {"BROKER", "", COLUMN_TEXT}, {"QUEUE", "", COLUMN_NUMBER},
    {"OFFSET", "", COLUMN_NUMBER}, {"ID", "", COLUMN_TEXT},     {"TAG", "", COLUMN_TEXT},
    {"KEYS", "", COLUMN_TEXT},     {"BODY", "", COLUMN_TEXT},
};

void message_printer_init(struct message_printer *printer, struct admin_command *command, int most)
{
    *printer = (struct message_printer){.command = command, .most = most};
    report_init(&printer->report, COLUMNS, COUNT_OF(COLUMNS), false);
}

/* A body for a table: what is no text is told by its size. */
static void add_body(struct report *report, mqc_view body)
{
    char size[48];
    json_t *text = json_stringn(body.size > 0 ? body.data : "", body.size);
    snprintf(size, sizeof size, "(%zu bytes, no text)", body.size);
    report_text(report, text ? json_string_value(text) : size);
    json_decref(text);
}

bool message_printer_add(const mqc_message *message, void *arg)
{
    struct message_printer *printer = arg;
    struct admin_command *command = printer->command;
    printer->count++;
    if (command->quiet) return printer->count != printer->most;
    if (command->json) {
        command->write_failed =
            !output_json(message_object_details(message_object(message), message));
    } else {
        report_time(&printer->report, mqc_message_stored_unix_ms(message));
        report_text(&printer->report, mqc_message_broker_name(message));
        report_number(&printer->report, mqc_message_queue_id(message));
        report_number(&printer->report, mqc_message_queue_offset(message));
        report_text(&printer->report, mqc_message_id(message));
        report_text(&printer->report, mqc_message_tag(message));
        report_text(&printer->report, mqc_message_keys(message));
        add_body(&printer->report, mqc_message_body(message));
    }
    return !command->write_failed && printer->count != printer->most;
}

void message_printer_finish(struct message_printer *printer)
{
    if (printer->command->json)
        report_done(&printer->report);
    else
        print_report(printer->command, &printer->report);
}

/* ---- get ---- */

static bool add_property(const char *name, const char *value, void *arg)
{
    struct report *report = arg;
    char title[300];
    snprintf(title, sizeof title, "property %s", name);
    report_text(report, title);
    report_text(report, value);
    return true;
}

static void add_number(struct report *report, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    report_text(report, name);
    report_text(report, text);
}

static void add_pair(struct report *report, const char *name, const char *value)
{
    report_text(report, name);
    report_text(report, value);
}

static void print_message(struct admin_command *command, const mqc_message *message)
{
    static const struct column PAIRS[] = {{"NAME", "", COLUMN_TEXT}, {"VALUE", "", COLUMN_TEXT}};
    struct report report;
    char time[32];
    report_init(&report, PAIRS, COUNT_OF(PAIRS), false);
    add_pair(&report, "id", mqc_message_id(message));
    add_pair(&report, "offset id", mqc_message_offset_id(message));
    add_pair(&report, "topic", mqc_message_topic(message));
    add_pair(&report, "tag", mqc_message_tag(message));
    add_pair(&report, "keys", mqc_message_keys(message));
    add_pair(&report, "broker", mqc_message_broker_name(message));
    add_number(&report, "queue", mqc_message_queue_id(message));
    add_number(&report, "offset", mqc_message_queue_offset(message));
    add_number(&report, "deliveries that failed", mqc_message_reconsume_times(message));
    format_time(mqc_message_born_unix_ms(message), time);
    add_pair(&report, "sent", time);
    add_pair(&report, "sent from", mqc_message_born_host(message));
    format_time(mqc_message_stored_unix_ms(message), time);
    add_pair(&report, "stored", time);
    add_pair(&report, "stored at", mqc_message_stored_host(message));
    add_number(&report, "flag", mqc_message_flag(message));
    mqc_message_each_property(message, add_property, &report);
    report_text(&report, "body");
    add_body(&report, mqc_message_body(message));
    print_report(command, &report);
}

static mqc_status get(struct admin_command *command, void *arg, mqc_error *error)
{
    struct search *search = arg;
    mqc_message *message;
    mqc_status status =
        mqc_admin_message_by_id(command->admin, search->topic, search->id, &message, error);
    if (status) return status;
    if (command->json)
        print_object(command, message_object_details(message_object(message), message));
    else
        print_message(command, message);
    mqc_message_free(message);
    return MQC_OK;
}

static int get_command(int argc, char **argv)
{
    struct search search = {0};
    const struct argument own[] = {
        OPTION_ID(search.id),
        OPTION_TEXT('t', "topic", "TOPIC", "its topic (required for a unique id)", &search.topic),
        OPTION_JSON(search.command),
    };
    const struct requirement required[] = {{&search.id, "the id", "-i ID"}};
    struct admin_description description = {
        .name = "message get",
        .synopsis = "-i ID [-t TOPIC] [option]…",
        .about = "Prints the message with an id: the unique id that its sender gave it, or the\n"
                 "offset id of the broker.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = get,
        .arg = &search,
    };
    return admin_command_run(&search.command, &description, argc, argv);
}

/* ---- find ---- */

static mqc_status find(struct admin_command *command, void *arg, mqc_error *error)
{
    struct search *search = arg;
    const mqc_message_list *found;
    struct message_printer printer;
    mqc_status status = mqc_admin_messages_by_key(
        command->admin, search->topic, search->key, search->range.begin_unix_ms,
        search->range.end_unix_ms, search->most, &found, error);
    if (status) return status;
    message_printer_init(&printer, command, 0);
    for (size_t i = 0; i < found->count; i++)
        if (!message_printer_add(found->messages[i], &printer)) break;
    message_printer_finish(&printer);
    mqc_admin_result_free(found);
    return MQC_OK;
}

static int check_times(void *arg)
{
    struct search *search = arg;
    int code =
        take_time(search->command.name, "--begin", search->begin, &search->range.begin_unix_ms);
    if (code < 0)
        code = take_time(search->command.name, "--end", search->end, &search->range.end_unix_ms);
    return code;
}

static int find_command(int argc, char **argv)
{
    struct search search = {.command.name = "message find"};
    const struct argument own[] = {
        OPTION_TEXT('t', "topic", "TOPIC", "the topic (required)", &search.topic),
        OPTION_TEXT('k', "key", "KEY", "one of the message's keys (required)", &search.key),
        OPTION_TEXT(0, "begin", "TIME", "stored then or later", &search.begin),
        OPTION_TEXT(0, "end", "TIME", "stored before", &search.end),
        OPTION_NUMBER(0, "most", "N", "at most so many of each broker (default 64)", &search.most),
        OPTION_JSON(search.command),
    };
    const struct requirement required[] = {{&search.topic, "the topic", "-t TOPIC"},
                                           {&search.key, "the key", "-k KEY"}};
    struct admin_description description = {
        .name = "message find",
        .synopsis = "-t TOPIC -k KEY [option]…",
        .about = "Prints the messages of a topic that have a key, oldest first. A time is as in\n"
                 "\"mqc group reset\".",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_times,
        .action = find,
        .arg = &search,
    };
    return admin_command_run(&search.command, &description, argc, argv);
}

/* ---- print ---- */

static int take_offset(const char *option, const char *text, int64_t *out)
{
    char *end;
    if (!text) return -1;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || number < 0)
        return usage_error("message print", "%s is \"%s\": give a number from 0 on", option, text);
    *out = number;
    return -1;
}

static int check_range(void *arg)
{
    struct search *search = arg;
    mqc_message_range *range = &search->range;
    int64_t queue_id = 0;
    int code = check_times(arg);
    if (code < 0) code = take_offset("--from-offset", search->from_offset, &range->begin_offset);
    if (code < 0) code = take_offset("--to-offset", search->to_offset, &range->end_offset);
    if (code < 0) code = take_offset("--queue", search->queue, &queue_id);
    if (code >= 0) return code;
    range->topic = search->topic;
    range->broker_name = search->broker;
    range->one_queue = search->queue != NULL;
    range->queue_id = (int)queue_id;
    range->tags = search->tags;
    return -1;
}

static mqc_status print_range(struct admin_command *command, void *arg, mqc_error *error)
{
    struct search *search = arg;
    struct message_printer printer;
    message_printer_init(&printer, command, search->most);
    mqc_status status = mqc_admin_each_message(command->admin, &search->range, message_printer_add,
                                               &printer, error);
    message_printer_finish(&printer);
    return status;
}

static int print_command(int argc, char **argv)
{
    struct search search = {.command.name = "message print"};
    const struct argument own[] = {
        OPTION_TEXT('t', "topic", "TOPIC", "the topic (required)", &search.topic),
        OPTION_TEXT(0, "begin", "TIME", "stored then or later", &search.begin),
        OPTION_TEXT(0, "end", "TIME", "stored before", &search.end),
        OPTION_TEXT('b', "broker", "NAME", "only of this broker", &search.broker),
        OPTION_TEXT(0, "queue", "N", "only of this queue", &search.queue),
        OPTION_TEXT(0, "from-offset", "N", "from this offset of each queue on",
                    &search.from_offset),
        OPTION_TEXT(0, "to-offset", "N", "before this offset", &search.to_offset),
        OPTION_TEXT(0, "tag", "EXPRESSION", "only these tags: \"a || b\"", &search.tags),
        OPTION_NUMBER(0, "most", "N", "at most so many (default: all)", &search.most),
        OPTION_JSON(search.command),
    };
    const struct requirement required[] = {{&search.topic, "the topic", "-t TOPIC"}};
    struct admin_description description = {
        .name = "message print",
        .synopsis = "-t TOPIC [option]…",
        .about =
            "Prints the messages of a topic that are there now, queue by queue, oldest first,\n"
            "without touching any group's offsets. A time is as in \"mqc group reset\".",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_range,
        .action = print_range,
        .arg = &search,
    };
    return admin_command_run(&search.command, &description, argc, argv);
}
