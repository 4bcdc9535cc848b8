/* One message of mqc send: made as the command line says, and its result printed. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/mqc.h"
#include "tools/output.h"
#include "tools/send.h"

static const char NAME[] = "send";

mqc_message *send_message_new(const struct sender *sender, const char *context, const char *body,
                              size_t size, int *code)
{
    mqc_error error;
    mqc_message *message = outgoing_message(&sender->outgoing, body, size, &error);
    mqc_status status = message ? MQC_OK : error.status;
    if (!status) status = mqc_message_set_delay_level(message, sender->delay_level, &error);
    if (!status) status = mqc_message_set_delay_ms(message, sender->delay_ms, &error);
    if (!status) status = mqc_message_set_deliver_at(message, sender->deliver_at_ms, &error);
    if (!status) status = mqc_message_set_priority(message, sender->priority, &error);
    if (!status) return message;
    *code = library_failure(NAME, context, &error);
    mqc_message_free(message);
    return NULL;
}

int send_message(struct sender *sender, const mqc_message *message, const char *context)
{
    mqc_error error;
    mqc_send_result result;
    if (sender->transactions.state)
        return transactions_send(&sender->transactions, message, context);
    if (mqc_producer_send(sender->producer, message, &sender->options, &result, &error))
        return library_failure(NAME, context, &error);
    return send_print(sender, &result);
}

int64_t send_parse_delay(const char *text)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    if (text[0] < '0' || text[0] > '9') return -1;
    long long number = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0)
            return number > 0 && number < INT64_MAX / units[i].ms ? number * units[i].ms : -1;
    return -1;
}

int send_parse_priority(const char *text)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') return -1;
    long long number = strtoll(text, &end, 10);
    return *end == '\0' && number <= INT_MAX ? (int)number : -1;
}

int64_t send_parse_time(const char *text)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &parts);
        if (!end || *end != '\0') continue;
        time_t seconds = mktime(&parts);
        return seconds > 0 ? (int64_t)seconds * 1000 : -1;
    }
    char *end;
    long long number = strtoll(text, &end, 10);
    return number > 0 && *end == '\0' ? number : -1;
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

static bool print_json(const struct sender *sender, const mqc_send_result *result)
{
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:o, s:i, s:I, s:s}", "msgId", result->message_id, "offsetMsgId",
        result->offset_message_id, "topic", sender->outgoing.topic, "brokerName",
        json_text(result->queue.broker_name), "queueId", result->queue.queue_id, "queueOffset",
        (json_int_t)result->queue_offset, "sendStatus", status_name(result->status));
    if (line && result->recall_handle[0])
        json_object_set_new(line, "recallHandle", json_text(result->recall_handle));
    return output_json(line);
}

int send_print(const struct sender *sender, const mqc_send_result *result)
{
    bool printed = true;
    if (sender->quiet) return EXIT_DONE;
    if (sender->json) {
        printed = print_json(sender, result);
    } else {
        bool good = result->status == MQC_SEND_OK;
        printed = printf("%s %s/%d %lld%s%s\n", result->message_id, result->queue.broker_name,
                         result->queue.queue_id, (long long)result->queue_offset, good ? "" : " ",
                         good ? "" : status_name(result->status)) >= 0 &&
                  fflush(stdout) == 0;
    }
    return printed ? EXIT_DONE : output_failure(NAME);
}
