/* mqc message trace: what clients with tracing on have told of a message. Main thread. */
#include <stdio.h>
#include <string.h>

#include "tools/message.h"

struct trace {
    const char *id, *trace_topic, *begin, *end;
    int64_t begin_unix_ms, end_unix_ms;
    struct admin_command command;
};

/* What is worth saying of an event besides its columns. */
static const char *result_of(const mqc_trace_event *event)
{
    if (!event->finished) return "RUNNING";
    if (*event->transaction_state) return event->transaction_state;
    if (*event->result) return event->result;
    return event->success ? "SUCCESS" : "FAILED";
}

static void add_event(struct report *report, const mqc_trace_event *event)
{
    report_time(report, event->unix_ms);
    report_text(report, mqc_trace_kind_name(event->kind));
    report_text(report, event->group);
    report_text(report, event->topic);
    report_text(report, event->client_host);
    report_text(report, event->broker_address);
    report_number(report, event->cost_ms);
    report_text(report, result_of(event));
    report_number(report, event->retry_times);
    report_text(report, event->message_type);
}

static mqc_status print_trace(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"TIME", "timestamp", COLUMN_TIME},       {"EVENT", "event", COLUMN_TEXT},
        {"GROUP", "group", COLUMN_TEXT},          {"TOPIC", "topic", COLUMN_TEXT},
        {"CLIENT", "clientHost", COLUMN_TEXT},    {"BROKER", "brokerAddress", COLUMN_TEXT},
        {"COST ms", "costMs", COLUMN_NUMBER},     {"RESULT", "result", COLUMN_TEXT},
        {"RETRIES", "retryTimes", COLUMN_NUMBER}, {"TYPE", "messageType", COLUMN_TEXT},
    };
    struct trace *trace = arg;
    const mqc_trace *events;
    mqc_status status =
        mqc_admin_message_trace(command->admin, trace->trace_topic, trace->id, trace->begin_unix_ms,
                                trace->end_unix_ms, &events, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    for (size_t i = 0; i < events->count; i++) add_event(&report, events->events[i]);
    print_report(command, &report);
    mqc_admin_result_free(events);
    return MQC_OK;
}

static int check_times(void *arg)
{
    struct trace *trace = arg;
    int code = take_time(trace->command.name, "--begin", trace->begin, &trace->begin_unix_ms);
    return code < 0 ? take_time(trace->command.name, "--end", trace->end, &trace->end_unix_ms)
                    : code;
}

int message_trace_command(int argc, char **argv)
{
    struct trace trace = {.command.name = "message trace"};
    const struct argument own[] = {
        OPTION_TEXT('i', "id", "ID", "unique id of the message (required)", &trace.id),
        OPTION_TEXT(0, "trace-topic", "TOPIC", "where traces are (default: RMQ_SYS_TRACE_TOPIC)",
                    &trace.trace_topic),
        OPTION_TEXT(0, "begin", "TIME", "told then or later", &trace.begin),
        OPTION_TEXT(0, "end", "TIME", "told before", &trace.end),
        OPTION_JSON(trace.command),
    };
    const struct requirement required[] = {{&trace.id, "the id", "-i ID"}};
    struct admin_description description = {
        .name = "message trace",
        .synopsis = "-i ID [option]…",
        .about =
            "Prints what producers and consumers with tracing on have told of a message: when\n"
            "it was sent and consumed, by whom, how long that took and how it ended. They tell\n"
            "it every few seconds. A time is as in \"mqc group reset\".",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_times,
        .action = print_trace,
        .arg = &trace,
    };
    return admin_command_run(&trace.command, &description, argc, argv);
}
